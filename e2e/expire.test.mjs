// (b) An order nobody pays expires on its page, and its copies are back on sale.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { addToCart, alive, checkOut, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => {
  shop = await openShop({ BAZAR_ORDER_TTL_SECONDS: '8', BAZAR_MIN_PAY_SECONDS: '8' });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await shop?.close(); });

const stock = (slug) => shop.sql(`SELECT s.on_hand || '/' || s.reserved FROM stock s JOIN books b ON b.id = s.book_id WHERE b.slug = '${slug}'`);

/** Puts the first book of the list into the cart and places the order. */
async function order(page) {
  await visit(page, `${shop.url}/books`);
  await page.locator('.book-card').filter({ hasText: 'In stock' }).first().locator('.book-card__link').click();
  await page.waitForURL(/\/books\/./);
  await alive(page);
  const slug = new URL(page.url()).pathname.split('/').pop();
  const left = stock(slug);
  await addToCart(page);
  await page.locator('.cart-badge').filter({ hasText: '1' }).waitFor();
  await visit(page, `${shop.url}/checkout`);
  await checkOut(page, 'late@example.org');
  return { slug, left };
}

test('the page says that it expired, and the copies are back', async () => {
  const page = await (await browser.newShopper()).newPage();
  const { slug, left } = await order(page);
  await page.locator('.ring__time').waitFor();
  await until(() => stock(slug) === left.replace(/\/(\d+)$/, (_, n) => `/${+n + 1}`), 5000, 'the copy to be reserved');
  await page.locator('.order-now--ended').waitFor({ timeout: 20_000 });
  await page.getByText(/back on the shelf/).first().waitFor();
  await shoot(page, 'order-expired');
  assert.equal(stock(slug), left);
  await until(async () => (await fetch(`${shop.url}/api/books?q=${slug.replaceAll('-', ' ')}`).then((r) => r.json()))
    .books.some((b) => b.slug === slug && b.available === Number(left.split('/')[0]) - Number(left.split('/')[1])),
  3000, 'the copy to be on sale at the gate');
});

test('money that comes too late buys the same copies again, and the page says so', async () => {
  const page = await (await browser.newShopper()).newPage();
  await order(page);
  await page.getByRole('button', { name: /Pay/ }).click();
  await page.waitForURL(/\/sandbox\/pay\//);
  await page.getByRole('button', { name: /Pay late/ }).click();
  await page.waitForURL(/\/orders\//);
  await page.getByText(/came late, and the copies were still there/).first().waitFor({ timeout: 40_000 });
  await page.locator('.order-now--paid').waitFor();
  assert.equal(shop.sql(`SELECT o.status || ' ' || p.status FROM orders o JOIN payments p ON p.order_id = o.id`), 'PAID captured');
  await shoot(page, 'order-paid-late');
});

test('a cancelled order gives its copies back at once', async () => {
  const page = await (await browser.newShopper()).newPage();
  const { slug, left } = await order(page);
  await page.getByRole('button', { name: /Cancel/ }).click();
  await page.locator('.order-now--ended').waitFor();
  await until(() => stock(slug) === left, 5000, 'the copies to be back');
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
