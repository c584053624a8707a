// What browsers load: how much of it, how it may be kept, and that nothing jumps or blinks when it arrives.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { addToCart, alive, openBrowser, openShop, until, visit } from './harness.mjs';

/** Design, §9. */
const SHOPPERS_WASM = 220 * 1024;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let shop, browser, slug;
before(async () => {
  shop = await openShop();
  browser = await openBrowser();
  slug = shop.sql('SELECT b.slug FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available > 5 ORDER BY b.id LIMIT 1');
});
after(async () => { await browser?.close(); await shop?.close(); });

/** The bytes as they travel. */
const load = (path, headers = {}) => new Promise((resolve, reject) => {
  http.get(`${shop.url}${path}`, { headers: { 'accept-encoding': 'br', ...headers } }, async (response) => {
    const parts = [];
    for await (const part of response) parts.push(part);
    resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
  }).on('error', reject);
});
const filesOf = (html) => [...new Set(html.match(/\/pkg\/[\w.-]+\.(?:css|js|wasm)/g))];
const wasmOf = async (html) => {
  const [path, more] = filesOf(html).filter((file) => file.endsWith('.wasm'));
  assert.equal(more, undefined, 'one half per page');
  const { headers, body } = await load(path);
  assert.equal(headers['content-encoding'], 'br');
  return { path, size: body.length, code: brotliDecompressSync(body) };
};

test('a page that was rendered for another stranger comes alive all the same', async () => {
  const own = await openShop({ BAZAR_PAGE_CACHE_MS: '60000' });
  const context = await browser.newShopper();
  try {
    const book = await (await fetch(`${own.url}/books/${slug}`)).text();
    const [author, category] = ['authors', 'categories'].map((kind) => book.match(new RegExp(`href="(/${kind}/[^"]+)"`))[1]);
    const shelves = ['/', '/books', author, category, `/books/${slug}`];
    for (const path of shelves) {
      const [first, kept] = [await fetch(own.url + path), await fetch(own.url + path)];
      assert.equal(await first.text(), await kept.text(), path);
      assert.match(kept.headers.get('content-security-policy'), /script-src 'self' 'sha256-[^']+' '/, path);
    }
    const page = await context.newPage();
    const refused = [];
    page.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
    for (const path of shelves) {
      await context.clearCookies();
      await visit(page, own.url + path);
      assert.deepEqual(refused, [], path);
    }
    await addToCart(page);
    assert.deepEqual(refused, []);
  } finally {
    await context.close();
    await own.close();
  }
});

test('shoppers load a WASM within its budget, and without what is behind the counter', async () => {
  const [shoppers, admins] = [await wasmOf(await (await fetch(shop.url)).text()), await wasmOf(await adminsPage())];
  assert.notEqual(shoppers.path, admins.path);
  assert.ok(shoppers.size <= SHOPPERS_WASM, `${shoppers.size} bytes, ${SHOPPERS_WASM} allowed: see which functions grew in target/wasm/glue/shop, where they have names`);
  // Addresses that only admins' pages send to, and only shoppers' pages.
  assert.ok(admins.code.includes('admin/orders/ship') && !shoppers.code.includes('admin/orders/ship'));
  assert.ok(shoppers.code.includes('page/checkout') && !admins.code.includes('page/checkout'));
});

const adminsPage = async () => {
  const body = new URLSearchParams({ email: 'admin@bookbazar.local', password: 'admin-demo-pass' });
  const login = await fetch(`${shop.url}/api/account/login`, { method: 'POST', body, headers: { accept: 'application/json' } });
  const cookies = login.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  return (await fetch(`${shop.url}/admin/orders`, { headers: { cookie: cookies } })).text();
};

test('files with a hash in their name are kept for ever, others are asked about, pages are not kept at all', async () => {
  const page = await load('/');
  const html = brotliOrPlain(page);
  for (const name of ['etag', 'last-modified', 'age']) assert.equal(page.headers[name], undefined, name);
  assert.equal(page.headers['cache-control'], 'no-store');
  const files = filesOf(html);
  assert.deepEqual(files.map((file) => file.split('.').at(-1)).sort(), ['css', 'js', 'wasm']);
  for (const file of files) {
    const { status, headers } = await load(file);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable', file);
    assert.equal(headers['content-encoding'], 'br', file);
    assert.equal(headers.vary, 'accept-encoding', file);
    assert.match(file, /\.\w{16}\.\w+$/);
  }
  for (const file of [`/covers/${slug}.svg`, '/icons.svg', '/fonts/fraunces-latin.woff2', '/search.js']) {
    const first = await load(file);
    assert.match(first.headers['cache-control'], /max-age=\d+/, file);
    const asked = first.headers.etag
      ? { 'if-none-match': first.headers.etag }
      : { 'if-modified-since': first.headers['last-modified'] };
    const again = await load(file, asked);
    assert.deepEqual([again.status, again.body.length], [304, 0], file);
  }
});

test('pages, covers and answers travel compressed; what is small or compressed already stays as it is', async () => {
  const gzip = { 'accept-encoding': 'gzip' };
  for (const path of ['/', '/books', `/books/${slug}`, `/covers/${slug}.svg`, '/api/books', '/sitemaps/books-0.xml']) {
    const [plain, small] = [await load(path, { 'accept-encoding': 'identity' }), await load(path, gzip)];
    assert.deepEqual([small.status, small.headers['content-encoding'], plain.headers['content-encoding']], [200, 'gzip', undefined], path);
    assert.match(small.headers.vary, /accept-encoding/i, path);
    assert.ok(small.body.length < plain.body.length / 2, `${path}: ${small.body.length} of ${plain.body.length} bytes`);
    // A page's nonce is another one each time.
    assert.equal(gunzipSync(small.body).length, plain.body.length, path);
  }
  for (const path of ['/healthz', '/fonts/fraunces-latin.woff2', '/share.png']) {
    assert.equal((await load(path, gzip)).headers['content-encoding'], undefined, path);
  }
});

test('what is seen comes first: the WASM is asked for once it stands, or when somebody acts', async () => {
  const shopper = await browser.newShopper(PHONE);
  const open = async (path) => {
    const page = await shopper.newPage();
    const asked = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    let show;
    const shown = new Promise((resolve) => { show = resolve; });
    await page.route('**/covers/**', async (route) => { await shown; await route.continue().catch(() => {}); });
    await page.goto(`${shop.url}${path}`, { waitUntil: 'domcontentloaded' });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await until(() => asked.some((file) => file.startsWith('/covers/')), 5000, 'covers to be asked for');
    return { page, show, wasm: () => asked.some((file) => file.endsWith('.wasm')) };
  };
  const patient = await open('/');
  await patient.page.waitForTimeout(300);
  assert.equal(patient.wasm(), false, 'not before the covers');
  patient.show();
  await alive(patient.page);
  const quick = await open(`/books/${slug}`);
  await quick.page.keyboard.press('Tab');
  await alive(quick.page);
  assert.ok(quick.wasm());
  quick.show();
  assert.deepEqual(shopper.errors, []);
});
test('the way back before the WASM is there leads to the page of before', async () => {
  const page = await (await browser.newShopper()).newPage();
  await visit(page, `${shop.url}/categories/classics`);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: '2', exact: true }).click();
  await page.getByText(/page 2 of 3/).waitFor();
  // Scripts that are asked for wait for the styles.
  for (const late of ['**/*.wasm', '**/*.css']) {
    let arrive;
    const arrived = new Promise((resolve) => { arrive = resolve; });
    await page.route(late, async (route) => { await arrived; await route.continue().catch(() => {}); });
    await page.reload({ waitUntil: 'commit' });
    await page.getByText(/page 2 of 3/).waitFor({ state: 'attached' });
    await page.goBack({ waitUntil: 'commit' });
    await page.getByText(/page 1 of 3/).waitFor({ state: 'attached' });
    arrive();
    await alive(page);
    await page.getByText(/page 1 of 3/).waitFor();
    await page.unroute(late);
    await page.goForward();
    await page.getByText(/page 2 of 3/).waitFor();
  }
});

const brotliOrPlain = ({ headers, body }) => (headers['content-encoding'] === 'br' ? brotliDecompressSync(body) : body).toString();

test('nothing moves while home, list, book and cart arrive on a phone', async () => {
  const shopper = await browser.newShopper(PHONE);
  const page = await shopper.newPage();
  await page.addInitScript(() => {
    globalThis.shifts = [];
    const note = ({ value, sources }) => globalThis.shifts.push({ value, what: sources.map(({ node }) => node?.className ?? node?.nodeName) });
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: 'layout-shift', buffered: true });
  });
  await visit(page, `${shop.url}/books/${slug}`);
  await addToCart(page);
  for (const path of ['/', '/books', `/books/${slug}`, '/cart']) {
    await visit(page, `${shop.url}${path}`);
    await page.evaluate(() => document.fonts.ready);
    await page.mouse.wheel(0, 1200);
    await page.waitForTimeout(400);
    assert.deepEqual(await page.evaluate(() => globalThis.shifts), [], path);
  }
  assert.deepEqual(shopper.errors, []);
});

test('following links inside the shop loads no page and never shows an empty one', async () => {
  const shopper = await browser.newShopper(PHONE);
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/books`);
  await page.evaluate(() => {
    globalThis.sameDocument = true;
    globalThis.blinks = 0;
    const look = () => {
      const main = document.querySelector('main');
      if (!main || main.getBoundingClientRect().height < 100) globalThis.blinks += 1;
      requestAnimationFrame(look);
    };
    look();
  });
  const title = await page.locator('.book-card__link').first().textContent();
  await page.locator('.book-card__link').first().click();
  await page.getByRole('heading', { level: 1, name: title.trim() }).waitFor();
  await page.locator('.site-nav__link--cart').click();
  await page.getByText('Nothing in the cart yet').waitFor();
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: title.trim() }).waitFor();
  await page.locator('.wordmark').click();
  await page.getByRole('heading', { name: 'On the front table' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [globalThis.sameDocument, globalThis.blinks]), [true, 0]);
  assert.deepEqual(shopper.errors, []);
});

test('from the shop behind the counter and back: each half is alive, and the back button works', async () => {
  const admin = await browser.newShopper();
  const form = { email: 'admin@bookbazar.local', password: 'admin-demo-pass' };
  const page = await admin.newPage();
  await visit(page, `${shop.url}/login?next=/admin/orders`);
  await page.locator('[name=email]').last().fill(form.email);
  await page.locator('[name=password]').fill(form.password);
  await page.getByRole('button', { name: /Log in/ }).click();
  const isOrders = () => page.getByRole('heading', { level: 1, name: 'Orders' }).waitFor();
  await page.waitForURL('**/admin/orders');
  await isOrders();
  await alive(page);
  await page.locator('.wordmark').click();
  await page.getByRole('heading', { name: 'On the front table' }).waitFor();
  await alive(page);
  await page.getByLabel('Main').getByRole('link', { name: 'Admin' }).click();
  await isOrders();
  await alive(page);
  await page.goBack();
  await page.getByRole('heading', { name: 'On the front table' }).waitFor();
  await alive(page);
  await page.goForward();
  await isOrders();
  await alive(page);
  await page.locator('.site-search input').fill('gora');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/books?q=gora');
  await alive(page);
  await page.locator('.book-card__link').first().waitFor();
  // Whatever leads there by script: the router knows nothing of it.
  await page.evaluate(() => { history.pushState({}, '', '/admin/orders'); dispatchEvent(new PopStateEvent('popstate', { state: {} })); });
  await isOrders();
  await alive(page);
  await page.goto(`${shop.url}/admin/nowhere`);
  await page.getByText('This page is not on any shelf').waitFor();
  await until(async () => (await page.locator('html').getAttribute('data-live')) === 'open', 5000, 'the 404 page to be alive');
  assert.deepEqual(admin.errors, []);
});
