// (d) A hundred people want the last ten copies at the same moment.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, client, openShop, until } from './harness.mjs';

let shop;
before(async () => { shop = await openShop(); });
after(() => shop?.close());

test('100 concurrent buyers, 10 copies: exactly 10 orders, 90 are told so, stock 0', async () => {
  const id = Number(shop.sql(`SELECT b.id FROM books b JOIN stock s ON s.book_id = b.id WHERE s.on_hand >= 10 ORDER BY b.id LIMIT 1`));
  const spare = Number(shop.sql(`SELECT on_hand FROM stock WHERE book_id = ${id}`)) - 10;
  const look = client(shop.url);
  const book = (await look(`/api/books/get?id=${id}`)).json;

  // Somebody else holds all but ten copies, at most ten per order and five orders per person.
  for (let left = spare, buyer = client(shop.url), n = 0; left > 0; n += 1) {
    if (n % 4 === 0) buyer = client(shop.url);
    const quantity = Math.min(left, 10);
    assert.equal((await buyer('/api/cart/add', { form: { book_id: id, quantity } })).status, 200);
    const placed = await place(buyer, `spare-${n}`);
    assert.equal(placed.status, 200, placed.text);
    left -= quantity;
  }

  const buyers = Array.from({ length: 100 }, () => client(shop.url));
  for (const buyer of buyers) {
    const added = await buyer('/api/cart/add', { form: { book_id: id, quantity: 1 } });
    assert.equal(added.status, 200, added.text);
  }
  const answers = await Promise.all(buyers.map((buyer, n) => place(buyer, `rush-${n}`)));
  const sold = answers.filter((a) => a.status === 200);
  const told = answers.filter((a) => a.status === 409 && a.json.code === 'insufficient_stock');
  assert.deepEqual([sold.length, told.length], [10, 90]);
  assert.ok(told.every((a) => /sold out|left/.test(a.json.message)));
  assert.equal(new Set(sold.map((a) => a.json.order_id)).size, 10);

  await until(() => shop.sql(`SELECT count(*) FROM orders WHERE status = 'PAYMENT_PENDING' AND idempotency_key LIKE 'rush-%'`) === '10', 5000, 'ten orders in Postgres');
  assert.equal(shop.sql(`SELECT available FROM stock WHERE book_id = ${id}`), '0');
  assert.equal((await look(`/api/books/get?id=${id}`)).json.available, 0);
  assert.equal((await look(`/api/books/get?id=${id}`)).json.title, book.title);
});

test('the same key a hundred times is one order', async () => {
  const buyer = client(shop.url);
  const id = Number(shop.sql(`SELECT book_id FROM stock WHERE available > 5 ORDER BY book_id LIMIT 1`));
  await buyer('/api/cart/add', { form: { book_id: id, quantity: 2 } });
  const answers = await Promise.all(Array.from({ length: 100 }, () => place(buyer, 'one-click')));
  assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
  assert.equal(new Set(answers.map((a) => a.json.order_id)).size, 1);
  const other = await place(buyer, 'one-click', { city: 'Mysuru' });
  assert.deepEqual([other.status, other.json.code], [422, 'key_reused']);
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});

function place(buyer, key, change = {}) {
  const form = { ...ADDRESS, country: 'IN', email: 'rush@example.org', ...change };
  return buyer('/api/orders/place', { form, headers: { 'idempotency-key': key } });
}
