// node bench/search.mjs URL FILE COUNT: searches as people make them for titles and authors of that CSV, four at a time, no
// text twice: lists with their facets, and suggestions on the way there. Prints `bench RATE P50 P99 MISSED`.

import { ask, lines } from './client.mjs';

const [url, file, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const rows = lines(file).slice(1).map((line) => line.match(/("([^"]|"")*"|[^,]*)(,|$)/g).map((cell) => cell.replace(/,$/, '').replace(/^"|"$/g, '')));
const head = lines(file)[0].split(',');
const [TITLE, AUTHOR] = [head.indexOf('title'), head.indexOf('authors')];

const swapped = (text) => {
  const at = Math.min(text.length - 2, 2 + (text.length % 5));
  return at < 1 ? text : text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);
};
const KINDS = [
  (title) => title,
  (title) => title.split(' ').slice(0, 2).join(' '),
  (title) => title.slice(0, Math.max(3, Math.floor(title.length / 2))),
  (title) => swapped(title),
  (title, author) => author,
  (title, author) => `${author.split(' ').at(-1)} ${swapped(title.split(' ').at(-1))}`,
  (title) => `the ${title.split(' ')[0].slice(0, 2)}`,
  (title) => title.slice(0, 1 + (title.length % 3)),
];
const NARROW = ['', '&in_stock=true', '&category=classics', '&language=en&max=39999&sort=price_low'];

const took = [];
let next = 0;
const shopper = async () => {
  while (next < count) {
    const n = next;
    next += 1;
    const row = rows[Math.floor((n * 7919) % rows.length)];
    const q = encodeURIComponent(KINDS[n % KINDS.length](row[TITLE], row[AUTHOR]).slice(0, 100));
    for (const path of [`suggest?q=${q}`, `facets?q=${q}${NARROW[n % 4]}`, `?q=${q}${NARROW[(n + 1) % 4]}`]) {
      const start = performance.now();
      await ask(`${url}/api/books${path.startsWith('?') ? '' : '/'}${path}`);
      took.push(performance.now() - start);
    }
  }
};
const start = performance.now();
await Promise.all(Array.from({ length: 4 }, shopper));
const seconds = (performance.now() - start) / 1000;
took.sort((a, b) => a - b);
const at = (part) => took[Math.floor((took.length - 1) * part)].toFixed(1);
console.log(`bench ${(took.length / seconds).toFixed(0)} ${at(0.5)} ${at(0.99)}`);
process.exit(0);
