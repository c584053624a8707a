// (a) A person finds a book, buys it, and every page follows by itself.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { addToCart, alive, checkOut, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const badge = (page) => page.locator('.cart-badge');

test('search with a typo, add, a second tab follows, place, pay, PAID by itself, the admin sees it', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/`);
  await shoot(page, 'home');
  await page.locator('[role=search] [name=q]').first().fill('Midnigt Children');
  await page.locator('[role=search] [name=q]').first().press('Enter');
  await page.waitForURL(/q=Midnigt/);
  await page.getByRole('link', { name: /Midnight.s Children/ }).first().click();
  await page.waitForURL(/\/books\/midnight/);
  await alive(page);

  const second = await shopper.newPage();
  await visit(second, `${shop.url}/books`);
  assert.equal(await badge(second).count(), 0);

  await addToCart(page);
  await badge(page).filter({ hasText: '1' }).waitFor();
  await badge(second).filter({ hasText: '1' }).waitFor({ timeout: 3000 });

  // Both tabs on the cart: a change in one is seen in the other.
  await visit(second, `${shop.url}/cart`);
  await visit(page, `${shop.url}/cart`);
  await page.getByRole('button', { name: /One copy more/ }).click();
  await second.locator('.stepper__value').filter({ hasText: '2' }).waitFor({ timeout: 3000 });
  await shoot(page, 'cart');

  await page.getByRole('link', { name: /checkout/i }).click();
  await page.waitForURL(/\/checkout/);
  await checkOut(page, 'asha@example.org');
  const ring = page.locator('.ring__time');
  await ring.waitFor();
  const before = await ring.textContent();
  assert.match(before, /^1[45]:\d\d$/);
  await until(async () => (await ring.textContent()) !== before, 5000, 'the countdown to run');
  await shoot(page, 'order-pending');
  await badge(second).waitFor({ state: 'detached', timeout: 5000 });

  // The same order in a second tab, which nobody touches until it says PAID.
  await visit(second, page.url());
  await page.getByRole('button', { name: /Pay/ }).click();
  await page.waitForURL(/\/sandbox\/pay\//);
  await shoot(page, 'sandbox');
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.waitForURL(/\/orders\//);
  await page.locator('.order-now--paid').waitFor();
  await second.locator('.order-now--paid').waitFor({ timeout: 5000 });
  await shoot(page, 'order-paid');
  assert.equal(shop.sql(`SELECT status || ' ' || (SELECT string_agg(status, ',') FROM payments) FROM orders`), 'PAID captured');

  const admin = await (await browser.newShopper()).newPage();
  await visit(admin, `${shop.url}/login?next=/admin/orders`);
  await admin.locator('[name=email]').last().fill('admin@bookbazar.local');
  await admin.locator('[name=password]').fill('admin-demo-pass');
  await admin.getByRole('button', { name: /Log in/ }).click();
  await admin.waitForURL(/\/admin\/orders/);
  await admin.locator('tr', { hasText: 'asha@example.org' }).filter({ hasText: 'Paid' }).waitFor();
  await shoot(admin, 'admin-orders');
  await admin.locator('tr', { hasText: 'asha@example.org' }).getByRole('link').first().click();
  await admin.getByText('Payment received.').waitFor();
  await shoot(admin, 'admin-order');
  assert.deepEqual(shopper.errors, []);
});

test('on a small phone the next step is in sight, from the book to the payment', async () => {
  const shopper = await browser.newShopper({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await shopper.newPage();
  /** Seen without scrolling, and under nothing else. */
  const inSight = (control) => until(() => control.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return element.contains(document.elementFromPoint(left + width / 2, top + height / 2)) && top + height <= innerHeight;
  }), 3000, 'the next step in sight');
  const tap = async (control) => { await inSight(control); await control.tap(); };
  await visit(page, `${shop.url}/books/gitanjali`);
  await tap(page.getByRole('button', { name: 'Add to cart' }));
  await shoot(page, 'book-added-phone');
  await tap(page.getByRole('link', { name: 'See the cart' }));
  await page.waitForURL(/\/cart$/);
  await tap(page.getByRole('link', { name: 'Go to checkout' }));
  await page.waitForURL(/\/checkout$/);
  await checkOut(page, 'asha@example.org');
  await page.locator('.ring__time').waitFor();
  await tap(page.getByRole('button', { name: /^\s*Pay ₹/ }));
  await page.waitForURL(/\/sandbox\/pay\//);
  await tap(page.getByRole('button', { name: 'Pay', exact: true }));
  await page.locator('.order-now--paid').waitFor();
  await inSight(page.getByRole('heading', { level: 1 }));
  assert.deepEqual(shopper.errors, []);
});

test('a guest’s cart comes along at login, and logging out leaves nothing behind', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/books`);
  await page.locator('.book-card__link').nth(1).click();
  await page.waitForURL(/\/books\/./);
  await alive(page);
  await addToCart(page);
  await badge(page).filter({ hasText: '1' }).waitFor();
  await visit(page, `${shop.url}/login`);
  await shoot(page, 'login');
  await page.locator('[name=email]').last().fill('shopper@bookbazar.local');
  await page.locator('[name=password]').fill('shopper-demo-pass');
  await page.getByRole('button', { name: /Log in/ }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/login'));
  await badge(page).filter({ hasText: '1' }).waitFor();
  await visit(page, `${shop.url}/account`);
  await page.getByRole('button', { name: /Log out/ }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/account'));
  await visit(page, `${shop.url}/cart`);
  assert.equal(await badge(page).count(), 0);
  assert.deepEqual(shopper.errors, []);
});

test('the shop restarts: open tabs come back by themselves and are right again', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/books`);
  await page.locator('.book-card__link').first().click();
  await page.waitForURL(/\/books\/./);
  await alive(page);
  await addToCart(page);
  await badge(page).filter({ hasText: '1' }).waitFor();
  const other = await shopper.newPage();
  await visit(other, `${shop.url}/cart`);
  await shop.stop();
  await other.waitForSelector('html[data-live="closed"]', { state: 'attached' });
  await shop.start();
  // While the other tab is still away, the cart moves on.
  await visit(page, `${shop.url}/cart`);
  await page.getByRole('button', { name: /One copy more/ }).click();
  await page.locator('.stepper__value').filter({ hasText: '2' }).waitFor();
  await other.locator('.stepper__value').filter({ hasText: '2' }).waitFor({ timeout: 20_000 });
  await alive(other);
});

test('pages that are not there say so, with the right status', async () => {
  const page = await (await browser.newShopper()).newPage();
  for (const path of ['/nowhere', '/books/no-such-book', '/orders/6f9619ff-8b86-4d01-b42d-00cf4fc964ff']) {
    const response = await page.goto(shop.url + path);
    assert.equal(response.status(), 404, path);
  }
  await shoot(page, '404');
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
