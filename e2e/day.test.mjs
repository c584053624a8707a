// (p) A day in the shop: two people work, two people buy, all four look on, and nobody reloads a page.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { addToCart, atWork, checkOut, handIn, openBrowser, openShop, pay, shoot, until, visit, written } from './harness.mjs';

let shop, browser, boss, asha, ravi, meera, known, fresh;
const watched = [];

before(async () => {
  shop = await openShop();
  for (const [email, name] of [['boss@shop.example', 'Boss'], ['asha@shop.example', 'Asha']]) shop.hire(email, name);
  browser = await openBrowser();
  boss = { name: 'Boss', person: await atWork(browser, shop, 'boss@shop.example') };
  const role = { email: 'asha@shop.example', role: 'manager' };
  assert.ok((await boss.person.request.post(`${shop.url}/api/admin/staff/set`, { form: role })).ok());
  asha = { name: 'Asha', person: await atWork(browser, shop, 'asha@shop.example') };
  [ravi, meera] = await Promise.all(['Ravi', 'Meera'].map(async (name) => ({ name, person: await browser.newShopper() })));
  const [id, sku, slug, title] = shop.sql(`SELECT b.id, b.sku, b.slug, b.title FROM books b JOIN stock s ON s.book_id = b.id
    WHERE s.available >= 20 ORDER BY b.id LIMIT 1`).split('|');
  known = { id, sku, slug, title };
});
after(async () => { await browser?.close(); await shop?.close(); });

/** A page that somebody opens once and then only looks at. */
async function watch({ name, person }, path) {
  const page = await person.newPage();
  await visit(page, shop.url + path);
  await page.evaluate(() => { globalThis.sameDocument = true; });
  watched.push([`${name} at ${path}`, page]);
  return page;
}

const both = (pages, look) => Promise.all(pages.map(look));
const left = (page) => page.locator('.buy-box .stock');
const says = (words) => (page) => left(page).filter({ hasText: words }).waitFor();
const row = (page, order) => page.locator('tbody').getByRole('row', { name: new RegExp(order.number) });
const now = (page, words) => page.locator('.order-now').getByText(words).waitFor();

/** Buys copies of the new book as people do, up to the page that says PAID. */
async function buy(who, copies) {
  const page = await who.person.newPage();
  await visit(page, `${shop.url}/books/${fresh.slug}`);
  await page.getByLabel('Copies').selectOption(String(copies));
  await addToCart(page);
  await visit(page, `${shop.url}/checkout`);
  await checkOut(page, `${who.name.toLowerCase()}@example.org`);
  await pay(page);
  const [id, number] = shop.sql(`SELECT id, number FROM orders WHERE id = '${new URL(page.url()).pathname.split('/').pop()}'`).split('|');
  return { id, number, page: await watch(who, `/orders/${id}`), path: `/admin/orders/${id}` };
}

test('a day in the shop: imported, sold, packed, sent, refunded, sold out, restocked, tried again, mended', { timeout: 180_000 }, async (t) => {
  const part = async (what, work) => {
    const began = performance.now();
    const made = await work();
    t.diagnostic(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return made;
  };

  await part('books come by a file; an open page and an open list show the copies', async () => {
    const [page, list] = await Promise.all([watch(ravi, `/books/${known.slug}`), watch(meera, `/books?q=${encodeURIComponent(known.title)}`)]);
    const shelf = list.locator('.book-card', { has: list.locator(`a[href="/books/${known.slug}"]`) }).locator('.stock');
    await says('In stock')(page);
    const desk = await boss.person.newPage();
    await handIn(desk, shop, written('day.csv', 'sku,title,price,stock', `${known.sku},,,2`, 'DAY-1,The Night Ledger,450,3'));
    await desk.getByRole('button', { name: 'Import it' }).click();
    await desk.getByText(/Imported: 1 book new, 1 known/).waitFor();
    await Promise.all([says('2 left')(page), shelf.filter({ hasText: '2 left' }).waitFor()]);
    await desk.close();
  });
  const [id, slug] = shop.sql("SELECT id, slug FROM books WHERE sku = 'DAY-1'").split('|');
  fresh = { id, slug };
  await until(async () => (await fetch(`${shop.url}/books/${slug}`)).ok, 5000, 'the page of the new book');
  const shelves = await Promise.all([watch(ravi, `/books/${slug}`), watch(meera, `/books/${slug}`)]);
  const [paidOnes, all] = await Promise.all([watch(boss, '/admin/orders?status=PAID'), watch(asha, '/admin/orders')]);
  await both(shelves, says('3 left'));

  const [first, second] = await part('both buy and pay; the orders come to both boards, the copies leave both pages', async () => {
    const orders = await Promise.all([buy(ravi, 1), buy(meera, 1)]);
    for (const order of orders) await both([paidOnes, all], (board) => row(board, order).filter({ hasText: 'Paid' }).waitFor());
    await both(shelves, says('1 left'));
    return orders;
  });

  await part('one packs; the other’s page, the boards and the shopper’s order move', async () => {
    const [hers, his] = await Promise.all([watch(asha, first.path), watch(boss, first.path)]);
    await hers.getByRole('button', { name: 'Start packing' }).click();
    await his.getByText('It is being packed, and waits to be handed to a carrier.').waitFor();
    await row(paidOnes, first).waitFor({ state: 'detached' });
    await now(first.page, 'Paid, and being packed.');
    first.desks = [his, hers];
  });

  await part('both press at once; one packs, the other is told who', async () => {
    const desks = await Promise.all([boss, asha].map(async ({ name, ...who }) => ({ name, page: await watch({ name, ...who }, second.path) })));
    // Neither request leaves before both were made.
    const pressed = [];
    const together = Promise.all(desks.map(() => new Promise((here) => { pressed.push(here); })));
    for (const { page } of desks) {
      await page.route('**/api/admin/orders/fulfil', async (route) => {
        pressed.pop()();
        await together;
        await route.continue();
      });
    }
    await both(desks, ({ page }) => page.getByRole('button', { name: 'Start packing' }).click());
    const slower = await Promise.any(desks.map(async (desk) => {
      await desk.page.getByText('was quicker').waitFor();
      return desk;
    }));
    const quicker = desks.find((desk) => desk !== slower);
    await slower.page.getByText(`${quicker.name} was quicker and started packing just now.`).waitFor();
    await both(desks, ({ page }) => page.getByText('It is being packed').waitFor());
    assert.equal(await quicker.page.getByText('was quicker').count(), 0);
    assert.equal(shop.sql(`SELECT count(*) FROM admin_audit WHERE action = 'order.fulfil' AND subject_id = '${second.id}'`), '1');
    [second.desk] = desks.map(({ page }) => page);
  });

  await part('the parcel leaves; the shopper’s order says with whom', async () => {
    const [his, hers] = first.desks;
    await hers.locator('#order-note').fill('Ring twice');
    await hers.getByRole('button', { name: 'Keep the note' }).click();
    await his.locator('.thread').getByText('Ring twice').waitFor();
    await his.locator('[name=carrier]').fill('Blue Dart');
    await his.locator('[name=tracking]').fill('BD-4711');
    await his.getByRole('button', { name: 'Hand to carrier' }).click();
    await now(first.page, 'Your parcel is on its way.');
    await first.page.getByText('BD-4711').first().waitFor();
    await hers.getByText('It is with the carrier; nobody has marked it as arrived.').waitFor();
    await row(all, first).filter({ hasText: 'On its way' }).waitFor();
    // The note stands where it was made; the shopper does not see it.
    await his.locator('.thread').getByText('Blue Dart, BD-4711').waitFor();
    const story = (await his.locator('.thread').innerText()).replaceAll('\n', ' ');
    assert.match(story, /packed.*Ring twice.*By Asha.*Blue Dart, BD-4711/);
    assert.equal(await first.page.getByText('Ring twice').count(), 0);
    await shoot(first.page, 'day-shipped');
  });

  await part('money and copy go back; the shopper sees the one, the other shopper the other', async () => {
    const { desk } = second;
    await desk.getByText('Send money back').click();
    await desk.locator('#refund-reason').fill('Bought twice');
    await desk.getByRole('checkbox').check();
    await desk.getByRole('button', { name: 'Send it back' }).click();
    await desk.getByText('1 copy returns to stock.').waitFor();
    await desk.getByRole('button', { name: 'Yes, send it back' }).click();
    await now(second.page, 'The money is back with you.');
    await says('2 left')(shelves[0]);
    await row(all, second).filter({ hasText: 'Refunded' }).waitFor();
  });

  await part('the last copies go; the other shopper’s page says sold out', async () => {
    const third = await buy(meera, 2);
    await says('Sold out')(shelves[0]);
    await shelves[0].getByRole('link', { name: 'Find something like it' }).waitFor();
    await row(all, third).filter({ hasText: 'Paid' }).waitFor();
    await shoot(shelves[0], 'day-sold-out');
  });

  await part('copies are counted in; they are back on both pages and on the other desk', async () => {
    const [his, hers] = await Promise.all([watch(boss, `/admin/books/${id}`), watch(asha, `/admin/books/${id}`)]);
    await his.locator('[name="delta"]').fill('3');
    await his.locator('[name="reason"]').fill('From the press');
    await his.getByRole('button', { name: 'Count them' }).click();
    await both(shelves, says('3 left'));
    await both(shelves, (page) => page.getByRole('button', { name: 'Add to cart' }).waitFor());
    await hers.locator('.desk-on-sale').getByText('3', { exact: true }).waitFor();
  });

  await part('a dead letter comes to both, is tried again by one, and goes from both', async () => {
    const pages = await Promise.all([watch(boss, '/admin/work'), watch(asha, '/admin/work')]);
    const letter = (page) => page.getByRole('region', { name: 'Dead letters, table' }).getByRole('row').filter({ hasText: 'no payment' });
    shop.poison('no payment');
    await both(pages, (page) => letter(page).waitFor());
    const number = shop.sql("SELECT id FROM dead_letters WHERE state = 'parked'");
    await pages[1].getByRole('button', { name: `Try letter ${number} again` }).click();
    await both(pages, (page) => letter(page).waitFor({ state: 'detached' }));
    assert.equal(shop.sql(`SELECT state FROM dead_letters WHERE id = ${number}`), 'retried');
    shop.sql("DELETE FROM outbox WHERE key = 'no payment'");
  });

  await part('the gate drifts; a check finds it, a repair mends it, on both pages', async () => {
    const pages = await Promise.all([watch(boss, '/admin/health'), watch(asha, '/admin/health')]);
    shop.redis('HINCRBY', shop.stockKey, known.id, '4');
    await pages[0].getByRole('button', { name: 'Run now: Check all promises' }).click();
    const drift = (page) => page.getByRole('row').filter({ hasText: `Book ${known.id}` }).filter({ hasText: known.title });
    await both(pages, (page) => drift(page).waitFor());
    await shoot(pages[1], 'day-drift');
    await pages[1].getByRole('button', { name: `Repair ${known.title}` }).click();
    await both(pages, (page) => drift(page).waitFor({ state: 'detached' }));
    assert.equal(shop.redis('HGET', shop.stockKey, known.id), '2');
  });

  await part('all promises hold, and nobody reloaded anything', async () => {
    for (const [where, page] of watched) assert.ok(await page.evaluate(() => globalThis.sameDocument === true), `${where} was loaded again`);
    assert.deepEqual([boss, asha, ravi, meera].flatMap(({ person }) => person.errors), []);
    assert.match(shop.run('check'), /\S/);
  });
});
