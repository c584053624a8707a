//! Everything that a provider may tell, of orders as they really come about: afterwards the checker finds nothing.

use super::standins::{ALL, Event, KEY, SECRETS, StandIn, Tale};
use crate::orders::shop::Shop;
use domain::{BookId, OrderId, Owner, order::OrderStatus};
use futures::future::join_all;
use store::{
    payments::{self, Received},
    viewer::Viewer,
};

struct Telling {
    shop: Shop,
    stand_in: StandIn,
}

impl Telling {
    /// An order with an open session, and what its provider tells when it is paid.
    async fn order(&self, book: BookId) -> (Owner, OrderId, Event) {
        let (owner, order) = self.shop.payable_order(&[(book, 1)]).await;
        let event = self.session(owner, order).await;
        (owner, order, event)
    }

    async fn session(&self, owner: Owner, order: OrderId) -> Event {
        let name = self.stand_in.kind.name();
        let started = payments::init(&self.shop.store, &Viewer::new(owner), order, name).await.unwrap();
        let desk = self.stand_in.desk();
        let session = desk.sessions.iter().find(|it| it.key == started.payment_id.to_string()).unwrap();
        Event {
            id: format!("evt {}", session.key),
            tale: Tale::Captured,
            session: session.id.clone(),
            payment: session.key.clone(),
            order: order.to_string(),
            amount: session.amount,
            currency: "INR",
            refund: String::new(),
        }
    }

    async fn tell(&self, event: &Event) -> Received {
        let kind = self.stand_in.kind;
        let webhook = kind.webhook(event, SECRETS[0], self.shop.store.now().get() / 1000);
        let header = |name: &str| webhook.headers.get(name).cloned();
        payments::receive(&self.shop.store, kind.name(), &header, &webhook.body).await.unwrap()
    }

    async fn expire(&self, order: OrderId) {
        self.shop.let_time_pass(order).await;
        self.shop.expire_due().await;
        self.shop.apply_gate_ops().await;
    }

    async fn assert_status(&self, order: OrderId, status: OrderStatus) {
        assert_eq!(self.shop.status(order).await, Some(status), "{:?}", self.stand_in.kind);
    }

    /// The money of this event went back.
    async fn tell_back(&self, event: &Event) {
        let sql = "SELECT r.id::text FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE p.provider_ref = $1";
        let refund = sqlx::query_scalar(sql).bind(&event.session).fetch_one(&self.shop.pg).await.unwrap();
        let back = Event { id: format!("{} back", event.id), tale: Tale::Refunded, refund, ..event.clone() };
        assert_eq!(self.tell(&back).await, Received::Applied, "{:?}", self.stand_in.kind);
    }
}

#[tokio::test]
async fn the_ledger_is_sound_after_all_of_it() {
    for kind in ALL {
        let stand_in = StandIn::open(kind).await;
        let shop = Shop::open_with(|config| stand_in.configure(config, KEY)).await;
        let (many, last) = (shop.book(10).await, shop.book(1).await);
        let telling = Telling { shop, stand_in };

        let (_, paid, event) = telling.order(many).await;
        let sent = join_all((0..50).map(|_| telling.tell(&event))).await;
        assert_eq!(sent.iter().filter(|received| **received == Received::Applied).count(), 1, "{kind:?}");

        let (owner, again, event) = telling.order(many).await;
        telling.tell(&Event { id: "evt closed".into(), tale: Tale::Closed, ..event }).await;
        let event = telling.session(owner, again).await;
        telling.tell(&event).await;

        let (_, late, event) = telling.order(many).await;
        telling.expire(late).await;
        telling.tell(&event).await;
        telling.shop.assert_sound().await;

        let (_, gone, too_late) = telling.order(last).await;
        telling.expire(gone).await;
        telling.shop.payable_order(&[(last, 1)]).await;
        telling.tell(&too_late).await;
        telling.shop.decide_late().await;

        let (_, twice, first) = telling.order(many).await;
        let second = Event { id: "evt twin".into(), session: format!("{}x", first.session), ..first.clone() };
        assert_eq!([telling.tell(&first).await, telling.tell(&second).await], [Received::Applied; 2], "{kind:?}");
        telling.shop.assert_sound().await;

        telling.tell_back(&too_late).await;
        telling.tell_back(&second).await;
        for order in [paid, again, late, twice] {
            telling.assert_status(order, OrderStatus::Paid).await;
        }
        telling.assert_status(gone, OrderStatus::Refunded).await;
        telling.shop.apply_gate_ops().await;
        telling.shop.assert_sound().await;
    }
}
