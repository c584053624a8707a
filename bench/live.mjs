// node live.mjs URL COOKIES BOOKS RATE SECONDS: shoppers edit at RATE edits/s together while another tab of each listens;
// prints edits/s and the p50 and p99, in ms, from sending an edit to its frame in the other tab.

import { setTimeout as sleep } from 'node:timers/promises';
import { ask, lines, listen } from './client.mjs';

const [url, cookies, books, rate, seconds] = process.argv.slice(2);
const shoppers = lines(cookies).slice(0, 50);
const ids = lines(books);
const times = [];

/** Another tab: when it first heard of each version, or will. A frame may come before the edit's own answer. */
const tab = async (cookie) => {
  let heard = [];
  let waiting = [];
  const socket = await listen(url, cookie, (frame) => {
    if (frame.type !== 'cart') return;
    const [version, now] = [frame.cart.version, performance.now()];
    heard = [...heard.slice(-50), { version, now }];
    waiting = waiting.filter((edit) => edit.version > version || edit.done(now));
  });
  socket.send({ type: 'snapshot' });
  const first = (version) => heard.find((frame) => frame.version >= version)?.now;
  const until = (version) => new Promise((done) => (first(version) ? done(first(version)) : waiting.push({ version, done })));
  return { until, end: socket.end };
};

const shop = async (cookie, start, every) => {
  const listener = await tab(cookie);
  const pending = [];
  let [edits, version] = [0, 0];
  for (let next = start; next < start + seconds * 1000; next += every) {
    await sleep(Math.max(0, next - performance.now()));
    const sent = performance.now();
    const form = { book_id: ids[edits % ids.length], quantity: 1 + (Math.floor(edits / ids.length) % 5) };
    const { json } = await ask(`${url}/api/cart/set`, { form, cookie });
    edits += 1;
    // The same copies as before make no frame.
    if (json.version === version) continue;
    version = json.version;
    pending.push(listener.until(version).then((now) => times.push(now - sent)));
  }
  await Promise.race([Promise.all(pending), sleep(5000).then(() => { throw new Error('frames are missing after five seconds'); })]);
  listener.end();
  return edits;
};

const every = (1000 * shoppers.length) / Number(rate);
const start = performance.now() + 1500;
const edits = await Promise.all(shoppers.map((cookie, n) => shop(cookie, start + (every * n) / shoppers.length, every)));
times.sort((a, b) => a - b);
const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(1);
console.log((edits.reduce((a, b) => a + b) / Number(seconds)).toFixed(0), at(0.5), at(0.99));
process.exit(0);
