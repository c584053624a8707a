// node bench/books.mjs COUNT FILE: a catalogue of that many made-up books as CSV, the same each time. Words are as unevenly
// used as in real titles: a few in every tenth title, most in a few.

import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

const [count, file] = [Number(process.argv[2]), process.argv[3]];

// mulberry32: small, seeded, good enough for made-up titles
let state = 7;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = (n) => Math.floor(random() * n);
const often = (list) => list[Math.min(list.length - 1, Math.floor(list.length ** random()) - 1)];

const START = ['b', 'br', 'ch', 'd', 'f', 'gr', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 'st', 't', 'th', 'v', 'w', 'z'];
const MIDDLE = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'oo'];
const END = ['', 'l', 'm', 'n', 'nd', 'r', 's', 'st', 't', 'ck'];
const syllable = () => START[below(START.length)] + MIDDLE[below(MIDDLE.length)] + END[below(END.length)];
const word = () => Array.from({ length: below(3) }, syllable).join('') + syllable();
const capital = (text) => text[0].toUpperCase() + text.slice(1);

const WORDS = ['the', 'of', 'and', 'a', 'in', ...Array.from({ length: 40_000 }, word)];
const AUTHORS = Array.from({ length: 50_000 }, () => `${capital(word())} ${capital(word())}`);
const SHELVES = ['classics', 'fantasy', 'history', 'poetry', 'computing', 'science-fiction', 'short-stories', 'philosophy'];
const LANGUAGES = ['en', 'en', 'en', 'en', 'en', 'en', 'hi', 'bn', 'ta', 'fr'];
const words = (n) => Array.from({ length: n }, () => often(WORDS)).join(' ');

const out = createWriteStream(file);
out.write('sku,title,authors,year,language,description,categories,popularity,price,stock\n');
for (let n = 1; n <= count; n += 1) {
  const price = 99 + below(1400);
  const line = [`GEN-${n}`, `${capital(words(2 + below(5)))} ${often(WORDS)}`, often(AUTHORS), 1900 + below(125), LANGUAGES[below(10)],
    words(25), SHELVES[below(SHELVES.length)], Math.floor(5_000_000 / n), price, below(20)];
  if (!out.write(`${line.join(',')}\n`)) await once(out, 'drain');
}
out.end();
await once(out, 'finish');
