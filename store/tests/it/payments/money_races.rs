//! A thousand orders each: two providers that both bring money, a deadline that closes sessions while they are paid, and
//! money that comes while no worker lives. One payment pays, every other one goes back, and promise 4 holds in both directions.

use super::standins::{Event, Fault, KEY, Kind, Refund, SECRETS, Session, StandIn, Tale, Webhook};
use crate::orders::shop::Shop;
use domain::{OrderId, Owner, order::OrderStatus};
use futures::{StreamExt, future::join_all, stream};
use std::{sync::Arc, time::Duration};
use store::{
    Store,
    jobs::{DrainOutbox, Job},
    orders::ExpireOrders,
    payments::{self, Received, provider::SessionState},
    viewer::Viewer,
    world::{SystemWorld, World},
};
use tokio::time::{Instant, sleep_until};

const WAVES: usize = 20;
const ORDERS: usize = 50;

/// Every order holds exactly one payment's money; every other payment is on its way back.
async fn assert_paid_once(shop: &Shop, payments: i64) {
    let all = (WAVES * ORDERS) as i64;
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'PAID'").await, all);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'captured'").await, all);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'refunding'").await, payments - all);
    assert_eq!(shop.count("SELECT count(*) FROM refunds WHERE amount_minor > 0").await, payments - all);
    assert_eq!(shop.count("SELECT count(DISTINCT payment_id) FROM refunds").await, payments - all);
    shop.assert_sound().await;
}

fn last_sessions(stand_in: &StandIn) -> Vec<Session> {
    let desk = stand_in.desk();
    desk.sessions[desk.sessions.len() - ORDERS..].to_vec()
}

/// What a provider sends when this session is paid.
fn told(kind: Kind, session: Session) -> Webhook {
    let event = Event {
        id: format!("evt {}", session.key),
        tale: Tale::Captured,
        session: session.id,
        payment: session.key,
        order: session.order,
        amount: session.amount,
        currency: "INR",
        refund: String::new(),
    };
    kind.webhook(&event, SECRETS[0], SystemWorld.now().get() / 1000)
}

/// The last sessions of this provider are paid: what it sends then.
fn paid(stand_in: &StandIn) -> Vec<Webhook> {
    let sessions = last_sessions(stand_in);
    assert!(sessions.iter().all(|session| stand_in.pay(&session.id)));
    sessions.into_iter().map(|session| told(stand_in.kind, session)).collect()
}

/// All refunds of this provider are made: what it sends then.
fn refunded(stand_in: &StandIn) -> Vec<Webhook> {
    let event = |made: Refund| Event {
        id: format!("evt {}", made.id),
        tale: Tale::Refunded,
        payment: made.notes["payment_id"].clone(),
        order: made.notes["order_id"].clone(),
        refund: made.notes["refund_id"].clone(),
        session: made.session,
        amount: made.amount,
        currency: "INR",
    };
    let now = SystemWorld.now().get() / 1000;
    let made = stand_in.desk().refunds.clone();
    made.into_iter().map(|made| stand_in.kind.webhook(&event(made), SECRETS[0], now)).collect()
}

/// As providers do: sent again until somebody has it. All orders are of one book, and connections few.
async fn receive(shop: &Shop, kind: Kind, webhook: Webhook) -> Received {
    let header = |name: &str| webhook.headers.get(name).cloned();
    for _ in 0..10 {
        if let Ok(received) = payments::receive(&shop.store, kind.name(), &header, &webhook.body).await {
            return received;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    payments::receive(&shop.store, kind.name(), &header, &webhook.body).await.unwrap()
}

async fn start_all(store: &Store, orders: &[(Owner, OrderId)], at: &StandIn) {
    let all = orders.iter().map(|(owner, order)| (Viewer::new(*owner), *order));
    let init = |(viewer, order)| async move { payments::init(store, &viewer, order, at.kind.name()).await };
    let started: Vec<_> = stream::iter(all).map(init).buffer_unordered(4).collect().await;
    assert!(started.iter().all(Result::is_ok), "{started:?}");
}

/// Everybody switched while the first provider was away, and paid on both pages.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_providers_that_both_took_money_one_gives_it_back() {
    let (first, second) = (StandIn::open(Kind::Stripe).await, StandIn::open(Kind::Razorpay).await);
    let both = [&first, &second];
    let shop = Shop::open_with(|config| both.iter().for_each(|it| it.configure(config, KEY))).await;
    // Another process, with an opinion of its own on who is away.
    let other = Store::connect(shop.store.config().clone(), Arc::new(SystemWorld)).await.unwrap();
    let book = shop.book(2000).await;
    let lines = [(book, 1)];
    for _ in 0..WAVES {
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        start_all(&shop.store, &orders, &first).await;
        first.desk().fault = Some(Fault::Cut);
        start_all(&other, &orders, &second).await;
        first.desk().fault = None;
        let mut paying = Vec::new();
        for stand_in in both {
            paying.extend(paid(stand_in).into_iter().map(|webhook| receive(&shop, stand_in.kind, webhook)));
        }
        assert!(join_all(paying).await.iter().all(|received| *received == Received::Applied));
    }
    shop.apply_gate_ops().await;
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((1000, 0), 1000));
    assert_paid_once(&shop, 2000).await;
    // Asked for, made, told: the second money is back, and the order stays paid by the first.
    while let Some(batch) = DrainOutbox::PAYMENTS.fetch(&shop.store).await.unwrap() {
        DrainOutbox::PAYMENTS.handle(&shop.store, batch).await.unwrap();
    }
    let told = both.into_iter().flat_map(|it| refunded(it).into_iter().map(|webhook| receive(&shop, it.kind, webhook)));
    assert!(join_all(told).await.iter().all(|received| *received == Received::Applied));
    let all = (WAVES * ORDERS) as i64;
    assert_eq!(shop.count("SELECT count(*) FROM refunds WHERE status = 'confirmed'").await, all);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'refunded'").await, all);
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'PAID'").await, all);
    shop.assert_sound().await;
}

/// The deadline closes sessions at the provider while people pay on its pages: whose money it took has paid, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn payment_and_deadline_meet_at_the_provider() {
    let provider = StandIn::open(Kind::Stripe).await;
    let shop = Shop::open_with(|config| provider.configure(config, KEY)).await;
    let other = Store::connect(shop.store.config().clone(), Arc::new(SystemWorld)).await.unwrap();
    let book = shop.book(1000).await;
    let lines = [(book, 1)];
    for _ in 0..WAVES {
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        start_all(&shop.store, &orders, &provider).await;
        let sessions = last_sessions(&provider);
        let deadline = Instant::now() + Duration::from_millis(100);
        sqlx::query("UPDATE orders SET expires_at = now() + interval '100 ms' WHERE status = 'PAYMENT_PENDING'")
            .execute(&shop.pg)
            .await
            .unwrap();
        let (shop, provider) = (&shop, &provider);
        let paying = sessions.into_iter().enumerate().map(|(number, session)| async move {
            // From 40 ms before the deadline to 110 ms after it: closing fifty sessions takes its time.
            sleep_until(deadline + Duration::from_millis(number as u64 * 3) - Duration::from_millis(40)).await;
            if provider.pay(&session.id) {
                receive(shop, provider.kind, told(provider.kind, session)).await;
            }
        });
        let sweep = async |store: &Store| {
            sleep_until(deadline + Duration::from_millis(3)).await;
            if let Some(due) = ExpireOrders.fetch(store).await.unwrap() {
                ExpireOrders.handle(store, due).await.unwrap();
            }
        };
        tokio::join!(join_all(paying), sweep(&shop.store), sweep(&other));
    }
    shop.expire_due().await;
    shop.apply_gate_ops().await;
    let paid = provider.desk().sessions.iter().filter(|session| session.state == SessionState::Paid).count() as i64;
    let all = (WAVES * ORDERS) as i64;
    assert!(paid > 0 && paid < all, "{paid}: that was no race");
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'PAID'").await, paid);
    assert_eq!(shop.count("SELECT count(*) FROM orders WHERE status = 'EXPIRED'").await, all - paid);
    assert_eq!(shop.count("SELECT count(*) FROM payments WHERE status = 'closed'").await, all - paid);
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 0);
    assert_eq!((i64::from(shop.ledger(book).await.0), shop.at_gate(book).await), (all - paid, all - paid));
    shop.assert_sound().await;
}

/// Webhooks are taken in by the web process; deadlines pass, and the workers come back later and in any order.
#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_while_the_worker_is_dead_is_not_lost() {
    let shop = Shop::open().await;
    let book = shop.book(1000).await;
    let lines = [(book, 1)];
    for wave in 0..WAVES {
        let orders = join_all((0..ORDERS).map(|_| shop.waiting_order(&lines))).await;
        shop.persist_all().await;
        let paying = stream::iter(orders.iter().map(|(_, order)| shop.capture(*order)));
        let mut paying: Vec<_> = paying.buffer_unordered(4).collect().await;
        // Half of the money comes before the worker, half of it while it catches up with the deadlines.
        let late = paying.split_off(ORDERS / 2);
        sqlx::query("UPDATE orders SET expires_at = now() WHERE status = 'PAYMENT_PENDING'")
            .execute(&shop.pg)
            .await
            .unwrap();
        join_all(paying).await;
        if wave % 2 == 0 {
            shop.expire_due().await;
            join_all(late).await;
        } else {
            tokio::join!(shop.expire_due(), join_all(late));
        }
        shop.assert_no_status(OrderStatus::PaymentPending).await;
    }
    assert!(DrainOutbox::LATE_MONEY.fetch(&shop.store).await.unwrap().is_some(), "money came late");
    sqlx::query("UPDATE outbox SET due_at = '-infinity' WHERE topic = 'payment.late'").execute(&shop.pg).await.unwrap();
    tokio::join!(shop.apply_gate_ops(), shop.decide_late(), shop.decide_late());
    shop.apply_gate_ops().await;
    sqlx::query("UPDATE outbox SET due_at = '-infinity' WHERE topic = 'payment.late'").execute(&shop.pg).await.unwrap();
    shop.decide_late().await;
    shop.apply_gate_ops().await;
    // All copies were there: every shopper has them, whenever the money came.
    assert_eq!((shop.ledger(book).await, shop.at_gate(book).await), ((0, 0), 0));
    assert_paid_once(&shop, 1000).await;
}
