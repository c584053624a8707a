//! A wrong setting stops the start and is named; production is strict.

use super::*;

const GOOD: [(&str, &str); 2] = [("DATABASE_URL", "postgres://db/bazar"), ("REDIS_URL", "redis://cache/")];
const LIVE: [(&str, &str); 3] = [
    ("BAZAR_ENV", "production"),
    ("BAZAR_SECRET", "0123456789abcdef0123456789abcdef"),
    ("BAZAR_BASE_URL", "https://Shop.Example:443/"),
];

fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let get = |name: &str| {
        let found = changes.iter().rev().chain(&GOOD).find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::read(&get)
}

fn problems(changes: &[(&str, &str)]) -> Vec<String> {
    read(changes).map(|_| Vec::new()).unwrap_or_else(|e| e.0)
}

fn production(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    LIVE.iter().chain(changes).copied().collect()
}

#[test]
fn a_checkout_needs_only_its_servers() {
    let config = read(&[]).expect("read");
    assert_eq!(config.base_url.as_str(), "http://127.0.0.1:3000");
    assert_eq!(config.store.order_ttl, Duration::from_secs(900));
    assert_eq!(config.cookie_key.len(), 64);
    assert!(!config.secure_cookies());
    assert!(config.store.sandbox.is_some());
    assert!(config.warnings.iter().any(|line| line.contains("BAZAR_SECRET")));
}

#[test]
fn every_wrong_value_is_named_in_a_line_of_its_own() {
    let wrong = [
        ("BAZAR_ENV", "live"),
        ("BAZAR_ADDR", "here"),
        ("BAZAR_SECRET", "short"),
        ("BAZAR_BASE_URL", "shop.example"),
        ("BAZAR_ORDER_TTL_SECONDS", "0"),
        ("BAZAR_DELIVERY_FEE", "49.00"),
        ("BAZAR_DELIVERY_DAYS", "6-3"),
        ("BAZAR_TAX_BOOKS", "a lot"),
        ("BAZAR_SITEMAP_URLS", "50001"),
        ("BAZAR_PAGE_CACHE_MS", "a second"),
        ("BAZAR_SANDBOX", "yes"),
        ("BAZAR_LOGIN_PER_ACCOUNT", "many"),
        ("BAZAR_STAFF_SESSION_SECONDS", "0"),
        ("BAZAR_STAFF_IDLE_SECONDS", "an hour"),
        ("BAZAR_TRUSTED_PROXIES", "10.0.0.1, proxy"),
        ("BAZAR_KEY_PREFIX", "a{b}"),
        ("BAZAR_SMTP_URL", "smtp://user:hidden@"),
        ("BAZAR_MAIL_FROM", "Book Bazar"),
        ("BAZAR_ABANDONED_AFTER", "a week"),
        ("BAZAR_HELD_COPIES_PER_ADDRESS", "-1"),
        ("DATABASE_URL", "mysql://secret@db"),
        ("REDIS_URL", " "),
    ];
    let lines = problems(&wrong);
    for (name, _) in wrong {
        assert_eq!(lines.iter().filter(|line| line.starts_with(name)).count(), 1, "{name}: {lines:#?}");
    }
    assert_eq!(lines.len(), wrong.len());
    assert!(!lines.concat().contains("secret@db"), "a password must not be repeated");
    assert!(!lines.concat().contains("hidden"), "a password must not be repeated");
}

#[test]
fn mails_are_files_until_a_server_is_named() {
    use store::mail::Way;
    let folder = |changes: &[(&str, &str)]| match read(changes).expect("read").store.mail.way {
        Way::Files(folder) => folder.display().to_string(),
        Way::Smtp(_) => "smtp".into(),
    };
    assert_eq!(folder(&[]), ".bazar/mail");
    assert_eq!(folder(&[("BAZAR_MAIL_DIR", "/var/mail/shop")]), "/var/mail/shop");
    let smtp = [("BAZAR_SMTP_URL", "smtps://u:p@mail.example:465"), ("BAZAR_MAIL_FROM", "Shop <a@shop.example>")];
    assert_eq!(folder(&smtp), "smtp");
    assert_eq!(problems(&smtp[..1]).len(), 1, "a mail server wants a sender");
    let warned = |changes: &[(&str, &str)]| read(changes).expect("read").warnings.concat().contains("BAZAR_SMTP_URL");
    assert!(warned(&production(&[])) && !warned(&[]));
}

#[test]
fn production_has_no_default_for_a_secret_and_no_plain_http() {
    let lines = problems(&[("BAZAR_ENV", "production")]);
    assert!(lines.iter().any(|line| line.starts_with("BAZAR_SECRET is not set")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("BAZAR_BASE_URL is not set")), "{lines:?}");
    assert!(!problems(&production(&[("BAZAR_BASE_URL", "http://shop.example")])).is_empty());
    for local in ["http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:3000"] {
        assert_eq!(problems(&production(&[("BAZAR_BASE_URL", local)])), Vec::<String>::new(), "{local}");
    }
    // The known secret must not be reachable from elsewhere either.
    assert!(!problems(&[("BAZAR_ADDR", "0.0.0.0:3000")]).is_empty());
}

#[test]
fn production_is_secure_and_without_sandbox() {
    let config = read(&production(&[])).expect("read");
    assert!(config.secure_cookies());
    assert_eq!(config.base_url.as_str(), "https://shop.example");
    assert!(config.store.sandbox.is_none());
    assert_eq!(config.log, LogFormat::Json);
    assert!(read(&production(&[("BAZAR_SANDBOX", "on")])).expect("read").store.sandbox.is_some());
}

#[test]
fn shop_and_sandbox_talk_past_the_proxy() {
    for (addr, here) in [("127.0.0.1:3100", "127.0.0.1:3100"), ("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80")]
    {
        let config = read(&production(&[("BAZAR_SANDBOX", "on"), ("BAZAR_ADDR", addr)])).expect("read");
        let sandbox = config.store.sandbox.expect("sandbox");
        assert_eq!(sandbox.base_url, format!("http://{here}/sandbox"));
        assert_eq!(sandbox.webhook_url, format!("http://{here}/webhooks/sandbox"));
        assert_eq!(sandbox.public_url, "https://shop.example/sandbox", "what browsers are sent to");
    }
}

#[test]
fn derived_secrets_differ_and_follow_their_root() {
    let sandbox = |changes: &[(&str, &str)]| read(changes).expect("read").store.sandbox.expect("sandbox");
    let (one, other) = ("1".repeat(32), "2".repeat(32));
    let first = sandbox(&[("BAZAR_SECRET", &one)]);
    assert_ne!(first.api_key.reveal(), first.webhook_secrets[0].reveal());
    let second = sandbox(&[("BAZAR_SECRET", &other)]);
    assert_ne!(first.api_key.reveal(), second.api_key.reveal());
    let rotated =
        sandbox(&[("BAZAR_SECRET", &one), ("BAZAR_SANDBOX_SECRET", &other), ("BAZAR_SANDBOX_SECRET_BEFORE", &one)]);
    assert_eq!(rotated.webhook_secrets[1].reveal(), first.webhook_secrets[0].reveal());
}

#[test]
fn paying_time_never_exceeds_the_deadline() {
    let config = read(&[("BAZAR_ORDER_TTL_SECONDS", "3")]).expect("read");
    assert_eq!(config.store.min_time_to_pay, Duration::from_secs(3));
}

const STRIPE: [(&str, &str); 3] = [
    ("BAZAR_PAYMENTS", "stripe"),
    ("BAZAR_STRIPE_SECRET_KEY", "sk_test_hidden"),
    ("BAZAR_STRIPE_WEBHOOK_SECRETS", "whsec_hidden_old, whsec_hidden_new"),
];
const RAZORPAY: [(&str, &str); 4] = [
    ("BAZAR_PAYMENTS", "razorpay"),
    ("BAZAR_RAZORPAY_KEY_ID", "rzp_live_1"),
    ("BAZAR_RAZORPAY_KEY_SECRET", "hidden_key"),
    ("BAZAR_RAZORPAY_WEBHOOK_SECRETS", "hidden_webhook_secret"),
];

#[test]
fn providers_are_those_that_are_named() {
    let store = read(&STRIPE).expect("read").store;
    assert!(store.sandbox.is_none() && store.razorpay.is_none());
    let stripe = store.stripe.expect("stripe");
    assert_eq!(stripe.api, "https://api.stripe.com");
    assert_eq!(
        stripe.webhook_secrets.iter().map(|s| s.reveal()).collect::<Vec<_>>(),
        ["whsec_hidden_old", "whsec_hidden_new"]
    );
    let all: Vec<_> =
        STRIPE.iter().chain(&RAZORPAY).copied().chain([("BAZAR_PAYMENTS", "sandbox, stripe,razorpay")]).collect();
    let config = read(&all).expect("read");
    let store = &config.store;
    assert!(store.sandbox.is_some() && store.stripe.is_some() && store.razorpay.is_some());
    assert!(!format!("{config:?}").contains("hidden"), "secrets are not for logs");
    let none = read(&production(&[])).expect("read");
    assert!(none.warnings.concat().contains("BAZAR_PAYMENTS"), "a shop that cannot be paid says so");
    let test_keys = read(&production(&STRIPE)).expect("read");
    assert!(test_keys.warnings.concat().contains("BAZAR_STRIPE_SECRET_KEY is a key for tests"));
}

#[test]
fn a_provider_that_is_not_whole_stops_the_start() {
    for whole in [&STRIPE[..], &RAZORPAY[..]] {
        for missing in 1..whole.len() {
            let rest: Vec<_> = whole.iter().enumerate().filter(|(i, _)| *i != missing).map(|(_, pair)| *pair).collect();
            let lines = problems(&rest);
            assert!(lines.len() == 1 && lines[0].starts_with(whole[missing].0), "{lines:?}");
        }
    }
    for (name, value) in [
        ("BAZAR_PAYMENTS", "stripe,paypal"),
        ("BAZAR_STRIPE_SECRET_KEY", "pk_test_hidden"),
        ("BAZAR_STRIPE_SECRET_KEY", "sk_test_hid den"),
        ("BAZAR_STRIPE_WEBHOOK_SECRETS", "hidden"),
        ("BAZAR_STRIPE_WEBHOOK_SECRETS", "hidden_0123456789,hidden_0123456789,hidden_0123456789"),
        ("BAZAR_STRIPE_API", "http://api.stripe.com"),
        ("BAZAR_ORDER_TTL_SECONDS", "86400"),
    ] {
        let changed: Vec<_> = STRIPE.iter().copied().chain([(name, value)]).collect();
        let lines = problems(&changed);
        assert!(lines.len() == 1 && lines[0].starts_with(name), "{lines:?}");
        assert!(!lines[0].contains("hid"), "{lines:?}");
    }
    assert_eq!(
        problems(&STRIPE.iter().copied().chain([("BAZAR_STRIPE_API", "http://127.0.0.1:1")]).collect::<Vec<_>>()),
        [""; 0]
    );
    let sandbox = problems(&production(&[("BAZAR_PAYMENTS", "sandbox")]));
    assert!(sandbox.len() == 1 && sandbox[0].starts_with("BAZAR_PAYMENTS names the sandbox"), "{sandbox:?}");
}

#[test]
fn copies_held_per_address_are_limited_where_strangers_come() {
    let limit = |settings: &[(&str, &str)]| read(settings).expect("read").store.held_copies_per_address;
    assert_eq!((limit(&[]), limit(&production(&[]))), (0, 200));
    assert_eq!(limit(&production(&[("BAZAR_HELD_COPIES_PER_ADDRESS", "0")])), 0);
}
