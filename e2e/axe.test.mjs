// (l) Every page against WCAG 2.2 AA and axe's best practices: on a desk and on a phone, light and dark. What goes wrong on
// a page is a state of it, too.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ADDRESS, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const ALL = { type: 'tag', values: TAGS };
// In the dark only colours are different.
const LOOKS = [[1280, 'light', ALL], [390, 'light', ALL], [390, 'dark', { type: 'rule', values: ['color-contrast'] }]];

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const still = { reducedMotion: 'reduce' };

// Where nothing may stick out either: the narrowest phone, and where the phone's page becomes the desk's.
const WIDTHS = [360, 768];

const sticksOut = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

/** What is wrong with the page as it stands, in each look. */
async function faults(page, name) {
  const found = [];
  for (const [width, colorScheme, runOnly] of LOOKS) {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme, ...still });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await page.evaluate(`typeof axe === 'object' || void ${AXE}`);
    const violations = await page.evaluate(async (runOnly) => {
      const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
      return violations.map((v) => `${v.id}: ${v.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
    }, runOnly);
    if (await sticksOut(page)) violations.push('sticks out sideways');
    found.push(...violations.map((violation) => `${name}, ${width} ${colorScheme}: ${violation}`));
  }
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 860 });
    if (await sticksOut(page)) found.push(`${name}, ${width}: sticks out sideways`);
  }
  return found;
}

/** Looks at every address, then says everything that is wrong. */
const allClean = async (page, paths) => {
  const found = [];
  for (const path of paths) {
    await visit(page, shop.url + path);
    found.push(...await faults(page, path));
  }
  assert.deepEqual(found, []);
};
const clean = async (page, name) => assert.deepEqual(await faults(page, name), []);

const books = (n) => shop.sql(`SELECT b.id, b.sku, b.slug, b.price_minor / 100 FROM books b JOIN stock s ON s.book_id = b.id
  WHERE b.retired_at IS NULL AND s.available >= 20 ORDER BY b.id LIMIT ${n}`).split('\n').map((row) => row.split('|'));

const logIn = async (page, who, next) => {
  await visit(page, `${shop.url}/login?next=${next}`);
  await page.locator('[name=email]').last().fill(`${who}@bookbazar.local`);
  await page.locator('[name=password]').fill(`${who}-demo-pass`);
  await page.getByRole('button', { name: /Log in/ }).click();
  await page.waitForURL((url) => url.pathname === next);
};

test('shelves, searches and books, also sold out, scarce and no longer sold', async () => {
  const page = await (await browser.newShopper(still)).newPage();
  const [, scarce, none, gone] = books(4);
  shop.update('sku,stock', `${scarce[1]},2`, `${none[1]},0`);
  shop.update('sku,retired', `${gone[1]},yes`);
  await until(async () => (await fetch(`${shop.url}/books/${gone[2]}`)).text().then((text) => text.includes('No longer sold')), 5000, 'the book to be retired');
  await allClean(page, ['/', '/books', '/books?page=2&sort=title', '/books?q=zzqqxx', '/books?q=river&in_stock=true',
    '/categories/poetry', '/authors/rabindranath-tagore', ...[scarce, none, gone].map(([, , slug]) => `/books/${slug}`),
    '/nowhere', '/books/no-such-book', '/orders/6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '/login', '/register', '/orders',
    '/cart', '/checkout', '/cart/restore/nonsense', '/mail/unsubscribe/nonsense']);
});

test('suggestions and filters while they are open', async () => {
  const page = await (await browser.newShopper(still)).newPage();
  await visit(page, `${shop.url}/`);
  await page.locator('.search__input').first().pressSequentially('small');
  await page.locator('.suggestions').getByRole('option').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await clean(page, 'suggestions');
  await page.setViewportSize({ width: 390, height: 860 });
  await visit(page, `${shop.url}/books`);
  await page.getByRole('button', { name: 'Narrow down' }).click();
  await clean(page, 'filters');
});

test('cart with news, checkout with mistakes, the order and its payment', async () => {
  const shopper = await browser.newShopper(still);
  const page = await shopper.newPage();
  const [kept, cheaper, gone] = books(3);
  for (const [book_id] of [kept, cheaper, gone]) await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id, quantity: 2 } });
  await visit(page, `${shop.url}/books/${kept[2]}`);
  await clean(page, 'a book that lies in the cart');
  await visit(page, `${shop.url}/cart`);
  shop.update('sku,price_inr', `${cheaper[1]},${cheaper[3] - 10}`);
  shop.update('sku,retired', `${gone[1]},yes`);
  await page.getByText(/Was ₹/).waitFor();
  await page.getByText('No longer sold.').waitFor();
  await clean(page, 'cart with news');
  await shoot(page, 'axe-cart-phone-dark');
  await page.getByRole('button', { name: 'Take what is left' }).click();
  await page.getByRole('link', { name: 'Go to checkout' }).click();
  await page.waitForURL(/checkout/);
  for (const [name, value] of Object.entries({ ...ADDRESS, postcode: '12', phone: '1' })) await page.locator(`[name="${name}"]`).fill(value);
  await page.locator('[name="email"]').fill('nobody@example.org');
  await clean(page, 'checkout');
  await page.getByRole('button', { name: /Place order/ }).click();
  await page.getByText(/six digits/).waitFor();
  await clean(page, 'checkout with mistakes');
  await page.locator('[name="postcode"]').fill(ADDRESS.postcode);
  await page.locator('[name="phone"]').fill(ADDRESS.phone);
  await page.getByRole('button', { name: /Place order/ }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  await page.locator('.ring__time').waitFor();
  const order = page.url();
  await clean(page, 'order to pay');
  await page.getByRole('button', { name: /^Pay/ }).first().click();
  await page.waitForURL(/\/sandbox\/pay\//);
  await clean(page, 'sandbox');
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.waitForURL(/\/orders\//);
  await page.locator('.order-now--paid').waitFor();
  await clean(page, 'order paid');
  await visit(page, `${shop.url}/orders`);
  await clean(page, 'my orders');
  for (const status of ['FULFILLING', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'EXPIRED', 'REFUNDED']) {
    shop.sql(`UPDATE orders SET status = '${status}', version = version + 1`);
    await visit(page, order);
    await clean(page, `order ${status}`);
  }
});

test('account, admin and whatever their links lead to', async () => {
  const shopper = await browser.newShopper(still);
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/register`);
  for (const [name, value] of Object.entries({ name: 'A', email: 'no', password: 'x' })) await page.locator(`form[action*=register] [name=${name}]`).fill(value);
  await page.locator('form[action*=register]').evaluate((form) => { form.noValidate = true; });
  await page.locator('form[action*=register] button').click();
  await page.locator('[aria-invalid=true]').first().waitFor();
  await clean(page, 'register with mistakes');
  await logIn(page, 'admin', '/admin/orders');
  await visit(page, `${shop.url}/admin/staff`);
  await page.getByRole('link', { name: /Change the role of Asha/ }).click();
  await page.getByLabel('Role', { exact: true }).selectOption('manager');
  await page.getByRole('button', { name: 'Set the role' }).click();
  await page.locator('[aria-invalid=true]').waitFor();
  await clean(page, 'the last owner');
  shop.sql("INSERT INTO dead_letters (source, key, payload, error, attempts) VALUES ('outbox', 'mail.send:x', '{}', 'no such server', 10)");
  const found = [];
  const kind = (path) => path.replace(/\?.*/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ':id').replace(/\/\d+/g, '/:n')
    .replace(/^\/(books|authors|categories)\/.*/, '/$1/:slug');
  const [seen, todo] = [new Set(['/', '/books', '/books/:slug', '/authors/:slug', '/categories/:slug']), ['/account', '/admin/orders', '/admin/books', '/admin/books?show=low']];
  while (todo.length) {
    const path = todo.shift();
    if (seen.has(kind(path))) continue;
    seen.add(kind(path));
    assert.ok(seen.size < 60, 'links without end');
    await visit(page, shop.url + path);
    found.push(...await faults(page, kind(path)));
    todo.push(...await page.evaluate(() => [...document.querySelectorAll('a[href]:not([download])')]
      .filter((a) => a.origin === location.origin && !/\.\w+$/.test(a.pathname) && !a.pathname.startsWith('/api/'))
      .map((a) => a.pathname + a.search)));
  }
  for (const path of ['/account', '/admin', '/admin/orders/:id', '/admin/orders/:id/slip', '/admin/orders/:id/invoice', '/admin/customers', '/admin/customers/:n', '/admin/staff', '/admin/audit',
    '/admin/work', '/admin/work/letters/:n', '/admin/health']) {
    assert.ok(seen.has(path), `${path} is not among ${[...seen].join(' ')}`);
  }
  assert.deepEqual(found, []);
});
