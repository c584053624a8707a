// node snip.mjs IN OUT: takes the insides out of functions that the browser can never call, so that wasm-opt also drops
// what only they need. Leptos' views and routes are tables of functions, and a compiler must keep a whole table: a sixth of
// our WASM was hydration of lazily loaded pages and the server's list of routes, of which the browser does neither. A call
// would trap at once, and loudly.

import { readFileSync, writeFileSync } from 'node:fs';

// Exactly the functions in the tables: a helper inside of one may be the same code as a helper elsewhere, and then stands for both.
const NEVER_CALLED = [
  /IntoAny>::into_any::hydrate_async(?!.*inner)/, // only `hydrate_lazy` begins it
  /IntoAnyAttribute>::into_any_attr::clone(?!.*inner)/, // only attributes given to a component are cloned, and ours take none
  /IntoAnyNestedRoute>::into_any_nested_route::generate_routes(?!.*inner)/, // only `generate_route_list`, on the server
];
const [IMPORT, CODE, CUSTOM, FUNCTION, FUNCTION_NAMES] = [2, 10, 0, 0, 1];
const UNREACHABLE = Buffer.from([3, 0, 0x00, 0x0b]); // its length, no locals, unreachable, end

const [input, output] = process.argv.slice(2);
const wasm = readFileSync(input);

const reader = (at, end) => {
  const number = () => {
    for (let [value, unit] = [0, 1]; ; unit *= 128) {
      const byte = wasm[at++];
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  const bytes = () => { const length = number(); return wasm.subarray(at, (at += length)); };
  const list = (one) => Array.from({ length: number() }, (_, n) => one(n));
  return { number, bytes, list, byte: () => wasm[at++], skip: (n) => { at += n; }, at: () => at, has: () => at < end };
};

const leb = (number) => {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
  return Buffer.from([...bytes, number]);
};

const sections = [];
for (const r = reader(8, wasm.length); r.has(); ) {
  const [start, id, length] = [r.at(), r.byte(), r.number()];
  sections.push({ id, start, body: r.at(), end: r.at() + length });
  r.skip(length);
}
const inside = ({ body, end }) => reader(body, end);

/** Functions that come from outside have the first numbers. */
const imported = () => {
  const r = inside(sections.find(({ id }) => id === IMPORT));
  const limits = () => { const flags = r.byte(); r.number(); if (flags & 1) r.number(); };
  const kinds = r.list(() => {
    r.bytes();
    r.bytes();
    const kind = r.byte();
    [r.number, () => { r.byte(); limits(); }, limits, () => r.skip(2), () => r.skip(2)][kind]();
    return kind;
  });
  return kinds.filter((kind) => kind === FUNCTION).length;
};

const names = () => {
  for (const section of sections.filter(({ id }) => id === CUSTOM)) {
    const r = inside(section);
    if (r.bytes().toString() !== 'name') continue;
    while (r.has()) {
      const [kind, length] = [r.byte(), r.number()];
      if (kind === FUNCTION_NAMES) return new Map(r.list(() => [r.number(), r.bytes().toString()]));
      r.skip(length);
    }
  }
  throw new Error(`${input} does not name its functions: is the profile's strip = "symbols"?`);
};

const [first, named, code] = [imported(), names(), sections.find(({ id }) => id === CODE)];
const gone = NEVER_CALLED.map(() => 0);
const r = inside(code);
const functions = r.list((n) => {
  const start = r.at();
  r.bytes();
  const whole = wasm.subarray(start, r.at());
  const rule = NEVER_CALLED.findIndex((rule) => rule.test(named.get(n + first) ?? ''));
  if (rule < 0) return whole;
  gone[rule] += whole.length;
  return UNREACHABLE;
});
for (const [n, bytes] of gone.entries()) if (!bytes) throw new Error(`no function is named ${NEVER_CALLED[n]} any more`);
const body = Buffer.concat([leb(functions.length), ...functions]);
writeFileSync(output, Buffer.concat([wasm.subarray(0, code.start), Buffer.from([CODE]), leb(body.length), body, wasm.subarray(code.end)]));
