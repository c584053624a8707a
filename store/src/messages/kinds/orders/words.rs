//! Parts that messages about orders share.

use super::news::News;
use crate::{
    mail::{Block, BookLine},
    world::to_timestamp,
};
use domain::UnixMillis;
use time::{format_description::BorrowedFormatItem, macros};

/// `4:45 pm on 20 November 2025`, in the shop's own time.
pub(super) fn moment(at: UnixMillis) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] = macros::format_description!(
        "[hour repr:12 padding:none]:[minute] [period case:lower] on [day padding:none] [month repr:long] [year]"
    );
    shown(at, FORMAT)
}

/// `4:45 pm`
pub(super) fn clock(at: UnixMillis) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        macros::format_description!("[hour repr:12 padding:none]:[minute] [period case:lower]");
    shown(at, FORMAT)
}

fn shown(at: UnixMillis, format: &[BorrowedFormatItem<'_>]) -> String {
    let local = to_timestamp(at).to_offset(macros::offset!(+5:30));
    local.format(format).unwrap_or_else(|_| local.to_string())
}

/// `Hello Asha Rao, `
pub(super) fn hello(news: &News) -> String {
    format!("Hello {},", news.order.address.name)
}

/// The books and what they come to.
pub(super) fn receipt(news: &News) -> [Block; 2] {
    let order = &news.order;
    let money = |minor: domain::Minor| minor.with(order.currency).to_string();
    let delivery = if order.delivery == domain::Minor::ZERO { "free".to_owned() } else { money(order.delivery) };
    let sums = [("Books", money(order.subtotal)), ("Delivery", delivery), ("Total", money(order.total))];
    [books(news), Block::Sums(sums.map(|(label, amount)| (label.to_owned(), amount)).into())]
}

pub(super) fn books(news: &News) -> Block {
    let lines = news.order.lines.iter().map(|line| BookLine {
        title: line.title.clone(),
        authors: String::new(),
        copies: line.quantity.get(),
        price: line.unit_price.with(news.order.currency).to_string(),
        href: format!("{}/books/{}", news.shop, line.slug),
    });
    Block::Books(lines.collect())
}

/// Where the parcel goes, line by line.
pub(super) fn address(news: &News) -> Vec<String> {
    let address = &news.order.address;
    let place = format!("{}, {} {}", address.city, address.state, address.postcode);
    let lines = [Some(&address.name), Some(&address.line1), address.line2.as_ref(), Some(&place)];
    lines.into_iter().flatten().cloned().collect()
}

pub(super) fn to_the_order(news: &News, words: &str) -> Block {
    Block::Button { words: words.to_owned(), href: news.link.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_indian() {
        let at = UnixMillis::new(1_763_636_412_000); // 2025-11-20T11:00:12Z
        assert_eq!(moment(at), "4:30 pm on 20 November 2025");
        assert_eq!(clock(UnixMillis::new(951_762_600_000)), "12:00 am");
    }
}
