// (n) Two people of the shop in two browsers: the board is alive with filters, several orders go on at once, one of the two is
// told who was quicker, notes and addresses, papers, and money that is let go.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, atWork, client, openBrowser, openShop, pictures, shoot, until, visit } from './harness.mjs';

let shop, browser, boss, asha, book;

before(async () => {
  shop = await openShop({ BAZAR_GSTIN: '29ABCDE1234F1Z5' });
  for (const [email, name] of [['boss@example.org', 'Boss'], ['asha@shop.example', 'Asha']]) shop.hire(email, name);
  browser = await openBrowser();
  [boss, asha] = [await atWork(browser, shop, 'boss@example.org'), await atWork(browser, shop, 'asha@shop.example')];
  [book] = shop.sql(`SELECT b.id FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 40 ORDER BY b.id LIMIT 1`).split('|');
});
after(async () => { await browser?.close(); await shop?.close(); });

const status = (order) => shop.sql(`SELECT status FROM orders WHERE id = '${order}'`);

/** An order of one copy, paid at the sandbox. */
async function paid(name = 'Meera Iyer') {
  const call = client(shop.url);
  await call('/api/cart/add', { form: { book_id: book, quantity: 1 } });
  const form = { ...ADDRESS, name, country: 'IN', email: 'meera@example.org' };
  const placed = (await call('/api/orders/place', { form, headers: { 'idempotency-key': 'order' } })).json;
  await until(() => status(placed.order_id) === 'PAYMENT_PENDING', 8000, 'the order to be payable');
  const started = await call('/api/payments/init', { form: { order_id: placed.order_id, provider: 'sandbox' } });
  const page = new URL(started.json.redirect_url);
  await call(page.pathname, { form: { outcome: 'pay' }, headers: { origin: shop.url, accept: 'text/html' } });
  await until(() => status(placed.order_id) === 'PAID', 8000, 'PAID');
  return { id: placed.order_id, number: placed.number, url: `${shop.url}/admin/orders/${placed.order_id}` };
}

test('new and changed orders come and go on a filtered board by themselves; several go on at once', async () => {
  const [mine, hers] = [await boss.newPage(), await asha.newPage()];
  await visit(mine, `${shop.url}/admin/orders?status=PAID`);
  await visit(hers, `${shop.url}/admin/orders?status=FULFILLING&q=meera`);
  const orders = [await paid(), await paid()];
  for (const order of orders) await mine.getByRole('row', { name: new RegExp(order.number) }).waitFor();
  assert.equal(await hers.locator('tbody tr').count(), 0, 'nothing is being packed yet');
  await mine.getByText('Several at once').click();
  for (const order of orders) await mine.getByLabel(`Choose ${order.number}`).check();
  await mine.getByText('2 orders chosen').waitFor();
  await mine.getByRole('button', { name: 'Do it' }).click();
  await mine.getByText('Done with 2 orders.').waitFor();
  // They leave the one list and come to the other.
  for (const order of orders) {
    await hers.getByRole('row', { name: new RegExp(order.number) }).waitFor();
    await mine.getByRole('row', { name: new RegExp(order.number) }).waitFor({ state: 'detached' });
  }
  // What cannot be taken back is asked first.
  for (const order of orders) await hers.getByLabel(`Choose ${order.number}`).check({ force: true });
  await hers.getByText('Several at once').click();
  await hers.locator('#step').selectOption('ship');
  await hers.getByRole('button', { name: 'Do it' }).click();
  await hers.getByText('Who carries the parcels?').waitFor();
  await hers.locator('#carrier').fill('Blue Dart');
  await hers.getByRole('button', { name: 'Do it' }).click();
  await hers.getByText('2 orders will count as handed to Blue Dart').waitFor();
  await pictures(hers, 'admin-board-asked');
  await hers.getByRole('button', { name: 'Yes, do it' }).click();
  await hers.getByText('Done with 2 orders.').waitFor();
  assert.deepEqual(orders.map((order) => status(order.id)), ['SHIPPED', 'SHIPPED']);
  await visit(mine, `${shop.url}/admin/orders`);
  await mine.getByText('More filters').click();
  await pictures(mine, 'admin-board');
  assert.deepEqual([...boss.errors, ...asha.errors], []);
});

test('of two on one order one wins and the other is told who; notes, address, papers', async () => {
  const order = await paid('Imran Khan');
  const [mine, hers] = [await boss.newPage(), await asha.newPage()];
  await visit(mine, order.url);
  await visit(hers, order.url);
  await mine.getByText('Paid. It waits for somebody to start packing.').waitFor();
  // Asha's browser does not hear of it in time.
  await hers.route('**/api/admin/orders/fulfil', async (route) => {
    const form = new URLSearchParams({ order_id: order.id }).toString();
    await boss.request.post(`${shop.url}/api/admin/orders/fulfil`, { data: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    await route.continue();
  });
  await hers.getByRole('button', { name: 'Start packing' }).click();
  await hers.getByText('Boss was quicker and started packing just now.').waitFor();
  await mine.getByText('It is being packed, and waits to be handed to a carrier.').waitFor();

  await hers.locator('#order-note').fill('Wrap it as a present');
  await hers.getByRole('button', { name: 'Keep the note' }).click();
  await mine.getByText('Wrap it as a present').waitFor();
  await mine.getByText('Change the address').click();
  await mine.locator('#city').fill('Mysuru');
  await mine.getByRole('button', { name: 'Save the address' }).click();
  await mine.locator('.address').getByText('Mysuru').waitFor();
  await hers.locator('.address').getByText('Mysuru').waitFor();
  await mine.getByText('Receipt', { exact: true }).waitFor();
  await mine.getByRole('button', { name: 'Send “Receipt” again' }).click();
  await hers.getByText('Sent again: Receipt (mail).').waitFor();
  await pictures(mine, 'admin-desk');
  await visit(mine, `${order.url}/invoice`);
  await mine.getByText('GSTIN 29ABCDE1234F1Z5').waitFor();
  await pictures(mine, 'admin-invoice');
  await mine.emulateMedia({ media: 'print' });
  assert.ok(!(await mine.locator('.admin-nav, .site-header').first().isVisible().catch(() => false)), 'paper has no links');
  await shoot(mine, 'admin-invoice-print');
  await mine.emulateMedia({ media: 'screen' });
  await visit(mine, `${order.url}/slip`);
  await pictures(mine, 'admin-slip');
  assert.deepEqual([...boss.errors, ...asha.errors], []);
});

test('money kept apart is let go after a question', async () => {
  const order = await paid();
  shop.sql(`WITH apart AS (INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, note, received_at, order_id, brings_money)
    VALUES ('stripe', 'evt_1', 'checkout.session.completed', '{}', 'quarantined', 'another amount or currency than the order''s', now(), '${order.id}', true) RETURNING id)
    INSERT INTO dead_letters (source, key, payload, error, attempts) SELECT 'webhook_inbox', id::text, '{}', 'another amount', 1 FROM apart`);
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/orders?apart=1`);
  await desk.getByRole('row', { name: /Another amount or currency/ }).waitFor();
  await desk.locator('.board').getByText('Money to look at').waitFor();
  await desk.getByText('Let one of them go').click();
  await desk.locator('#let-go-reason').fill('Sent back by hand');
  await desk.getByRole('button', { name: 'Let it go', exact: true }).click();
  await desk.getByText('nothing here sends it back any more').waitFor();
  await pictures(desk, 'admin-let-go');
  await desk.getByRole('button', { name: 'Yes, let it go' }).click();
  await desk.getByRole('heading', { name: 'Payments to look at' }).waitFor({ state: 'detached' });
  await desk.getByText('No order is like that.').waitFor();
  assert.deepEqual(boss.errors, []);
});

test('the page of an order that waits at the gate says by itself what is strange about its money', async () => {
  await shop.stop();
  await shop.start('web');
  const call = client(shop.url);
  await call('/api/cart/add', { form: { book_id: book, quantity: 1 } });
  const form = { ...ADDRESS, country: 'IN', email: 'meera@example.org' };
  const { order_id: order } = (await call('/api/orders/place', { form, headers: { 'idempotency-key': 'waits' } })).json;
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/orders/${order}`);
  await desk.evaluate(() => { globalThis.sameDocument = true; });
  assert.equal(status(order), '');
  shop.sql(`INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, note, received_at, order_id, brings_money)
    VALUES ('stripe', 'evt_0', 'checkout.session.completed', '{}', 'quarantined', 'another amount', now(), '${order}', true)`);
  await shop.stop();
  await shop.start();
  await desk.getByRole('heading', { name: 'Payments to look at' }).waitFor({ timeout: 30_000 });
  assert.ok(await desk.evaluate(() => globalThis.sameDocument === true), 'it was not loaded again');
  shop.sql("DELETE FROM webhook_inbox WHERE event_id = 'evt_0'");
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
