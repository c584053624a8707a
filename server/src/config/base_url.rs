//! Where shoppers reach the shop. Cookies, the origin checks, payment returns and webhooks all hang on it.

use super::{Environment, env::Env};
use http::Uri;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// `https://shop.example` without a path; scheme and host in lower case, no default port: as browsers write an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    authority: String,
}

impl BaseUrl {
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.trim_end_matches('/').parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let bare = uri.path() == "/" && uri.query().is_none() && !uri.authority()?.as_str().contains('@');
        let host = uri.host().filter(|host| !host.is_empty() && bare)?.to_ascii_lowercase();
        let default_port = if scheme == "https" { 443 } else { 80 };
        let authority = match uri.port_u16() {
            Some(port) if port != default_port => format!("{host}:{port}"),
            _ => host,
        };
        Some(Self { origin: format!("{scheme}://{authority}"), authority })
    }

    /// The origin of a longer address.
    pub fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        Self::parse(&format!("{}://{}", uri.scheme_str()?, uri.authority()?))
    }

    pub(super) fn read(env: &mut Env<'_>, environment: Environment, addr: SocketAddr) -> Self {
        let local = format!("http://{addr}");
        let text = match (env.text("BAZAR_BASE_URL"), environment) {
            (Some(text), _) => text,
            (None, Environment::Development) => local.clone(),
            (None, Environment::Production) => {
                env.problem(
                    "BAZAR_BASE_URL is not set; it must be the address that shoppers use, like https://shop.example",
                );
                local.clone()
            }
        };
        let Some(base) = Self::parse(&text) else {
            env.problem(format!("BAZAR_BASE_URL must look like https://shop.example, without a path, not {text:?}"));
            return Self { origin: local, authority: addr.to_string() };
        };
        if !base.is_https() && !base.is_loopback() {
            let line =
                format!("BAZAR_BASE_URL {base} is plain http, which would send passwords in the clear: use https");
            match environment {
                Environment::Production => env.problem(line),
                Environment::Development => env.warn(line),
            }
        }
        base
    }

    /// Scheme, host and port: what a browser sends as `Origin`.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Host and port, as in `Host`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    pub fn is_loopback(&self) -> bool {
        let host = self.authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let host = host.map_or(self.authority.as_str(), |(host, _)| host).trim_matches(['[', ']']);
        host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}
