// node idle.mjs URL COUNT: opens COUNT sockets of /live, each of another guest who watches a page of books, says "open" when
// all of them got their cart, and keeps them until its standard input ends.

import { randomUUID } from 'node:crypto';
import { listen } from './client.mjs';

const [url, count] = process.argv.slice(2);
const books = Array.from({ length: 24 }, (_, n) => n + 1);

const tab = async () => {
  let heard;
  const cart = new Promise((resolve) => { heard = resolve; });
  const socket = await listen(url, `visitor=${randomUUID()}`, (frame) => frame.type === 'cart' && heard());
  socket.send({ type: 'watch', books });
  await cart;
};

let next = 0;
await Promise.all(Array.from({ length: 64 }, async () => { while (next++ < Number(count)) await tab(); }));
console.log('open');
process.stdin.resume().on('end', () => process.exit(0));
