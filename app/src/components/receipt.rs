//! Lines and totals, as on a till receipt.

use super::cover::cover;
use crate::html::html;
use domain::{Currency, Minor, cart::CartView, order::OrderLine, words};
use leptos::prelude::*;

/// What a line of a receipt says.
pub struct Line {
    pub slug: String,
    pub title: String,
    pub copies: u32,
    pub each: Minor,
    pub total: Minor,
}

/// The foot of a receipt.
#[derive(Clone, Copy)]
pub struct Sums {
    pub subtotal: Minor,
    pub delivery: Minor,
    pub total: Minor,
    pub currency: Currency,
}

impl Sums {
    pub fn of_cart(cart: &CartView) -> Self {
        Self { subtotal: cart.subtotal, delivery: cart.delivery, total: cart.total, currency: cart.currency }
    }
}

pub fn cart_lines(cart: &CartView) -> Vec<Line> {
    let line = |line: &domain::cart::CartLine| Line {
        slug: line.slug.clone(),
        title: line.title.clone(),
        copies: line.quantity.get(),
        each: line.unit_price,
        total: line.line_total,
    };
    cart.lines.iter().map(line).collect()
}

pub fn order_lines(lines: &[OrderLine]) -> Vec<Line> {
    let line = |line: &OrderLine| Line {
        slug: line.slug.clone(),
        title: line.title.clone(),
        copies: line.quantity.get(),
        each: line.unit_price,
        total: line.line_total,
    };
    lines.iter().map(line).collect()
}

/// The compact lines of checkouts and orders.
pub fn compact_lines(lines: Vec<Line>, currency: Currency) -> AnyView {
    let rows = lines.into_iter().map(|line| {
        html! {
            <li class="line line--compact">
                {cover(&line.slug, "cover cover--mini", String::new(), false)}
                <div>
                    <p class="line__title">{line.title}</p>
                    <p class="line__each">{format!("{} × {}", line.copies, line.each.with(currency))}</p>
                </div>
                <p class="line__total num">{line.total.with(currency).to_string()}</p>
            </li>
        }
    });
    html! { <ul class="receipt__lines">{rows.collect::<Vec<_>>()}</ul> }
}

pub fn totals(sums: Sums) -> AnyView {
    let money = |amount: Minor| amount.with(sums.currency).to_string();
    let delivery = if sums.delivery == Minor::ZERO { "Free".to_owned() } else { money(sums.delivery) };
    html! {
        <dl class="totals">
            <div class="totals__row"><dt>"Books"</dt><dd class="num">{money(sums.subtotal)}</dd></div>
            <div class="totals__row"><dt>"Delivery"</dt><dd class="num">{delivery}</dd></div>
            <div class="totals__row totals__row--grand"><dt>"Total"</dt><dd class="num">{money(sums.total)}</dd></div>
        </dl>
    }
}

/// `4 copies of 3 books`
pub fn counted(copies: u32, titles: usize) -> String {
    format!("{} of {}", words::counted(copies.into(), "copy", "copies"), words::counted(titles as u64, "book", "books"))
}
