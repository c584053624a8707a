// (m) Behind the counter: a dead letter is tried again and goes from the other admin's open page; drift is found, shown and
// mended from the page; the dashboard says what the ledger says.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, atWork, openBrowser, openShop, pictures, until, visit, WIDE } from './harness.mjs';

let shop, browser;

before(async () => {
  shop = await openShop();
  for (const name of ['Boss', 'Other']) shop.hire(`${name.toLowerCase()}@example.org`, name);
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await shop?.close(); });

const admin = (name = 'boss', options = {}) => atWork(browser, shop, `${name}@example.org`, options);
const letter = (page, key) => page.getByRole('row').filter({ hasText: key });
const parked = () => Number(shop.sql("SELECT count(*) FROM dead_letters WHERE state = 'parked'"));

test('what was given up comes to the open page, is tried again, and goes from both pages', async () => {
  const [one, two] = [await admin('boss'), await admin('other')];
  const [desk, other] = [await one.newPage(), await two.newPage()];
  for (const page of [desk, other]) await visit(page, `${shop.url}/admin/work`);
  await desk.getByText('Nothing was given up.').waitFor();
  await desk.getByRole('row', { name: /Mails.*Well/s }).waitFor();
  // What is asked while nobody moves keeps nobody logged in.
  const asked = (isAlone) => other.waitForRequest((request) => request.url().endsWith('/api/admin/work') && ('bazar-by-itself' in request.headers()) === isAlone);
  await asked(true);
  // Nor does what browsers scroll by themselves; whoever moves while an answer is on its way is told of with the next question.
  const held = new Promise((hold) => {
    other.route('**/api/admin/work', async (route) => { hold(route); }, { times: 1 });
  });
  await other.evaluate(() => dispatchEvent(new Event('scroll')));
  const question = await held;
  assert.ok('bazar-by-itself' in question.request().headers(), 'nobody did that');
  await other.mouse.wheel(0, 40);
  await other.waitForTimeout(2500);
  await Promise.all([asked(false), question.continue()]);
  shop.poison('no payment 1');
  for (const page of [desk, other]) await letter(page, 'no payment 1').waitFor();
  shop.poison('no payment 2');
  await letter(desk, 'no payment 2').waitFor();
  await pictures(desk, 'admin-work');
  await desk.setViewportSize(WIDE);
  const id = shop.sql("SELECT id FROM dead_letters WHERE key = 'payment.close:no payment 1'");
  await desk.getByRole('button', { name: `Try letter ${id} again` }).click();
  const dead = (page) => page.getByRole('region', { name: 'Dead letters, table' }).getByRole('row').filter({ hasText: 'no payment 1' });
  for (const page of [desk, other]) await dead(page).waitFor({ state: 'detached' });
  assert.equal(shop.sql(`SELECT state FROM dead_letters WHERE id = ${id}`), 'retried');
  // It fails again, is seen failing, and may be tried at once.
  const failing = other.getByRole('region', { name: /Failing or stuck/ }).getByRole('row').filter({ hasText: 'no payment 1' });
  await failing.waitFor();
  shop.sql("UPDATE outbox SET due_at = now() + interval '1 hour' WHERE key = 'no payment 1'");
  await failing.getByRole('button', { name: /Try .* now/ }).click();
  await until(() => shop.sql("SELECT count(*) FROM outbox WHERE key = 'no payment 1' AND due_at > now() + interval '50 minutes'") === '0', 8000, 'it to be tried');
  shop.sql("DELETE FROM outbox WHERE key = 'no payment 1'");
  await failing.waitFor({ state: 'detached' });
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test('a letter is let go by somebody who read what comes of it, with and without JavaScript', async () => {
  await until(() => parked() === 1, 8000, 'the letter of the test before');
  for (const javaScriptEnabled of [true, false]) {
    const person = await admin('boss', { javaScriptEnabled });
    const page = await person.newPage();
    const open = javaScriptEnabled ? visit : (page, url) => page.goto(url);
    const id = shop.sql("SELECT id FROM dead_letters WHERE state = 'parked' ORDER BY id LIMIT 1");
    await open(page, `${shop.url}/admin/work`);
    await page.getByRole('link', { name: `Outbox ${id}` }).click();
    await page.getByRole('heading', { name: `Dead letter ${id}` }).waitFor();
    await page.getByText('"topic": "payment.close"').waitFor();
    await page.getByText('Let it go', { exact: true }).first().click();
    await page.getByLabel('Why it may go').fill('A row of a test');
    await page.getByRole('button', { name: 'Let it go', exact: true }).click();
    await page.getByText('The provider is not asked to close this payment again').waitFor();
    assert.equal(shop.sql(`SELECT state FROM dead_letters WHERE id = ${id}`), 'parked');
    if (javaScriptEnabled) await pictures(page, 'admin-letter');
    assert.equal(await page.getByLabel('Why it may go').inputValue(), 'A row of a test');
    await page.getByRole('button', { name: 'Yes, let it go' }).click();
    await page.getByText(/^Let go,/).waitFor();
    assert.equal(shop.sql(`SELECT state || ' ' || reason FROM dead_letters WHERE id = ${id}`), 'discarded A row of a test');
    assert.deepEqual(person.errors, []);
    if (javaScriptEnabled) {
      shop.poison('no payment 3');
      await until(() => parked() === 1, 8000, 'another letter');
    }
  }
});

test('drift is found by a check, shown book by book, and mended', async () => {
  const person = await admin();
  const page = await person.newPage();
  await visit(page, `${shop.url}/admin/health`);
  for (const part of ['Postgres', 'Redis', 'Sandbox Pay', 'Mail', 'Book Bazar']) await page.getByRole('region', { name: part, exact: true }).waitFor();
  const [book, title, copies] = shop.sql('SELECT b.id, b.title, s.available FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available > 5 ORDER BY b.id DESC LIMIT 1').split('|');
  shop.redis('HINCRBY', shop.stockKey, book, '4');
  await page.getByRole('button', { name: 'Run now: Check all promises' }).click();
  const check = page.getByRole('article', { name: 'Check all promises' });
  await check.getByText('Not all is well').waitFor({ timeout: 30_000 });
  const row = page.getByRole('row').filter({ hasText: title }).filter({ hasText: `Book ${book}` });
  await row.getByRole('cell', { name: String(Number(copies) + 4), exact: true }).waitFor();
  await pictures(page, 'admin-health');
  await page.setViewportSize(WIDE);
  await row.getByRole('button', { name: `Repair ${title}` }).click();
  await row.waitFor({ state: 'detached' });
  assert.equal(shop.redis('HGET', shop.stockKey, book), copies);
  await page.getByRole('button', { name: 'Run now: Check all promises' }).click();
  await check.getByText('All is well', { exact: true }).waitFor({ timeout: 30_000 });
  assert.deepEqual(person.errors, []);
});

test('the dashboard says what the ledger says, for a chosen time', async () => {
  const shopper = await browser.newShopper();
  const post = async (path, form, headers) => {
    const answer = await shopper.request.post(`${shop.url}${path}`, { form, headers });
    assert.ok(answer.ok(), `${path}: ${await answer.text()}`);
    return answer.json();
  };
  const book = shop.sql('SELECT book_id FROM stock WHERE available > 20 ORDER BY book_id LIMIT 1');
  await post('/api/cart/add', { book_id: book, quantity: 2 });
  const { order_id } = await post('/api/orders/place', { ...ADDRESS, country: 'IN', email: 'asha@example.org' }, { 'idempotency-key': 'order' });
  await until(() => shop.sql(`SELECT status FROM orders WHERE id = '${order_id}'`) === 'PAYMENT_PENDING', 8000, 'the order to be payable');
  const { redirect_url } = await post('/api/payments/init', { order_id, provider: 'sandbox' });
  const till = await shopper.newPage();
  await till.goto(redirect_url);
  await till.getByRole('button', { name: 'Pay', exact: true }).click();
  await until(() => shop.sql(`SELECT status FROM orders WHERE id = '${order_id}'`) === 'PAID', 8000, 'PAID');

  const person = await admin();
  const page = await person.newPage();
  await visit(page, `${shop.url}/admin?period=today`);
  const revenue = Number(shop.sql('SELECT sum(amount_minor) FROM payments WHERE captured_at IS NOT NULL'));
  const rupees = `₹${(revenue / 100).toLocaleString('en-IN')}`;
  await page.locator('.admin-cards').getByText(rupees).first().waitFor();
  const title = shop.sql(`SELECT title FROM books WHERE id = ${book}`);
  await page.getByRole('region', { name: 'Sold best' }).getByRole('listitem').filter({ hasText: title }).filter({ hasText: '2 copies' }).waitFor();
  await page.getByRole('img', { name: 'Revenue, today' }).waitFor();
  await page.getByText('As a table').first().click();
  await page.getByRole('region', { name: 'Revenue, today, as a table' }).getByText(rupees).waitFor();
  await page.getByRole('link', { name: '30 days' }).click();
  await page.waitForURL(/period=30/);
  await page.getByRole('heading', { name: 'The last 30 days' }).waitFor();
  await pictures(page, 'admin-dashboard');
  await page.getByLabel('From', { exact: true }).fill('2026-02-01');
  await page.getByLabel('To', { exact: true }).fill('2026-01-01');
  await page.getByRole('button', { name: 'Show these days' }).click();
  await page.getByText('The first day comes after the last one.').waitFor();
  assert.equal(await page.getByLabel('From', { exact: true }).inputValue(), '2026-02-01');
  assert.deepEqual(person.errors, []);
});
