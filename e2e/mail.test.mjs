// (f) The links of a mail about a forgotten cart, in a real browser.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openBrowser, openShop, shoot, until, visit } from './harness.mjs';

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 780 };
const mails = mkdtempSync(`${tmpdir()}/bazar-mails-`);
let shop, browser, links;

before(async () => {
  shop = await openShop({ BAZAR_ABANDONED_AFTER: '1', BAZAR_MAIL_DIR: mails });
  browser = await openBrowser();
  const shopper = await browser.newShopper();
  const register = { name: 'Asha', email: 'asha@example.org', password: 'long-enough-pass' };
  await shopper.request.post(`${shop.url}/api/account/register`, { form: register });
  const books = shop.sql(`SELECT b.id, b.sku FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 20 ORDER BY b.id LIMIT 2`)
    .split('\n').map((row) => row.split('|'));
  for (const [book_id] of books) await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id, quantity: 2 } });
  const mail = await until(() => {
    shop.sql(`UPDATE schedules SET next_at = now() WHERE name = 'carts.abandoned'`);
    const file = readdirSync(mails).find((name) => name.includes('cart.forgotten') && name.endsWith('.eml'));
    return file && readFileSync(`${mails}/${file}`, 'utf8').replaceAll('=\r\n', '');
  }, 30_000, 'the mail');
  const link = (path) => mail.match(new RegExp(`${shop.url}${path}[0-9a-f]+`))[0];
  links = { restore: link('/cart/restore/'), unsubscribe: link('/mail/unsubscribe/'), books };
});
after(async () => {
  await browser?.close();
  await shop?.close();
  rmSync(mails, { recursive: true, force: true });
});

/** Pictures of a page on the phone and on a wide screen. */
async function picture(page, name) {
  await page.setViewportSize(WIDE);
  await shoot(page, name);
  await page.setViewportSize(PHONE);
  await shoot(page, `${name}-phone`);
}

for (const [how, options] of [['with scripts', {}], ['without scripts', { javaScriptEnabled: false }]]) {
  test(`a press on the page behind the link puts the books back, ${how}`, async () => {
    const stranger = await browser.newShopper(options);
    const page = await stranger.newPage();
    await (options.javaScriptEnabled === false ? page.goto(links.restore) : visit(page, links.restore));
    await page.getByRole('heading', { name: 'These were in your cart' }).waitFor();
    assert.equal(await page.locator('.receipt .line').count(), 2);
    await picture(page, `restore-${how.replace(' ', '-')}`);
    assert.equal((await (await stranger.request.get(`${shop.url}/api/cart`)).json()).copies, 0, 'looking changes nothing');
    await page.getByRole('button', { name: 'Put them in my cart' }).click();
    await page.waitForURL(`${shop.url}/cart`);
    await page.getByRole('link', { name: 'Go to checkout' }).waitFor();
    assert.equal((await (await stranger.request.get(`${shop.url}/api/cart`)).json()).copies, 4);
    assert.deepEqual(stranger.errors, []);
  });
}

test('what is gone by now is said before the press', async () => {
  shop.update('sku,stock', `${links.books[1][1]},0`);
  const page = await (await browser.newShopper()).newPage();
  await until(async () => { await page.goto(links.restore); return page.getByText('Sold out just now').count(); }, 10_000, 'sold out');
  await picture(page, 'restore-gone');
});

test('a button ends that kind of mail', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, links.unsubscribe);
  await picture(page, 'unsubscribe');
  await page.getByRole('button', { name: 'Unsubscribe' }).click();
  await page.getByRole('heading', { name: 'Done' }).waitFor();
  await picture(page, 'unsubscribed');
  assert.deepEqual(shopper.errors, []);
});
