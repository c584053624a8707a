// (c) Everything can be bought with JavaScript switched off: pages, forms, redirects, errors with the typed values.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, openBrowser, openShop, shoot, until } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

test('find, add, correct a mistake in the form, order, pay', async () => {
  const shopper = await browser.newShopper({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await shopper.newPage();
  await page.goto(`${shop.url}/`);
  await page.locator('[role=search] [name=q]').first().fill('rust programming');
  await page.locator('[role=search] button').first().click();
  await page.getByRole('link', { name: /Rust/ }).first().click();
  await shoot(page, 'nojs-book-phone');
  await page.getByRole('button', { name: /Add to cart/ }).click();
  await page.goto(`${shop.url}/cart`);
  await page.getByRole('button', { name: /One copy more/ }).click();
  assert.match(await page.locator('.stepper__value').textContent(), /2/);
  await shoot(page, 'nojs-cart-phone');
  await page.goto(`${shop.url}/checkout`);
  for (const [name, value] of Object.entries({ ...ADDRESS, postcode: '12' })) await page.locator(`[name="${name}"]`).fill(value);
  await page.locator('[name="email"]').fill('plain@example.org');
  await page.getByRole('button', { name: /Place order/ }).click();
  await page.getByText(/six digits/).waitFor();
  assert.equal(await page.locator('[name="city"]').inputValue(), ADDRESS.city, 'what was typed stays');
  await shoot(page, 'nojs-checkout-errors-phone');
  await page.locator('[name="postcode"]').fill('560001');
  await page.getByRole('button', { name: /Place order/ }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  const url = page.url();
  await until(async () => { await page.goto(url); return page.getByRole('button', { name: /Pay/ }).count(); }, 5000, 'the pay button');
  await shoot(page, 'nojs-order-phone');
  await page.getByRole('button', { name: /Pay/ }).first().click();
  await page.waitForURL(/\/sandbox\/pay\//);
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.waitForURL(/\/orders\//);
  await until(async () => { await page.goto(url); return page.locator('.order-now--paid').count(); }, 8000, 'PAID');
  assert.equal(shop.sql('SELECT status FROM orders'), 'PAID');
});

test('the cart is edited, told about and put right by plain forms', async () => {
  const shopper = await browser.newShopper({ javaScriptEnabled: false, viewport: { width: 360, height: 780 } });
  const page = await shopper.newPage();
  const books = shop.sql(`SELECT b.id, b.sku, b.price_minor / 100 FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 20 ORDER BY b.id LIMIT 3`)
    .split('\n').map((row) => row.split('|'));
  for (const [book_id] of books) await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id, quantity: 2 } });
  const line = (n) => page.locator('.receipt__lines .line').nth(n);
  const copies = async (n) => Number((await line(n).locator('.stepper__value').textContent()).match(/\d+/)[0]);
  await page.goto(`${shop.url}/cart`);
  await line(0).getByRole('button', { name: /One copy fewer/ }).click();
  assert.equal(await copies(0), 1);
  await line(0).getByRole('button', { name: /One copy fewer/ }).click();
  assert.equal(await page.locator('.receipt__lines .line').count(), 2);

  const [[, retired], [, cheaper, was]] = books.slice(1);
  shop.update('sku,retired', `${retired},yes`);
  shop.update('sku,price_inr', `${cheaper},${was - 10}`);
  await until(async () => { await page.goto(`${shop.url}/cart`); return page.getByText('No longer sold.').count(); }, 10_000, 'the retired line');
  assert.equal(await line(0).locator('.stepper').count(), 0);
  await page.getByRole('button', { name: 'Take what is left' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Go to checkout' }).count(), 0);
  await line(1).getByText(`Was ₹${was}, now ₹${was - 10}.`).waitFor();
  await shoot(page, 'nojs-cart-notices-phone');
  await line(1).getByRole('button', { name: /Got it/ }).click();
  assert.equal(new URL(page.url()).pathname, '/cart');
  assert.equal(await page.getByText(/Was ₹/).count(), 0);
  await line(0).getByRole('button', { name: /Remove/ }).click();
  await page.getByRole('link', { name: 'Go to checkout' }).waitFor();

  // A guest's cart comes along into an account, and the next page says so.
  await page.goto(`${shop.url}/register`);
  for (const [name, value] of Object.entries({ name: 'Plain', email: 'plain2@example.org', password: 'long-enough-pass' })) {
    await page.locator(`form[action*=register] [name=${name}]`).fill(value);
  }
  await page.locator('form[action*=register] button').click();
  await page.getByRole('status').filter({ hasText: 'came along' }).waitFor();
  await page.goto(`${shop.url}/cart`);
  await page.getByRole('status').filter({ hasText: 'came along' }).getByRole('button', { name: 'Got it' }).click();
  assert.equal(await page.getByText('came along').count(), 0);
  await page.getByRole('button', { name: /Empty the cart/ }).click();
  await page.getByText('Nothing in the cart yet').waitFor();
});

test('a wrong password says so and keeps the address', async () => {
  const page = await (await browser.newShopper({ javaScriptEnabled: false })).newPage();
  await page.goto(`${shop.url}/login`);
  await page.locator('[name=email]').last().fill('shopper@bookbazar.local');
  await page.locator('[name=password]').fill('not-the-password');
  await page.getByRole('button', { name: /Log in/ }).click();
  await page.locator('[role=alert]').first().waitFor();
  assert.equal(await page.locator('[name=email]').last().inputValue(), 'shopper@bookbazar.local');
  assert.equal(await page.locator('[name=password]').inputValue(), '');
});

test('what a search says stays text, also in the title', async () => {
  const page = await (await browser.newShopper({ javaScriptEnabled: false })).newPage();
  const words = '</title><meta http-equiv=refresh content=0;url=/cart>';
  await page.goto(`${shop.url}/books?q=${encodeURIComponent(words)}`);
  await page.waitForTimeout(500);
  assert.equal(new URL(page.url()).pathname, '/books');
  assert.ok((await page.title()).includes('</title>'), 'shown as typed');
});

test('a refused form stores nothing on the server', async () => {
  const answer = await fetch(`${shop.url}/api/account/login`, {
    method: 'POST', redirect: 'manual', headers: { accept: 'text/html' }, body: new URLSearchParams({ email: 'x', password: 'y' }),
  });
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split('=')[0]);
  assert.deepEqual([answer.status, cookies], [303, ['bb_flash']]);
  const unknown = await fetch(`${shop.url}/api/account/nosuch`, {
    method: 'POST', redirect: 'manual', headers: { accept: 'text/html' }, body: new URLSearchParams({ a: 'b' }),
  });
  assert.deepEqual([unknown.status, unknown.headers.getSetCookie()], [404, []]);
});
