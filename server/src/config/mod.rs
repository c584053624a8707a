//! What the process is told from outside: read once, checked as a whole, so that a wrong value stops the start with one
//! clear line and never surfaces hours later.

mod base_url;
mod env;
mod mail;
mod payments;
mod secrets;
mod site;
#[cfg(test)]
mod tests;

use app::ssr::shift;
pub use base_url::BaseUrl;
use domain::{
    Currency, Minor,
    order::{DeliveryDays, DeliveryRule},
    tax::{Rate, Taxes},
};
use env::Env;
use leptos::config::LeptosOptions;
use secrets::Secrets;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use store::config::{SandboxConfig, StoreConfig};

/// Every setting that was missing or wrong, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Production,
    Development,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// Where `/metrics` listens. An address that nobody asked for may be taken: then the process does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsAddr {
    Off,
    Default(SocketAddr),
    Asked(SocketAddr),
}

/// A receipt's head is no page.
const MAX_BUSINESS_LINES: usize = 8;

/// How often a password may be tried in one window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimits {
    pub window_seconds: i64,
    pub per_account: u32,
    pub per_address: u32,
}

#[derive(Debug, Clone)]
pub struct Config {
    pub environment: Environment,
    pub log: LogFormat,
    pub addr: SocketAddr,
    pub metrics: MetricsAddr,
    pub base_url: BaseUrl,
    pub session_redis_url: String,
    pub login: LoginLimits,
    /// How long people of the shop stay logged in.
    pub shift: shift::Limits,
    /// Proxies of ours, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    /// Signs the guest's and the receipts cookie; 64 bytes.
    pub cookie_key: Vec<u8>,
    pub store: StoreConfig,
    pub site: LeptosOptions,
    /// Addresses in one file of the sitemap.
    pub sitemap_urls: u16,
    /// How long one rendering of a shelf serves all who come without a cookie; zero: not at all.
    pub page_cache: Duration,
    /// Said once at the start, when logs exist.
    pub warnings: Vec<String>,
}

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// `get` looks a variable up; empty ones count as not set.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut env = Env::new(get);
        let environment = env.one_of(
            "BAZAR_ENV",
            Environment::Development,
            &[("production", Environment::Production), ("development", Environment::Development)],
        );
        let log =
            env.one_of("BAZAR_LOG", default_log(environment), &[("json", LogFormat::Json), ("text", LogFormat::Text)]);
        let addr = env.addr("BAZAR_ADDR").or_else(|| env.addr("LEPTOS_SITE_ADDR"));
        let addr = addr.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000)));
        let metrics = metrics_addr(&mut env);
        let base_url = BaseUrl::read(&mut env, environment, addr);
        let secrets = Secrets::read(&mut env, environment, addr);
        let site = site::read(&mut env, addr);
        let sitemap_urls = site::sitemap_urls(&mut env);
        let page_cache = site::page_cache(&mut env);
        let store = store_config(&mut env, environment, addr, &base_url, &secrets);
        let session_redis_url = env.text("SESSION_REDIS_URL").unwrap_or_else(|| store.redis_url.clone());
        let (login, shift) = (login_limits(&mut env), shift_limits(&mut env));
        let proxies = env.addresses("BAZAR_TRUSTED_PROXIES");
        let warnings = env.finish()?;
        Ok(Self {
            environment,
            log,
            addr,
            metrics,
            base_url,
            session_redis_url,
            login,
            shift,
            proxies,
            cookie_key: secrets.cookie_key(),
            store,
            site,
            sitemap_urls,
            page_cache,
            warnings,
        })
    }

    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Cookies are `Secure` and `__Host-` exactly when shoppers come by https.
    pub fn secure_cookies(&self) -> bool {
        self.base_url.is_https()
    }
}

fn default_log(environment: Environment) -> LogFormat {
    match environment {
        Environment::Production => LogFormat::Json,
        Environment::Development => LogFormat::Text,
    }
}

fn metrics_addr(env: &mut Env<'_>) -> MetricsAddr {
    if env.text("BAZAR_METRICS_ADDR").as_deref() == Some("off") {
        return MetricsAddr::Off;
    }
    match env.addr("BAZAR_METRICS_ADDR") {
        Some(addr) => MetricsAddr::Asked(addr),
        None => MetricsAddr::Default(SocketAddr::from(([127, 0, 0, 1], 3001))),
    }
}

fn login_limits(env: &mut Env<'_>) -> LoginLimits {
    let mut count =
        |name: &str, default: i64| u32::try_from(env.number(name, default, 1..=1_000_000)).unwrap_or(u32::MAX);
    let per_account = count("BAZAR_LOGIN_PER_ACCOUNT", 10);
    let per_address = count("BAZAR_LOGIN_PER_ADDRESS", 50);
    LoginLimits { window_seconds: env.number("BAZAR_LOGIN_WINDOW_SECONDS", 900, 1..=86_400), per_account, per_address }
}

/// Hours are for people; seconds are for tests.
fn shift_limits(env: &mut Env<'_>) -> shift::Limits {
    let longest = env.number("BAZAR_STAFF_SESSION_SECONDS", 43_200, 1..=2_592_000);
    let idle = env.number("BAZAR_STAFF_IDLE_SECONDS", 3_600, 1..=2_592_000);
    shift::Limits { longest: seconds(longest), idle: seconds(idle) }
}

/// In development everybody comes from one address.
fn held_copies(env: &mut Env<'_>, environment: Environment) -> u32 {
    let default = if environment == Environment::Production { 200 } else { 0 };
    u32::try_from(env.number("BAZAR_HELD_COPIES_PER_ADDRESS", default, 0..=1_000_000)).unwrap_or(u32::MAX)
}

/// Lines of the receipt's head, separated by semicolons.
fn business(env: &mut Env<'_>) -> Vec<String> {
    let text = env.text("BAZAR_BUSINESS").unwrap_or_else(|| "Book Bazar".to_owned());
    let lines = text.split(';').map(str::trim).filter(|line| !line.is_empty());
    lines.take(MAX_BUSINESS_LINES).map(str::to_owned).collect()
}

/// What an invoice says of taxes: rates in percent, and the seller's number.
fn taxes(env: &mut Env<'_>) -> Taxes {
    let default = Taxes::default();
    let mut rate = |name: &str| match env.text(name) {
        None => Rate::default(),
        Some(text) => Rate::parse(&text).unwrap_or_else(|| {
            env.problem(format!("{name} must be a percentage like 0, 5 or 2.5, not {text:?}"));
            Rate::default()
        }),
    };
    let (books, delivery) = (rate("BAZAR_TAX_BOOKS"), rate("BAZAR_TAX_DELIVERY"));
    Taxes { name: env.text("BAZAR_TAX_NAME").unwrap_or(default.name), number: env.text("BAZAR_GSTIN"), books, delivery }
}

fn store_config(
    env: &mut Env<'_>,
    environment: Environment,
    addr: SocketAddr,
    base_url: &BaseUrl,
    secrets: &Secrets,
) -> StoreConfig {
    let fee = env.number("BAZAR_DELIVERY_FEE", 4_900, 0..=100_000_000);
    let free_from = env.number("BAZAR_DELIVERY_FREE_FROM", 99_900, 0..=i64::MAX);
    // A minute is the least for people; seconds are for tests.
    let order_ttl = env.number("BAZAR_ORDER_TTL_SECONDS", 900, 1..=86_400);
    let min_pay = env.number("BAZAR_MIN_PAY_SECONDS", 300, 0..=86_400).min(order_ttl);
    // Later than the order's deadline, whenever it is pressed: late money is what the button is for.
    let ask_every = env.number("BAZAR_ASK_PAYMENTS_SECONDS", 120, 1..=120);
    let late_after = env.number("BAZAR_SANDBOX_LATE_SECONDS", order_ttl + 2, 0..=172_800);
    let providers = payments::read(env, environment, order_ttl);
    let here = reachable(addr);
    StoreConfig {
        database_url: env.required(
            "DATABASE_URL",
            "postgres://user:password@host:5432/database",
            &["postgres://", "postgresql://"],
        ),
        pool_size: u32::try_from(env.number("BAZAR_POOL_SIZE", 16, 2..=500)).unwrap_or(16),
        redis_url: env.required("REDIS_URL", "redis://:password@host:6379/", &["redis://", "redis+unix://"]),
        key_prefix: env.key_prefix("BAZAR_KEY_PREFIX", "bb:"),
        base_url: base_url.as_str().to_owned(),
        business: business(env),
        currency: Currency::Inr,
        taxes: taxes(env),
        delivery: DeliveryRule { fee: Minor::new(fee), free_from: Minor::new(free_from) },
        delivery_days: delivery_days(env),
        order_ttl: seconds(order_ttl),
        ask_payments_every: seconds(ask_every),
        min_time_to_pay: seconds(min_pay),
        held_copies_per_address: held_copies(env, environment),
        number_secret: secrets.number_secret(),
        mail: mail::read(env, environment, secrets),
        sms: env.text("BAZAR_SMS_DIR").map(Into::into),
        // A minute and more is for people; seconds are for tests.
        abandoned_after: seconds(env.number("BAZAR_ABANDONED_AFTER", 604_800, 1..=315_360_000)),
        stripe: providers.stripe,
        razorpay: providers.razorpay,
        sandbox: providers.sandbox.then(|| SandboxConfig {
            public_url: format!("{base_url}/sandbox"),
            base_url: format!("http://{here}/sandbox"),
            api_key: secrets.sandbox_api_key(),
            webhook_secrets: secrets.sandbox_webhooks(),
            webhook_url: format!("http://{here}/webhooks/sandbox"),
            late_after: seconds(late_after),
        }),
    }
}

fn delivery_days(env: &mut Env<'_>) -> DeliveryDays {
    let Some(text) = env.text("BAZAR_DELIVERY_DAYS") else { return DeliveryDays::default() };
    DeliveryDays::parse(&text).unwrap_or_else(|| {
        env.problem(format!("BAZAR_DELIVERY_DAYS must be days like 3-6 or 2, not {text:?}"));
        DeliveryDays::default()
    })
}

/// How a program on this machine reaches what listens there: shop and sandbox talk past the proxy that does TLS.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs())
}
