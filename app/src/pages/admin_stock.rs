//! The copies of one book: how many there are, corrections by delta with a reason, when they run low, and the ledger.

use super::{
    admin_book::{COUNTED, Desk},
    admin_book_form::input,
    admin_books::pages,
};
use crate::{
    call::{Post, PostForm},
    components::{
        form::Input,
        icon::icon,
        notice::refusal,
        table::{Number, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
    when,
};
use domain::{
    Permission,
    stock::{Movement, MovementKind},
};
use leptos::prelude::*;

/// The forms about copies.
#[derive(Clone, Copy)]
pub struct Shelf {
    desk: Desk,
    /// As the gate says it now.
    on_sale: Derived<Option<i64>>,
    correct: Post,
    low: Post,
}

impl Shelf {
    pub fn new(desk: Desk, on_sale: Derived<Option<i64>>) -> Self {
        let correct = desk.post("admin/books/stock", COUNTED);
        Self { desk, on_sale, correct, low: desk.post("admin/books/low", "Kept.") }
    }

    /// `is_older`: the ledger shows a part that is not the latest.
    pub fn view(self, is_older: bool) -> AnyView {
        let may = use_shop().may(Permission::AdjustStock);
        html! {
            <section class="panel" aria-labelledby="bs-h">
                <h2 class="panel__title" id="bs-h">"Copies"</h2>
                {self.figures()}
                {may.then(|| self.correction())}
                {may.then(|| self.threshold())}
            </section>
            <section class="panel" aria-labelledby="bl-h">
                <h2 class="panel__title" id="bl-h">"Ledger"</h2>
                {changing(move || self.ledger(is_older))}
            </section>
        }
    }

    fn figures(self) -> AnyView {
        let book = self.desk.book;
        let left = move || self.on_sale.get().unwrap_or_else(|| book.with(|book| book.on_hand - book.reserved));
        html! {
            <dl class="figures">
                <div><dt>"On hand"</dt><dd>{move || book.with(|book| book.on_hand)}</dd></div>
                <div><dt>"Held for orders"</dt><dd>{move || book.with(|book| book.reserved)}</dd></div>
                <div><dt>"On sale"</dt><dd class="desk-on-sale">{left}</dd></div>
            </dl>
        }
    }

    /// What was counted is sent: a new form comes with the next operation.
    fn correction(self) -> AnyView {
        let operation = Derived::new(move || self.desk.book.with(|book| book.operation.clone()));
        let form = move || self.correction_form(operation.get());
        html! { {refusal(move || self.correct.error()())}{changing(form)} }
    }

    fn correction_form(self, operation: String) -> AnyView {
        let post = self.correct;
        let id = self.desk.book.with_untracked(|book| book.id.to_string());
        let delta =
            Input { help: Some("5 came, or -3 are gone".into()), is_half: true, ..input("delta", "How many", "") };
        let choice = |kind: MovementKind, words: &str| (kind.as_str().to_owned(), words.to_owned());
        let kind = Input {
            kind: "select".into(),
            is_half: true,
            choices: vec![
                choice(MovementKind::Receipt, "Delivery"),
                choice(MovementKind::Return, "Came back"),
                choice(MovementKind::Adjustment, "Correction"),
            ],
            ..input("kind", "What it is", MovementKind::Receipt.as_str())
        };
        let reason = Input { help: Some("It stands in the ledger.".into()), ..input("reason", "Why", "") };
        html! {
            <PostForm to=post class="admin-steps__form">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="operation" value=operation/>
                <div class="fields">{delta.view(post)}{kind.view(post)}{reason.view(post)}</div>
                <button class="button button--primary" aria-busy=move || post.busy()>"Count them"</button>
            </PostForm>
        }
    }

    fn threshold(self) -> AnyView {
        let post = self.low;
        let (id, own, shops) = self.desk.book.with_untracked(|book| {
            let own = book.low_from.map(|low| low.to_string()).unwrap_or_default();
            (book.id.to_string(), own, book.shop_low_from)
        });
        let low = Input {
            is_optional: true,
            inputmode: Some("numeric".into()),
            help: Some(format!("Empty: {shops}, as for all books.")),
            ..input("low_from", "Low from this many on sale", &own)
        };
        html! {
            {refusal(move || post.error()().filter(|error| error.fields.is_empty()))}
            <PostForm to=post class="admin-steps__form desk-threshold">
                <input type="hidden" name="id" value=id/>
                {low.view(post)}
                <button class="button button--small" aria-busy=move || post.busy()>"Keep"</button>
            </PostForm>
        }
    }

    fn ledger(self, is_older: bool) -> AnyView {
        let (id, ledger, older) = self.desk.book.with(|book| (book.id, book.ledger.clone(), book.older));
        if ledger.is_empty() {
            return html! { <p class="muted">"No copy has come or gone yet."</p> };
        }
        let here = format!("/admin/books/{id}");
        let older = older.map(|older| {
            html! { <li><a class="pagination__link" href=format!("{here}?before={older}")>"Older "{icon("right")}</a></li> }
        });
        let latest = is_older.then(|| {
            html! { <li><a class="pagination__link" href=here.clone()>{icon("left")}" Latest"</a></li> }
        });
        html! {
            {table("Ledger table", "", &[Text("What"), Number("Copies"), Number("On hand"), Number("Held"), Text("At")], ledger.into_iter().map(line).collect::<Vec<_>>())}
            {pages("Pages of the ledger", latest, older)}
        }
    }
}

fn line(movement: Movement) -> AnyView {
    let order = movement.order.map(|(id, number)| {
        html! { " "<a class="table__link" href=format!("/admin/orders/{id}")>{number.to_string()}</a> }
    });
    let is_import = movement.operation.as_deref().is_some_and(|name| name.starts_with("import:"));
    let why = movement.note.or_else(|| is_import.then(|| "From a file".to_owned()));
    let by = movement.by.map(|by| format!("By {by}"));
    let small = [why, by].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    html! {
        <tr>
            <th scope="row">{movement.kind.label()}{order}<span class="desk-why small muted">{small}</span></th>
            <td class="num">{signed(movement.kind, movement.copies)}</td>
            <td class="num">{movement.on_hand}</td>
            <td class="num">{movement.reserved}</td>
            <td class="nowrap">{when::short(movement.at)}</td>
        </tr>
    }
}

/// `+5` where copies came, `−2` where they went; what is only held or given up has no sign.
fn signed(kind: MovementKind, copies: i64) -> String {
    let change = match kind {
        MovementKind::Sale => -copies,
        MovementKind::Reserve | MovementKind::Release => return copies.to_string(),
        MovementKind::Receipt | MovementKind::Return | MovementKind::Adjustment => copies,
    };
    let sign = if change < 0 { "−" } else { "+" };
    format!("{sign}{}", change.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_that_go_have_a_minus() {
        let said = [MovementKind::Sale, MovementKind::Receipt, MovementKind::Reserve].map(|kind| signed(kind, 2));
        assert_eq!(said, ["−2", "+2", "2"]);
        assert_eq!(signed(MovementKind::Adjustment, -3), "−3");
    }
}
