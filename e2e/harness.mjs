// A shop of its own for each test file: its own database, key prefix and ports, the real binary, a real browser.
// `make test` says where Postgres and Redis are and which binary to run.
import assert from 'node:assert/strict';
import { spawn, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { chromium } from 'playwright-core';

const ROOT = new URL('..', import.meta.url).pathname;
const BINARY = process.env.BAZAR_BIN ?? `${ROOT}target/debug/bazar`;
const SHOTS = process.env.BAZAR_SCREENSHOTS ?? `${ROOT}target/screenshots`;
mkdirSync(SHOTS, { recursive: true });

/** What everybody who works in a shop of these tests logs in with. */
export const PASSWORD = 'the password of an admin';

const needed = (name) => process.env[name] ?? (() => { throw new Error(`${name} is not set: run the tests by \`make test\``); })();

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
};

/** Starts a seeded shop; `env` overrides its settings. */
export async function openShop(env = {}) {
  const name = `bazar_e2e_${randomBytes(6).toString('hex')}`;
  const server = new URL(needed('BAZAR_TEST_DATABASE_URL'));
  const psql = (sql, database = server.pathname.slice(1)) => {
    const url = new URL(server);
    url.pathname = `/${database}`;
    return execFileSync('psql', ['-X', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1', '-d', url.href, '-c', sql], { encoding: 'utf8' }).trim();
  };
  psql(`CREATE DATABASE ${name}`);
  const database = new URL(server);
  database.pathname = `/${name}`;
  const [port, metrics] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    ...process.env,
    DATABASE_URL: database.href,
    REDIS_URL: needed('BAZAR_TEST_REDIS_URL'),
    BAZAR_ENV: 'development',
    BAZAR_ADDR: `127.0.0.1:${port}`,
    BAZAR_METRICS_ADDR: `127.0.0.1:${metrics}`,
    BAZAR_BASE_URL: url,
    BAZAR_SECRET: randomBytes(32).toString('hex'),
    BAZAR_KEY_PREFIX: `${name}:`,
    BAZAR_MAIL_DIR: `${SHOTS}/${name}-mails`,
    BAZAR_ADMIN_PASSWORD: PASSWORD,
    // What a test changed is seen at once; pages for strangers have a test of their own.
    BAZAR_PAGE_CACHE_MS: '0',
    ...env,
  };
  const run = (...args) => execFileSync(BINARY, args, { env: settings, encoding: 'utf8', cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  run('migrate');
  run('seed');
  const log = createWriteStream(`${SHOTS}/${name}.log`);
  let child;
  const start = async (role = 'all') => {
    child = spawn(BINARY, [role], { env: settings, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`the shop stopped: see ${log.path}`);
      return (await fetch(`${url}/readyz`).catch(() => null))?.ok;
    }, 30_000, 'the shop to be ready');
  };
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 12_000);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(killer);
    if (child.exitCode !== 0) throw new Error(`the shop did not stop cleanly: ${child.exitCode ?? child.signalCode}, see ${log.path}`);
  };
  /** As when the power goes. */
  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const sql = (text) => psql(text, name);
  const redis = (...args) => execFileSync('redis-cli', ['-u', settings.REDIS_URL, ...args], { encoding: 'utf8' }).trim();
  await start();
  return {
    url,
    run,
    sql,
    redis,
    /** Where the gate keeps the copies that are left of each book. */
    stockKey: `${name}:{inv}:stock`,
    /** Somebody begins to work here, as an owner. */
    hire: (email, name) => run('admin', 'create', email, '--name', name),
    /** Work that nobody can do: it fails once more and is given up. */
    poison: (key) => sql(`INSERT INTO outbox (topic, key, attempts, due_at) VALUES ('payment.close', '${key}', 9, '-infinity')`),
    /** Changes the catalogue as a shop does: by a file. */
    update(...lines) {
      return run('import', written(`${name}.csv`, ...lines));
    },
    /** Redis forgets this shop. */
    loseRedis() {
      const keys = redis('--scan', '--pattern', `${name}:*`).split('\n').filter(Boolean);
      if (keys.length) redis('del', ...keys);
    },
    /** As `all`, `web` or `worker`. */
    start,
    stop,
    kill,
    async close() {
      await stop();
      psql(`DROP DATABASE ${name} WITH (FORCE)`);
      rmSync(settings.BAZAR_MAIL_DIR, { recursive: true, force: true });
    },
  };
}

/** Waits until `look` answers something true; says what it waited for when it does not come. */
export async function until(look, ms, what) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await look();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

/** One browser; `newShopper(options)` gives a person with cookies of their own, who notices every error in the console. */
export async function openBrowser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    async newShopper(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-IN', ...options });
      const errors = [];
      context.setDefaultTimeout(15_000);
      context.on('weberror', (e) => errors.push(String(e.error())));
      context.on('console', (m) => { if (m.type() === 'error' && !/status of (4|5)\d\d/.test(m.text())) errors.push(m.text()); });
      return Object.assign(context, { errors });
    },
    close: () => browser.close(),
  };
}

/** Opens a page and waits until it is hydrated (the live socket is open), unless JavaScript is off. */
export async function visit(page, url) {
  await page.goto(url);
  await alive(page);
}

export const alive = (page) => page.waitForSelector('html[data-live="open"]', { state: 'attached' });

export const shoot = (page, name) => page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });

export const PHONE = { width: 360, height: 780 };
export const WIDE = { width: 1440, height: 900 };

/** Pictures on the phone and on a wide screen, in both themes; nothing may stick out. */
export async function pictures(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of [['phone', PHONE], ['wide', WIDE]]) {
      await page.setViewportSize(viewport);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${name} ${size} is ${over} px too wide`);
      await shoot(page, `${name}-${size}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

export const ADDRESS = {
  name: 'Asha Rao', line1: '12 MG Road', city: 'Bengaluru', state: 'Karnataka', postcode: '560001', phone: '9845012345',
};

/** Clicks “Add to cart” and waits for the server's answer: the badge counts before it, a page loaded anew does not. */
export async function addToCart(page) {
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/cart/add'));
  await page.getByRole('button', { name: /Add to cart/ }).click();
  await answered;
}

/** Fills in the checkout form and places the order. */
export async function checkOut(page, email) {
  for (const [name, value] of Object.entries(ADDRESS)) await page.locator(`[name="${name}"]`).fill(value);
  if (email) await page.locator('[name="email"]').fill(email);
  await page.getByRole('button', { name: /Place order/ }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
}

/** Pays the order of this page at the sandbox and waits until its page says so. */
export async function pay(page) {
  await page.getByRole('button', { name: /^\s*Pay ₹/ }).click();
  await page.waitForURL(/\/sandbox\/pay\//);
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.waitForURL(/\/orders\//);
  await page.locator('.order-now--paid').waitFor();
}

/** Somebody who works in the shop, logged in, in a browser of their own. */
export async function atWork(browser, shop, email, options = {}) {
  const person = await browser.newShopper({ viewport: WIDE, ...options });
  const answer = await person.request.post(`${shop.url}/api/account/login`, { form: { email, password: PASSWORD } });
  assert.ok(answer.ok(), await answer.text());
  return person;
}

/** A file of books, handed in on the page; what it would do is shown next. */
export async function handIn(page, shop, path) {
  await page.goto(`${shop.url}/admin/books/files`);
  await page.getByLabel('File', { exact: true }).setInputFiles(path);
  await page.getByRole('button', { name: 'Look at it' }).click();
}

/** Writes a file for a test and says where it is. */
export function written(name, ...lines) {
  writeFileSync(`${SHOTS}/${name}`, `${lines.join('\n')}\n`);
  return `${SHOTS}/${name}`;
}

/** A shopper without a browser: fetch with cookies. */
export function client(base) {
  const jar = new Map();
  return async (path, { form, headers = {}, ...rest } = {}) => {
    const response = await fetch(base + path, {
      redirect: 'manual',
      method: form ? 'POST' : 'GET',
      body: form && new URLSearchParams(form),
      headers: { accept: 'application/json', cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; '), ...headers },
      ...rest,
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const text = await response.text();
    let json = null;
    try { json = JSON.parse(text); } catch { /* a page */ }
    return { status: response.status, headers: response.headers, text, json };
  };
}
