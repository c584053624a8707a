// Lays out target/site: files of our own under names that carry a hash of their content (so browsers may keep them for
// ever), public/ as it is, and a .br and .gz beside whatever compresses, because compressing per request would cost more
// than the page. Also writes the files of hashes by which leptos finds the names (it looks beside the server binary).

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const { values: arg } = parseArgs({
  options: {
    name: { type: 'string' },
    half: { type: 'string', multiple: true }, // NAME=GLUE=HASH_FILE
    css: { type: 'string' },
    public: { type: 'string' },
    site: { type: 'string' },
    'hash-dir': { type: 'string', multiple: true },
  },
});

const COMPRESSIBLE = new Set(['.js', '.wasm', '.css', '.svg', '.html', '.txt', '.json', '.xml', '.ico', '.webmanifest']);
// Pages that are open in a browser, or a server not restarted yet, may ask for the last build's files.
const KEEP_OLD_MS = 24 * 3600 * 1000;

const pkg = join(arg.site, 'pkg');
const kept = new Set();

const filesUnder = async (dir) => {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const lists = await Promise.all(
    entries.map((e) => (e.isDirectory() ? filesUnder(join(dir, e.name)) : [join(dir, e.name)])),
  );
  return lists.flat();
};

const sameAs = async (path, bytes) => (await readFile(path).catch(() => null))?.equals(bytes) ?? false;

/** Writes the file and its compressed copies, unless exactly that is there already. */
const place = async (path, bytes) => {
  const copies = COMPRESSIBLE.has(extname(path)) ? [`${path}.br`, `${path}.gz`] : [];
  for (const p of [path, ...copies]) kept.add(p);
  const present = await Promise.all(copies.map((p) => stat(p).then(() => true, () => false)));
  if (present.every(Boolean) && (await sameAs(path, bytes))) return;
  await mkdir(dirname(path), { recursive: true });
  if (copies.length) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    const [br, gz] = await Promise.all([
      promisify(brotliCompress)(bytes, { params }),
      promisify(gzip)(bytes, { level: 9 }),
    ]);
    await Promise.all([writeFile(copies[0], br), writeFile(copies[1], gz)]);
  }
  await writeFile(path, bytes);
};

const hashed = async (name, source) => {
  const bytes = await readFile(source);
  const hash = createHash('sha256').update(bytes).digest('base64url').replace(/[-_]/g, '').slice(0, 16);
  const path = join(pkg, `${name}.${hash}${extname(source)}`);
  await place(path, bytes);
  return { hash, path };
};

const css = await hashed(arg.name, arg.css);
const made = [css];
const hashes = {};
for (const half of arg.half) {
  const [name, glue, file] = half.split('=');
  const [wasm, js] = [await hashed(name, join(glue, `${name}.wasm`)), await hashed(name, join(glue, `${name}.js`))];
  made.push(wasm, js);
  hashes[file] = `js: ${js.hash}\nwasm: ${wasm.hash}\ncss: ${css.hash}\n`;
  // The glue imports inline snippets of crates by relative path.
  for (const snippet of await filesUnder(join(glue, 'snippets'))) {
    await place(join(pkg, relative(glue, snippet)), await readFile(snippet));
  }
}
for (const file of await filesUnder(arg.public)) {
  await place(join(arg.site, relative(arg.public, file)), await readFile(file));
}

for (const dir of arg['hash-dir']) {
  await mkdir(dir, { recursive: true });
  for (const [file, text] of Object.entries(hashes)) await writeFile(join(dir, file), text);
}

for (const file of await filesUnder(arg.site)) {
  if (kept.has(file)) continue;
  const age = Date.now() - (await stat(file)).mtimeMs;
  if (!file.startsWith(pkg) || age > KEEP_OLD_MS) await rm(file);
}

const size = async (path) => `${((await stat(path)).size / 1024).toFixed(1)} KiB`;
for (const { path } of made) {
  const [raw, gz, br] = await Promise.all([size(path), size(`${path}.gz`), size(`${path}.br`)]);
  console.error(`    ${basename(path)} ${raw} raw · ${gz} gzip · ${br} brotli`);
}
