//! What is done behind the counter stands in the log, or was not done. Each action there is runs twice: first its line is lost
//! at the commit, and Postgres and Redis stay as they were; then it runs with the same words as before, and one line tells of it.

use crate::{
    admin_work::read_and_die,
    orders::shop::{Shop, request},
};
use domain::{
    IdempotencyKey, OrderId, address::Address, catalog::desk::BookForm, health::RunKind, stock::MovementKind,
};
use futures::future::LocalBoxFuture;
use redis::AsyncCommands;
use std::collections::BTreeMap;
use store::{
    Store,
    admin::{
        audit::Action,
        books, desk, health,
        staff::{self, Wanted},
        work::{self, letters},
    },
    catalog::{editor, files},
    error::Error,
    jobs::{DrainOutbox, Job},
    orders,
    payments::{self, refund},
    stock::{self, Correction},
    viewer::Viewer,
};

const LOSE: [&str; 2] = [
    "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the line is lost'; END $$",
    "CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON admin_audit DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW EXECUTE FUNCTION lose()",
];
const KEEP: [&str; 2] = ["DROP TRIGGER lose ON admin_audit", "DROP FUNCTION lose()"];

/// Does it, as often as it is called.
type Act = Box<dyn Fn() -> LocalBoxFuture<'static, Result<(), Error>>>;

#[tokio::test]
async fn nothing_is_done_without_its_line_in_the_log() {
    let shop = Shop::open().await;
    let desk = Desk { admin: shop.admin().await, shop: &shop };
    for action in Action::ALL {
        for act in desk.ways(action).await {
            let before = everything(&shop).await;
            run(&shop, LOSE).await;
            let lost = act().await;
            run(&shop, KEEP).await;
            assert!(lost.is_err(), "{action:?} went on without its line");
            let after = everything(&shop).await;
            let changed: Vec<_> = after.iter().filter(|(name, value)| before.get(*name) != Some(*value)).collect();
            assert!(changed.is_empty() && before.len() == after.len(), "{action:?} left without a line: {changed:?}");
            let told = lines(&shop, action).await;
            act().await.unwrap_or_else(|error| panic!("{action:?}: {error:?}"));
            assert_eq!(lines(&shop, action).await, told + 1, "{action:?}");
        }
    }
    shop.persist_all().await;
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

async fn run(shop: &Shop, steps: [&'static str; 2]) {
    for step in steps {
        sqlx::query(step).execute(&shop.pg).await.expect(step);
    }
}

async fn lines(shop: &Shop, action: Action) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM admin_audit WHERE action = $1").bind(action.as_str());
    count.fetch_one(&shop.pg).await.expect("the log")
}

/// Each table and each key, with what stands in it.
async fn everything(shop: &Shop) -> BTreeMap<String, String> {
    let tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'sandbox')";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&shop.pg).await.expect("the tables");
    let mut all = BTreeMap::new();
    for table in tables {
        let rows = format!("SELECT md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), '')) FROM {table} x");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(&shop.pg).await.expect("its rows");
        all.insert(table, rows);
    }
    let mut redis = shop.redis.clone();
    let keys: Vec<String> = redis.keys(shop.keys.epoch().replace("{inv}:epoch", "*")).await.expect("the keys");
    for key in keys {
        let dump: Option<Vec<u8>> = redis::cmd("DUMP").arg(&key).query_async(&mut redis).await.expect("its value");
        all.insert(key, format!("{dump:?}"));
    }
    all
}

fn wanted(order: OrderId, key: &str) -> refund::Wanted {
    refund::Wanted {
        of: refund::Of::Order(order),
        amount: None,
        reason: "A torn page".into(),
        restock: false,
        key: IdempotencyKey::parse(key).expect("a key"),
        agreed: None,
    }
}

/// Somebody at it, and the shop around them.
struct Desk<'a> {
    shop: &'a Shop,
    admin: Viewer,
}

impl Desk<'_> {
    /// Every way in which this is done, with all that it needs in place.
    async fn ways(&self, action: Action) -> Vec<Act> {
        match action {
            // Written by a worker, or after the fact: what another action began.
            Action::FileImported | Action::FileRefused | Action::StockRepaired => Vec::new(),
            Action::BookCreate | Action::BookEdit | Action::BookRetire => vec![self.of_books(action).await],
            Action::FileHandIn | Action::FileImport | Action::FileDiscard => vec![self.of_files(action).await],
            Action::OrderFulfil | Action::OrderShip | Action::OrderDeliver | Action::OrderCancel => {
                self.of_steps(action).await
            }
            Action::OrderNote | Action::OrderMessage | Action::OrderAddress => vec![self.of_orders(action).await],
            Action::RefundCreate | Action::RefundRetry | Action::MoneyLetGo => vec![self.of_money(action).await],
            Action::LetterRetry | Action::LetterDiscard => self.of_letters(action).await,
            Action::WorkFree => self.of_stuck_work().await,
            Action::StockCorrect | Action::StockLow | Action::StockRepair => self.of_stock(action).await,
            Action::HealthRun => {
                vec![self.act(|store, admin| async move { health::ask(&store, &admin, RunKind::Check).await })]
            }
            Action::ScheduleRun => {
                vec![self.act(|store, admin| async move { work::run_now(&store, &admin, "prune").await })]
            }
            Action::StaffRole => {
                self.sql("UPDATE accounts SET email_verified_at = now()").await;
                let insert = "INSERT INTO accounts (email, name, password_hash, role, email_verified_at)
                              VALUES ('asha@shop.example', 'Asha', 'x', 'shopper', now())";
                self.sql(insert).await;
                vec![self.act(|store, admin| async move {
                    let wanted = Wanted { email: "asha@shop.example", role: "packer", agreed: None };
                    staff::set_role(&store, &admin, &wanted).await
                })]
            }
        }
    }

    fn act<F>(&self, run: impl Fn(Store, Viewer) -> F + 'static) -> Act
    where
        F: Future<Output = Result<(), Error>> + 'static,
    {
        let (store, admin) = (self.shop.store.clone(), self.admin.clone());
        Box::new(move || Box::pin(run(store.clone(), admin.clone())))
    }

    async fn sql(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.shop.pg).await.expect(sql);
    }

    /// A row that the statement makes for this text; its id.
    async fn row(&self, sql: &'static str, text: String) -> i64 {
        sqlx::query_scalar(sql).bind(text).fetch_one(&self.shop.pg).await.expect(sql)
    }

    async fn paid(&self) -> OrderId {
        let book = self.shop.book(5).await;
        self.shop.paid_order(&[(book, 1)]).await.1
    }

    async fn of_books(&self, action: Action) -> Act {
        let form = |sku: &str, title: &str| BookForm {
            sku: sku.into(),
            title: title.into(),
            authors: "Arundhati Roy".into(),
            price: "599".into(),
            ..BookForm::default()
        };
        if action == Action::BookCreate {
            return self.act(move |store, admin| async move {
                editor::create(&store, &admin, &form("N-1", "A Book"), "3").await.map(drop)
            });
        }
        let sku = action.as_str();
        let book = editor::create(&self.shop.store, &self.admin, &form(sku, "A Book"), "").await.expect("made");
        let version = books::desk(&self.shop.store, book, None).await.expect("read").expect("a book").version;
        self.act(move |store, admin| async move {
            match action {
                Action::BookEdit => editor::save(&store, &admin, book, version, &form(sku, "Another Title")).await,
                _ => editor::retire(&store, &admin, book, true).await,
            }
        })
    }

    async fn of_files(&self, action: Action) -> Act {
        const FILE: &[u8] = b"sku,title,authors,price_inr,stock\nF-1,A Book,Asha Rao,400,5\n";
        if action == Action::FileHandIn {
            return self.act(|store, admin| async move {
                files::keep(&store, &admin, "books.csv", FILE.to_vec()).await.map(drop)
            });
        }
        let file = files::keep(&self.shop.store, &self.admin, "books.csv", FILE.to_vec()).await.expect("kept");
        let id = file.id.parse().expect("an id");
        self.act(move |store, admin| async move {
            match action {
                Action::FileImport => files::want(&store, &admin, id).await.map(drop),
                _ => files::discard(&store, &admin, id).await.map(drop),
            }
        })
    }

    async fn of_steps(&self, action: Action) -> Vec<Act> {
        let (store, order) = (&self.shop.store, self.paid().await);
        if matches!(action, Action::OrderShip | Action::OrderDeliver) {
            orders::begin_packing(store, &self.admin, order).await.expect("packed");
        }
        if action == Action::OrderDeliver {
            orders::ship(store, &self.admin, order, "Blue Dart", None).await.expect("sent");
        }
        let mut chosen = vec![order];
        if action == Action::OrderCancel {
            let book = self.shop.book(5).await;
            chosen.push(self.shop.payable_order(&[(book, 1)]).await.1);
        }
        let step = |order| {
            self.act(move |store, admin| async move {
                match action {
                    Action::OrderFulfil => orders::begin_packing(&store, &admin, order).await,
                    Action::OrderShip => orders::ship(&store, &admin, order, "Blue Dart", Some("BD 1")).await,
                    Action::OrderDeliver => orders::deliver(&store, &admin, order).await,
                    _ => orders::call_off(&store, &admin, order, "Out of print").await,
                }
            })
        };
        chosen.into_iter().map(step).collect()
    }

    async fn of_orders(&self, action: Action) -> Act {
        let order = self.paid().await;
        let lane = DrainOutbox::MAIL;
        self.sql("UPDATE outbox SET due_at = now() - interval '1 second'").await;
        while let Some(batch) = lane.fetch(&self.shop.store).await.expect("look for mails") {
            lane.handle(&self.shop.store, batch).await.expect("send");
        }
        let sent = "SELECT id FROM order_messages WHERE order_id = $1::uuid LIMIT 1";
        let message = self.row(sent, order.to_string()).await;
        self.act(move |store, admin| async move {
            match action {
                Action::OrderNote => desk::note(&store, &admin, order, "Wrap it as a present").await,
                Action::OrderMessage => desk::resend(&store, &admin, order, message).await,
                _ => {
                    let address = Address { name: "Zebunnisa Khan".into(), ..request().address };
                    desk::change_address(&store, &admin, order, &address, 0).await
                }
            }
        })
    }

    async fn of_money(&self, action: Action) -> Act {
        let (order, store) = (self.paid().await, &self.shop.store);
        match action {
            Action::RefundCreate => self.act(move |store, admin| async move {
                refund::create(&store, &admin, &wanted(order, "a")).await.map(drop)
            }),
            Action::RefundRetry => {
                let made = refund::create(store, &self.admin, &wanted(order, "b")).await.expect("wanted");
                self.act(move |store, admin| async move { refund::retry(&store, &admin, made.refund_id).await })
            }
            _ => {
                let event = "INSERT INTO webhook_inbox
                    (provider, event_id, kind, payload, outcome, note, received_at, order_id, brings_money)
                    VALUES ('sandbox', 'e', 'payment.captured', '{}', 'quarantined', 'another amount', now(), $1::uuid, true)
                    RETURNING id";
                let event = self.row(event, order.to_string()).await;
                self.letter("webhook_inbox", &event.to_string(), "{}").await;
                self.act(move |store, admin| async move {
                    payments::let_go(&store, &admin, event, "Sent back by hand", None).await
                })
            }
        }
    }

    async fn letter(&self, source: &str, key: &str, payload: &str) -> i64 {
        let insert = "INSERT INTO dead_letters (source, key, payload, error, attempts)
                      VALUES ($1, $2, $3::jsonb, 'no such server', 10) RETURNING id";
        let row = sqlx::query_scalar(insert).bind(source).bind(key).bind(payload);
        row.fetch_one(&self.shop.pg).await.expect("a letter")
    }

    /// One of the outbox, and one of a cart, which Redis has.
    async fn of_letters(&self, action: Action) -> Vec<Act> {
        let (order, book) = (self.paid().await, self.shop.book(3).await);
        let payload = format!(r#"{{"topic": "order.changed", "key": "{order}", "payload": {{}}}}"#);
        let owner = self.shop.shopper(&[(book, 1)]).await.to_string();
        let message = self.letter("outbox", &format!("order.changed:{order}"), &payload).await;
        let cart = self.letter("cart", &owner, "{}").await;
        let end = |id| {
            self.act(move |store, admin| async move {
                match action {
                    Action::LetterRetry => letters::retry(&store, &admin, id).await,
                    _ => letters::discard(&store, &admin, id, "The server is gone", None).await,
                }
            })
        };
        vec![end(message), end(cart)]
    }

    /// In Postgres, in the stream, and a cart.
    async fn of_stuck_work(&self) -> Vec<Act> {
        let (shop, mut redis) = (self.shop, self.shop.redis.clone());
        let book = shop.book(3).await;
        let work =
            "INSERT INTO outbox (topic, key, due_at, leases) VALUES ('order.changed', $1, now() + interval '1 hour', 4)
                    RETURNING id";
        let work = self.row(work, self.paid().await.to_string()).await.to_string();
        let owner = shop.shopper(&[(book, 1)]).await;
        let later = shop.store.now().plus(3_600_000).get();
        let dirty = shop.keys.carts_dirty(owner.cart_bucket());
        redis.zadd::<_, _, _, ()>(dirty, owner.to_string(), later).await.expect("put off");
        shop.waiting_order(&[(book, 1)]).await;
        read_and_die(shop).await;
        let held: redis::streams::StreamPendingCountReply =
            redis.xpending_count(shop.keys.placed(), "persist", "-", "+", 1).await.expect("in hand");
        let free = |(source, key): (&'static str, String)| {
            self.act(move |store, admin| {
                let key = key.clone();
                async move { work::free(&store, &admin, source, &key).await }
            })
        };
        [("outbox", work), ("cart", owner.to_string()), ("placed", held.ids[0].id.clone())].map(free).into()
    }

    async fn of_stock(&self, action: Action) -> Vec<Act> {
        let book = self.shop.book(5).await;
        match action {
            Action::StockLow => vec![
                self.act(move |store, admin| async move { books::set_low_from(&store, &admin, book, Some(3)).await }),
                self.act(|store, admin| async move { books::set_shop_low_from(&store, &admin, 4).await }),
            ],
            Action::StockRepair => {
                let drifted =
                    self.shop.redis.clone().hincr::<_, _, _, i64>(self.shop.keys.stock(), book.get(), 2).await;
                assert_eq!(drifted.expect("drifts"), 7);
                vec![self.act(move |store, admin| async move { health::repair(&store, &admin, book).await })]
            }
            _ => vec![self.act(move |store, admin| async move {
                let kind = MovementKind::Receipt;
                let correction = Correction { book, delta: 2, kind, operation: "a delivery", note: None };
                stock::correct(&store, &admin, correction).await.map(drop)
            })],
        }
    }
}
