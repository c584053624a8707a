// The rooms of the house (docs/ARCHITECTURE.md) point one way: domain ← store ← app(ssr) ← server, domain ← app ← frontend.
// A compiler does not mind a dependency too many, so this check does: by what Cargo.toml declares, by what the sources
// name, and by what really ends up in the browser's build. It prints every violation and exits 1 if there is one.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const DATABASES = /^(sqlx.*|tokio-postgres|postgres|diesel.*|redis|fred)$/;
const HTTP = /^(axum.*|leptos.*|http|http-body.*|hyper.*|tower.*|tower-http)$/;
const RUNTIME = /^(tokio.*|futures.*|async-.*|async_.*|smol|rand|getrandom|reqwest)$/;

/** Per room: which other rooms it may use, which crates it may not, and what its sources may not name. */
const ROOMS = {
  domain: { rooms: [], never: [DATABASES, HTTP, RUNTIME], words: [/\basync\s+(fn|move|\{)/, /\.await\b/, /\bstd::(fs|net|env)\b/, /SystemTime::now|Instant::now/] },
  store: { rooms: ['domain'], never: [HTTP], words: [/\b(axum|http|hyper|leptos)::/] },
  app: { rooms: ['domain', 'store'], underSsr: ['store'], never: [DATABASES], words: [/\b(sqlx|redis|fred)::/] },
  frontend: { rooms: ['app'], never: [DATABASES], words: [/\b(sqlx|redis|store|domain)::/] },
  server: { rooms: ['domain', 'store', 'app'], never: [/^sqlx.*$/, /^redis$/], words: [/\b(sqlx|redis)::/] },
};
const NEVER_IN_THE_BROWSER = /^(sqlx.*|redis|fred|apalis.*|store|axum.*|leptos_axum|hyper.*|tower-http|tower-sessions.*|mio|socket2|argon2|reqwest)$/;

const cargo = (...args) => execFileSync('cargo', args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });
const violations = [];
const wrong = (text) => violations.push(text);

const filesUnder = (dir) =>
  readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? filesUnder(join(dir, e.name)) : [join(dir, e.name)]));

const packages = JSON.parse(cargo('metadata', '--no-deps', '--format-version=1', '--locked')).packages;
for (const { name } of packages) if (!(name in ROOMS)) wrong(`crate ${name} has no place in scripts/arrows.mjs: say what it may use`);

for (const [room, rule] of Object.entries(ROOMS)) {
  const found = packages.find((p) => p.name === room);
  if (!found) {
    wrong(`crate ${room} is missing`);
    continue;
  }
  // Tests look at the shop from outside and may use what they need; the shop itself may not.
  for (const dependency of found.dependencies.filter((d) => d.kind !== 'dev')) {
    const { name, optional } = dependency;
    if (name in ROOMS && !rule.rooms.includes(name)) wrong(`${room}/Cargo.toml: ${room} may not depend on ${name}`);
    if (rule.underSsr?.includes(name) && !optional) wrong(`${room}/Cargo.toml: ${name} must be optional (feature ssr)`);
    if (rule.never.some((n) => n.test(name))) wrong(`${room}/Cargo.toml: ${name} has no business in ${room}`);
  }
  for (const file of filesUnder(join(room, 'src')).filter((f) => f.endsWith('.rs'))) {
    readFileSync(file, 'utf8').split('\n').forEach((line, i) => {
      const code = line.replace(/\/\/.*$/, '');
      if (rule.words.some((w) => w.test(code))) wrong(`${file}:${i + 1}: ${line.trim()}`);
    });
  }
}

const browser = cargo('tree', '-p', 'frontend', '--target', 'wasm32-unknown-unknown', '-e', 'normal', '--prefix', 'none', '--locked');
for (const name of new Set(browser.split('\n').map((line) => line.split(' ')[0]))) {
  if (NEVER_IN_THE_BROWSER.test(name)) wrong(`the browser's build contains ${name} (see: cargo tree -p frontend --target wasm32-unknown-unknown -i ${name})`);
}

for (const text of violations) console.error(`    ${text}`);
process.exit(violations.length ? 1 : 0);
