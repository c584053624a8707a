// (f) Live pages: stock moves under everybody's eyes, and a shop that dies and comes back mends what is open.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, alive, client, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const hint = (page) => page.locator('.connection');
const book = (where) => {
  const [id, slug, left, title] = shop.sql(`SELECT b.id, b.slug, s.available, b.title FROM books b JOIN stock s ON s.book_id = b.id WHERE ${where} ORDER BY b.id LIMIT 1`).split('|');
  return { id: Number(id), slug, left: Number(left), title };
};

/** Somebody without a browser buys so many copies. */
async function buy({ id }, quantity, key) {
  const buyer = client(shop.url);
  await buyer('/api/cart/add', { form: { book_id: id, quantity } });
  const placed = await buyer('/api/orders/place', { form: { ...ADDRESS, country: 'IN', email: 'buyer@example.org' }, headers: { 'idempotency-key': key } });
  assert.equal(placed.status, 200, placed.text);
  return () => until(async () => (await buyer('/api/orders/cancel', { form: { order_id: placed.json.order_id } })).status === 200, 5000, 'to cancel');
}

test('a sale in one browser is seen on the list and on the page of the book in others, and so is its return', async () => {
  const wanted = book('s.available BETWEEN 6 AND 9');
  const [list, page] = [await (await browser.newShopper()).newPage(), await (await browser.newShopper()).newPage()];
  await visit(list, `${shop.url}/books?q=${encodeURIComponent(wanted.title)}`);
  await visit(page, `${shop.url}/books/${wanted.slug}`);
  const shelf = list.locator('.book-card', { has: list.locator(`a[href="/books/${wanted.slug}"]`) }).locator('.stock');
  const box = page.locator('.buy-box .stock');
  const both = async (words) => { for (const said of [shelf, box]) await said.filter({ hasText: words }).waitFor({ timeout: 4000 }); };
  await both('In stock');
  const first = await buy(wanted, wanted.left - 2, 'one');
  await both('2 left');
  const second = await buy(wanted, 2, 'two');
  await both('Sold out');
  await page.getByRole('link', { name: 'Find something like it' }).waitFor();
  await first();
  await second();
  await both('In stock');
  await page.getByRole('button', { name: 'Add to cart' }).waitFor();
});

test('the shop is killed while two tabs are open: both say so, and both mend themselves', async () => {
  const wanted = book('s.available BETWEEN 6 AND 9');
  const plenty = book('s.available >= 20');
  const shopper = await browser.newShopper();
  const add = (quantity) => shopper.request.post(`${shop.url}/api/cart/set`, { form: { book_id: plenty.id, quantity } });
  await add(1);
  const [cart, page] = [await shopper.newPage(), await shopper.newPage()];
  await visit(cart, `${shop.url}/cart`);
  await visit(page, `${shop.url}/books/${wanted.slug}`);
  for (const tab of [cart, page]) {
    await tab.evaluate(() => { globalThis.sameDocument = true; });
    assert.equal(await hint(tab).isVisible(), false);
  }
  await shop.kill();
  for (const tab of [cart, page]) await hint(tab).filter({ hasText: 'cannot reach the shop' }).waitFor({ timeout: 8000 });
  await shoot(page, 'live-away');
  await shop.start();
  // While the tabs still wait for their next attempt.
  await add(4);
  await buy(wanted, wanted.left - 1, 'after');
  for (const tab of [cart, page]) await alive(tab);
  await cart.locator('.stepper__value').filter({ hasText: '4' }).waitFor({ timeout: 5000 });
  await page.locator('.buy-box .stock').filter({ hasText: '1 left' }).waitFor({ timeout: 5000 });
  await page.locator('.cart-badge').filter({ hasText: '4' }).waitFor({ timeout: 5000 });
  for (const tab of [cart, page]) {
    await hint(tab).waitFor({ state: 'hidden', timeout: 5000 });
    assert.equal(await tab.evaluate(() => globalThis.sameDocument), true, 'without a reload');
  }
});

test('tabs come back to a shop that is away ever later, and not all at once', async () => {
  const pages = await Promise.all([1, 2, 3, 4].map(async () => (await browser.newShopper()).newPage()));
  for (const page of pages) {
    await page.addInitScript(() => {
      globalThis.attempts = [];
      globalThis.WebSocket = class extends WebSocket {
        constructor(...how) { super(...how); globalThis.attempts.push(Date.now()); }
      };
    });
    await visit(page, shop.url);
  }
  const dead = Date.now();
  await shop.kill();
  // The browser itself delays what fails again and again: so no more than two.
  const attempts = await Promise.all(pages.map(async (page) => {
    await page.waitForFunction(() => globalThis.attempts.length > 2, undefined, { timeout: 20_000 });
    return page.evaluate(() => globalThis.attempts.slice(1));
  }));
  await shop.start();
  // Half of a wait is certain, half is chance.
  for (const [first, second] of attempts) assert.ok(first - dead >= 240 && second - first >= 490, `${first - dead}, ${second - first}`);
  const firsts = attempts.map(([first]) => first);
  assert.ok(Math.max(...firsts) - Math.min(...firsts) > 10, `all at once: ${firsts}`);
  await Promise.all(pages.map(alive));
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
