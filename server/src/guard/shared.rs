//! Layers of a router clone what they wrap for every request that passes them, and each boxed service among that is an
//! allocation. This one is cloned by counting; what is inside is cloned once per request, when it is called.

use http::Request;
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service, ServiceExt, layer::layer_fn, util::Oneshot};

/// The innermost layer of a stack: `ServiceBuilder::new().layer(…).layer(shared())`.
pub fn layer<S>() -> impl Layer<S, Service = Shared<S>> + Clone + Send + Sync {
    layer_fn(|inner| Shared(Arc::new(inner)))
}

pub struct Shared<S>(Arc<S>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service<Request<B>> + Clone, B> Service<Request<B>> for Shared<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, Request<B>>;

    /// The clone that is called waits until it is ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        S::clone(&self.0).oneshot(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };
    use tower::service_fn;

    static CLONES: AtomicUsize = AtomicUsize::new(0);

    struct Dear;

    impl Clone for Dear {
        fn clone(&self) -> Self {
            CLONES.fetch_add(1, Ordering::SeqCst);
            Self
        }
    }

    #[tokio::test]
    async fn what_is_inside_is_cloned_once_for_each_call() {
        let dear = Dear;
        let inside = service_fn(move |_: Request<()>| {
            let _ = &dear;
            async { Ok::<_, Infallible>(()) }
        });
        let mut shared = layer().layer(inside);
        let clones: Vec<_> = (0..20).map(|_| shared.clone()).collect();
        assert_eq!((clones.len(), CLONES.load(Ordering::SeqCst)), (20, 0));
        for calls in 1..3 {
            shared.call(Request::new(())).await.expect("an answer");
            assert_eq!(CLONES.load(Ordering::SeqCst), calls);
        }
    }
}
