//! x
#[tokio::test]
async fn connects() { let s = store::testkit::store().await; let _ = s.now(); }
