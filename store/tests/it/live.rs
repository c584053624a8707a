//! Live messages against real servers: who gets what, and what happens when something is slow or breaks.

use crate::{
    carts::{Shop, guest, held, quantity},
    wire::{self, Wire},
};
use domain::{
    AccountId, BookId, OrderId, Owner,
    account::Role,
    cart::CartView,
    live::{Ask, Frame},
};
use redis::AsyncCommands;
use std::time::Duration;
use store::{
    Store, carts,
    live::{self, Hub, Subscription},
    viewer::Viewer,
    world::SystemWorld,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(5);
/// Long enough for a wrong frame to arrive.
const SILENCE: Duration = Duration::from_millis(400);

async fn hub(shop: &Shop) -> Hub {
    let hub = Hub::start(shop.store.clone(), CancellationToken::new());
    timeout(PATIENCE, hub.subscribed()).await.expect("subscribed");
    hub
}

async fn next(socket: &mut Subscription) -> Frame {
    timeout(PATIENCE, socket.frames.recv()).await.expect("a frame in time").expect("an open socket")
}

async fn cart(socket: &mut Subscription) -> CartView {
    match next(socket).await {
        Frame::Cart { cart } => *cart,
        other => panic!("not a cart: {other:?}"),
    }
}

/// The cart at this version; frames of older ones may come before it.
async fn cart_at(socket: &mut Subscription, version: i64) -> CartView {
    loop {
        let cart = cart(socket).await;
        if cart.version >= version {
            return cart;
        }
    }
}

async fn silent(socket: &mut Subscription) {
    let frame = timeout(SILENCE, socket.frames.recv()).await;
    assert!(frame.is_err(), "{frame:?}");
}

/// A socket whose first cart has been read.
async fn socket(hub: &Hub, owner: Owner) -> Subscription {
    let mut socket = hub.connect(Viewer::new(owner));
    cart(&mut socket).await;
    socket
}

#[tokio::test]
async fn every_tab_of_the_shopper_gets_the_cart_and_nobody_else() {
    let shop = Shop::open().await;
    let (hub, book, owner) = (hub(&shop).await, shop.book(9).await, shop.shopper().await);
    shop.add(&owner, book, 1).await;
    let (mut one, mut two) = (hub.connect(Viewer::new(owner)), hub.connect(Viewer::new(owner)));
    let mut stranger = socket(&hub, guest()).await;
    for tab in [&mut one, &mut two] {
        assert_eq!(held(&cart(tab).await), [(book.get(), 1)], "at once");
    }
    let edited = shop.add(&owner, book, 2).await;
    for tab in [&mut one, &mut two] {
        assert_eq!(cart_at(tab, edited.version).await, edited);
    }
    drop(one);
    let cleared = carts::clear(&shop.store, &owner).await.expect("cleared");
    assert_eq!(cart_at(&mut two, cleared.version).await, cleared);
    silent(&mut stranger).await;
}

#[tokio::test]
async fn after_a_burst_the_last_frame_is_the_latest() {
    let shop = Shop::open().await;
    let (hub, books, owner) = (hub(&shop).await, shop.books(40, 9).await, guest());
    let mut tab = socket(&hub, owner).await;
    futures::future::join_all(books.iter().map(|book| shop.add(&owner, *book, 1))).await;
    let latest = shop.view(&owner).await;
    let mut frames = 0;
    loop {
        frames += 1;
        if cart(&mut tab).await == latest {
            break;
        }
    }
    assert!(frames <= 40, "{frames}");
    // The last message may have come after the state it speaks of was read.
    while let Ok(again) = timeout(SILENCE, cart(&mut tab)).await {
        assert_eq!(again, latest);
    }
}

#[tokio::test]
async fn a_slow_socket_is_told_to_resync_and_holds_nobody_up() {
    let shop = Shop::open().await;
    let (hub, book, owner) = (hub(&shop).await, shop.book(9).await, guest());
    let (mut slow, mut quick) = (hub.connect(Viewer::new(owner)), socket(&hub, owner).await);
    for n in 0..150 {
        let edited = carts::set(&shop.store, &owner, book, quantity(n % 2 + 1)).await.expect("set");
        cart_at(&mut quick, edited.version).await;
    }
    let mut last = next(&mut slow).await;
    while let Ok(frame) = slow.frames.try_recv() {
        last = frame;
    }
    assert_eq!(last, Frame::Resync);
    slow.ask(Ask::Snapshot).await.expect("asked");
    assert_eq!(cart(&mut slow).await, shop.view(&owner).await);
    let edited = shop.add(&owner, book, 1).await;
    assert_eq!(cart_at(&mut slow, edited.version).await, edited, "and then it goes on");
}

/// An order of this account, as the persist worker would have written it.
async fn order(shop: &Shop, account: AccountId) -> OrderId {
    let insert = "INSERT INTO orders (id, number, owner, account_id, idempotency_key, fingerprint, status, email, address,
            currency, subtotal_minor, delivery_minor, total_minor, placed_at, expires_at)
        VALUES (gen_random_uuid(), 'BB-7K3M-' || upper(substr(md5(random()::text), 1, 4)), $1, $2, gen_random_uuid()::text, '-',
            'PAYMENT_PENDING', 'asha@example.org', $3, 'INR', 10000, 0, 10000, now(), now() + interval '15 minutes')
        RETURNING id";
    let address = serde_json::json!({ "name": "Asha", "line1": "12 MG Road", "line2": null, "city": "Bengaluru",
        "state": "Karnataka", "postcode": "560001", "country": "IN", "phone": "+91 98450 12345" });
    let mut pg = shop.pg().await;
    let insert = sqlx::query_scalar(insert).bind(Owner::Account(account).to_string()).bind(account.get()).bind(address);
    let id: uuid::Uuid = insert.fetch_one(&mut pg).await.expect("an order");
    let book = shop.book(9).await;
    let item = "INSERT INTO order_items (order_id, line_no, book_id, title, slug, quantity, unit_price_minor, line_total_minor)
        VALUES ($1, 1, $2, 'A Book', 'a-book', 1, 10000, 10000)";
    sqlx::query(item).bind(id).bind(book.get()).execute(&mut pg).await.expect("a line");
    OrderId::new(id)
}

async fn changed(shop: &Shop, order: OrderId, owner: Owner) {
    let message = serde_json::json!({ "order_id": order, "owner": owner, "version": 1 }).to_string();
    shop.redis.clone().publish::<_, _, ()>(shop.keys.live_order(), message).await.expect("published");
}

#[tokio::test]
async fn an_order_is_shown_to_its_owner_to_receipts_and_to_admins_only() {
    let shop = Shop::open().await;
    let (hub, account, stranger) = (hub(&shop).await, shop.account().await, shop.shopper().await);
    let (order, owner) = (order(&shop, account).await, Owner::Account(account));
    let mut mine = socket(&hub, owner).await;
    let mut curious = socket(&hub, stranger).await;
    let mut admin = hub.connect(Viewer { role: Role::Owner, ..Viewer::new(shop.shopper().await) });
    cart(&mut admin).await;

    curious.ask(Ask::Order { order_id: order }).await.expect("asked");
    curious.ask(Ask::AdminOrders).await.expect("asked");
    admin.ask(Ask::AdminOrders).await.expect("asked");
    changed(&shop, order, owner).await;
    let Frame::Order { order: view } = next(&mut mine).await else { panic!("not the order") };
    assert_eq!((view.order_id, view.lines.len()), (order, 1));
    let Frame::AdminOrder { order: row } = next(&mut admin).await else { panic!("not a row") };
    assert_eq!((row.order_id, row.copies, row.first_title.as_str()), (order, 1, "A Book"));
    silent(&mut curious).await;

    // A message that names a wrong owner shows that one nothing.
    changed(&shop, order, stranger).await;
    silent(&mut curious).await;
    silent(&mut mine).await;

    admin.ask(Ask::Order { order_id: order }).await.expect("asked");
    assert!(matches!(next(&mut admin).await, Frame::Order { .. }), "at once");
    changed(&shop, order, owner).await;
    let both = [next(&mut admin).await, next(&mut admin).await];
    assert!(both.iter().any(|frame| matches!(frame, Frame::Order { .. })), "{both:?}");
    assert!(both.iter().any(|frame| matches!(frame, Frame::AdminOrder { .. })), "{both:?}");
}

#[tokio::test]
async fn a_change_tells_admins_who_did_it_and_nobody_else() {
    let shop = Shop::open().await;
    let (hub, account) = (hub(&shop).await, shop.account().await);
    let (order, owner) = (order(&shop, account).await, Owner::Account(account));
    let step = "INSERT INTO order_history (order_id, version, status, cause, at, actor_id)
        SELECT $1, 1, 'PAYMENT_PENDING', 'persisted', now(), $2";
    sqlx::query(step).bind(order.get()).bind(account.get()).execute(&mut shop.pg().await).await.expect("a step");
    let mut mine = socket(&hub, owner).await;
    let mut admin = hub.connect(Viewer { role: Role::Owner, ..Viewer::new(shop.shopper().await) });
    cart(&mut admin).await;
    admin.ask(Ask::Order { order_id: order }).await.expect("asked");
    next(&mut admin).await;
    changed(&shop, order, owner).await;
    let mut who = Vec::new();
    for tab in [&mut admin, &mut mine] {
        let Frame::Order { order } = next(tab).await else { panic!("not the order") };
        who.push(order.events[0].by.is_some());
    }
    assert_eq!(who, [true, false]);
}

#[tokio::test]
async fn who_follows_more_than_can_be_built_is_told_to_ask() {
    use sqlx::Connection;
    let shop = Shop::open().await;
    let (hub, owner) = (hub(&shop).await, shop.shopper().await);
    let mut admin = hub.connect(Viewer { role: Role::Owner, ..Viewer::new(owner) });
    cart(&mut admin).await;
    admin.ask(Ask::AdminOrders).await.expect("asked");
    let mut pg = shop.pg().await;
    let mut slow = pg.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut *slow).await.expect("nobody reads orders");
    for number in 0..600 {
        changed(&shop, OrderId::new(uuid::Uuid::from_u128(number)), owner).await;
    }
    let frame =
        timeout(Duration::from_secs(3), admin.frames.recv()).await.expect("before the first of them is given up");
    assert_eq!(frame, Some(Frame::Resync));
    slow.rollback().await.expect("unlock");
}

async fn publish_stock(shop: &Shop, book: BookId, available: i64, counter: i64) {
    let message = format!("{book} {available} 1 {counter}");
    shop.redis.clone().publish::<_, _, ()>(shop.keys.live_stock(), message).await.expect("published");
}

#[tokio::test]
async fn stock_reaches_those_who_watch_the_book_a_few_times_a_second() {
    let shop = Shop::open().await;
    let (hub, book, other) = (hub(&shop).await, shop.book(500).await, shop.book(7).await);
    let (mut watcher, mut bystander) = (socket(&hub, guest()).await, socket(&hub, guest()).await);
    watcher.ask(Ask::Watch { books: vec![book, book] }).await.expect("asked");
    bystander.ask(Ask::Watch { books: vec![other] }).await.expect("asked");
    let at_once = Frame::Stock { book_id: book, available: 500, epoch: 1, version: 0 };
    assert_eq!(next(&mut watcher).await, at_once);
    next(&mut bystander).await;
    for counter in 1..=300 {
        publish_stock(&shop, book, 500 - counter, counter).await;
    }
    publish_stock(&shop, book, 450, 50).await;
    let (mut frames, mut last) = (0, at_once);
    while let Ok(Some(frame)) = timeout(Duration::from_millis(700), watcher.frames.recv()).await {
        frames += 1;
        last = frame;
    }
    assert_eq!(last, Frame::Stock { book_id: book, available: 200, epoch: 1, version: 300 });
    assert!(frames <= 8, "{frames}");
    silent(&mut bystander).await;
    watcher.ask(Ask::Watch { books: vec![] }).await.expect("asked");
    publish_stock(&shop, book, 100, 400).await;
    silent(&mut watcher).await;
}

#[tokio::test]
async fn a_rebuilt_gate_tells_its_numbers_anew() {
    let shop = Shop::open().await;
    let (hub, book) = (hub(&shop).await, shop.book(500).await);
    let mut watcher = socket(&hub, guest()).await;
    watcher.ask(Ask::Watch { books: vec![book] }).await.expect("asked");
    assert_eq!(next(&mut watcher).await, Frame::Stock { book_id: book, available: 500, epoch: 1, version: 0 });
    // Redis says 500, the ledger 7; and nothing of it is announced book by book.
    let ledger = sqlx::query("INSERT INTO stock (book_id, on_hand) VALUES ($1, 7)").bind(book.get());
    ledger.execute(&mut shop.pg().await).await.expect("counted");
    store::stock::ensure_loaded(&shop.store).await.expect("rebuilt");
    let Frame::Stock { book_id, available, epoch, .. } = next(&mut watcher).await else { panic!("not stock") };
    assert_eq!((book_id, available), (book, 7));
    assert!(epoch > 1, "newer than all that was said before");
    silent(&mut watcher).await;
}

#[tokio::test]
async fn after_a_gap_everybody_is_told_to_resync() {
    let shop = Shop::open().await;
    let url = shop.store.config().redis_url.clone();
    let wire = Wire::to(&wire::host_of(&url)).await;
    let mut config = shop.store.config().clone();
    config.redis_url = wire::reroute(&url, &wire.address);
    let far = Store::connect(config, std::sync::Arc::new(SystemWorld)).await.expect("connect");
    let stop = CancellationToken::new();
    let hub = Hub::start(far, stop.clone());
    timeout(PATIENCE, hub.subscribed()).await.expect("subscribed");
    let (book, owner) = (shop.book(9).await, guest());
    let mut tab = socket(&hub, owner).await;

    wire.cut();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let missed = shop.add(&owner, book, 1).await;
    wire.mend();
    assert_eq!(next(&mut tab).await, Frame::Resync);
    tab.ask(Ask::Snapshot).await.expect("asked");
    assert_eq!(cart(&mut tab).await, missed);
    let heard = shop.add(&owner, book, 1).await;
    assert_eq!(cart_at(&mut tab, heard.version).await, heard);

    // The process stops: queues end.
    stop.cancel();
    let end = timeout(PATIENCE, tab.frames.recv()).await.expect("in time");
    assert_eq!(end, None);
    let end = timeout(PATIENCE, hub.connect(Viewer::new(owner)).frames.recv()).await.expect("in time");
    assert_eq!(end, None, "too late");
}

#[tokio::test]
async fn the_sockets_of_a_person_hear_that_a_login_of_theirs_ended() {
    let shop = Shop::open().await;
    let (hub, owner) = (hub(&shop).await, shop.shopper().await);
    let Owner::Account(account) = owner else { panic!("{owner} has no account") };
    let (theirs, others) = (socket(&hub, owner).await, socket(&hub, shop.shopper().await).await);
    live::login_ended(&shop.store, account).await.expect("published");
    timeout(PATIENCE, theirs.login_ended().notified()).await.expect("told at once");
    assert!(timeout(SILENCE, others.login_ended().notified()).await.is_err(), "nobody else is");
}
