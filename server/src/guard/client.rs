//! Where a request comes from: the connection's address, or what a proxy of ours says about it. Nobody else is believed.

use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use domain::Network;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Tells everybody further in from which network the request comes, as an extension.
pub async fn locate(State(proxies): State<Arc<[IpAddr]>>, mut request: Request, next: Next) -> Response {
    if let Some(address) = address(&request, &proxies) {
        request.extensions_mut().insert(Network::of(address));
    }
    next.run(request).await
}

/// The client's address; `None` only where no connection is known.
fn address(request: &Request, proxies: &[IpAddr]) -> Option<IpAddr> {
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
}
