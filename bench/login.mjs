// node login.mjs URL COUNT COOKIES BOOKS: registers COUNT shoppers, puts two books into each cart, and writes the cookies
// and the ids of the books that everybody edits.

import { writeFileSync } from 'node:fs';
import { ask } from './client.mjs';

const [url, count, cookiesFile, booksFile] = process.argv.slice(2);
const { books } = (await ask(`${url}/api/books?in_stock=1`)).json;
const ids = books.filter((book) => book.available >= 10).slice(0, 6).map((book) => String(book.id));
if (ids.length < 4) throw new Error('too few books in stock');

const shopper = async (number) => {
  const form = { email: `bench${number}@example.org`, password: 'a good password', name: 'Bench' };
  const { cookies } = await ask(`${url}/api/account/register`, { form });
  const cookie = cookies.find((pair) => pair.startsWith('bb_session='));
  for (const book_id of ids.slice(0, 2)) await ask(`${url}/api/cart/add`, { form: { book_id }, cookie });
  return cookie;
};
const cookies = [];
for (let n = 0; n < Number(count); n += 4) {
  cookies.push(...(await Promise.all([0, 1, 2, 3].map((k) => shopper(n + k)))));
}
writeFileSync(cookiesFile, cookies.join('\n') + '\n');
writeFileSync(booksFile, ids.join('\n') + '\n');
process.exit(0);
