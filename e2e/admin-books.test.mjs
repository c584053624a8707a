// (n) The catalogue behind the counter: a book is made, changed, counted and retired while a shopper watches; two people
// change one book; a file of books is looked at and imported; all of it without JavaScript, too.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { atWork, handIn, openBrowser, openShop, PHONE, pictures, until, visit, written } from './harness.mjs';

let shop, browser;

before(async () => {
  shop = await openShop();
  shop.hire('boss@example.org', 'Boss');
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await shop?.close(); });

const admin = (options) => atWork(browser, shop, 'boss@example.org', options);

const fill = async (page, values) => { for (const [name, value] of Object.entries(values)) await page.locator(`main [name="${name}"]`).fill(value); };

test('a book is made, and a shopper sees its price, its copies and its end without reloading', async () => {
  const boss = await admin();
  const desk = await boss.newPage();
  await visit(desk, `${shop.url}/admin/books`);
  await pictures(desk, 'admin-books');
  await desk.getByRole('link', { name: 'New book' }).click();
  await desk.getByRole('heading', { name: 'New book' }).waitFor();
  await fill(desk, { title: 'The Lantern Maker', price: 'free', authors: 'Asha Rao; Ravi Iyer', sku: 'LM-1', categories: 'Poetry', copies: '2' });
  await fill(desk, { description: 'A story of light. '.repeat(20) });
  await desk.getByRole('button', { name: 'Put it on the shelf' }).click();
  await desk.getByText('Not a price like 499').waitFor();
  assert.equal(await desk.locator('[name="title"]').inputValue(), 'The Lantern Maker', 'what was typed stays');
  await pictures(desk, 'admin-book-new');
  await fill(desk, { price: '499' });
  await desk.getByRole('button', { name: 'Put it on the shelf' }).click();
  await desk.getByRole('heading', { name: 'The Lantern Maker' }).waitFor();
  const id = new URL(desk.url()).pathname.split('/').pop();

  const shopper = await browser.newShopper({ viewport: PHONE });
  const page = await shopper.newPage();
  await until(async () => (await fetch(`${shop.url}/books/the-lantern-maker`)).ok, 5000, 'the page of the book');
  await visit(page, `${shop.url}/books/the-lantern-maker`);
  await page.getByText('2 left').first().waitFor();
  await shopper.request.post(`${shop.url}/api/cart/add`, { form: { book_id: id, quantity: 1 } });
  const cart = await shopper.newPage();
  await visit(cart, `${shop.url}/cart`);

  await desk.locator('[name="delta"]').fill('-1');
  await desk.locator('[name="kind"]').selectOption('adjustment');
  await desk.locator('[name="reason"]').fill('A damp corner');
  await desk.getByRole('button', { name: 'Count them' }).dblclick();
  await page.getByText('1 left').first().waitFor();
  await desk.getByText('A damp corner').waitFor();
  // Once, whoever clicks twice.
  await desk.locator('.desk-on-sale').getByText('1', { exact: true }).waitFor();
  await desk.locator('[name="delta"]').fill('-5');
  await desk.locator('[name="kind"]').selectOption('adjustment');
  await desk.locator('[name="reason"]').fill('Too many');
  await desk.getByRole('button', { name: 'Count them' }).click();
  await desk.getByText('Only one copy can be taken away').waitFor();
  await pictures(desk, 'admin-book');

  await fill(desk, { price: '450' });
  await desk.getByRole('button', { name: 'Save', exact: true }).click();
  await desk.getByText('Saved. Open carts').waitFor();
  await cart.getByText(/Was ₹499/).waitFor();
  await desk.getByText('Take it out of sale').first().click();
  await desk.getByText('It leaves lists and searches at once.').waitFor();
  await desk.getByRole('button', { name: 'Take it out of sale' }).click();
  await cart.getByText('No longer sold.').waitFor();
  await desk.locator('.admin-order__head').getByText('Retired').waitFor();
  assert.deepEqual([...boss.errors, ...shopper.errors], []);
});

test('two people change one book: the second is told what it says now, and decides', async () => {
  const [one, other] = await Promise.all([admin(), admin()]);
  const [first, second] = [await one.newPage(), await other.newPage()];
  const [id] = shop.sql("SELECT id FROM books WHERE sku = 'BB-0002'").split('\n');
  for (const page of [first, second]) await visit(page, `${shop.url}/admin/books/${id}`);
  await fill(first, { price: '460' });
  await first.getByRole('button', { name: 'Save', exact: true }).click();
  await first.getByText('Saved. Open carts').waitFor();
  await fill(second, { price: '470', subtitle: 'From the Big Bang on' });
  await second.getByRole('button', { name: 'Save', exact: true }).click();
  await second.getByText('Somebody else changed this book').waitFor();
  await second.getByText('Now: 460').waitFor();
  assert.equal(await second.locator('[name="subtitle"]').inputValue(), 'From the Big Bang on');
  await pictures(second, 'admin-book-conflict');
  await second.getByRole('button', { name: 'Save', exact: true }).click();
  await second.getByText('Saved. Open carts').waitFor();
  assert.equal(shop.sql(`SELECT price_minor FROM books WHERE id = ${id}`), '47000');
});

test('books are found, filtered and counted, with the choice in the address', async () => {
  const boss = await admin();
  const page = await boss.newPage();
  await visit(page, `${shop.url}/admin/books`);
  await page.getByLabel('Title, author, ISBN or SKU').fill('hawking');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.waitForURL(/q=hawking/);
  await page.getByRole('link', { name: 'A Brief History of Time' }).first().waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'Next', exact: true }).click();
  await page.waitForURL(/after=/);
  await page.getByRole('link', { name: 'First page' }).click();
  await page.locator('.desk-tab', { hasText: 'Low' }).click();
  await page.waitForURL(/show=low/);
  await page.getByLabel(/A book is low from/).fill('5');
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByText('Look at the list anew').waitFor();
  await pictures(page, 'admin-books-low');
  assert.equal(shop.sql('SELECT low_from FROM stock_settings'), '5');
  assert.deepEqual(boss.errors, []);
});

test('a file is looked at, imported, and seen by a shopper; a faulty one is not', async () => {
  const boss = await admin();
  const page = await boss.newPage();
  await handIn(page, shop, written('faulty.csv', 'sku,title,price', 'BB-0003,,1', 'X-1,,1', 'X-2,Good,free'));
  await page.getByText('Line 3: a new book needs a title').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Import it' }).count(), 0);
  await pictures(page, 'admin-file-faulty');
  await handIn(page, shop, written('headless.csv', 'title,price', 'A,1'));
  await page.getByText('a column isbn13 or sku is needed').waitFor();

  const [slug, price] = shop.sql("SELECT slug, price_minor / 100 FROM books WHERE sku = 'BB-0004'").split('|');
  const shopper = await (await browser.newShopper()).newPage();
  await visit(shopper, `${shop.url}/books/${slug}`);
  await handIn(page, shop, written('good.csv', 'sku,title,price,stock', 'BB-0004,,777,1', 'NEW-1,A Book From a File,99,3'));
  await page.getByText(`${price} → 777`).waitFor();
  await pictures(page, 'admin-file');
  await page.getByRole('button', { name: 'Import it' }).click();
  await page.getByText(/Imported: 1 book new, 1 known/).waitFor();
  await shopper.getByText('1 left').first().waitFor();
  await pictures(page, 'admin-file-done');
  const exported = await boss.request.get(`${shop.url}/api/admin/books.csv`);
  assert.match(await exported.text(), /^NEW-1,,A Book From a File,/m);
  assert.deepEqual(boss.errors, []);
});

test('the real 9,278 books come in by the browser', { skip: !process.env.BAZAR_REAL_BOOKS }, async () => {
  const boss = await admin();
  const page = await boss.newPage();
  const lines = readFileSync(process.env.BAZAR_REAL_BOOKS, 'utf8').trimEnd().split('\n').length - 1;
  await handIn(page, shop, process.env.BAZAR_REAL_BOOKS);
  await page.getByText(`${lines.toLocaleString('en-IN')} lines`).first().waitFor({ timeout: 60_000 });
  await pictures(page, 'admin-file-large');
  await page.getByRole('button', { name: 'Import it' }).click();
  await page.getByText(/of 9,278 lines/).waitFor();
  await page.getByText(/^Imported: 9,\d+ books new/).waitFor({ timeout: 120_000 });
});

test('all of it works without JavaScript', async () => {
  const boss = await admin({ javaScriptEnabled: false });
  const page = await boss.newPage();
  await page.goto(`${shop.url}/admin/books/new`);
  await fill(page, { title: 'Plain Paper', price: '4,50', sku: 'PP-1' });
  await page.getByRole('button', { name: 'Put it on the shelf' }).click();
  await page.getByText('Not a price like 499').waitFor();
  await fill(page, { price: '450' });
  await page.getByRole('button', { name: 'Put it on the shelf' }).click();
  await page.getByText('The book is on the shelf.').waitFor();
  await fill(page, { delta: '3', reason: 'From the press' });
  await page.getByRole('button', { name: 'Count them' }).click();
  await page.getByText('The copies are counted.').waitFor();
  await page.getByText('From the press').waitFor();
  await fill(page, { low_from: '9' });
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.locator('.admin-order__head').getByText('Low').waitFor();
  await handIn(page, shop, written('plain.csv', 'sku,price', 'PP-1,475'));
  await page.getByText('450 → 475').waitFor();
  await page.getByRole('button', { name: 'Import it' }).click();
  await until(async () => {
    await page.reload();
    return page.getByText(/Imported: 0 books new, 1 known/).isVisible();
  }, 10_000, 'the import');
});
