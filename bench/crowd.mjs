// node crowd.mjs URL COUNT LINES BOOKS COOKIES: guests with that many books of the file BOOKS in their carts; writes a cookie each.

import { writeFileSync } from 'node:fs';
import { ask, lines } from './client.mjs';

const [url, count, each, booksFile, cookiesFile] = process.argv.slice(2);
const books = lines(booksFile);

const guest = async (number) => {
  let cookie;
  for (let line = 0; line < Number(each); line += 1) {
    const book_id = books[(number * 7 + line) % books.length];
    const { cookies } = await ask(`${url}/api/cart/add`, { form: { book_id, quantity: 1 }, cookie });
    cookie ??= cookies.find((pair) => pair.startsWith('bb_guest='));
  }
  return cookie;
};

const cookies = [];
let next = 0;
await Promise.all(Array.from({ length: 48 }, async () => {
  while (next < Number(count)) {
    const number = next++;
    cookies[number] = await guest(number);
  }
}));
writeFileSync(cookiesFile, cookies.join('\n') + '\n');
process.exit(0);
