// (h) Money goes back: an admin sends a part and then the rest, the shopper's open page says so; each state of an
// order's money on its page, with and without JavaScript.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, atWork, client, openBrowser, openShop, PHONE, pictures, until, visit } from './harness.mjs';

let shop, browser;

before(async () => {
  shop = await openShop({ BAZAR_SANDBOX_LATE_SECONDS: '1' });
  shop.hire('boss@example.org', 'Boss');
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await shop?.close(); });

const status = (order) => shop.sql(`SELECT status FROM orders WHERE id = '${order}'`);
const taken = new Set();

/** A book that no other test buys. */
function book() {
  const [id, sku] = shop.sql(`SELECT b.id, b.sku FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available >= 20 ORDER BY b.id`)
    .split('\n').map((row) => row.split('|')).find(([id]) => !taken.has(id));
  taken.add(id);
  const atGate = async () => (await (await fetch(`${shop.url}/api/books/get?id=${id}`)).json()).available;
  return { id, sku, atGate, onSale: () => Number(shop.sql(`SELECT available FROM stock WHERE book_id = ${id}`)) };
}

/** Somebody with a browser whose order of two copies waits for payment. */
async function ordered(options = {}, of = book()) {
  const shopper = await browser.newShopper({ viewport: PHONE, ...options });
  const post = async (path, form, headers) => {
    const answer = await shopper.request.post(`${shop.url}${path}`, { form, headers });
    assert.ok(answer.ok(), `${path}: ${await answer.text()}`);
    return answer.json();
  };
  await post('/api/cart/add', { book_id: of.id, quantity: 2 });
  const placed = await post('/api/orders/place', { ...ADDRESS, country: 'IN', email: 'asha@example.org' }, { 'idempotency-key': 'order' });
  await until(() => status(placed.order_id) === 'PAYMENT_PENDING', 8000, 'the order to be payable');
  const order = placed.order_id;
  const init = async () => (await post('/api/payments/init', { order_id: order, provider: 'sandbox' })).redirect_url;
  return { shopper, order, book: of, number: placed.number, total: placed.total, post, init, url: `${shop.url}/orders/${order}` };
}

/** Presses a button on the provider's page, as somebody without JavaScript does. */
async function press(page, address, name) {
  await page.goto(address);
  await page.getByRole('button', { name, exact: true }).click();
}

async function paid(options) {
  const it = await ordered(options);
  const page = await it.shopper.newPage();
  it.session = await it.init();
  await press(page, it.session, 'Pay');
  await until(() => status(it.order) === 'PAID', 8000, 'PAID');
  return { ...it, page };
}

const admin = (options) => atWork(browser, shop, 'boss@example.org', options);

test('an admin sends back a part and then the rest with the copies; the open pages say so', async () => {
  const it = await paid();
  const rupees = (minor) => `₹${(minor / 100).toLocaleString('en-IN')}`;
  const before = it.book.onSale();
  await visit(it.page, it.url);
  await it.page.getByRole('heading', { name: 'Paid. Your books are yours.' }).waitFor();
  const boss = await admin();
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/orders/${it.order}`);
  await desk.getByText('Send money back').click();
  await desk.getByLabel('Amount').fill('9,50');
  await desk.locator('#refund-reason').fill('Bent corner');
  await desk.getByRole('button', { name: 'Send it back' }).click();
  await desk.getByText('Write an amount like 499 or 499.50.').waitFor();
  assert.equal(await desk.locator('#refund-reason').inputValue(), 'Bent corner');
  await desk.getByLabel('Amount').fill('99.50');
  await desk.getByRole('button', { name: 'Send it back' }).click();
  await desk.getByText('₹99.50 goes back to asha@example.org by Sandbox Pay.').waitFor();
  await pictures(desk, 'admin-refund-asked');
  assert.equal(shop.sql(`SELECT count(*) FROM refunds WHERE order_id = '${it.order}'`), '0');
  await desk.getByRole('button', { name: 'Yes, send it back' }).dblclick();
  await desk.getByRole('row', { name: /Bent corner.*By Boss.*Back.*₹99\.50/s }).waitFor();
  assert.equal(shop.sql(`SELECT count(*) FROM refunds WHERE order_id = '${it.order}'`), '1', 'a double click is one refund');
  await it.page.getByText('₹99.50 went back to you before.').waitFor();
  await it.page.locator('.order__news').getByText('The money is back with you.').waitFor();
  assert.equal(await it.page.getByText('By Boss').count(), 0);
  assert.equal(it.book.onSale(), before);

  await desk.getByText('Send money back').click();
  assert.equal(await desk.getByLabel('Amount').inputValue(), '', 'the next refund begins empty');
  assert.equal(await desk.locator('#refund-reason').inputValue(), '');
  await desk.locator('#refund-reason').fill('All of it');
  await desk.getByRole('checkbox').check();
  await desk.getByRole('button', { name: 'Send it back' }).click();
  await desk.getByText('2 copies return to stock.').waitFor();
  await desk.getByRole('button', { name: 'Yes, send it back' }).click();
  await it.page.getByRole('heading', { name: 'The money is back with you.' }).waitFor();
  await it.page.getByText(`${rupees(it.total)} went back the way it came.`).waitFor();
  await desk.locator('.admin-order__head').getByText('Refunded').waitFor();
  // Live frames keep who did it.
  await desk.locator('.thread').getByText('By Boss').nth(1).waitFor();
  assert.equal(await desk.getByText('Send money back').count(), 0);
  await until(() => it.book.onSale() === before + 2, 5000, 'the copies in stock');
  await pictures(desk, 'admin-order-refunded');
  await pictures(it.page, 'order-refunded');
  assert.deepEqual([...it.shopper.errors, ...boss.errors], []);
});

test('the desk keeps what is being typed while the order moves', async () => {
  const it = await paid();
  const boss = await admin();
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/orders/${it.order}`);
  await desk.getByText('Cancel this order').click();
  await desk.locator('#reason').fill('I am still writing');
  const other = await boss.newPage();
  await other.request.post(`${shop.url}/api/admin/refunds/create`, {
    form: { order_id: it.order, amount: '100', reason: 'Meanwhile' }, headers: { 'idempotency-key': 'meanwhile' },
  });
  await desk.getByRole('row', { name: /Meanwhile.*Back/s }).waitFor();
  assert.equal(await desk.locator('#reason').inputValue(), 'I am still writing');
  assert.deepEqual(boss.errors, []);
});

test('a refund that the provider cannot make is said on both pages, and can be asked again', async () => {
  const it = await paid();
  await press(it.page, it.session, 'Give nothing back once');
  await visit(it.page, it.url);
  const boss = await admin();
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/orders/${it.order}`);
  const sendBack = async (why) => {
    await desk.getByText('Send money back').click();
    await desk.locator('#refund-reason').fill(why);
    await desk.getByRole('button', { name: 'Send it back' }).click();
    await desk.getByRole('button', { name: 'Yes, send it back' }).click();
  };
  await sendBack('First try');
  await desk.getByText('The provider could not make it.').waitFor();
  await it.page.locator('.order__news').getByText('The money could not be sent back yet.').waitFor();
  await pictures(desk, 'admin-refund-failed');
  await sendBack('Second try');
  await it.page.getByRole('heading', { name: 'The money is back with you.' }).waitFor();
  assert.deepEqual([...it.shopper.errors, ...boss.errors], []);
});

for (const [how, options] of [['with scripts', {}], ['without scripts', { javaScriptEnabled: false }]]) {
  const open = (page, url) => (options.javaScriptEnabled === false ? page.goto(url) : visit(page, url));
  const seen = async (page, words) => {
    if (options.javaScriptEnabled !== false) return page.getByText(words).first().waitFor();
    return until(async () => { await page.reload(); return page.getByText(words).count(); }, 10_000, `${words}`);
  };

  test(`between paying and the webhook the page waits, ${how}`, async () => {
    const it = await ordered(options);
    const page = await it.shopper.newPage();
    await it.init();
    await open(page, `${it.url}?paying=1`);
    await page.getByText('We are waiting for the bank to confirm your payment.').waitFor();
    assert.equal(await page.getByRole('button', { name: /^Pay/ }).count(), 0, 'nobody pays twice');
    if (how === 'without scripts') await page.getByRole('link', { name: 'Look again' }).waitFor();
    await pictures(page, `order-confirming-${how.replace(' ', '-')}`);
    const other = await it.shopper.newPage();
    await press(other, await it.init(), 'Pay');
    await seen(page, 'Paid. Your books are yours.');
    assert.deepEqual(it.shopper.errors, []);
  });

  test(`a declined payment is said, and another is possible, ${how}`, async () => {
    const it = await ordered(options);
    const page = await it.shopper.newPage();
    await press(page, await it.init(), 'Decline');
    await page.waitForURL(/\/orders\//);
    await seen(page, 'The payment was declined');
    await page.getByRole('button', { name: /Pay ₹/ }).waitFor();
    await pictures(page, `order-declined-${how.replace(' ', '-')}`);
  });

  test(`money that comes late buys again, or goes back when the copies are gone, ${how}`, async () => {
    for (const areGone of [false, true]) {
      const it = await ordered(options);
      const page = await it.shopper.newPage();
      const session = await it.init();
      await it.post('/api/orders/cancel', { order_id: it.order });
      await until(() => shop.sql(`SELECT status FROM payments WHERE order_id = '${it.order}'`) === 'closed', 8000, 'the session to be closed');
      await until(async () => await it.book.atGate() === it.book.onSale(), 5000, 'the copies at the gate');
      if (areGone) shop.update('sku,stock', `${it.book.sku},0`);
      await open(page, it.url);
      await page.getByText('Nothing was charged.').waitFor();
      const other = await it.shopper.newPage();
      await press(other, session, 'Pay late');
      if (areGone) {
        await seen(page, 'The money is back with you.');
        await seen(page, 'Your payment came too late and went back to you.');
      } else {
        await seen(page, 'Your payment came late, but your copies were still here.');
      }
      await pictures(page, `order-late-${areGone ? 'back' : 'again'}-${how.replace(' ', '-')}`);
      assert.deepEqual(it.shopper.errors, []);
    }
  });
}

test('an order that could not be reserved says so', async () => {
  const it = await ordered();
  shop.sql(`UPDATE orders SET status = 'FAILED', version = version + 1 WHERE id = '${it.order}'`);
  const page = await it.shopper.newPage();
  await visit(page, it.url);
  await page.getByText('someone was a moment faster').waitFor();
  await pictures(page, 'order-failed');
  shop.sql(`UPDATE orders SET status = 'PAYMENT_PENDING', version = version - 1 WHERE id = '${it.order}'`);
});

test('the desk shows what does not fit the books, and the whole fits every screen', async () => {
  const it = await paid();
  shop.sql(`INSERT INTO webhook_inbox (provider, event_id, kind, payload, outcome, note, received_at, order_id)
    VALUES ('stripe', 'evt_1', 'checkout.session.completed', '{}', 'quarantined', 'another amount or currency than the order''s', now(), '${it.order}')`);
  const boss = await admin();
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/orders`);
  const row = desk.getByRole('row', { name: /Another amount or currency/ });
  await row.getByRole('link', { name: it.number }).waitFor();
  await pictures(desk, 'admin-orders');
  await row.getByRole('link', { name: it.number }).click();
  await desk.getByRole('heading', { name: 'Payments to look at' }).waitFor();
  await desk.getByRole('button', { name: 'Start packing' }).click();
  await desk.locator('.thread').getByText('By Boss').waitFor();
  await pictures(desk, 'admin-order');
  assert.equal((await client(shop.url)('/api/admin/payments/quarantined')).status, 401);
  assert.deepEqual(boss.errors, []);
});

test('bazar check finds nothing wrong', () => {
  shop.sql(`DELETE FROM webhook_inbox WHERE event_id = 'evt_1'`);
  assert.match(shop.run('check'), /\S/);
});
