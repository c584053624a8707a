// (h) Sandbox Pay, button by button, as a person presses them: what the provider's page says, and what becomes of the order.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, openBrowser, openShop, shoot, until } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop({ BAZAR_SANDBOX_LATE_SECONDS: '2' }); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

/** A guest without JavaScript in front of the provider's page, with an order that waits. */
async function atTheProvider(options = {}) {
  const shopper = await browser.newShopper({ javaScriptEnabled: false, viewport: { width: 360, height: 780 }, ...options });
  const page = await shopper.newPage();
  const book_id = shop.sql(`SELECT b.id FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 20 ORDER BY b.id LIMIT 1`);
  await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id, quantity: 1 } });
  const form = { ...ADDRESS, country: 'IN', email: 'sandbox@example.org', idempotency_key: 'sandbox' };
  const placed = await (await shopper.request.post(`${shop.url}/api/orders/place`, { form })).json();
  await until(() => status(placed.order_id) === 'PAYMENT_PENDING', 8000, 'the order to wait for payment');
  const started = await (await shopper.request.post(`${shop.url}/api/payments/init`, { form: { order_id: placed.order_id, provider: 'sandbox' } })).json();
  await page.goto(started.redirect_url);
  return { page, order: placed.order_id };
}

const status = (order) => shop.sql(`SELECT status FROM orders WHERE id = '${order}'`);
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

const fits = async (page) => assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, 'nothing sticks out');

for (const [name, answers] of [['Decline, then pay', 2], ['Pay after some seconds', 1], ['Pay twice', 2],
  ['Send the webhook twice', 2], ['Send the webhook late', 1]]) {
  test(`${name}: the order is paid`, async () => {
    const { page, order } = await atTheProvider();
    for (const input of await page.getByLabel('Seconds').all()) await input.fill('1');
    await press(page, name);
    // The page looks again by itself while something is to be sent.
    await page.getByText('the shop answered 200').nth(answers - 1).waitFor({ timeout: 15_000 });
    await until(() => status(order) === 'PAID', 8000, 'PAID');
    await shoot(page, `sandbox-${name.toLowerCase().replace(/\W+/g, '-')}`);
  });
}

test('Forge a webhook: refused, and the order still waits; Pay: paid; Refund: the money is back', async () => {
  const { page, order } = await atTheProvider();
  await fits(page);
  await press(page, 'Forge a webhook');
  await page.getByText('the shop answered 400').waitFor();
  assert.equal(status(order), 'PAYMENT_PENDING');
  const address = page.url();
  await press(page, 'Pay');
  await page.waitForURL(/\/orders\//);
  await until(() => status(order) === 'PAID', 8000, 'PAID');
  await page.goto(address);
  await press(page, 'Refund');
  await page.getByText('refund.succeeded').waitFor();
  await page.getByText('the shop answered 200').nth(1).waitFor();
  await fits(page);
});

test('Never send the webhook: the money is there, and the page says that nothing is sent', async () => {
  const { page } = await atTheProvider();
  await press(page, 'Never send the webhook');
  await page.getByText('Is never sent.').waitFor();
});

test('Decline and Pay late lead back to the shop', async () => {
  const declined = await atTheProvider();
  await press(declined.page, 'Decline');
  await declined.page.waitForURL(/\/orders\//);
  const late = await atTheProvider();
  await press(late.page, 'Pay late');
  await late.page.waitForURL(/\/orders\//);
  await until(() => status(late.order) === 'PAID', 10_000, 'PAID');
});

test('the page in both themes, small and wide', async () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [360, 1440]) {
      const { page } = await atTheProvider({ colorScheme, viewport: { width, height: 900 } });
      await press(page, 'Forge a webhook');
      await page.getByText('the shop answered 400').waitFor();
      await fits(page);
      await shoot(page, `sandbox-page-${colorScheme}-${width}`);
    }
  }
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
