// node capture.mjs URL COOKIES BOOKS MONITOR OUT: makes one add, set and remove while `redis-cli monitor` writes to
// MONITOR, and writes what the server sent as OUT/{add,set,remove}.call, one argument per line, for redis-benchmark:
// the owner is a random number of its, keys start with `bench:` instead of `bb:`. OUT/key is the cart's key for printf.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, lines } from './client.mjs';

const [url, cookies, books, monitor, out] = process.argv.slice(2);
const cookie = lines(cookies)[0];
const book_id = lines(books)[0];
const forms = { add: { book_id, quantity: 1 }, set: { book_id, quantity: 3 }, remove: { book_id } };

// A line: 1700000000.123456 [0 127.0.0.1:4242] "EVALSHA" "…" …; calls from within a script say [0 lua].
const calls = () =>
  readFileSync(monitor, 'utf8').split('\n')
    .filter((line) => /^[\d.]+ \[\d+ [\d.]+:\d+\] "EVALSHA" /i.test(line) && /"bb:cart:\{\d+\}:a:\d+"/.test(line))
    .map((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text));

for (const [verb, form] of Object.entries(forms)) {
  const before = calls().length;
  await ask(`${url}/api/cart/${verb}`, { form, cookie });
  const end = Date.now() + 3000;
  while (calls().length === before) {
    if (Date.now() > end) throw new Error(`${verb}: nothing seen in redis`);
    await sleep(10);
  }
  const call = calls()[before];
  const owner = call[3].match(/a:\d+$/)[0];
  const mine = (text) => text.replace(/^bb:/, 'bench:').replace(new RegExp(`(^|:)${owner}$`), '$1a:__rand_int__');
  writeFileSync(`${out}/${verb}.call`, call.map(mine).join('\n') + '\n');
  writeFileSync(`${out}/key`, mine(call[3]).replace('__rand_int__', '%012d'));
}
process.exit(0);
