// node scripts/screenshots.mjs [FOLDER]: the pictures of the README (docs/screenshots), taken from a seeded shop of its own as a
// person walks through it. Where Postgres, Redis and the binary are is said as for the browser tests (e2e/harness.mjs).
import { mkdirSync } from 'node:fs';
import { addToCart, ADDRESS, openBrowser, openShop, visit } from '../e2e/harness.mjs';

const folder = process.argv[2] ?? new URL('../docs/screenshots', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 1.5 };
const DESK = { viewport: { width: 1280, height: 860 } };

const shop = await openShop();
const browser = await openBrowser();

/** A page as it is seen once it is quiet: pictures there, nothing in motion. */
async function shoot(page, name) {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].filter((image) => image.getBoundingClientRect().top < innerHeight).map((image) => image.decode().catch(() => {})));
  });
  await page.screenshot({ path: `${folder}/${name}.jpg`, type: 'jpeg', quality: 82, animations: 'disabled' });
}

async function someone(options, colorScheme) {
  return (await browser.newShopper({ ...options, colorScheme, reducedMotion: 'reduce' })).newPage();
}

async function buy(page, phone) {
  const slug = shop.sql(`SELECT slug FROM books WHERE title = 'Gitanjali'`);
  const other = shop.sql(`SELECT slug FROM books WHERE title = 'The God of Small Things'`);
  await visit(page, `${shop.url}/books/${slug}`);
  await shoot(page, `book-${phone}`);
  await addToCart(page);
  await visit(page, `${shop.url}/books/${other}`);
  await addToCart(page);
  await visit(page, `${shop.url}/cart`);
  await shoot(page, `cart-${phone}`);
  await visit(page, `${shop.url}/checkout`);
  for (const [name, value] of Object.entries({ ...ADDRESS, email: 'asha@example.org' })) await page.locator(`[name="${name}"]`).fill(value);
  await page.evaluate(() => scrollTo(0, 0));
  await shoot(page, `checkout-${phone}`);
  await page.getByRole('button', { name: /Place order/ }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}/);
  await page.locator('.ring__time').waitFor();
  await shoot(page, `order-${phone}`);
  await page.getByRole('button', { name: /Pay/ }).click();
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page.locator('.order-now--paid').waitFor();
  await shoot(page, `paid-${phone}`);
}

try {
  for (const scheme of ['light', 'dark']) {
    const desk = await someone(DESK, scheme);
    await visit(desk, shop.url);
    await shoot(desk, `home-${scheme}`);
    await visit(desk, `${shop.url}/categories/classics`);
    await shoot(desk, `list-${scheme}`);
    await buy(await someone(PHONE, scheme), `phone-${scheme}`);
  }
  const admin = await someone(DESK, 'light');
  await visit(admin, `${shop.url}/login?next=/admin/orders`);
  await admin.locator('[name=email]').last().fill('admin@bookbazar.local');
  await admin.locator('[name=password]').fill('admin-demo-pass');
  await admin.getByRole('button', { name: /Log in/ }).click();
  await admin.waitForURL(/\/admin\/orders/);
  await admin.locator('tr', { hasText: 'asha@example.org' }).first().waitFor();
  await shoot(admin, 'admin');
} finally {
  await browser.close();
  await shop.close();
}
