use super::{Wrong, read};
use domain::{
    ApiError, BookId, Currency, ErrorCode, Minor, Quantity, UnixMillis,
    cart::{CartLine, CartNotice, CartView, LineNotice},
    order::OrderStatus,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};

#[derive(Debug, PartialEq, Deserialize)]
struct Everything {
    flag: bool,
    small: u8,
    large: i64,
    text: String,
    pair: (String, u32),
    maybe: Option<Box<Everything>>,
    list: Vec<Option<i32>>,
    map: BTreeMap<String, String>,
    status: OrderStatus,
    #[serde(default)]
    absent: Vec<u8>,
}

fn agree<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
    assert_eq!(read::<T>(text).ok(), serde_json::from_str(text).ok(), "{text}");
}

#[test]
fn a_text_is_read_as_serde_json_reads_it() {
    let inner = r#"{"flag":false,"small":255,"large":-9223372036854775808,"text":"","pair":["a",1],"maybe":null,"list":[],
        "map":{},"status":"PAID"}"#;
    let outer = inner.replace("false", "true").replace("null", inner).replace("[]", "[ 1 , null,-2 ]");
    for text in [inner, &outer, &outer.replace("\"text\"", r#""unknown":[{"a":[1.5e-3,"]}\"",true]},null],"text""#)] {
        assert!(read::<Everything>(text).is_ok(), "{text}");
        agree::<Everything>(text);
    }
    for (right, wrong) in [
        ("255", "256"),
        ("255", "2.5"),
        ("255", "-1"),
        ("false", "fals"),
        ("PAID", "Paid"),
        ("[\"a\",1]", "[\"a\",1,2]"),
        ("[\"a\",1]", "[\"a\"]"),
        ("\"flag\":false,", ""),
        ("{}", "{\"a\":1}"),
        ("[]", "[1,]"),
        ("[]", "[1 2]"),
        ("null", "nul"),
        ("-9223372036854775808", "-9223372036854775809"),
        ("-9223372036854775808", "-"),
    ] {
        let text = inner.replacen(right, wrong, 1);
        assert_ne!(text, inner);
        assert_eq!(read::<Everything>(&text), Err(Wrong), "{text}");
        agree::<Everything>(&text);
    }
}

#[test]
fn texts_are_read_whatever_stands_in_them() {
    for text in [
        r#""plain""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""R. K. \u0928\u093e\u0930\u093e\u092f\u0923 नारायण""#,
        r#""\ud83d\udcda and 📚""#,
        r#" "spaces around" "#,
        r#""unfinished"#,
        r#""\x""#,
        r#""\u12""#,
        r#""\ud83d""#,
        r#""\ud83dabcdef""#,
        r#""\ud83dA""#,
        r#""\udcda""#,
        r#""one" "two""#,
        "",
        "7",
    ] {
        agree::<String>(text);
    }
    let cut = r#"{"a":["b\u0041",{"c":null}],"d":true}"#;
    for end in 0..=cut.len() {
        agree::<BTreeMap<String, serde::de::IgnoredAny>>(&cut[..end]);
    }
}

#[test]
fn what_the_shop_sends_comes_back_as_it_was() {
    let line = |book, notice| CartLine {
        book_id: BookId::new(book).unwrap(),
        slug: "gora".into(),
        title: "Gora “the fair” \\ 🌾".into(),
        authors: "Rabindranath Tagore".into(),
        quantity: Quantity::ONE,
        unit_price: Minor::new(29_900),
        line_total: Minor::new(29_900),
        available: None,
        notice,
    };
    let notices = [
        None,
        Some(LineNotice::SoldOut),
        Some(LineNotice::Cut { asked: 5, left: 2 }),
        Some(LineNotice::PriceChanged { was: Minor::new(1) }),
    ];
    let mut cart = CartView::empty(Currency::Inr);
    cart.lines = notices.into_iter().zip(1..).map(|(notice, book)| line(book, notice)).collect();
    cart.notice = Some(CartNotice::Merged { titles: 1, cut: 2, left_out: 3 });
    let error =
        ApiError::new(ErrorCode::CartChanged, "It changed.").field("city", "Which one?").with_cart(cart.clone());
    assert_eq!(read(&serde_json::to_string(&cart).unwrap()), Ok(cart));
    assert_eq!(read(&serde_json::to_string(&error).unwrap()), Ok(error));
    assert_eq!(read(&serde_json::to_string(&UnixMillis::new(-5)).unwrap()), Ok(UnixMillis::new(-5)));
}
