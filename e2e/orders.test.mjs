// (g) On the way to an order: somebody was quicker, the cart changed, the order was lost; with and without JavaScript.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, client, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const PHONE = { viewport: { width: 360, height: 780 } };
const place = (page) => page.locator('.checkout__place button');
const news = (page) => page.locator('#news');
const rupees = (amount) => `₹${amount.toLocaleString('en-IN')}`;
const expected = (page) => page.locator('[name=expected_total]').inputValue();

/** Books of which there are so many, and nobody else's. */
const taken = new Set();
const books = (n, copies) => shop.sql(`SELECT b.id, b.sku, b.title, b.price_minor / 100 FROM books b WHERE retired_at IS NULL ORDER BY b.id`)
  .split('\n').map((row) => row.split('|')).filter(([id]) => !taken.has(id)).slice(0, n).map(([id, sku, title, price]) => {
    taken.add(id);
    shop.update('sku,stock', `${sku},${copies}`);
    return { id, sku, title, price: Number(price) };
  });

/** A person on the checkout page with these copies, the form filled in. */
async function atCheckout(lines, options) {
  const shopper = await browser.newShopper(options);
  for (const [book, quantity] of lines) {
    await until(async () => {
      const answer = await shopper.request.post(`${shop.url}/api/cart/set`, { form: { book_id: book.id, quantity } });
      return answer.ok() && (await answer.json()).lines.some((line) => line.book_id === Number(book.id) && line.quantity === quantity);
    }, 10_000, 'the copies in the cart');
  }
  const page = await shopper.newPage();
  const open = options.javaScriptEnabled === false ? (url) => page.goto(url) : (url) => visit(page, url);
  await open(`${shop.url}/checkout`);
  for (const [name, value] of Object.entries(ADDRESS)) await page.locator(`[name="${name}"]`).fill(value);
  await page.locator('[name="email"]').fill('asha@example.org');
  return { shopper, page };
}

/** Somebody else orders so many copies first. */
async function orderElsewhere(lines) {
  const other = client(shop.url);
  for (const [book, quantity] of lines) await other('/api/cart/add', { form: { book_id: book.id, quantity } });
  const form = { ...ADDRESS, country: 'IN', email: 'quick@example.org' };
  const answer = await other('/api/orders/place', { form, headers: { 'idempotency-key': 'first' } });
  assert.equal(answer.status, 200, answer.text);
}

const ways = [['with scripts', {}], ['without scripts', { javaScriptEnabled: false }]];
for (const [how, options] of ways) {
  const file = how.replace(' ', '-');

  test(`somebody was quicker: the rest is one button away, ${how}`, async () => {
    const [plenty, scarce, last] = books(3, 8);
    const { shopper, page } = await atCheckout([[plenty, 1], [scarce, 6], [last, 2]], { ...PHONE, ...options });
    await orderElsewhere([[scarce, 4], [last, 8]]);
    await place(page).click();
    const table = news(page).locator('.compare');
    await table.waitFor();
    const rows = await table.locator('tbody tr').allTextContents();
    assert.deepEqual(rows, [`${scarce.title}64`, `${last.title}2sold out`]);
    await shoot(page, `short-${file}-phone`);
    const before = { key: await page.locator('[name=idempotency_key]').inputValue(), total: await expected(page) };
    assert.equal(await page.locator('[name=city]').inputValue(), ADDRESS.city);
    await page.setViewportSize({ width: 1440, height: 900 });
    await shoot(page, `short-${file}`);
    await page.setViewportSize(PHONE.viewport);
    await page.getByRole('button', { name: 'Take what is left' }).click();
    await news(page).getByText(/now; it was/).waitFor();
    await shoot(page, `taken-${file}-phone`);
    assert.equal(await page.getByRole('button', { name: 'Take what is left' }).count(), 0);
    for (const [name, value] of Object.entries(ADDRESS)) assert.equal(await page.locator(`[name="${name}"]`).inputValue(), value, 'typed values stay');
    assert.notEqual(await page.locator('[name=idempotency_key]').inputValue(), before.key);
    assert.notEqual(await expected(page), before.total);
    const total = await expected(page);
    await news(page).getByRole('button', { name: /Place order/ }).click();
    await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
    const id = page.url().split('/').pop().split('?')[0];
    await until(() => shop.sql(`SELECT total_minor FROM orders WHERE id = '${id}'`) === total, 8000, 'the order with the total that was shown');
    assert.deepEqual(shopper.errors, []);
  });

  test(`a changed cart is shown before it is ordered, ${how}`, async () => {
    const [dearer, same] = books(2, 8);
    const { shopper, page } = await atCheckout([[dearer, 2], [same, 1]], { ...PHONE, ...options });
    const before = Number(await expected(page));
    shop.update('sku,price_inr', `${dearer.sku},${dearer.price + 11}`);
    await until(async () => (await (await shopper.request.get(`${shop.url}/api/cart`)).json()).total !== before, 10_000, 'the new price');
    await place(page).click();
    const notice = news(page).getByRole('status');
    await notice.getByText(/Your order comes to ₹.* now; it was ₹/).waitFor();
    assert.match(await news(page).locator('tbody').textContent(), new RegExp(`2 × ${rupees(dearer.price)}2 × ${rupees(dearer.price + 11)}`));
    assert.equal(new URL(page.url()).pathname, '/checkout', 'no second click by itself');
    if (!('javaScriptEnabled' in options)) {
      await until(() => page.evaluate(() => document.activeElement.id === 'news'), 2000, 'the focus on the news');
    }
    await shoot(page, `changed-${file}-phone`);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 1440, height: 900 });
    await shoot(page, `changed-${file}-dark`);
    assert.equal(shop.sql(`SELECT count(*) FROM order_items WHERE book_id = ${dearer.id}`), '0');
    await news(page).getByRole('button', { name: /Place order/ }).click();
    await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
    await until(() => shop.sql(`SELECT unit_price_minor FROM order_items WHERE book_id = ${dearer.id}`) === String((dearer.price + 11) * 100), 8000, 'the new price in the order');
    await page.goto(`${shop.url}/orders`);
    await page.getByRole('link', { name: `${dearer.title} and 1 more` }).waitFor();
    assert.deepEqual(shopper.errors, []);
  });
}

test('the cart page takes what is left, too', async () => {
  const [scarce, last] = books(2, 8);
  const { shopper, page } = await atCheckout([[scarce, 6], [last, 2]], PHONE);
  await visit(page, `${shop.url}/cart`);
  await orderElsewhere([[scarce, 4], [last, 8]]);
  const button = page.getByRole('button', { name: 'Take what is left' });
  await button.waitFor();
  await shoot(page, 'cart-short-phone');
  await button.click();
  await page.getByRole('link', { name: 'Go to checkout' }).waitFor();
  assert.equal(await page.locator('.receipt__lines .line').count(), 1);
  assert.match(await page.locator('.stepper__value').textContent(), /4/);
  assert.deepEqual(shopper.errors, []);
});

test('an order that was lost with Redis’ data explains itself, in the tab that is open, too', async () => {
  const [book] = books(1, 8);
  await shop.stop();
  await shop.start('web');
  const { shopper, page } = await atCheckout([[book, 2]], PHONE);
  await place(page).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  await page.getByText('Your copies are being reserved.').waitFor();
  await shoot(page, 'pending-phone');
  await visit(page, `${shop.url}/orders`);
  await page.getByText('Being reserved').first().waitFor();
  await page.goBack();
  shop.loseRedis();
  await shop.stop();
  await shop.start();
  await page.getByText('We lost this order, and you paid nothing').waitFor({ timeout: 20_000 });
  const answer = await page.goto(page.url());
  assert.equal(answer.status(), 404);
  await shoot(page, 'lost-phone');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 1440, height: 900 });
  await shoot(page, 'lost-dark');
  const plain = await browser.newShopper({ javaScriptEnabled: false, storageState: await shopper.storageState() });
  const without = await plain.newPage();
  assert.equal((await without.goto(page.url())).status(), 404);
  await without.getByText('Nothing was charged').waitFor();
  await without.getByRole('link', { name: 'See your cart' }).click();
  assert.equal(new URL(without.url()).pathname, '/cart');
  // The shop was away, and its tab tried to reach it.
  assert.deepEqual(shopper.errors.filter((error) => !error.startsWith('WebSocket connection')), []);
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
