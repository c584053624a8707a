//! Where a request comes from: the connection's address, or what a proxy of ours says about it. Nobody else is believed.

use axum::extract::{ConnectInfo, Request};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The client's address; `None` only where no connection is known.
pub fn address(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let mut client = peer.ip();
    let hops = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).map(str::trim).collect();
    // Each proxy appends whom it heard from; the first one that is not ours is the client.
    for hop in hops.into_iter().rev() {
        if !proxies.contains(&client) {
            break;
        }
        let Ok(next) = hop.parse() else { break };
        client = next;
    }
    Some(client)
}

/// What one subscriber usually holds: a whole IPv6 network of 2^64 addresses counts as one.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        },
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn client(peer: &str, forwarded: &str, proxies: &[&str]) -> String {
        let mut request = Request::new(Body::empty());
        let peer: IpAddr = peer.parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer, 1)));
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().expect("a header"));
        let proxies: Vec<IpAddr> = proxies.iter().map(|p| p.parse().expect("an address")).collect();
        address(&request, &proxies).expect("an address").to_string()
    }

    #[test]
    fn only_our_proxies_are_believed() {
        assert_eq!(client("1.1.1.1", "9.9.9.9", &[]), "1.1.1.1");
        assert_eq!(client("10.0.0.1", "9.9.9.9", &["10.0.0.1"]), "9.9.9.9");
        // What the client itself claimed stands further left.
        assert_eq!(client("10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2", &["10.0.0.1", "10.0.0.2"]), "9.9.9.9");
        assert_eq!(client("10.0.0.1", "nonsense", &["10.0.0.1"]), "10.0.0.1");
    }

    #[test]
    fn a_subscribers_network_is_one() {
        let same = |a: &str, b: &str| subscriber(a.parse().expect("a")) == subscriber(b.parse().expect("b"));
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:1.2.3.4", "1.2.3.4"));
    }
}
