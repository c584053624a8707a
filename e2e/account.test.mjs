// (g) The account and the checkout on a phone, with and without scripts: a forgotten password, addresses, a guest's order
// that comes along, buying again.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ADDRESS, alive, openBrowser, openShop, shoot, until } from './harness.mjs';

const PHONE = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true };
const mails = mkdtempSync(`${tmpdir()}/bazar-account-`);
let shop, browser, book;
before(async () => {
  shop = await openShop({ BAZAR_MAIL_DIR: mails, BAZAR_LOGIN_PER_ADDRESS: '1000', BAZAR_BUSINESS: 'Book Bazar; 1 Church Street; Bengaluru' });
  browser = await openBrowser();
  book = shop.sql('SELECT b.id FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 50 ORDER BY b.id LIMIT 1');
});
after(async () => { await browser?.close(); await shop?.close(); rmSync(mails, { recursive: true, force: true }); });

/** The link in the next mail of that kind to that person. */
async function link(kind, to, path) {
  const mail = await until(() => readdirSync(mails).filter((name) => name.includes(kind) && name.endsWith('.eml')).sort().reverse()
    .map((name) => readFileSync(`${mails}/${name}`, 'utf8').replaceAll('=\r\n', '')).find((text) => text.includes(to)), 15_000, kind);
  return mail.match(new RegExp(`${shop.url}${path}[0-9a-f]+`))[0];
}

const fill = async (page, values) => { for (const [name, value] of Object.entries(values)) await page.locator(`main [name="${name}"]`).fill(value); };

/** Nothing sticks out of the phone. */
async function fits(page) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= seen, `${page.url()} is ${wide} px wide on a phone of ${seen}`);
}

/** The page on a phone, a tablet and a desk, in the light and in the dark. */
async function look(page, name) {
  const before = page.viewportSize();
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await shoot(page, `${name}-${width}-${scheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(before);
}

for (const [how, options] of [['with scripts', {}], ['without scripts', { javaScriptEnabled: false }]]) {
  const hasScripts = options.javaScriptEnabled !== false;
  const slug = how.replace(' ', '-');
  const email = `asha-${slug}@example.org`;
  const open = async (page, path) => { await page.goto(path.startsWith('http') ? path : `${shop.url}${path}`); if (hasScripts) await alive(page); };

  test(`an account on a phone, ${how}`, async () => {
    const shopper = await browser.newShopper({ ...PHONE, ...options });
    const page = await shopper.newPage();

    // A guest orders; the first mistake has the cursor, and what was typed stays.
    await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id: book } });
    await open(page, '/checkout');
    await fits(page);
    if (hasScripts) await look(page, 'checkout-guest');
    await fill(page, { ...ADDRESS, email, postcode: '12' });
    await page.getByRole('button', { name: /Place order/ }).click();
    await page.getByText(/six digits/).waitFor();
    await until(() => page.evaluate(() => document.activeElement.name === 'postcode'), 5000, 'the cursor in the wrong field');
    assert.equal(await page.locator('[name=city]').inputValue(), ADDRESS.city);
    await shoot(page, `checkout-wrong-${slug}`);
    await fill(page, { postcode: '560001' });
    await page.getByRole('button', { name: /Place order/ }).click();
    await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
    const order = page.url();
    await fits(page);

    // Registering with the same address in another browser shows the order only after the mail is answered.
    const other = await browser.newShopper({ ...PHONE, ...options });
    const home = await other.newPage();
    await open(home, '/register');
    await fill(home, { name: 'Asha Rao', email, password: 'long-enough-pass' });
    await home.getByRole('button', { name: 'Make the account' }).click();
    await home.waitForURL(/\/account$/);
    assert.equal((await home.goto(order)).status(), 404);
    const verify = await link('account.verify', email, '/account/email/');
    await open(home, verify);
    await home.getByRole('button', { name: 'Yes, this is my address' }).click();
    await home.getByText('Your address is confirmed').waitFor();
    await fits(home);
    if (hasScripts) await look(home, 'account-details');
    assert.equal((await home.goto(order)).status(), 200);

    // Cancelled and bought again, to an address typed once. While it could be paid, nothing else offered to buy.
    await home.locator('.ring__time').waitFor();
    assert.equal(await home.getByRole('button', { name: 'Buy these again' }).count(), 0);
    await home.getByRole('button', { name: 'Cancel this order' }).click();
    await home.locator('.order-now').getByRole('button', { name: 'Buy these again' }).click();
    await home.waitForURL(/\/cart$/);
    await open(home, '/account/addresses/new');
    await fits(home);
    await fill(home, { ...ADDRESS, phone: '1' });
    await home.getByRole('button', { name: 'Save the address' }).click();
    await home.getByText(/7 to 15 digits/).waitFor();
    assert.equal(await home.locator('[name=line1]').inputValue(), ADDRESS.line1);
    if (hasScripts) await look(home, 'account-address');
    await fill(home, { phone: ADDRESS.phone });
    await home.getByRole('button', { name: 'Save the address' }).click();
    await home.getByText('Your address book is up to date').waitFor();
    await fits(home);
    if (hasScripts) await look(home, 'account-addresses');
    await open(home, '/checkout');
    await fits(home);
    assert.equal(await home.locator('[name=line1]').isVisible(), false, 'nothing to type');
    await home.getByLabel('Another address').check();
    assert.equal(await home.locator('[name=line1]').isVisible(), true);
    if (hasScripts) await look(home, 'checkout-book');
    await home.getByLabel(/12 MG Road/).check();
    await home.getByRole('button', { name: /Place order/ }).click();
    await home.waitForURL(/\/orders\/[0-9a-f-]{36}/);

    await open(home, '/account');
    await fits(home);
    if (hasScripts) await look(home, 'account');
    assert.deepEqual([...shopper.errors, ...other.errors], []);
  });

  test(`a forgotten password comes back by mail, ${how}`, async () => {
    const shopper = await browser.newShopper({ ...PHONE, ...options });
    const page = await shopper.newPage();
    const person = { name: 'Ravi', email: `ravi-${slug}@example.org`, password: 'long-enough-pass' };
    const elsewhere = await browser.newShopper({ ...PHONE, ...options });
    await elsewhere.request.post(`${shop.url}/api/account/register`, { form: person });
    const tab = await elsewhere.newPage();
    await open(tab, '/account');
    // The socket is open again within half a second: too short to be met by looking now and then.
    if (hasScripts) await tab.evaluate(() => {
      const root = document.documentElement;
      new MutationObserver(() => { window.lostItsSocket ||= root.dataset.live !== 'open'; }).observe(root, { attributeFilter: ['data-live'] });
    });

    await open(page, '/login');
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
    await fits(page);
    if (hasScripts) await look(page, 'password-forgot');
    await fill(page, { email: person.email });
    await page.getByRole('button', { name: 'Send me a link' }).click();
    await page.getByText('a mail is on its way').waitFor();
    const reset = await link('account.reset', person.email, '/password/reset/');
    await open(page, reset);
    await fits(page);
    if (hasScripts) await look(page, 'password-reset');
    await fill(page, { password: 'short' });
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Use at least 8 characters.').waitFor();
    await fill(page, { password: 'another-good-pass' });
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('You are signed out everywhere').waitFor();
    if (hasScripts) await until(() => tab.evaluate(() => window.lostItsSocket).catch(() => true), 5000, 'the other tab to lose its socket');
    await open(page, reset);
    await page.getByText('used already').waitFor();
    await tab.goto(`${shop.url}/account`);
    assert.match(tab.url(), /\/login/);

    await open(page, '/login');
    await fill(page, { email: person.email, password: 'another-good-pass' });
    await page.locator('main').getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(/\/account$/);
    await open(page, '/account/password');
    await fits(page);
    if (hasScripts) await look(page, 'account-password');
    await fill(page, { current: 'another-good-pass', password: 'a-third-good-pass' });
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('Your new password is set').waitFor();
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.waitForURL(/\/login/);
    assert.deepEqual([...shopper.errors, ...elsewhere.errors], []);
  });
}

test('a receipt on paper names the shop and leaves the buttons out', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id: book } });
  const placed = await shopper.request.post(`${shop.url}/api/orders/place`, { form: { ...ADDRESS, country: 'IN', email: 'p@example.org', idempotency_key: 'paper' } });
  await page.goto(`${shop.url}/orders/${(await placed.json()).order_id}`);
  await alive(page);
  assert.equal(await page.locator('.letterhead').isVisible(), false);
  await look(page, 'order');
  await page.emulateMedia({ media: 'print' });
  await page.getByText('1 Church Street').waitFor();
  await page.getByText(ADDRESS.line1).waitFor();
  for (const part of ['.site-header', '.site-footer', '.order-now', '.order-after', '.thread']) assert.equal(await page.locator(part).isVisible(), false, part);
  await shoot(page, 'order-on-paper');
});
