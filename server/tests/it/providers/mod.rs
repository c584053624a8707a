//! The running shop with all three providers: Stripe and Razorpay as the stand-ins of the store's tests, the sandbox as itself.

mod outage;
mod secrets;
mod watchdog;
mod webhooks;

#[expect(dead_code, clippy::unwrap_used, reason = "made for the tests of the store, which need more of them")]
#[path = "../../../../store/tests/it/payments/standins/mod.rs"]
mod standins;

use crate::{
    orders::{place, wait_for},
    shop::Shop,
    visitor::{Reply, Visitor},
};
use standins::{Event, KEY, Kind, SECRETS, Session, StandIn, Tale, Webhook};
use store::world::{SystemWorld, World};

/// The shop, and those who take its money.
struct Street {
    shop: Shop,
    stripe: StandIn,
    razorpay: StandIn,
}

impl Street {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// The same with some settings changed.
    async fn open_with(changed: &[(&str, &str)]) -> Self {
        let mut street = Self::prepare(changed).await;
        street.shop.import_books();
        street.shop.spawn("all");
        street.shop.wait_until_ready().await;
        street
    }

    /// Nothing running, no books.
    async fn prepare(changed: &[(&str, &str)]) -> Self {
        let (stripe, razorpay) = tokio::join!(StandIn::open(Kind::Stripe), StandIn::open(Kind::Razorpay));
        let secrets = SECRETS.join(",");
        let settings = [
            ("BAZAR_PAYMENTS", "stripe,razorpay,sandbox"),
            ("BAZAR_STRIPE_API", stripe.address.as_str()),
            ("BAZAR_STRIPE_SECRET_KEY", KEY),
            ("BAZAR_STRIPE_WEBHOOK_SECRETS", &secrets),
            ("BAZAR_RAZORPAY_API", &razorpay.address),
            ("BAZAR_RAZORPAY_KEY_ID", "rzp_test_contract"),
            ("BAZAR_RAZORPAY_KEY_SECRET", KEY),
            ("BAZAR_RAZORPAY_WEBHOOK_SECRETS", &secrets),
        ];
        let shop = Shop::prepare(&[&settings[..], changed].concat()).await;
        Self { shop, stripe, razorpay }
    }

    fn both(&self) -> [&StandIn; 2] {
        [&self.stripe, &self.razorpay]
    }

    /// An order with an open session there.
    async fn paying(&self, stand_in: &StandIn) -> (Visitor, String, Session) {
        let (visitor, order) = order(&self.shop).await;
        init(&visitor, &order, stand_in.kind.name()).await.ok();
        let session = stand_in.desk().sessions.iter().rfind(|session| session.order == order).cloned();
        (visitor, order, session.expect("a session at the provider"))
    }
}

/// A guest's order that waits for payment.
async fn order(shop: &Shop) -> (Visitor, String) {
    let visitor = shop.visitor();
    let book = shop.book("The First Book").await;
    visitor.post("/api/cart/add", &[("book_id", &book)]).await.ok();
    let placed = place(&visitor, "k").await.ok();
    let order = placed["order_id"].as_str().expect("an order").to_owned();
    wait_for(&visitor, &order, "PAYMENT_PENDING").await;
    (visitor, order)
}

async fn init(visitor: &Visitor, order: &str, provider: &str) -> Reply {
    visitor.post("/api/payments/init", &[("order_id", order), ("provider", provider)]).await
}

/// What the provider tells of this session.
fn event(id: &str, session: &Session, tale: Tale) -> Event {
    Event {
        id: id.to_owned(),
        tale,
        session: session.id.clone(),
        payment: session.key.clone(),
        order: session.order.clone(),
        amount: session.amount,
        currency: "INR",
        refund: String::new(),
    }
}

fn signed(kind: Kind, event: &Event, secret: &str) -> Webhook {
    kind.webhook(event, secret, SystemWorld.now().get() / 1000)
}

async fn send(shop: &Shop, kind: Kind, webhook: &Webhook) -> Reply {
    let post = |client: &reqwest::Client, url: &str| {
        let request = client.post(format!("{url}/webhooks/{}", kind.name())).body(webhook.body.clone());
        webhook.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    };
    shop.visitor().send_raw(post).await
}

/// Browsers ask the policy about every redirect after a form: it names the configured providers' pages, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn forms_lead_to_the_configured_providers_only() {
    let street = Street::open().await;
    let targets = format!(
        "form-action 'self' https://checkout.stripe.com {} https://rzp.io https://razorpay.com https://*.razorpay.com {};",
        street.stripe.address, street.razorpay.address
    );
    let policy = |page: &Reply| format!("{};", page.header("content-security-policy"));
    let page = street.shop.visitor().page("/").await;
    assert!(policy(&page).contains(&targets), "{}", policy(&page));
    let page = Shop::start().await.visitor().page("/").await;
    assert!(policy(&page).contains("form-action 'self';"), "{}", policy(&page));
}
