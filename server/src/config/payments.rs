//! Which payment providers the shop takes, and their keys. A provider that is named and not whole stops the start.

use super::{BaseUrl, Environment, env::Env};
use store::config::{RazorpayConfig, Secret, StripeConfig};

const NAMES: [&str; 3] = ["sandbox", "stripe", "razorpay"];
/// Shorter ones are guessed, and who guesses one pays nothing.
const MIN_WEBHOOK_SECRET: usize = 16;
/// One that goes and one that comes.
const MAX_WEBHOOK_SECRETS: usize = 2;
/// Stripe keeps no session open for more than 24 hours, and the shop asks for 35 minutes past the deadline.
const STRIPE_MAX_ORDER_TTL: i64 = 84_000;

pub(super) struct Providers {
    pub sandbox: bool,
    pub stripe: Option<StripeConfig>,
    pub razorpay: Option<RazorpayConfig>,
}

pub(super) fn read(env: &mut Env<'_>, environment: Environment, order_ttl: i64) -> Providers {
    let named = named(env, environment);
    let is_named = |name: &str| named.iter().any(|known| known == name);
    if named.is_empty() {
        env.warn("BAZAR_PAYMENTS names no provider: orders can be placed, but not paid");
    }
    let is_live = environment == Environment::Production;
    let (stripe, razorpay) = (is_named("stripe"), is_named("razorpay"));
    Providers {
        sandbox: is_named("sandbox"),
        stripe: stripe.then(|| read_stripe(env, is_live, order_ttl)),
        razorpay: razorpay.then(|| read_razorpay(env, is_live)),
    }
}

/// `BAZAR_PAYMENTS`; without it the sandbox alone, where that is on.
fn named(env: &mut Env<'_>, environment: Environment) -> Vec<String> {
    let is_default = environment == Environment::Development;
    let sandbox = env.one_of("BAZAR_SANDBOX", is_default, &[("on", true), ("off", false)]);
    let Some(list) = env.text("BAZAR_PAYMENTS") else {
        return sandbox.then(|| "sandbox".to_owned()).into_iter().collect();
    };
    let named: Vec<String> = parts(&list);
    for name in named.iter().filter(|name| !NAMES.contains(&name.as_str())) {
        env.problem(format!("BAZAR_PAYMENTS names {name:?}; there are {}", NAMES.join(", ")));
    }
    if !sandbox && named.iter().any(|name| name == "sandbox") {
        env.problem("BAZAR_PAYMENTS names the sandbox, where no real money moves, and BAZAR_SANDBOX is not on");
    }
    named
}

fn read_stripe(env: &mut Env<'_>, is_live: bool, order_ttl: i64) -> StripeConfig {
    if order_ttl > STRIPE_MAX_ORDER_TTL {
        let line = format!("BAZAR_ORDER_TTL_SECONDS may be {STRIPE_MAX_ORDER_TTL} at most with Stripe");
        env.problem(line);
    }
    StripeConfig {
        api: api(env, "BAZAR_STRIPE_API", "https://api.stripe.com"),
        secret_key: Secret::new(key(env, "BAZAR_STRIPE_SECRET_KEY", &["sk_", "rk_"], is_live)),
        webhook_secrets: webhook_secrets(env, "BAZAR_STRIPE_WEBHOOK_SECRETS"),
    }
}

fn read_razorpay(env: &mut Env<'_>, is_live: bool) -> RazorpayConfig {
    RazorpayConfig {
        api: api(env, "BAZAR_RAZORPAY_API", "https://api.razorpay.com"),
        key_id: key(env, "BAZAR_RAZORPAY_KEY_ID", &["rzp_"], is_live),
        key_secret: Secret::new(key(env, "BAZAR_RAZORPAY_KEY_SECRET", &[""], is_live)),
        webhook_secrets: webhook_secrets(env, "BAZAR_RAZORPAY_WEBHOOK_SECRETS"),
    }
}

/// A key with one of these beginnings; its value is never repeated.
fn key(env: &mut Env<'_>, name: &str, beginnings: &[&str], is_live: bool) -> String {
    let Some(value) = env.text(name) else {
        env.problem(format!("{name} is not set; BAZAR_PAYMENTS needs it"));
        return String::new();
    };
    let printable = value.bytes().all(|b| b.is_ascii_graphic());
    if !printable || !beginnings.iter().any(|beginning| value.starts_with(beginning)) {
        env.problem(format!("{name} must begin with {}; is it another key?", beginnings.join(" or ")));
    } else if is_live && value.contains("_test_") {
        env.warn(format!("{name} is a key for tests: no real money will move"));
    }
    value
}

fn webhook_secrets(env: &mut Env<'_>, name: &str) -> Vec<Secret> {
    let secrets = parts(&env.text(name).unwrap_or_default());
    if secrets.is_empty() {
        env.problem(format!("{name} is not set; BAZAR_PAYMENTS needs it"));
    }
    if secrets.len() > MAX_WEBHOOK_SECRETS {
        env.problem(format!("{name} holds up to {MAX_WEBHOOK_SECRETS} secrets, the old one and the new one"));
    }
    if secrets.iter().any(|secret| secret.len() < MIN_WEBHOOK_SECRET) {
        env.problem(format!("{name}: a secret needs at least {MIN_WEBHOOK_SECRET} characters"));
    }
    secrets.into_iter().map(Secret::new).collect()
}

/// Keys go there: over https, or to this very machine.
fn api(env: &mut Env<'_>, name: &str, default: &str) -> String {
    let text = env.text(name).unwrap_or_else(|| default.to_owned());
    match BaseUrl::parse(&text) {
        Some(url) if url.is_https() || url.is_loopback() => url.as_str().to_owned(),
        _ => {
            env.problem(format!("{name} must look like {default}, not {text:?}"));
            default.to_owned()
        }
    }
}

fn parts(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
