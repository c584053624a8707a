// (f) Stripe's own library signs what the running shop believes, and whatever is changed about it, the shop does not.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import Stripe from 'stripe';
import { ADDRESS, client, openShop, until } from './harness.mjs';

const KEY = 'sk_test_a_key_for_tests';
const [OLD, NEW] = ['whsec_the_old_one_0123456789', 'whsec_the_new_one_0123456789'];
const stripe = new Stripe(KEY);

/** Stripe's API as far as the shop asks it for sessions; every call is kept. */
async function openStandIn() {
  const sessions = new Map();
  const calls = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const form = new URLSearchParams(body);
    calls.push({ path: request.url, headers: request.headers, form });
    const answer = (status, json) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    if (request.headers.authorization !== `Bearer ${KEY}`) return answer(401, { error: { type: 'invalid_request_error' } });
    if (request.method !== 'POST' || request.url !== '/v1/checkout/sessions') return answer(404, { error: {} });
    const key = request.headers['idempotency-key'];
    const { port } = server.address();
    const id = `cs_test_${sessions.size + 1}`;
    if (!sessions.has(key)) {
      sessions.set(key, {
        id, object: 'checkout.session', mode: form.get('mode'), status: 'open', payment_status: 'unpaid', payment_intent: null,
        amount_total: Number(form.get('line_items[0][price_data][unit_amount]')),
        currency: form.get('line_items[0][price_data][currency]'), client_reference_id: form.get('client_reference_id'),
        metadata: { order_id: form.get('metadata[order_id]'), payment_id: form.get('metadata[payment_id]') },
        url: `http://127.0.0.1:${port}/pay/${id}`,
      });
    }
    return answer(200, sessions.get(key));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, sessions, calls, close: () => { server.closeAllConnections(); server.close(); } };
}

let shop, standIn;
before(async () => {
  standIn = await openStandIn();
  shop = await openShop({
    BAZAR_PAYMENTS: 'stripe',
    BAZAR_STRIPE_API: standIn.url,
    BAZAR_STRIPE_SECRET_KEY: KEY,
    BAZAR_STRIPE_WEBHOOK_SECRETS: `${NEW},${OLD}`,
  });
});
after(async () => { await shop?.close(); standIn?.close(); });

/** An order with an open session at Stripe. */
async function order() {
  const ask = client(shop.url);
  const { books } = (await ask('/api/books?in_stock=true')).json;
  await ask('/api/cart/add', { form: { book_id: books[0].id, quantity: 1 } });
  const form = { ...ADDRESS, country: 'IN', email: 'asha@example.org', idempotency_key: crypto.randomUUID() };
  const placed = (await ask('/api/orders/place', { form })).json;
  const status = async () => (await ask(`/api/orders/get?id=${placed.order_id}`)).json.status;
  await until(async () => await status() === 'PAYMENT_PENDING', 10_000, 'the order to be written down');
  const started = await ask('/api/payments/init', { form: { order_id: placed.order_id, provider: 'stripe' } });
  assert.equal(started.status, 200, started.text);
  const session = standIn.sessions.get(started.json.payment_id);
  assert.equal(started.json.redirect_url, session.url);
  return { placed, status, session, ask };
}

let number = 0;
const event = (session, changes = {}, type = 'checkout.session.completed') => JSON.stringify({
  id: `evt_${++number}`, object: 'event', api_version: '2024-06-20', created: 1, livemode: false, type,
  data: { object: { ...session, status: 'complete', payment_status: 'paid', payment_intent: `pi_${session.id}`, ...changes } },
});

const now = () => Math.floor(Date.now() / 1000);
const sign = (payload, options = {}) => stripe.webhooks.generateTestHeaderString({ payload, secret: NEW, ...options });
const post = async (body, signature) => (await fetch(`${shop.url}/webhooks/stripe`, {
  method: 'POST', body, headers: { 'content-type': 'application/json', ...(signature === undefined ? {} : { 'stripe-signature': signature }) },
})).status;
const rows = () => Number(shop.sql('SELECT count(*) FROM webhook_inbox'));

test('what the library signs pays the order, once, under either secret', async () => {
  for (const secret of [NEW, OLD]) {
    const { placed, status, session } = await order();
    const body = event(session);
    // What the shop believes, the library believes, too.
    assert.equal(stripe.webhooks.constructEvent(body, sign(body, { secret }), secret).type, 'checkout.session.completed');
    const sent = await Promise.all(Array.from({ length: 20 }, () => post(body, sign(body, { secret }))));
    assert.deepEqual(new Set(sent), new Set([200]));
    assert.equal(await status(), 'PAID');
    assert.equal(shop.sql(`SELECT string_agg(status, ',') FROM payments WHERE order_id = '${placed.order_id}'`), 'captured');
  }
  assert.equal(rows(), 2);
});

test('the session asks for exactly this order', async () => {
  const { placed, ask } = await order();
  const { form, headers } = standIn.calls.at(-1);
  assert.equal(form.get('line_items[0][price_data][unit_amount]'), String(placed.total));
  assert.equal(form.get('client_reference_id'), placed.order_id);
  assert.equal(form.get('metadata[order_number]'), placed.number);
  assert.equal(form.get('customer_email'), 'asha@example.org');
  assert.equal(headers['idempotency-key'], form.get('metadata[payment_id]'));
  assert.ok(Number(form.get('expires_at')) > now() + 1800);
  const asked = standIn.calls.length;
  await ask('/api/payments/init', { form: { order_id: placed.order_id, provider: 'stripe' } });
  assert.equal(standIn.calls.length, asked, 'an open session needs no call');
  assert.equal((await ask('/api/payments/init', { form: { order_id: placed.order_id, provider: 'sandbox' } })).status, 400);
  const page = await ask(`/orders/${placed.order_id}`, { headers: { accept: 'text/html' } });
  assert.match(page.text, /card \(Stripe\)/);
  assert.match(page.headers.get('content-security-policy'), new RegExp(`form-action [^;]*${standIn.url}`));
});

test('whatever is changed, it is refused, and leaves no row', async () => {
  const { status, session } = await order();
  const body = event(session);
  const header = sign(body);
  const before = rows();
  const [t, v1] = header.split(',');
  const later = `t=${now() + 1}`;
  const changed = {
    'no signature': [body, undefined],
    'an empty signature': [body, ''],
    'no time': [body, v1],
    'no code': [body, t],
    'another time': [body, `${later},${v1}`],
    'a time in other words': [body, `${t.replace('t=', 't=+')},${v1}`],
    'two times': [body, `${t},${later},${v1}`],
    'another scheme': [body, `${t},${v1.replace('v1', 'v0')}`],
    'another scheme of the library': [body, sign(body, { scheme: 'v0' })],
    'another secret': [body, sign(body, { secret: 'whsec_of_somebody_else' })],
    'no secret': [body, sign(body, { secret: '' })],
    'half a code': [body, header.slice(0, -32)],
    'a longer code': [body, `${header}00`],
    'a code of another body': [body, sign(`${body} `)],
    'a space after the body': [`${body} `, header],
    'no body': ['', header],
    'another spelling of the body': [JSON.stringify(JSON.parse(body), null, 1), header],
    'too old': [body, sign(body, { timestamp: now() - 302 })],
    'too new': [body, sign(body, { timestamp: now() + 302 })],
    'milliseconds': [body, sign(body, { timestamp: Date.now() })],
  };
  for (const [what, [payload, signature]] of Object.entries(changed)) assert.equal(await post(payload, signature), 400, what);
  for (let i = 0; i < body.length; i += 11) {
    const other = `${body.slice(0, i)}${body[i] === 'x' ? 'y' : 'x'}${body.slice(i + 1)}`;
    assert.equal(await post(other, header), 400, `byte ${i} of the body`);
  }
  const code = header.indexOf('v1=') + 3;
  for (let i = code; i < header.length; i += 1) {
    const other = `${header.slice(0, i)}${header[i] === '0' ? '1' : '0'}${header.slice(i + 1)}`;
    assert.equal(await post(body, other), 400, `letter ${i} of the signature`);
  }
  assert.equal(await post('x'.repeat(256 * 1024 + 1), header), 413);
  assert.equal(rows(), before);
  assert.equal(await status(), 'PAYMENT_PENDING');
  // Any of several codes, beside schemes that prove nothing.
  assert.equal(await post(body, `${t},v0=00,${sign(body, { secret: 'whsec_of_somebody_else' }).split(',')[1]},${v1}`), 200);
  assert.equal(await status(), 'PAID');
});

test('genuine, and yet not this order’s money: kept apart, never PAID', async () => {
  const { status, session } = await order();
  const genuine = async (body) => assert.equal(await post(body, sign(body)), 200);
  await genuine(event(session, { amount_total: session.amount_total - 1 }));
  await genuine(event(session, { currency: 'usd' }));
  await genuine(event(session, { id: 'cs_test_of_somebody', client_reference_id: 'of-somebody', metadata: {} }));
  // Of another shop with the same account is nobody's money here.
  assert.equal(shop.sql(`SELECT count(*) FROM webhook_inbox WHERE outcome = 'quarantined'`), '2');
  await genuine(event(session, { payment_status: 'unpaid' }));
  await genuine(event(session, {}, 'customer.created'));
  assert.equal(await status(), 'PAYMENT_PENDING');
  await genuine(event(session, {}, 'checkout.session.async_payment_succeeded'));
  assert.equal(await status(), 'PAID');
  await genuine(event(session, { status: 'expired', payment_status: 'unpaid' }, 'checkout.session.expired'));
  assert.equal(await status(), 'PAID');
  assert.throws(() => shop.run('check'), 'money kept apart that nobody has seen to');
  const letters = shop.sql(`SELECT id FROM dead_letters WHERE source = 'webhook_inbox'`).split('\n');
  for (const letter of letters) shop.run('dead-letters', 'discard', letter, '--reason', 'sent back by hand');
  assert.match(shop.run('check'), /\S/);
});
