// (e) The cart in the browser: edits show at once, refusals roll back, other tabs and devices follow, sleepers wake right.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { ADDRESS, alive, client, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const badge = (page) => page.locator('.cart-badge');
const line = (page, n) => page.locator('.receipt__lines .line').nth(n);
const copies = async (page, n = 0) => Number((await line(page, n).locator('.stepper__value').textContent()).match(/\d+/)[0]);
const more = (page, n = 0) => line(page, n).getByRole('button', { name: /One copy more/ });
const fewer = (page, n = 0) => line(page, n).getByRole('button', { name: /One copy fewer/ });
const total = (page) => page.locator('.totals__row--grand dd').textContent();
/** Cheap books of which there are plenty. */
const plenty = (n) => shop.sql(`SELECT b.id FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 20 ORDER BY b.id LIMIT ${n}`).split('\n').map(Number);
/** What the server holds for this browser. */
const held = async (context) => (await (await context.request.get(`${shop.url}/api/cart`)).json()).lines.map((l) => [l.book_id, l.quantity]);
const post = (context, name, form) => context.request.post(`${shop.url}/api/cart/${name}`, { form: { ...form } });

/** A shopper with these copies of the first books in their cart, and their cart page. */
async function shopperWith(quantities, options) {
  const shopper = await browser.newShopper(options);
  const books = plenty(quantities.length);
  for (const [n, quantity] of quantities.entries()) await post(shopper, 'add', { book_id: books[n], quantity });
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/cart`);
  return { shopper, page, books };
}

/** Holds every edit of this page for so long, on its way there. */
const slowly = (page, ms) => page.route('**/api/cart/*', async (route) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await route.continue().catch(() => {});
});

test('five clicks in a moment are five copies, shown at once, and the button stays a button', async () => {
  const { shopper, page, books } = await shopperWith([2, 1]);
  await slowly(page, 700);
  const before = await total(page);
  // One task of the page: the fastest finger there is.
  await more(page).evaluate((button) => { for (let n = 0; n < 5; n += 1) button.click(); });
  await until(async () => await copies(page) === 7, 300, 'the copies at once');
  assert.notEqual(await total(page), before);
  assert.match(await badge(page).textContent(), /8/);
  assert.ok(await more(page).isEnabled());
  await until(async () => JSON.stringify(await held(shopper)) === JSON.stringify([[books[0], 7], [books[1], 1]]), 8000, 'the server');
  // Nothing jumped back on the way, and nothing does afterwards.
  await page.waitForTimeout(300);
  assert.equal(await copies(page), 7);
  assert.deepEqual(shopper.errors, []);
});

test('fewer, remove, empty and add to cart show at once too', async () => {
  const { shopper, page, books } = await shopperWith([3, 1, 1]);
  await slowly(page, 1500);
  await fewer(page).click();
  await until(async () => await copies(page) === 2, 300, 'one fewer');
  await line(page, 1).getByRole('button', { name: /Remove/ }).click();
  await until(async () => await page.locator('.receipt__lines .line').count() === 2, 300, 'a line less');
  assert.match(await badge(page).textContent(), /3/);
  await page.getByRole('button', { name: /Empty the cart/ }).click();
  await page.getByText('Nothing in the cart yet').waitFor({ timeout: 300 });
  assert.equal(await badge(page).count(), 0);
  await until(async () => (await held(shopper)).length === 0, 8000, 'the server');
  const slug = shop.sql(`SELECT slug FROM books WHERE id = ${books[2]}`);
  await visit(page, `${shop.url}/books/${slug}`);
  await page.locator('[name=quantity]').selectOption('3');
  await page.getByRole('button', { name: /Add to cart/ }).click();
  await badge(page).filter({ hasText: '3' }).waitFor({ timeout: 300 });
  await page.getByText('In your cart: 3 copies').waitFor({ timeout: 300 });
  await until(async () => (await held(shopper)).length === 1, 8000, 'the server');
  assert.deepEqual(await held(shopper), [[books[2], 3]]);
});

test('a refusal rolls back and says why; so does a network that is gone', async () => {
  const { shopper, page } = await shopperWith([2]);
  const ids = plenty(51);
  for (const book_id of ids.slice(1, 50)) await post(shopper, 'add', { book_id, quantity: 1 });
  await badge(page).filter({ hasText: '51' }).waitFor();
  const slug = shop.sql(`SELECT slug FROM books WHERE id = ${ids[50]}`);
  await visit(page, `${shop.url}/books/${slug}`);
  await slowly(page, 400);
  await page.getByRole('button', { name: /Add to cart/ }).click();
  await badge(page).filter({ hasText: '52' }).waitFor({ timeout: 300 });
  await page.getByRole('alert').filter({ hasText: 'at most 50 titles' }).waitFor();
  assert.match(await badge(page).textContent(), /51/);
  await page.unrouteAll({ behavior: 'ignoreErrors' });

  await visit(page, `${shop.url}/cart`);
  assert.equal(await page.getByRole('alert').count(), 0);
  await page.route('**/api/cart/*', (route) => route.abort());
  await more(page).click();
  await page.getByRole('alert').filter({ hasText: 'cannot reach the shop' }).waitFor();
  assert.equal(await copies(page), 2);
  await shoot(page, 'cart-refused');
  await page.unrouteAll();
  await more(page).click();
  await until(async () => await copies(page) === 3, 300, 'the next edit');
  await page.getByRole('alert').waitFor({ state: 'detached' });
  assert.equal((await held(shopper))[0][1], 3);
});

test('what other tabs do meanwhile goes beneath the edit, and answers out of order never jump back', async () => {
  const { shopper, page, books } = await shopperWith([2, 1]);
  await slowly(page, 1500);
  await more(page).click();
  await post(shopper, 'set', { book_id: books[1], quantity: 5 });
  await until(async () => await copies(page, 1) === 5, 1000, 'the other line');
  assert.equal(await copies(page), 3);
  const seen = [];
  const end = Date.now() + 2500;
  while (Date.now() < end) seen.push(await copies(page));
  assert.deepEqual([...new Set(seen)], [3]);
  assert.deepEqual(await held(shopper), [[books[0], 3], [books[1], 5]]);
});

test('both tabs click at once: every click counts', async () => {
  const { shopper, page, books } = await shopperWith([1]);
  const other = await shopper.newPage();
  await visit(other, `${shop.url}/cart`);
  const clicks = (button) => { for (let n = 0; n < 4; n += 1) button.click(); };
  await Promise.all([more(page).evaluate(clicks), more(other).evaluate(clicks)]);
  await until(async () => await copies(page) === 9 && await copies(other) === 9, 5000, 'nine copies in both tabs');
  assert.deepEqual(await held(shopper), [[books[0], 9]]);
});

test('one tab adds while the other takes off: every click counts', async () => {
  const { shopper, page, books } = await shopperWith([5]);
  const other = await shopper.newPage();
  await visit(other, `${shop.url}/cart`);
  const clicks = (button) => { for (let n = 0; n < 3; n += 1) button.click(); };
  await Promise.all([more(page).evaluate(clicks), fewer(other).evaluate(clicks)]);
  for (const tab of [page, other]) await until(async () => await copies(tab) === 5, 5000, 'five copies in both tabs');
  await page.waitForTimeout(300);
  assert.deepEqual(await held(shopper), [[books[0], 5]]);
});

test('clicks that still wait for their turn are not lost when the page is left', async () => {
  const way = await passage({ delay: 400 });
  const own = await openShop({ BAZAR_BASE_URL: way.url });
  way.lead(new URL(own.url).port);
  try {
    const shopper = await browser.newShopper();
    const at = (path, form) => shopper.request.post(`${own.url}/api/cart/${path}`, { form });
    const books = plenty(2);
    for (const book_id of books) await at('add', { book_id, quantity: 2 });
    const page = await shopper.newPage();
    await visit(page, `${way.url}/cart`);
    await more(page, 0).evaluate((button) => { for (let n = 0; n < 3; n += 1) button.click(); });
    await fewer(page, 1).click();
    await page.evaluate(() => { location.href = '/books'; });
    await page.waitForURL('**/books');
    const cart = async () => (await (await shopper.request.get(`${own.url}/api/cart`)).json()).lines.map((l) => [l.book_id, l.quantity]);
    await until(async () => JSON.stringify(await cart()) === JSON.stringify([[books[0], 5], [books[1], 1]]), 5000, 'all clicks');
  } finally {
    await own.close();
    way.close();
  }
});

test('another tab and another device follow, their line glows; the acting one does not', async () => {
  const login = { email: 'shopper@bookbazar.local', password: 'shopper-demo-pass' };
  const [laptop, phone] = [await browser.newShopper(), await browser.newShopper({ viewport: { width: 390, height: 844 } })];
  const [book] = plenty(1);
  for (const device of [laptop, phone]) {
    assert.ok((await device.request.post(`${shop.url}/api/account/login`, { form: login })).ok());
  }
  await post(laptop, 'clear', {});
  await post(laptop, 'add', { book_id: book, quantity: 1 });
  const [acting, tab, device] = [await laptop.newPage(), await laptop.newPage(), await phone.newPage()];
  for (const page of [acting, tab, device]) {
    await visit(page, `${shop.url}/cart`);
    await page.evaluate(() => {
      globalThis.glowed = false;
      const look = () => { globalThis.glowed ||= document.querySelector('.line--changed') !== null; };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
  }
  await more(acting).click();
  for (const page of [tab, device]) {
    await until(async () => await copies(page) === 2, 2000, 'the change');
    await until(() => page.evaluate(() => globalThis.glowed), 1000, 'the glow');
    await page.locator('.line--changed').waitFor({ state: 'detached', timeout: 3000 });
  }
  assert.equal(await acting.evaluate(() => globalThis.glowed), false);
});

test('a new price is told on the line until it was read; a retired book stays, marked, and bars the checkout', async () => {
  const { shopper, page, books } = await shopperWith([1, 2]);
  const [sku, was] = shop.sql(`SELECT sku, price_minor / 100 FROM books WHERE id = ${books[1]}`).split('|');
  const retired = shop.sql(`SELECT sku FROM books WHERE id = ${books[0]}`);
  shop.update('sku,price_inr', `${sku},${was - 50}`);
  const notice = line(page, 1).locator('.cart-line__notice');
  await notice.filter({ hasText: `Was ₹${was}, now ₹${was - 50}.` }).waitFor({ timeout: 15_000 });
  await slowly(page, 500);
  const answered = page.waitForResponse(/cart\/seen/);
  await notice.getByRole('button', { name: /Got it/ }).click();
  await notice.waitFor({ state: 'detached', timeout: 300 });
  await answered;
  await visit(page, `${shop.url}/cart`);
  assert.equal(await notice.count(), 0, 'the shop remembers that it was read');
  await page.unrouteAll({ behavior: 'ignoreErrors' });

  shop.update('sku,retired', `${retired},yes`);
  await line(page, 0).locator('.cart-line__notice').filter({ hasText: 'No longer sold.' }).waitFor({ timeout: 15_000 });
  assert.equal(await more(page, 0).count(), 0);
  await page.getByRole('button', { name: 'Take what is left' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Go to checkout' }).count(), 0);
  await shoot(page, 'cart-retired');
  shop.update('sku,retired', `${retired},no`);
  await page.getByRole('link', { name: 'Go to checkout' }).waitFor({ timeout: 15_000 });
  shop.update('sku,price_inr', `${sku},${was}`);
  assert.deepEqual(shopper.errors, []);
});

test('what a login did to the cart is said on the next page, until it was read', async () => {
  const form = { email: 'merge@example.org', password: 'long-enough-pass', name: 'Meera' };
  const [full, other] = plenty(2);
  const elsewhere = await browser.newShopper();
  assert.ok((await elsewhere.request.post(`${shop.url}/api/account/register`, { form })).ok());
  await post(elsewhere, 'add', { book_id: full, quantity: 8 });
  const shopper = await browser.newShopper();
  await post(shopper, 'add', { book_id: full, quantity: 5 });
  await post(shopper, 'add', { book_id: other, quantity: 1 });
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/login`);
  await page.locator('[name=email]').last().fill(form.email);
  await page.locator('[name=password]').fill(form.password);
  await page.getByRole('button', { name: /Log in/ }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
  const said = page.getByRole('status').filter({ hasText: '2 titles you had picked came along' });
  await said.waitFor();
  await said.getByRole('link', { name: /See the cart/ }).click();
  await page.waitForURL(/\/cart/);
  await shoot(page, 'cart-merged');
  await said.getByRole('button', { name: 'Got it' }).click();
  await said.waitFor({ state: 'detached' });
  await until(async () => !('notice' in await (await shopper.request.get(`${shop.url}/api/cart`)).json()), 3000, 'the server to know');
  await visit(page, `${shop.url}/`);
  assert.equal(await said.count(), 0);
});

test('who logs out is a stranger at once in every tab, whatever way they took', async () => {
  const shopper = await browser.newShopper();
  const form = { email: 'admin@bookbazar.local', password: 'admin-demo-pass' };
  assert.ok((await shopper.request.post(`${shop.url}/api/account/login`, { form })).ok());
  await post(shopper, 'add', { book_id: plenty(1)[0], quantity: 2 });
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/cart`);
  assert.equal(await copies(page), 2);
  assert.ok((await shopper.request.post(`${shop.url}/api/account/logout`, { form: {} })).ok());
  await page.getByText('Nothing in the cart yet').waitFor({ timeout: 3000 });
});

test('a frozen tab is right within a second of waking', async () => {
  const { shopper, page, books } = await shopperWith([2]);
  const devtools = await shopper.newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await post(shopper, 'set', { book_id: books[0], quantity: 6 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await until(async () => await copies(page) === 6, 1000, 'the cart of now');
});

test('after the shop was away, a tab that is looked at again does not wait for its next attempt', async () => {
  const { shopper, page, books } = await shopperWith([2]);
  await shop.stop();
  await page.waitForSelector('html[data-live="closed"]', { state: 'attached' });
  // Long enough for the pauses between its attempts to grow.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  await page.evaluate(() => { globalThis.RealSocket = globalThis.WebSocket; globalThis.WebSocket = class { constructor() { throw new Error('away'); } }; });
  await shop.start();
  await post(shopper, 'set', { book_id: books[0], quantity: 7 });
  await page.evaluate(() => { globalThis.WebSocket = globalThis.RealSocket; window.dispatchEvent(new Event('focus')); });
  await until(async () => await copies(page) === 7, 1000, 'the cart of now');
  await alive(page);
});

test('a socket that died without a word is replaced when the tab is looked at', async () => {
  const hole = await passage();
  const own = await openShop({ BAZAR_BASE_URL: hole.url });
  hole.lead(new URL(own.url).port);
  try {
    const shopper = await browser.newShopper();
    const add = (quantity) => shopper.request.post(`${own.url}/api/cart/set`, { form: { book_id: plenty(1)[0], quantity } });
    await add(1);
    const page = await shopper.newPage();
    await visit(page, `${hole.url}/cart`);
    assert.equal(await copies(page), 1);
    hole.swallow();
    await add(4);
    // Quiet for longer than counts as lately.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.equal(await copies(page), 1, 'nothing comes through');
    await page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await until(async () => await copies(page) === 4, 1000, 'the cart of now');
  } finally {
    await own.close();
    hole.close();
  }
});

test('the stock speaks on the line: few, sold out, back again', async () => {
  const [id, left] = shop.sql(`SELECT book_id, available FROM stock WHERE available BETWEEN 6 AND 9 ORDER BY book_id LIMIT 1`).split('|').map(Number);
  const { shopper, page } = await shopperWith([1]);
  await post(shopper, 'add', { book_id: id, quantity: 1 });
  await until(async () => await page.locator('.line').count() === 2, 2000, 'the line');
  const notice = line(page, 1).locator('.cart-line__notice');
  assert.equal(await notice.count(), 0);
  // Somebody else looks at the book.
  const shelf = await (await browser.newShopper()).newPage();
  await visit(shelf, `${shop.url}/books/${shop.sql(`SELECT slug FROM books WHERE id = ${id}`)}`);
  const says = (words) => shelf.locator('main .stock').first().filter({ hasText: words }).waitFor({ timeout: 5000 });
  await says('In stock');
  const orders = [];
  for (const quantity of [left - 2, 2]) {
    const buyer = client(shop.url);
    await buyer('/api/cart/add', { form: { book_id: id, quantity } });
    const form = { ...ADDRESS, country: 'IN', email: 'other@example.org' };
    const placed = await buyer('/api/orders/place', { form, headers: { 'idempotency-key': `k${quantity}` } });
    assert.equal(placed.status, 200, placed.text);
    orders.push([buyer, placed.json.order_id]);
    await notice.filter({ hasText: quantity === 2 ? 'Sold out just now.' : 'Only 2 left.' }).waitFor({ timeout: 3000 });
    await says(quantity === 2 ? 'Sold out' : '2 left');
    if (quantity !== 2) {
      await more(page, 1).click();
      await until(() => more(page, 1).isDisabled(), 2000, 'the limit of two');
    }
  }
  await page.getByRole('button', { name: 'Take what is left' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Go to checkout' }).count(), 0);
  await page.getByText(/cannot be ordered now/).waitFor();
  await shoot(page, 'cart-sold-out');
  for (const [buyer, order_id] of orders) {
    await until(async () => (await buyer('/api/orders/cancel', { form: { order_id } })).status === 200, 5000, 'to cancel');
  }
  await notice.waitFor({ state: 'detached', timeout: 5000 });
  await page.getByRole('link', { name: 'Go to checkout' }).waitFor();
  await says('In stock');
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});

/** A way to a shop that takes its time, and can swallow everything on the connections that stand, as a sleeping network does. */
async function passage({ delay = 0 } = {}) {
  let port;
  const [open, deaf] = [new Set(), new Set()];
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [one, other] of [[from, to], [to, from]]) {
      open.add(one);
      one.on('data', (bytes) => { if (!deaf.has(one)) setTimeout(() => other.write(bytes), delay); });
      one.on('error', () => {});
      one.on('close', () => { open.delete(one); if (!deaf.has(one)) setTimeout(() => other.destroy(), delay); });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    lead: (to) => { port = Number(to); },
    swallow: () => open.forEach((one) => deaf.add(one)),
    close: () => { open.forEach((one) => one.destroy()); server.close(); },
  };
}
