//! What the shop asks of every provider, run over all three against stand-ins. Their statements: [`super::statements`].

use super::{
    ledger::uuid,
    standins::{ALL, Fault, KEY, Kind, StandIn},
};
use domain::{Currency, ErrorCode, Minor, Money, OrderId, PaymentId, RefundId, account::Email, order::OrderNumber};
use std::time::Duration;
use store::{
    error::Error,
    payments::provider::{NewSession, Provider, RefundState, SessionState},
    world::{SystemWorld, World},
};

const TOTAL: Minor = Minor::new(104_700);

fn new_session() -> NewSession {
    NewSession {
        payment: PaymentId::new(uuid()),
        order: OrderId::new(uuid()),
        number: OrderNumber::from_bits([1, 2, 3, 4, 5]),
        amount: TOTAL.with(Currency::Inr),
        email: Email::parse("asha@example.org").unwrap(),
        return_url: "http://shop.test/orders/1?paying=1".into(),
        cancel_url: "http://shop.test/orders/1".into(),
        deadline: SystemWorld.now().plus(600_000),
    }
}

fn rupees(minor: i64) -> Money {
    Minor::new(minor).with(Currency::Inr)
}

async fn paid_session(stand_in: &StandIn) -> String {
    let session = stand_in.client().create(&new_session()).await.unwrap();
    stand_in.set(&session.provider_ref, SessionState::Paid);
    session.provider_ref
}

#[tokio::test]
async fn the_same_payment_is_one_session() {
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let (client, wanted) = (stand_in.client(), new_session());
        let first = client.create(&wanted).await.unwrap();
        assert_eq!((first.state, first.amount), (SessionState::Open, Some(wanted.amount)), "{kind:?}");
        assert!(first.redirect_url.starts_with("https://") && first.redirect_url.ends_with(&first.provider_ref));
        let again = futures::future::join_all((0..5).map(|_| client.create(&wanted))).await;
        assert!(again.into_iter().all(|session| session.unwrap() == first), "{kind:?}");
        let desk = stand_in.desk();
        let [made] = desk.sessions.as_slice() else { panic!("{kind:?}: {:?}", desk.sessions) };
        assert_eq!((&made.key, &made.order), (&wanted.payment.to_string(), &wanted.order.to_string()));
        assert_eq!((made.amount, made.currency.as_str()), (104_700, "INR"));
        assert_eq!((&*made.email, &made.return_url), ("asha@example.org", &wanted.return_url));
    }
}

#[tokio::test]
async fn a_session_is_found_again_where_it_stands() {
    use SessionState as S;
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let client = stand_in.client();
        let session = client.create(&new_session()).await.unwrap();
        for state in [S::Open, S::Processing, S::Declined, S::Paid, S::Closed] {
            // A link knows neither: it stays open until there is money.
            if kind == Kind::Razorpay && matches!(state, S::Processing | S::Declined) {
                continue;
            }
            stand_in.set(&session.provider_ref, state);
            let found = client.retrieve(&session.provider_ref).await.unwrap().unwrap();
            assert_eq!((found.state, found.amount), (state, Some(rupees(104_700))), "{kind:?}");
            assert_eq!(found.provider_ref, session.provider_ref);
            assert_eq!(found.capture_ref.is_some(), state == S::Paid, "{kind:?} {state:?}");
        }
        for nobody in ["nobody_1", "", "../../v1/refunds", "a b", "a?b"] {
            assert_eq!(client.retrieve(nobody).await.unwrap(), None, "{kind:?} {nobody}");
            assert!(client.close(nobody).await.is_err(), "{kind:?} {nobody}");
        }
    }
}

#[tokio::test]
async fn closing_says_where_a_session_stands() {
    use SessionState as S;
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let client = stand_in.client();
        for (before, after) in
            [(S::Open, S::Closed), (S::Closed, S::Closed), (S::Paid, S::Paid), (S::Processing, S::Processing)]
        {
            if kind == Kind::Razorpay && before == S::Processing {
                continue;
            }
            let session = client.create(&new_session()).await.unwrap().provider_ref;
            stand_in.set(&session, before);
            assert_eq!(client.close(&session).await.unwrap(), after, "{kind:?} {before:?}");
            assert_eq!(stand_in.state(&session), after);
        }
    }
}

#[tokio::test]
async fn money_goes_back_once_for_each_refund() {
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let client = stand_in.client();
        let session = paid_session(&stand_in).await;
        let (first, second) = (RefundId::new(uuid()), RefundId::new(uuid()));
        let made = client.refund(first, &session, rupees(4_700)).await.unwrap();
        assert_eq!(client.refund(first, &session, rupees(4_700)).await.unwrap(), made, "{kind:?}");
        let rest = client.refund(second, &session, rupees(100_000)).await.unwrap();
        assert_ne!(rest, made);
        if kind != Kind::Sandbox {
            // Much later: the provider keeps no keys for so long.
            stand_in.desk().forget_keys();
        }
        assert_eq!(client.refund(second, &session, rupees(100_000)).await.unwrap(), rest, "{kind:?}");
        let too_much = client.refund(RefundId::new(uuid()), &session, rupees(1)).await.unwrap_err();
        assert_ne!(too_much.to_api().code, ErrorCode::ProviderUnavailable, "{kind:?}");
        let amounts: Vec<_> = stand_in.desk().refunds.iter().map(|refund| refund.amount).collect();
        assert_eq!(amounts, [4_700, 100_000], "{kind:?}");
        if kind != Kind::Sandbox {
            let desk = stand_in.desk();
            let notes = &desk.refunds[0].notes;
            assert_eq!((&notes["refund_id"], &notes["order_id"]), (&first.to_string(), &desk.sessions[0].order));
            assert_eq!(notes["payment_id"], desk.sessions[0].key);
        }
        let unpaid = client.create(&new_session()).await.unwrap().provider_ref;
        assert!(client.refund(RefundId::new(uuid()), &unpaid, rupees(1)).await.is_err(), "{kind:?}");
    }
}

/// The calls, each as an outcome without its value.
async fn every_call(client: &dyn Provider, session: &str) -> [(&'static str, Result<(), Error>); 6] {
    let now = SystemWorld.now();
    [
        ("create", client.create(&new_session()).await.map(|_| ())),
        ("retrieve", client.retrieve(session).await.map(|_| ())),
        ("close", client.close(session).await.map(|_| ())),
        ("refund", client.refund(RefundId::new(uuid()), session, rupees(100)).await.map(|_| ())),
        ("refund_state", client.refund_state("re_1").await.map(|_| ())),
        ("list", client.list(now.plus(-3_600_000), now, "").await.map(|_| ())),
    ]
}

#[tokio::test]
async fn a_refund_is_found_again_where_it_stands() {
    use RefundState as R;
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let client = stand_in.client();
        let session = paid_session(&stand_in).await;
        let made = client.refund(RefundId::new(uuid()), &session, rupees(4_700)).await.unwrap();
        for state in [R::Pending, R::Succeeded, R::Failed] {
            // The sandbox makes every refund that it takes up.
            if kind == Kind::Sandbox && state == R::Failed {
                continue;
            }
            stand_in.desk().settle(&made, state);
            assert_eq!(client.refund_state(&made).await.unwrap(), Some(state), "{kind:?}");
        }
        for nobody in ["nobody_1", "", "../../v1/payments", "a b", "a?b"] {
            assert_eq!(client.refund_state(nobody).await.unwrap(), None, "{kind:?} {nobody}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_is_out_of_order_is_away() {
    let faults = [
        Fault::Status(500, r#"{"error":{"type":"api_error","message":"x"}}"#),
        Fault::Status(503, "<html>maintenance</html>"),
        Fault::Status(429, r#"{"error":{"code":"rate_limit","message":"Too many requests"}}"#),
        Fault::Cut,
        Fault::Silent,
    ];
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let session = paid_session(&stand_in).await;
        let client = stand_in.client_with(KEY, Duration::from_millis(300));
        for fault in &faults {
            stand_in.desk().fault = Some(fault.clone());
            for (call, outcome) in every_call(&*client, &session).await {
                let error = outcome.unwrap_err();
                assert_eq!(error.to_api().code, ErrorCode::ProviderUnavailable, "{kind:?} {call} {fault:?}: {error:?}");
                assert!(!matches!(error, Error::NoAccess { .. }), "{kind:?} {call} {fault:?}");
                assert!(!format!("{error:?}").contains(KEY), "{error:?}");
            }
        }
        {
            let mut desk = stand_in.desk();
            desk.fault = None;
            assert_eq!((desk.sessions.len(), desk.refunds.len()), (1, 0), "{kind:?}");
        }
        for (call, outcome) in every_call(&*client, &session).await {
            assert!(outcome.is_ok(), "{kind:?} {call}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_of_its_own() {
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let session = paid_session(&stand_in).await;
        for length in [0, 10, 2 * 1024 * 1024] {
            stand_in.desk().fault = Some(Fault::Garbage(length));
            for (call, outcome) in every_call(&*stand_in.client(), &session).await {
                assert!(matches!(outcome, Err(Error::Unexpected { .. })), "{kind:?} {call} {length}: {outcome:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_the_operators_matter() {
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let session = paid_session(&stand_in).await;
        let client = stand_in.client_with("sk_test_of_yesterday", Duration::from_secs(10));
        for (call, outcome) in every_call(&*client, &session).await {
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::NoAccess { .. }), "{kind:?} {call}: {error:?}");
            assert!(!format!("{error:?}").contains("yesterday"), "{error:?}");
            assert_eq!(error.to_api().code, ErrorCode::ProviderUnavailable, "the shopper can take another provider");
        }
    }
}

#[tokio::test]
async fn a_request_that_meets_itself_waits_for_its_turn() {
    for kind in [Kind::Stripe, Kind::Razorpay] {
        let stand_in = StandIn::open(kind).await;
        stand_in.desk().fault = Some(Fault::Busy(2));
        let session = stand_in.client().create(&new_session()).await.unwrap();
        assert_eq!(stand_in.state(&session.provider_ref), SessionState::Open);
        stand_in.desk().fault = Some(Fault::Busy(100));
        let error = stand_in.client().create(&new_session()).await.unwrap_err();
        assert_eq!(error.to_api().code, ErrorCode::ProviderUnavailable, "{kind:?}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for kind in [Kind::Stripe, Kind::Razorpay] {
        let stand_in = StandIn::open(kind).await;
        let long_over = NewSession { deadline: SystemWorld.now().plus(-3_600_000), ..new_session() };
        let error = stand_in.client().create(&long_over).await.unwrap_err();
        assert_eq!(error.to_api().code, ErrorCode::NotPayable, "{kind:?}: {error:?}");
        // Words that repeat a shopper's address or card stay out of the log; others help whoever reads it.
        for (words, is_kept) in [
            (
                r#"{"error":{"code":"c","description":"Invalid: asha@example.org","message":"Invalid: asha@example.org"}}"#,
                false,
            ),
            (
                r#"{"error":{"code":"c","description":"Invalid: 4242 4242-42424242","message":"Invalid: 4242 4242-42424242"}}"#,
                false,
            ),
            (r#"{"error":{"code":"c","description":"Invalid: 12 of 34","message":"Invalid: 12 of 34"}}"#, true),
        ] {
            // Of Razorpay's words nothing is left: it is asked next whether it has the link, and refuses that as well.
            stand_in.desk().fault = Some(Fault::Status(400, words));
            let error = stand_in.client().create(&new_session()).await.unwrap_err();
            assert_eq!(error.to_api().code, ErrorCode::Internal, "{kind:?}: {error:?}");
            assert_eq!(format!("{error:?}").contains("Invalid"), is_kept && kind == Kind::Stripe, "{error:?}");
        }
    }
    let stripe = StandIn::open(Kind::Stripe).await;
    let error = stripe.client().create(&NewSession { amount: rupees(99), ..new_session() }).await.unwrap_err();
    assert_eq!(error.to_api().code, ErrorCode::BadRequest, "{error:?}");
}

#[tokio::test]
async fn currencies_are_those_a_provider_takes() {
    let takes = |kind: Kind, currency| async move { StandIn::open(kind).await.client().takes(currency) };
    for kind in ALL {
        assert!(takes(kind, Currency::Inr).await);
        assert_eq!(takes(kind, Currency::Eur).await, kind != Kind::Razorpay);
    }
}
