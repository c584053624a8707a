//! What goes over the wire, whatever names and titles hold.

use super::*;
use crate::mail::look::BookLine;

fn footer() -> Footer<'static> {
    Footer { shop: "https://shop.example", unsubscribe: Some(("mails about carts", "https://shop.example/u/1".into())) }
}

fn blocks() -> Vec<Block> {
    let book = BookLine {
        title: "A <b>Tale</b> & \"More\"".into(),
        authors: "O'Brien <script>".into(),
        copies: 2,
        price: "₹399".into(),
        href: "https://shop.example/books/a-tale".into(),
    };
    vec![
        Block::Heading("Still <here>".into()),
        Block::Books(vec![book]),
        Block::Button { words: "Back".into(), href: "https://shop.example/cart/restore/1?a=1&b=\"".into() },
    ]
}

#[test]
fn html_holds_no_markup_of_others() {
    let html = look::html(&blocks(), &footer());
    assert!(html.contains("A &lt;b&gt;Tale&lt;/b&gt; &amp; &quot;More&quot;"), "{html}");
    assert!(html.contains("O&#39;Brien &lt;script&gt;") && html.contains("Still &lt;here&gt;"), "{html}");
    assert!(html.contains("href=\"https://shop.example/cart/restore/1?a=1&amp;b=&quot;\""), "{html}");
    assert!(html.contains("2 × ₹399") && html.contains("No more mails about carts"), "{html}");
    for foreign in ["<script", "<b>", "<img", "http-equiv"] {
        assert!(!html.contains(foreign), "{foreign}: {html}");
    }
}

#[test]
fn the_text_says_the_same() {
    assert_eq!(
        look::text(&blocks(), &footer()),
        "Still <here>\n\n\
         * A <b>Tale</b> & \"More\"\n  O'Brien <script>\n  2 × ₹399\n  https://shop.example/books/a-tale\n\n\
         Back:\nhttps://shop.example/cart/restore/1?a=1&b=\"\n\n\
         --\nBook Bazar · https://shop.example\nNo more mails about carts:\nhttps://shop.example/u/1\n"
    );
}

#[test]
fn foreign_words_stay_on_their_line() {
    assert_eq!(line("Asha\r\nBcc: evil@example.org\u{2028}x\0 \t y", 80), "Asha Bcc: evil@example.org x y");
    assert_eq!(line(&"ab ".repeat(60), 10), "ab ab ab …");
    assert_eq!(line("\u{202e}gpj.exe", 20), "gpj.exe");
}
