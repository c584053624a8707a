// node rush.mjs URL COOKIES KEYS: everybody places an order at the same moment, over 250 connections. Prints how many won, how many were
// answered, and p50, p99 and the last answer in ms since that moment. Plain sockets: what asks must not be what is slow.

import net from 'node:net';
import { lines } from './client.mjs';

const CONNECTIONS = 250;
const [url, cookiesFile, keys] = process.argv.slice(2);
const { hostname, port, host } = new URL(url);
const form = new URLSearchParams({
  name: 'Asha Rao', line1: '12 MG Road', city: 'Bengaluru', state: 'Karnataka', postcode: '560001', country: 'IN',
  phone: '+919845012345', email: 'asha@example.org',
}).toString();
const requests = lines(cookiesFile).map((cookie, number) => Buffer.from(
  `POST /api/orders/place HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nAccept: application/json\r\n`
  + `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\nIdempotency-Key: ${keys}${String(number).padStart(12, "0")}\r\n\r\n${form}`));

/** The status of one whole answer, or undefined while it is not whole. */
const statusOf = (text) => {
  const head = text.indexOf('\r\n\r\n');
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1]);
  return head >= 0 && text.length >= head + 4 + length ? Number(text.slice(9, 12)) : undefined;
};

const answers = [];
let next = 0;
/** One connection: asks for one shopper after the other until all are asked for. */
const stand = (socket) => new Promise((resolve, reject) => {
  let text = '';
  const ask = () => (next < requests.length ? socket.write(requests[next++]) : resolve(socket.destroy()));
  socket.setNoDelay(true).setEncoding('latin1').on('error', reject).on('data', (part) => {
    text += part;
    const status = statusOf(text);
    if (status === undefined) return;
    answers.push([status, performance.now()]);
    text = '';
    ask();
  });
  ask();
});

const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => new Promise((resolve, reject) => {
  const socket = net.connect(port, hostname, () => resolve(socket)).on('error', reject);
})));
const start = performance.now();
await Promise.all(sockets.map(stand));
const times = answers.map(([, at]) => at - start).sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
const of = (status) => answers.filter(([answered]) => answered === status).length;
console.log(of(200), of(200) + of(409), at(0.5), at(0.99), at(1));
process.exit(0);
