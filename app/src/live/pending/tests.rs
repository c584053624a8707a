//! Quick clicks, live messages in between, refusals: what is shown and what is sent.

use super::*;
use domain::{Currency, Minor, cart::CartNotice};

const RULE: DeliveryRule = DeliveryRule { fee: Minor::ZERO, free_from: Minor::ZERO };

fn book(id: i64) -> BookId {
    BookId::new(id).unwrap()
}

fn line_of(id: i64, copies: i64) -> CartLine {
    CartLine {
        book_id: book(id),
        slug: format!("b{id}"),
        title: format!("Book {id}"),
        authors: String::new(),
        quantity: Quantity::new(copies).unwrap(),
        unit_price: Minor::new(100),
        line_total: Minor::new(100 * copies),
        available: Some(20),
        notice: None,
    }
}

/// The server's cart: pairs of book and copies.
fn cart(lines: &[(i64, i64)]) -> CartView {
    let lines = lines.iter().map(|(id, copies)| line_of(*id, *copies)).collect();
    let mut cart = CartView { version: 1, lines, ..CartView::empty(Currency::Inr) };
    cart.add_up(RULE).unwrap();
    cart
}

fn step(id: i64, by: i64) -> Edit {
    Edit::Step { book: book(id), by, new: None }
}

fn add(id: i64, copies: i64) -> Edit {
    Edit::Step { book: book(id), by: copies, new: Some(Box::new(line_of(id, 1))) }
}

/// Pairs of book and copies as they are shown.
fn shown(pending: &Pending, server: &CartView) -> Vec<(i64, u32)> {
    let cart = pending.applied(server, RULE);
    assert_eq!(cart.copies, cart.lines.iter().map(|line| line.quantity.get()).sum::<u32>());
    assert_eq!(cart.total.get(), 100 * i64::from(cart.copies), "the totals follow");
    cart.lines.iter().map(|line| (line.book_id.get(), line.quantity.get())).collect()
}

#[test]
fn five_quick_clicks_are_five_copies_in_two_requests() {
    let mut pending = Pending::default();
    let mut server = cart(&[(7, 2)]);
    pending.push(step(7, 1));
    assert_eq!(pending.next(&server), Some(("cart/add", "book_id=7&quantity=1".into())));
    for clicks in 2..=5 {
        pending.push(step(7, 1));
        assert_eq!(shown(&pending, &server), [(7, 2 + clicks)]);
        assert_eq!(pending.next(&server), None, "one at a time");
    }
    server = cart(&[(7, 3)]);
    pending.landed();
    assert_eq!(shown(&pending, &server), [(7, 7)], "no jump when the first answer comes");
    assert_eq!(pending.next(&server), Some(("cart/add", "book_id=7&quantity=4".into())));
    pending.landed();
    assert!(pending.is_empty());
}

#[test]
fn a_live_message_that_overtakes_its_own_answer_is_not_counted_twice() {
    let mut pending = Pending::default();
    pending.push(step(7, 1));
    pending.next(&cart(&[(7, 2)]));
    assert_eq!(shown(&pending, &cart(&[(7, 3)])), [(7, 3)]);
}

#[test]
fn other_tabs_changes_go_beneath_the_edits() {
    let mut pending = Pending::default();
    pending.push(step(7, -1));
    assert_eq!(pending.next(&cart(&[(7, 3)])), Some(("cart/fewer", "book_id=7&quantity=1".into())));
    pending.push(step(8, 1));
    assert_eq!(shown(&pending, &cart(&[(7, 3), (8, 5), (9, 1)])), [(7, 2), (8, 6), (9, 1)]);
    pending.landed();
    let news = cart(&[(7, 2), (8, 9)]);
    assert_eq!(shown(&pending, &news), [(7, 2), (8, 10)]);
}

#[test]
fn more_and_fewer_cancel_out_and_removing_ends_what_was_wished_before() {
    let server = cart(&[(7, 2), (8, 1)]);
    let mut pending = Pending::default();
    pending.push(step(7, 1));
    pending.push(step(7, -1));
    assert!(pending.is_empty());
    pending.push(step(7, 3));
    pending.push(step(8, 1));
    pending.push(Edit::Remove { book: book(7) });
    assert_eq!(shown(&pending, &server), [(8, 2)]);
    assert_eq!(pending.next(&server), Some(("cart/add", "book_id=8&quantity=1".into())));
    pending.landed();
    assert_eq!(pending.next(&server), Some(("cart/remove", "book_id=7".into())));
    pending.push(step(8, 1));
    pending.push(Edit::Clear);
    assert_eq!(shown(&pending, &server), []);
    pending.push(add(9, 2));
    assert_eq!(shown(&pending, &server), [(9, 2)], "what comes after emptying stays");
    pending.landed();
    assert_eq!(pending.next(&server), Some(("cart/clear", String::new())));
}

#[test]
fn who_leaves_the_page_sends_what_still_waits() {
    let server = cart(&[(7, 2), (8, 1)]);
    let mut pending = Pending::default();
    pending.push(step(7, 1));
    pending.next(&server);
    pending.push(step(7, 1));
    pending.push(step(8, -1));
    let requests = [("cart/add", "book_id=7&quantity=1".to_owned()), ("cart/fewer", "book_id=8&quantity=1".to_owned())];
    assert_eq!(pending.rest(), requests);
    assert_eq!((pending.rest(), shown(&pending, &server)), (vec![], vec![(7, 3), (8, 1)]), "once");
}

#[test]
fn a_line_ends_at_nothing_and_at_ten() {
    let server = cart(&[(7, 2)]);
    let mut pending = Pending::default();
    pending.push(step(7, -2));
    assert_eq!(shown(&pending, &server), []);
    assert_eq!(pending.next(&server), Some(("cart/fewer", "book_id=7&quantity=2".into())));
    let mut pending = Pending::default();
    pending.push(add(7, 10));
    assert_eq!(shown(&pending, &server), [(7, 10)]);
}

#[test]
fn a_refusal_rolls_its_line_back_and_a_lost_connection_everything() {
    let server = cart(&[(7, 2), (8, 1)]);
    let mut pending = Pending::default();
    pending.push(step(7, 1));
    pending.next(&server);
    pending.push(step(7, 1));
    pending.push(Edit::Remove { book: book(8) });
    let mut lost = pending.clone();
    pending.refused(ErrorCode::InsufficientStock);
    assert_eq!(shown(&pending, &server), [(7, 2)], "the other line's edit goes on");
    lost.refused(ErrorCode::NotReady);
    assert_eq!(shown(&lost, &server), [(7, 2), (8, 1)]);
}

#[test]
fn reading_the_new_price_is_an_edit_unless_the_line_is_edited_anyway() {
    let mut server = cart(&[(7, 2)]);
    server.lines[0].notice = Some(LineNotice::PriceChanged { was: Minor::new(120) });
    let mut pending = Pending::default();
    pending.push(Edit::Seen { book: Some(book(7)) });
    server.notice = Some(CartNotice::Merged { titles: 1, cut: 0, left_out: 0 });
    let after = pending.applied(&server, RULE);
    assert_eq!((&after.lines[0].notice, after.notice), (&None, server.notice), "that line's only");
    assert_eq!(pending.next(&server), Some(("cart/seen", "book_id=7".into())));
    pending.landed();
    pending.push(step(7, 1));
    pending.push(Edit::Seen { book: Some(book(7)) });
    assert_eq!(pending.applied(&server, RULE).notice, None, "an edit goes on");
    pending.next(&server);
    pending.landed();
    assert!(pending.is_empty());
    pending.push(Edit::Seen { book: None });
    let after = pending.applied(&server, RULE);
    assert_eq!((&after.lines[0].notice, after.notice, after.copies), (&None, None, 2), "everything was read");
    assert_eq!(pending.next(&server), Some(("cart/seen", String::new())));
}

#[test]
fn the_stock_of_now_speaks_on_every_line_below_worse_news() {
    let mut cart = cart(&[(1, 2), (2, 2), (3, 2), (4, 2), (5, 2)]);
    let was = LineNotice::PriceChanged { was: Minor::new(1) };
    cart.lines[1].notice = Some(LineNotice::SoldOut);
    cart.lines[2].notice = Some(LineNotice::Retired);
    cart.lines[3].notice = Some(was.clone());
    cart.lines[4].notice = Some(LineNotice::Cut { asked: 5, left: 2 });
    let told = |book: BookId| match book.get() {
        1 | 4 => Some(2),
        2 => Some(30),
        3 | 5 => Some(0),
        _ => None,
    };
    with_stock(&mut cart, told);
    let notices: Vec<_> = cart.lines.iter().map(|line| line.notice.clone()).collect();
    let only = Some(LineNotice::OnlyLeft { left: 2 });
    assert_eq!(notices, [only, None, Some(LineNotice::Retired), Some(was), Some(LineNotice::SoldOut)]);
}

#[test]
fn what_somebody_else_changed_is_named() {
    let mut repriced = line_of(9, 1);
    repriced.unit_price = Minor::new(90);
    let mut after = cart(&[(7, 2), (8, 2), (10, 1)]);
    after.lines.push(repriced);
    assert_eq!(changed(&cart(&[(6, 1), (7, 2), (8, 1), (9, 1)]), &after), [8, 10, 9].map(book));
}
