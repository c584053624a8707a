// (i) The worker dies between the mail server's taking of a mail and its own note of that: one more copy at most, which
// mail systems know by its Message-ID.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { ADDRESS, client, openShop, until } from './harness.mjs';

const taken = [];
let shop, smtp;
let answers = false;

/** A mail server that takes every mail, and says so only when `answers`. */
function talk(socket) {
  let rest = '', mail = null;
  socket.on('error', () => {});
  socket.write('220 test\r\n');
  socket.on('data', (data) => {
    const lines = (rest + data).split('\r\n');
    rest = lines.pop();
    for (const line of lines) {
      if (mail !== null && line !== '.') { mail += `${line}\n`; continue; }
      if (mail !== null) {
        taken.push(mail);
        mail = null;
        if (answers) socket.write('250 taken\r\n');
        continue;
      }
      if (line === 'DATA') mail = '';
      socket.write(line === 'DATA' ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
    }
  });
}

before(async () => {
  smtp = createServer(talk).listen(0, '127.0.0.1');
  await once(smtp, 'listening');
  shop = await openShop({ BAZAR_SMTP_URL: `smtp://127.0.0.1:${smtp.address().port}`, BAZAR_MAIL_FROM: 'Book Bazar <books@shop.example>' });
});
after(async () => { await shop?.close(); smtp?.close(); });

/** Somebody pays for a copy. */
async function buy() {
  const shopper = client(shop.url);
  const book_id = shop.sql('SELECT book_id FROM stock WHERE available > 5 ORDER BY book_id LIMIT 1');
  await shopper('/api/cart/add', { form: { book_id, quantity: 1 } });
  const form = { ...ADDRESS, country: 'IN', email: 'asha@example.org' };
  const { order_id } = (await shopper('/api/orders/place', { form, headers: { 'idempotency-key': 'one' } })).json;
  await until(() => shop.sql(`SELECT status FROM orders WHERE id = '${order_id}'`) === 'PAYMENT_PENDING', 8000, 'payable');
  const { redirect_url } = (await shopper('/api/payments/init', { form: { order_id, provider: 'sandbox' } })).json;
  const page = new URL(redirect_url).pathname;
  await shopper(page, { form: { outcome: 'pay' }, headers: { origin: shop.url } });
  return order_id;
}

const header = (mail, name) => mail.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];

test('a mail whose sender dies before it is noted comes once more, under the same Message-ID', async () => {
  const order = await buy();
  await until(() => taken.length === 1, 10_000, 'the mail at the server');
  await shop.kill();
  assert.equal(shop.sql(`SELECT count(*) FROM outbox WHERE topic = 'mail.send' AND key LIKE '${order}%' AND due_at > now()`) > 0, true, 'nobody noted it');
  answers = true;
  // Its lease is over.
  shop.sql(`UPDATE outbox SET due_at = now() WHERE topic = 'mail.send'`);
  await shop.start();
  const copies = () => taken.filter((mail) => header(mail, 'Message-ID')?.includes('order.paid'));
  await until(() => copies().length === 2, 15_000, 'the second copy');
  await until(() => shop.sql(`SELECT count(*) FROM outbox WHERE topic = 'mail.send' AND payload ->> 'kind' = 'order.paid'`) === '0', 15_000, 'its note');
  const receipts = copies();
  assert.equal(receipts.length, 2, taken.map((mail) => header(mail, 'Subject')).join(' | '));
  const [first, second] = receipts.map((mail) => header(mail, 'Message-ID'));
  assert.match(first, new RegExp(`^<order\\.paid\\.${order}\\.\\d+@shop\\.example>$`));
  assert.equal(first, second);
  assert.equal(header(receipts[0], 'Date'), header(receipts[1], 'Date'));
});

test('bazar check finds nothing wrong', () => {
  assert.match(shop.run('check'), /\S/);
});
