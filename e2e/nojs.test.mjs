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
