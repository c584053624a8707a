// node bench/board.mjs URL EMAIL PASSWORD COUNT: pages of the board as people of the shop ask for them, four at a time: each
// filter, searches by number, e-mail and name, sorts, and pages far behind. Prints `bench RATE P50 P99` and the slowest kind.

import { ask } from './client.mjs';

const [url, email, password, count] = [...process.argv.slice(2, 5), Number(process.argv[5])];
const cookie = (await ask(`${url}/api/account/login`, { form: { email, password } })).cookies.join('; ');
const NAMES = ['asha', 'ravi sharma', 'meera', 'khan', 'arjun das', 'example.org', 'nobody'];
const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const KINDS = {
  newest: () => '',
  oldest: () => 'sort=oldest',
  largest: () => 'sort=largest',
  status: (n) => `status=${['PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED', 'EXPIRED', 'FAILED', 'REFUNDED'][n % 7]}`,
  payment: (n) => `payment=${['captured', 'late', 'closed', 'refunded', 'open'][n % 5]}`,
  provider: (n) => `provider=${['stripe', 'razorpay', 'sandbox'][n % 3]}`,
  dates: (n) => `from=${day(400 + (n % 200))}&to=${day(390 + (n % 200))}&sort=smallest`,
  amount: (n) => `min=${1000 + (n % 900)}&max=${1001 + (n % 900)}`,
  book: (n) => `book=r${1 + ((n * 37) % 10_000)}`,
  customer: (n) => `customer=reader${1 + ((n * 91) % 20_000)}@example.org`,
  late: () => 'late=1',
  apart: () => 'apart=1',
  number: (n) => `q=BB-${String(n % 20).padStart(4, '0')}-${String((n * 7) % 10_000).padStart(4, '0')}`,
  part: (n) => `q=${String((n * 7) % 10_000).padStart(4, '0')}`,
  email: (n) => `q=reader${1 + ((n * 13) % 20_000)}@`,
  name: (n) => `q=${encodeURIComponent(NAMES[n % NAMES.length])}`,
  narrow: (n) => `q=${encodeURIComponent(NAMES[n % NAMES.length])}&status=PAID&sort=largest&provider=stripe`,
};
const kinds = Object.keys(KINDS);
const took = [];
let next = 0;
const person = async () => {
  while (next < count) {
    const n = next;
    next += 1;
    const kind = kinds[n % kinds.length];
    let query = KINDS[kind](n);
    // Every fifth reads on.
    for (let page = 0; page < (n % 5 === 0 ? 4 : 1); page += 1) {
      const start = performance.now();
      const { json } = await ask(`${url}/api/admin/orders?${query}`, { cookie });
      took.push({ kind, ms: performance.now() - start });
      if (!json.next) break;
      query = `${query.replace(/&?after=[^&]*/, '')}&after=${json.next}`;
    }
  }
};
const start = performance.now();
await Promise.all(Array.from({ length: 4 }, person));
const seconds = (performance.now() - start) / 1000;
const at = (list, part) => list.map((one) => one.ms).sort((a, b) => a - b)[Math.floor((list.length - 1) * part)].toFixed(1);
const worst = kinds.map((kind) => [kind, at(took.filter((one) => one.kind === kind), 0.99)]).sort((a, b) => b[1] - a[1])[0];
console.log(`bench ${(took.length / seconds).toFixed(0)} ${at(took, 0.5)} ${at(took, 0.99)} ${worst.join(' ')}`);
process.exit(0);
