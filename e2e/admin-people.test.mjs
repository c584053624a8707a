// Behind the counter: an owner gives a role, sees who did what, and looks a customer up, with and without JavaScript.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { PASSWORD, addToCart, atWork, checkOut, openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const logIn = async (page, who, next) => {
  await page.goto(`${shop.url}/login?next=${next}`);
  await page.locator('[name=email]').last().fill(`${who}@bookbazar.local`);
  await page.locator('[name=password]').fill(`${who}-demo-pass`);
  await page.getByRole('button', { name: /Log in/ }).click();
  await page.waitForURL((url) => url.pathname === next);
};

/** At a desk and on a phone, light and dark. */
async function pictures(page, name) {
  for (const [width, colorScheme] of [[1440, 'light'], [1440, 'dark'], [360, 'light'], [360, 'dark']]) {
    await page.setViewportSize({ width, height: 860 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await shoot(page, `${name}-${width}-${colorScheme}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} sticks out at ${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

test('a role is given with its consequence named, holds at once, and can be taken away without JavaScript', async () => {
  const shopper = await browser.newShopper();
  const theirs = await shopper.newPage();
  await logIn(theirs, 'shopper', '/account');
  const page = await (await browser.newShopper()).newPage();
  await logIn(page, 'admin', '/admin/staff');
  await visit(page, `${shop.url}/admin/staff`);
  await page.getByLabel('E-mail of their account').fill('shopper@bookbazar.local');
  await page.getByLabel('Role', { exact: true }).selectOption('packer');
  await page.getByRole('button', { name: 'Set the role' }).click();
  await page.getByText(/Ravi \(shopper@bookbazar.local\) becomes packer/).waitFor();
  await pictures(page, 'admin-staff');
  await page.getByRole('button', { name: 'Yes, so be it' }).click();
  await page.getByText('That is settled').waitFor();
  await page.getByRole('row', { name: /Ravi/ }).getByText('Packer').waitFor();

  await theirs.goto(`${shop.url}/account`);
  await theirs.waitForURL(/login/);
  await logIn(theirs, 'shopper', '/admin/orders');
  const links = await theirs.getByRole('navigation', { name: 'Shop' }).getByRole('link').allTextContents();
  assert.ok(links.includes('Orders') && links.includes('Books') && !links.includes('Audit') && !links.includes('People'), links.join(' '));
  await theirs.goto(`${shop.url}/admin/audit`);
  await theirs.getByText('This part is for the people of the shop.').waitFor();

  const plain = await (await browser.newShopper({ javaScriptEnabled: false })).newPage();
  await logIn(plain, 'admin', '/admin/staff');
  await plain.getByRole('link', { name: 'Change the role of Ravi' }).click();
  assert.equal(await plain.getByLabel('Role', { exact: true }).inputValue(), 'packer');
  await plain.getByLabel('Role', { exact: true }).selectOption('shopper');
  await plain.getByRole('button', { name: 'Set the role' }).click();
  await plain.getByText(/Ravi \(shopper@bookbazar.local\) works here no more/).waitFor();
  assert.equal(await plain.getByLabel('E-mail of their account').inputValue(), 'shopper@bookbazar.local', 'what was typed stays');
  await plain.getByRole('button', { name: 'Yes, so be it' }).click();
  await plain.getByRole('heading', { name: 'People of the shop' }).waitFor();
  assert.equal(await plain.getByRole('row', { name: /Ravi/ }).count(), 0);
  assert.deepEqual(shopper.errors, []);
});

test('who did what is read back, narrowed down by person, action and subject', async () => {
  const page = await (await browser.newShopper()).newPage();
  await logIn(page, 'admin', '/admin/audit');
  await visit(page, `${shop.url}/admin/audit`);
  await page.getByLabel('Action').selectOption('staff.role');
  await page.getByLabel('Order number').fill('shopper@bookbazar.local');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.waitForURL(/action=staff\.role&subject=shopper/);
  const rows = page.locator('tbody tr');
  await until(async () => await rows.count() === 2, 8000, 'only what was done to that account');
  assert.match(await rows.first().innerText(), /Asha \(admin\) owner[\s\S]*Staff role[\s\S]*Ravi[\s\S]*packer shopper/);
  await pictures(page, 'admin-audit');
  await rows.first().getByRole('link', { name: 'Asha (admin)' }).click();
  await page.waitForURL(/person=\d+$/);
});

test('a customer is found by the number of an order, with orders and the cart of now', async () => {
  const shopper = await browser.newShopper();
  const theirs = await shopper.newPage();
  await logIn(theirs, 'shopper', '/account');
  const book = shop.sql('SELECT b.slug FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 20 ORDER BY b.id LIMIT 1');
  await visit(theirs, `${shop.url}/books/${book}`);
  await addToCart(theirs);
  await visit(theirs, `${shop.url}/checkout`);
  await checkOut(theirs);
  await visit(theirs, `${shop.url}/books/${book}`);
  await addToCart(theirs);
  const number = shop.sql('SELECT number FROM orders ORDER BY placed_at DESC LIMIT 1');

  const page = await (await browser.newShopper()).newPage();
  await logIn(page, 'admin', '/admin/customers');
  await visit(page, `${shop.url}/admin/customers`);
  await pictures(page, 'admin-customers');
  await page.getByLabel('Name, e-mail or order number').fill(number);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.waitForURL(/q=BB-/);
  await until(async () => await page.locator('tbody tr').count() === 1, 8000, 'only who ordered it');
  await page.getByRole('link', { name: 'Ravi' }).last().click();
  await page.getByRole('heading', { name: 'Cart now' }).waitFor();
  await page.getByRole('link', { name: number }).waitFor();
  assert.match(await page.getByRole('region', { name: 'Cart table' }).innerText(), /1 copy/);
  await pictures(page, 'admin-customer');
});

test('on a computer of two, a page of the first is loaded anew for the second', async () => {
  shop.hire('boss@example.org', 'Boss');
  const desk = await atWork(browser, shop, 'boss@example.org');
  const paths = ['/admin/orders', '/admin/health', '/admin/customers'];
  const pages = await Promise.all(paths.map(async (path) => {
    const page = await desk.newPage();
    await visit(page, shop.url + path);
    return page;
  }));
  const all = (look) => Promise.all(pages.map(look));
  // A form in another tab, which tells the others.
  const other = await desk.newPage();
  await visit(other, `${shop.url}/login?next=/account`);
  await other.locator('[name=email]').last().fill('shopper@bookbazar.local');
  await other.locator('[name=password]').fill('shopper-demo-pass');
  await other.getByRole('button', { name: /Log in/ }).click();
  await other.waitForURL(/\/account/);
  await all((page) => page.getByText('This part is for the people of the shop.').waitFor());
  // A login that no page tells of: the sockets end.
  const answer = await desk.request.post(`${shop.url}/api/account/login`, { form: { email: 'boss@example.org', password: PASSWORD } });
  assert.ok(answer.ok());
  await all((page) => page.getByRole('navigation', { name: 'Shop' }).waitFor());
  // What is shown of a shopper is theirs, too.
  await visit(other, `${shop.url}/account`);
  await other.getByText('boss@example.org').first().waitFor();
  const third = await desk.newPage();
  await visit(third, `${shop.url}/login?next=/orders`);
  await third.locator('[name=email]').last().fill('shopper@bookbazar.local');
  await third.locator('[name=password]').fill('shopper-demo-pass');
  await third.getByRole('button', { name: /Log in/ }).click();
  await other.getByText('shopper@bookbazar.local').first().waitFor();
  assert.deepEqual(desk.errors, []);
});
