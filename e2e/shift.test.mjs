// (q) The end of a shift under open pages: none goes on showing what nobody may see any more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { atWork, openBrowser, openShop, visit } from './harness.mjs';

let shop, browser, boss;

before(async () => {
  shop = await openShop({ BAZAR_STAFF_IDLE_SECONDS: '20' });
  shop.hire('boss@example.org', 'Boss');
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await shop?.close(); });

test('pages of whoever went away lead to the login, and back to where they were', async () => {
  boss = await atWork(browser, shop, 'boss@example.org');
  const paths = ['/admin/orders', '/admin/work', '/admin/books'];
  const pages = await Promise.all(paths.map(async (path) => {
    const page = await boss.newPage();
    await visit(page, shop.url + path);
    return page;
  }));
  const login = (path) => (url) => url.pathname === '/login' && url.searchParams.get('next') === path;
  await Promise.all(pages.map((page, i) => page.waitForURL(login(paths[i]), { timeout: 60_000 })));
  const [page] = pages;
  await page.locator('[name=email]').last().fill('boss@example.org');
  await page.locator('[name=password]').fill('the password of an admin');
  await page.getByRole('button', { name: /Log in/ }).click();
  await page.getByRole('heading', { name: 'Orders', exact: true }).waitFor();
  assert.deepEqual(boss.errors, []);
});
