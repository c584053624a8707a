//! Statements of all three providers: every move is named, page after page; what the ledger missed is mended, and a second
//! run has nothing more to say.

use super::{
    ledger::uuid,
    standins::{ALL, KEY, Kind, Session, StandIn},
};
use crate::{clock::Clock, orders::shop::Shop};
use domain::{BookId, OrderId, RefundId, UnixMillis, order::OrderStatus};
use std::{collections::HashSet, sync::Arc};
use store::{
    Store,
    payments::{
        self,
        provider::{EventKind, Provider, ProviderEvent, RefundState, SessionState},
        reconcile,
    },
    viewer::Viewer,
    world::{SystemWorld, World},
};

/// More than one page of any provider.
const MANY: usize = 203;
const HOUR: i64 = 3600;

fn now() -> i64 {
    SystemWorld.now().get() / 1000
}

/// A session that somebody paid, past the shop; no call made it.
fn paid(number: usize, made_at: i64) -> Session {
    Session {
        id: format!("session_{number}"),
        asked: String::new(),
        key: uuid().to_string(),
        order: uuid().to_string(),
        amount: 104_700,
        currency: "INR".into(),
        email: "asha@example.org".into(),
        return_url: "http://shop.test/".into(),
        state: SessionState::Paid,
        made_at,
        given_back: 0,
    }
}

/// All moves between these seconds.
async fn statement(client: &dyn Provider, from: i64, until: i64) -> Vec<ProviderEvent> {
    let at = |second: i64| UnixMillis::new(second * 1000);
    let (mut moves, mut after) = (Vec::new(), String::new());
    for _ in 0..20 {
        let page = client.list(at(from), at(until), &after).await.unwrap();
        assert!(page.moves.len() <= 100, "a page is bounded");
        moves.extend(page.moves);
        match page.next {
            Some(next) => after = next,
            None => return moves,
        }
    }
    panic!("the statement has no end");
}

#[tokio::test]
async fn every_move_is_named_page_after_page() {
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let client = stand_in.client();
        {
            let mut desk = stand_in.desk();
            desk.sessions.extend((0..MANY).map(|number| paid(number, now() - HOUR)));
            desk.sessions.push(paid(1_000, now() - 3 * HOUR));
            desk.sessions.push(Session { state: SessionState::Open, ..paid(1_001, now() - HOUR) });
        }
        let ours = RefundId::new(uuid());
        let asked =
            client.refund(ours, "session_0", domain::Minor::new(700).with(domain::Currency::Inr)).await.unwrap();
        stand_in.desk().settle(&asked, RefundState::Succeeded);
        let by_hand = stand_in.desk().give_back("session_1", 104_700);
        let moves = statement(&*client, now() - 2 * HOUR, now() + 60).await;
        let came: Vec<_> = moves.iter().filter(|event| event.kind == EventKind::Captured).collect();
        let ids: HashSet<_> = came.iter().map(|event| &event.id).collect();
        assert_eq!((came.len(), ids.len()), (MANY, MANY), "{kind:?}");
        for event in came {
            assert_names(&*client, &stand_in, event).await;
        }
        let back = |id: &str| moves.iter().find(|event| event.refund_ref.as_deref() == Some(id)).unwrap().clone();
        let (asked, by_hand) = (back(&asked), back(&by_hand));
        assert_eq!((asked.kind, asked.amount.unwrap().minor().get()), (EventKind::RefundSucceeded(Some(ours)), 700));
        assert_eq!((by_hand.kind, by_hand.capture_ref.is_some()), (EventKind::RefundSucceeded(None), true), "{kind:?}");
        assert_eq!(moves.iter().filter(|event| event.kind != EventKind::Unknown).count(), MANY + 2, "{kind:?}");
    }
}

/// The move says whose money it is, or its source does.
async fn assert_names(client: &dyn Provider, stand_in: &StandIn, event: &ProviderEvent) {
    let money = event.capture_ref.clone().unwrap();
    let named = match event.payment {
        Some(_) => event.clone(),
        None => client.source(&money).await.unwrap().unwrap(),
    };
    let desk = stand_in.desk();
    let session = desk.sessions.iter().find(|session| session.id == named.provider_ref).unwrap();
    assert_eq!(
        (named.payment.unwrap().to_string(), named.order.unwrap().to_string()),
        (session.key.clone(), session.order.clone())
    );
    assert_eq!((named.kind, named.amount, named.capture_ref), (EventKind::Captured, event.amount, Some(money)));
    assert_eq!(event.amount.unwrap().minor().get(), 104_700);
}

#[tokio::test]
async fn money_that_no_session_brought_has_no_source() {
    let stand_in = StandIn::open(Kind::Razorpay).await;
    for nobody in ["pay_nobody", "", "a b"] {
        assert_eq!(stand_in.client().source(nobody).await.unwrap(), None, "{nobody}");
    }
}

/// A shop that takes all three, and another process of it, a minute and more later.
async fn shop() -> (Shop, Store, Arc<Clock>, Vec<StandIn>) {
    let stand_ins = futures::future::join_all(ALL.map(StandIn::open)).await;
    let shop = Shop::open_with(|config| stand_ins.iter().for_each(|it| it.configure(config, KEY))).await;
    let clock = Arc::new(Clock::default());
    clock.pass(65_000);
    let later = Store::connect(shop.store.config().clone(), clock.clone()).await.unwrap();
    (shop, later, clock, stand_ins)
}

/// An order paid at this provider, of which the shop has not heard.
async fn paid_order(shop: &Shop, book: BookId, stand_in: &StandIn) -> (OrderId, String) {
    let (owner, order) = shop.payable_order(&[(book, 1)]).await;
    payments::init(&shop.store, &Viewer::new(owner), order, stand_in.kind.name()).await.unwrap();
    let session = stand_in.desk().sessions.last().unwrap().id.clone();
    stand_in.set(&session, SessionState::Paid);
    (order, session)
}

#[tokio::test]
async fn what_no_webhook_told_is_mended_and_a_second_run_is_clean() {
    let (shop, later, _, stand_ins) = shop().await;
    let book = shop.book(10).await;
    let (mut lost, mut back) = (Vec::new(), Vec::new());
    for stand_in in &stand_ins {
        lost.push(paid_order(&shop, book, stand_in).await.0);
        let (order, session) = paid_order(&shop, book, stand_in).await;
        let all = stand_in.desk().sessions.last().unwrap().amount;
        stand_in.desk().give_back(&session, all);
        back.push(order);
        // Another shop of the same account, and somebody who did not pay.
        stand_in.desk().sessions.push(Session {
            key: "theirs".into(),
            order: "theirs".into(),
            ..paid(900, now() - HOUR)
        });
        stand_in.desk().sessions.push(Session { state: SessionState::Open, ..paid(901, now() - HOUR) });
    }
    let report = reconcile::run(&later, 7).await.unwrap();
    assert_eq!((report.moves, report.differences, report.mended), (9, 9, 9), "{report:?}");
    for (lost, back) in lost.into_iter().zip(back) {
        assert_eq!(shop.status(lost).await, Some(OrderStatus::Paid));
        assert_eq!(shop.status(back).await, Some(OrderStatus::Refunded));
    }
    let report = reconcile::run(&later, 7).await.unwrap();
    assert_eq!((report.moves, report.differences), (9, 0), "{report:?}");
    assert_eq!(shop.count("SELECT count(*) FROM dead_letters").await, 0);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}

#[tokio::test]
async fn what_only_the_ledger_has_is_left_to_a_person() {
    let (shop, later, clock, stand_ins) = shop().await;
    let book = shop.book(10).await;
    for stand_in in &stand_ins {
        let (_, session) = paid_order(&shop, book, stand_in).await;
        assert!(reconcile::run(&later, 7).await.unwrap().is_repaired());
        clock.pass(65_000);
        stand_in.set(&session, SessionState::Closed);
        let report = reconcile::run(&later, 7).await.unwrap();
        assert_eq!((report.differences, report.mended), (1, 0), "{report:?}");
        stand_in.set(&session, SessionState::Paid);
        stand_in.desk().sessions.iter_mut().for_each(|session| session.amount -= 1);
        let report = reconcile::run(&later, 7).await.unwrap();
        assert_eq!((report.differences, report.mended), (1, 0), "{report:?}");
        stand_in.desk().sessions.iter_mut().for_each(|session| session.amount += 1);
        assert!(reconcile::run(&later, 7).await.unwrap().is_repaired());
    }
}

/// Should a provider ever make two sessions of one payment: whoever pays the second one has paid the order, and whoever
/// pays both has the second money back.
#[tokio::test]
async fn money_of_a_second_session_is_known_by_its_name() {
    let (shop, later, _, stand_ins) = shop().await;
    let book = shop.book(10).await;
    for stand_in in &stand_ins {
        let (order, first) = paid_order(&shop, book, stand_in).await;
        stand_in.set(&first, SessionState::Open);
        {
            let mut desk = stand_in.desk();
            let twin = desk.sessions.last().cloned().unwrap();
            desk.sessions.push(Session { id: format!("{first}x"), state: SessionState::Paid, ..twin });
        }
        assert!(reconcile::run(&later, 7).await.unwrap().is_repaired());
        assert_eq!(shop.status(order).await, Some(OrderStatus::Paid), "{:?}", stand_in.kind);
        stand_in.set(&first, SessionState::Paid);
        let report = reconcile::run(&later, 7).await.unwrap();
        assert_eq!((report.differences, report.mended), (1, 1), "{report:?}");
        assert_eq!(shop.status(order).await, Some(OrderStatus::Paid));
    }
    assert_eq!(shop.count("SELECT count(*) FROM refunds").await, 3);
    assert_eq!(
        shop.count("SELECT count(*) FROM payments WHERE status = 'captured' AND provider_ref LIKE '%x'").await,
        3
    );
    assert_eq!(shop.count("SELECT count(*) FROM webhook_inbox WHERE outcome = 'quarantined'").await, 0);
    shop.apply_gate_ops().await;
    shop.assert_sound().await;
}
