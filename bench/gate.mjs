// node gate.mjs MONITOR CALL BOOKS: finds the call of order_place in what `redis-cli monitor` wrote. CALL gets it, one argument per
// line, for redis-benchmark, with a new order, owner and key each time; BOOKS gets the ids of its books.

import { readFileSync, writeFileSync } from 'node:fs';

const [monitor, callFile, booksFile] = process.argv.slice(2);
const bytes = (text) => text.replace(/\\(x([0-9a-f]{2})|.)/g, (_, c, hex) => (hex ? String.fromCharCode(parseInt(hex, 16)) : c));
const calls = readFileSync(monitor, 'utf8').split('\n')
  .filter((line) => /^[\d.]+ \[\d+ [\d.]+:\d+\] "EVALSHA" /i.test(line) && line.includes('"bb:{inv}:latest:'))
  .map((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => bytes(text)))
  .filter((call) => call.includes('bb:{inv}:placed'));
if (calls.length === 0) throw new Error('no call of order_place');
const [call] = calls;
const keys = 3 + Number(call[2]);
const [order, owner] = call.slice(keys, keys + 2);
// The last twelve digits of an id are the random number of redis-benchmark.
const another = (text) => [order, owner].reduce((all, id) => all.replaceAll(id, `${id.slice(0, -12)}__rand_int__`), text);
writeFileSync(callFile, call.map(another).join('\n') + '\n');
const pairs = call.slice(keys + 13);
writeFileSync(booksFile, pairs.filter((_, n) => n % 2 === 0).join('\n') + '\n');
