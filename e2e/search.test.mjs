// Finding a book: suggestions by keyboard, mouse and not at all, filters whose address is the state, the way back.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { openBrowser, openShop, shoot, until, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

const path = (page) => { const url = new URL(page.url()); return url.pathname + url.search; };
const box = (page) => page.getByRole('combobox', { name: /Search by title/ });
const options = (page) => page.locator('.suggestions').getByRole('option');
const count = async (link) => Number((await link.locator('.facet__count').textContent()).match(/\d+/)[0]);
const titles = async (page) => Number((await page.locator('.books__head .muted').textContent()).match(/\d+/)[0]);

/** Types as a person does, and waits for the suggestions of the whole text. */
const type = async (page, text) => {
  const field = page.locator('.search__input').first();
  await field.click();
  const answered = page.waitForResponse((r) => r.url().endsWith(`suggest?q=${encodeURIComponent(text)}`));
  await field.pressSequentially(text, { delay: 15 });
  await answered;
};

test('suggestions by keyboard: a combobox that says where it is', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/`);
  await type(page, 'smal thi');
  await options(page).first().waitFor();
  assert.equal(await box(page).getAttribute('aria-expanded'), 'true');
  const list = await box(page).getAttribute('aria-controls');
  assert.equal(await page.locator(`#${list}`).getAttribute('role'), 'listbox');
  await page.getByRole('status').filter({ hasText: /suggestion/ }).waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowDown');
  const active = await box(page).getAttribute('aria-activedescendant');
  assert.equal(await page.locator(`#${active}`).getAttribute('aria-selected'), 'true');
  assert.match(await page.locator(`#${active}`).textContent(), /The God of Small Things/);
  // Up past the first: the field itself; Enter searches for what was typed.
  await page.keyboard.press('ArrowUp');
  assert.equal(await box(page).getAttribute('aria-activedescendant'), null);
  await page.keyboard.press('Escape');
  assert.equal(await options(page).count(), 0);
  assert.equal(await box(page).getAttribute('aria-expanded'), 'false');
  assert.equal(await box(page).inputValue(), 'smal thi', 'Escape closes the list and leaves the text');
  await page.keyboard.press('ArrowDown');
  await options(page).first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/the-god-of-small-things/);
  await page.getByRole('heading', { level: 1, name: 'The God of Small Things' }).waitFor();
  assert.deepEqual(shopper.errors, []);
});

test('Enter without a choice searches; a click takes the suggestion; authors lead to their page', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/`);
  await type(page, 'breif history of tiem');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/books\?q=/);
  await page.getByRole('heading', { level: 1, name: /breif history/ }).waitFor();
  assert.equal(await options(page).count(), 0);
  assert.match(await page.locator('.book-card__title').first().textContent(), /A Brief History of Time/);
  await page.goBack();
  await page.waitForURL(`${shop.url}/`);
  await type(page, 'arundhati');
  await options(page).filter({ hasText: 'Author' }).first().click();
  await page.waitForURL(/\/authors\/arundhati-roy$/);
  await page.getByRole('heading', { level: 1, name: 'Arundhati Roy' }).waitFor();
  assert.deepEqual(shopper.errors, []);
});

test('each number is what a click leads to, and the way back leads back', async () => {
  const shopper = await browser.newShopper();
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/books?q=the`);
  const facets = page.getByRole('complementary', { name: 'Narrow down' });
  for (const [title, expected] of [['Subject', /category=/], ['Price', /m(in|ax)=/], ['Language', /language=/], ['Stock', /in_stock=true/]]) {
    const group = facets.locator('section').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
    const link = group.locator('.facet:not([aria-current])').first();
    const books = await count(link);
    const before = path(page);
    await link.click();
    await page.waitForURL(expected);
    await page.waitForFunction((n) => document.querySelector('.books__head .muted').textContent.startsWith(`${n} `), books);
    assert.notEqual(path(page), before);
  }
  const narrow = path(page);
  const chips = page.getByRole('list', { name: 'Filters that are on' }).getByRole('link');
  await until(async () => await chips.count() === 4, 8000, 'all four filters');
  await page.getByLabel('Sort by').selectOption('title');
  await page.getByRole('button', { name: 'Sort' }).click();
  await page.waitForURL(/sort=title/);
  await page.goBack();
  await page.waitForURL(new URL(narrow, shop.url).href);
  await page.waitForFunction(() => document.querySelector('#sort').value === 'relevance');
  const left = await titles(page);
  await chips.last().click();
  await page.waitForFunction((n) => Number(document.querySelector('.books__head .muted').textContent.match(/\d+/)[0]) >= n, left);
  assert.deepEqual(shopper.errors, []);
});

test('pages have numbers and addresses', async () => {
  const page = await (await browser.newShopper()).newPage();
  await visit(page, `${shop.url}/categories/classics`);
  await page.getByRole('heading', { level: 1, name: 'Classics' }).waitFor();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: '2', exact: true }).click();
  await page.waitForURL(/\/categories\/classics\?page=2$/);
  await page.getByText(/page 2 of 3/).waitFor();
  await page.reload();
  await page.getByText(/page 2 of 3/).waitFor();
  await page.goBack();
  await page.getByText(/page 1 of 3/).waitFor();
});

test('what other clients read', async () => {
  const json = async (address) => (await fetch(shop.url + address)).json();
  const { suggestions } = await json('/api/books/suggest?q=arundh');
  assert.deepEqual(suggestions[0], { text: 'Arundhati Roy', note: 'Author', href: '/authors/arundhati-roy' });
  assert.deepEqual(await json('/api/books/suggest'), { suggestions: [] });
  const facets = await json('/api/books/facets?q=the&in_stock=1');
  assert.deepEqual(Object.keys(facets), ['categories', 'authors', 'languages', 'prices', 'in_stock']);
  const { value, books } = facets.categories[0];
  assert.equal((await json(`/api/books?q=the&in_stock=1&category=${value}`)).total, books);
});

test('unknown authors and categories are not there', async () => {
  for (const address of ['/authors/nobody-at-all', '/categories/nothing']) {
    assert.equal((await fetch(shop.url + address)).status, 404, address);
  }
  for (const address of ['/books?author=nobody', '/books?category=nothing', '/books?page=9999', '/books?min=cheap']) {
    assert.equal((await fetch(shop.url + address)).status, 200, address);
  }
});

test('without JavaScript: search, filters, order, pages', async () => {
  const page = await (await browser.newShopper({ javaScriptEnabled: false })).newPage();
  await page.goto(`${shop.url}/books`);
  const field = page.locator('.search__input').first();
  assert.equal(await field.getAttribute('role'), null, 'no combobox without what makes it one');
  await field.fill('tagore');
  await field.press('Enter');
  await page.waitForURL(/q=tagore/);
  const link = page.locator('.facets section').filter({ hasText: 'Language' }).locator('.facet').first();
  const books = await count(link);
  await link.click();
  assert.equal(await titles(page), books);
  await page.getByLabel('Sort by').selectOption('price_low');
  await page.getByRole('button', { name: 'Sort' }).click();
  await page.waitForURL(/q=tagore.*sort=price_low/);
  assert.match(path(page), /language=/, 'the form keeps the filters');
  // On a phone the filters come up over the list, by the browser alone.
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await page.locator('.facets').isVisible(), false);
  await page.getByRole('button', { name: 'Narrow down' }).click();
  assert.equal(await page.locator('.facets').isVisible(), true);
});

test('the stock on a list is alive', async () => {
  const page = await (await browser.newShopper()).newPage();
  const [id, slug, left] = shop.sql(`SELECT b.id, b.slug, s.available FROM books b JOIN stock s ON s.book_id = b.id WHERE s.available = 1 LIMIT 1`).split('|');
  await visit(page, `${shop.url}/books?q=${slug.replaceAll('-', '+')}`);
  const card = page.locator('.book-card').filter({ has: page.locator(`a[href="/books/${slug}"]`) });
  await card.getByText(`${left} left`).waitFor();
  shop.update('sku,stock', `${shop.sql(`SELECT sku FROM books WHERE id = ${id}`)},0`);
  await card.getByText('Sold out').waitFor();
});

test('how it looks', async () => {
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, height] of [[360, 740], [768, 1024], [1440, 900]]) {
      const page = await (await browser.newShopper({ colorScheme, viewport: { width, height } })).newPage();
      const name = (what) => `search-${what}-${width}-${colorScheme}`;
      await visit(page, `${shop.url}/books?q=the&language=en`);
      await shoot(page, name('list'));
      if (width < 960) {
        await page.getByRole('button', { name: 'Narrow down' }).click();
        await page.screenshot({ path: `${process.env.BAZAR_SCREENSHOTS ?? 'target/screenshots'}/${name('facets')}.png` });
      }
      await visit(page, `${shop.url}/books?q=zzzzqqqq&in_stock=true`);
      await shoot(page, name('nothing'));
      await visit(page, `${shop.url}/`);
      await type(page, 'history');
      await options(page).first().waitFor();
      await page.keyboard.press('ArrowDown');
      await page.screenshot({ path: `${process.env.BAZAR_SCREENSHOTS ?? 'target/screenshots'}/${name('suggestions')}.png` });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name('home')} scrolls sideways`);
      await page.context().close();
    }
  }
});
