// (m) Buying without a mouse: where the focus is can be seen all the way, and each page says that it is there. And for
// fingers: what can be touched is large enough.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { ADDRESS, addToCart, openBrowser, openShop, shoot, visit } from './harness.mjs';

let shop, browser;
before(async () => { shop = await openShop(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await shop?.close(); });

/** What has the focus: its name, whether a ring shows it, whether something lies over it. */
const focused = (page) => page.evaluate(() => {
  const at = document.activeElement;
  const box = at.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const ring = (element) => element && getComputedStyle(element).outlineStyle !== 'none' && parseFloat(getComputedStyle(element).outlineWidth) >= 2;
  const name = at.getAttribute('aria-label') ?? at.labels?.[0]?.innerText ?? (at.innerText || at.value) ?? '';
  return {
    name: name.replace(/\s+/g, ' ').trim(), tag: at.localName, id: at.id,
    isSeen: ring(at) || ring(at.parentElement) || ring(at.closest('.book-card, .search')),
    isCovered: !(top && (at.contains(top) || top.contains(at))),
  };
});

/** Goes on by Tab (or back by Shift+Tab) until something of that name has the focus. */
async function tabTo(page, name, key = 'Tab') {
  const passed = [];
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press(key);
    const at = await focused(page);
    if (at.tag === 'body') continue;
    assert.ok(at.isSeen, `the focus on “${at.name}” (${at.tag}) cannot be seen at ${page.url()}`);
    assert.ok(!at.isCovered, `“${at.name}” (${at.tag}) is covered while it has the focus at ${page.url()}`);
    if (name.test(at.name)) return at;
    passed.push(at.name);
  }
  throw new Error(`no way to ${name}; passed ${passed.join(', ')}`);
}

/** A page reached without a reload has the focus at its beginning, and is named. */
async function arrived(page, title) {
  await page.waitForFunction((title) => document.activeElement?.id === 'main' && document.title.startsWith(title), title);
  assert.equal((await focused(page)).name, title);
}

for (const [how, options] of [['on a desk', {}], ['on a phone', { viewport: { width: 390, height: 780 } }]]) {
  test(`from the front table to PAID by keyboard ${how}`, async () => {
    const shopper = await browser.newShopper(options);
    const page = await shopper.newPage();
    await visit(page, `${shop.url}/`);
    await page.keyboard.press('Tab');
    const skip = await focused(page);
    assert.equal(skip.name, 'Skip to the page');
    assert.ok(skip.isSeen && !skip.isCovered);
    await shoot(page, `keyboard-skip${how.includes('phone') ? '-phone' : ''}`);
    await page.keyboard.press('Enter');
    await tabTo(page, /Search by title/);
    await page.keyboard.type('small thi', { delay: 20 });
    await page.locator('.suggestions').getByRole('option').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/the-god-of-small-things/);
    await arrived(page, 'The God of Small Things by Arundhati Roy');
    await tabTo(page, /^Copies/);
    await page.keyboard.press('ArrowDown');
    await tabTo(page, /^Add to cart$/);
    const answered = page.waitForResponse((response) => response.url().endsWith('/api/cart/add'));
    await page.keyboard.press('Enter');
    await page.locator('.cart-badge').filter({ hasText: '2' }).waitFor();
    await answered;
    await tabTo(page, /^See the cart$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await arrived(page, 'Cart');
    await tabTo(page, /^One copy fewer/);
    await page.keyboard.press('Enter');
    await page.locator('.cart-badge').filter({ hasText: '1' }).waitFor();
    await tabTo(page, /^Go to checkout$/);
    await page.keyboard.press('Enter');
    await arrived(page, 'Checkout');
    const typed = { ...ADDRESS, email: 'keys@example.org' };
    const left = new Set(Object.keys(typed));
    while (left.size) {
      await tabTo(page, /./);
      const field = await page.evaluate(() => document.activeElement.getAttribute('name'));
      if (left.delete(field)) await page.keyboard.type(typed[field]);
    }
    await tabTo(page, /^Place order/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
    await page.locator('.ring__time').waitFor();
    await page.waitForFunction(() => document.activeElement?.id === 'main');
    await tabTo(page, /^Pay/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/sandbox\/pay\//);
    await tabTo(page, /^Pay$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/orders\//);
    await page.locator('.order-now--paid').waitFor();
    assert.deepEqual(shopper.errors, []);
  });
}

test('a page reached by a link, and the way back, have the focus; sharing names no other page', async () => {
  const page = await (await browser.newShopper()).newPage();
  await visit(page, `${shop.url}/books`);
  assert.equal(await page.locator('link[rel=canonical]').getAttribute('href'), `${shop.url}/books`);
  assert.equal((await focused(page)).tag, 'body', 'a page loaded by the browser begins where browsers begin');
  await page.locator('.book-card__link').first().click();
  await page.waitForURL(/\/books\/./);
  await page.waitForFunction(() => document.activeElement?.id === 'main' && document.activeElement.ariaLabel.includes(' by '));
  assert.equal(await page.locator('link[rel=canonical]').count(), 0);
  await page.goBack();
  await arrived(page, 'All books');
});

test('what fingers touch is 44 pixels or more', async () => {
  const shopper = await browser.newShopper({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  const page = await shopper.newPage();
  await visit(page, `${shop.url}/books?in_stock=true`);
  await page.locator('.book-card__link').first().tap();
  await page.waitForURL(/\/books\/./);
  await visit(page, page.url());
  await addToCart(page);
  await page.locator('.cart-badge').waitFor();
  const small = [];
  for (const path of ['/', '/books?in_stock=true', new URL(page.url()).pathname, '/cart', '/checkout', '/login', '/register', '/orders', '/nowhere']) {
    await visit(page, shop.url + path);
    small.push(...(await page.evaluate(() => {
      const isText = (at) => getComputedStyle(at).display === 'inline' && at.parentElement.innerText.trim() !== at.innerText.trim();
      const target = (at) => at.closest('.book-card') ?? (at.type === 'checkbox' || at.type === 'radio' ? at.closest('label') : null) ?? at;
      return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')]
        .filter((at) => at.checkVisibility({ checkVisibilityCSS: true }) && !at.closest('.visually-hidden') && !isText(at))
        .map((at) => [at, target(at).getBoundingClientRect()])
        .filter(([, box]) => Math.round(box.width) < 44 || Math.round(box.height) < 44)
        .map(([at, box]) => `${at.localName}.${at.className} “${(at.innerText || at.name || '').trim()}” ${Math.round(box.width)} × ${Math.round(box.height)}`);
    })).map((what) => `${path}: ${what}`));
  }
  assert.deepEqual(small, []);
});

test('nothing moves for those who asked for stillness', async () => {
  const page = await (await browser.newShopper({ reducedMotion: 'reduce' })).newPage();
  for (const path of ['/', '/books', '/cart', '/login']) {
    await visit(page, shop.url + path);
    const longest = await page.evaluate(() => Math.max(...[...document.querySelectorAll('*')].flatMap((at) => {
      const { transitionDuration, animationDuration } = getComputedStyle(at);
      return `${transitionDuration},${animationDuration}`.split(',').map((time) => parseFloat(time) * (time.endsWith('ms') ? 1 : 1000));
    })));
    assert.ok(longest <= 1, `${path}: ${longest} ms`);
  }
});
