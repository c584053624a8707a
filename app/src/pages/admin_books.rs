//! All books, for the people of the shop: found, counted, and which of them run low.

use super::admin_orders::only_for;
use crate::{
    call::{Post, PostForm, address},
    components::{
        admin_nav::AdminPage,
        filters::{filters, search, select},
        icon::icon,
        loaded::loaded,
        notice::refusal,
        table::{Number, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
};
use domain::{
    Permission,
    catalog::desk::{ShelfPage, ShelfRow, ShelfSort, Show},
    words::number,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

const HERE: &str = "/admin/books";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    q: String,
    category: String,
    show: Show,
    order: ShelfSort,
    after: String,
}

impl Wanted {
    fn read(params: &ParamsMap) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default().trim().to_owned();
        Self {
            q: text("q"),
            category: text("category"),
            show: Show::parse(&text("show")),
            order: ShelfSort::parse(&text("sort")),
            after: text("after"),
        }
    }

    /// The address of a page of this list: for people or of its data.
    fn address(&self, path: &str, show: Show, after: &str) -> String {
        let show = if show == Show::default() { "" } else { show.as_str() };
        let order = if self.order == ShelfSort::default() { "" } else { self.order.as_str() };
        address(
            path,
            &[("q", &self.q), ("category", &self.category), ("show", show), ("sort", order), ("after", after)],
        )
    }
}

#[component]
pub fn AdminBooksPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ReadCatalogue, use_shop(), HERE) {
        return other;
    }
    let query = use_query_map();
    let wanted = Derived::new(move || query.with(Wanted::read));
    loaded(
        move || wanted.with(|wanted| wanted.address("admin/books", wanted.show, &wanted.after)),
        move |page| show(&wanted.get_untracked(), page),
    )
}

fn show(wanted: &Wanted, page: ShelfPage) -> AnyView {
    let next = page.next.as_ref().map(|next| {
        let href = wanted.address(HERE, wanted.show, next);
        html! { <li><a class="pagination__link" rel="next" href=href>"Next "{icon("right")}</a></li> }
    });
    let first = (!wanted.after.is_empty()).then(|| {
        let href = wanted.address(HERE, wanted.show, "");
        html! { <li><a class="pagination__link" href=href>{icon("left")}" First page"</a></li> }
    });
    let low =
        (wanted.show == Show::Low && use_shop().may(Permission::AdjustStock)).then(|| low_everywhere(page.low_from));
    let tabs = tabs(wanted, &page.counts);
    let filters = narrow(wanted, page.categories);
    html! {
        <AdminPage title="Books">
            <header class="page-head desk-head">
                <h1>"Books"</h1>
                {may_edit().then(ways_in)}
            </header>
            {filters}{tabs}{low}{list(page.books)}
            {pages("Pages", first, next)}
        </AdminPage>
    }
}

/// Links to the parts of a list before and behind this one; nothing where it is whole.
pub fn pages(label: &'static str, back: Option<AnyView>, on: Option<AnyView>) -> Option<AnyView> {
    (back.is_some() || on.is_some()).then(|| {
        html! { <nav class="pagination" aria-label=label><ul class="pagination__list">{back}{on}</ul></nav> }
    })
}

fn may_edit() -> bool {
    use_shop().may(Permission::EditCatalogue)
}

fn ways_in() -> AnyView {
    html! {
        <p class="actions">
            <a class="button button--small button--primary" href="/admin/books/new">{icon("plus")}" New book"</a>
            <a class="button button--small" href="/admin/books/files">"Import a file"</a>
            <a class="button button--small" href="/api/admin/books.csv" download="books.csv">"Export all"</a>
        </p>
    }
}

fn narrow(wanted: &Wanted, categories: Vec<(String, String)>) -> AnyView {
    let orders = ShelfSort::ALL.iter().map(|order| (order.as_str().to_owned(), order.label().to_owned()));
    let show = (wanted.show != Show::default()).then(|| {
        html! { <input type="hidden" name="show" value=wanted.show.as_str()/> }
    });
    let fields = [
        search("q", "Title, author, ISBN or SKU", &wanted.q),
        select("category", "Category", &wanted.category, "Any", categories),
        select("sort", "Order", wanted.order.as_str(), "", orders),
    ];
    filters(HERE, "Books", Vec::from(fields), show)
}

/// Each with the number of books behind it.
fn tabs(wanted: &Wanted, counts: &[i64]) -> AnyView {
    let tabs = Show::ALL.iter().zip(counts).map(|(show, count)| {
        let (href, is_on) = (wanted.address(HERE, *show, ""), *show == wanted.show);
        let count = number(count.max(&0).unsigned_abs());
        html! {
            <li>
                <a class="desk-tab" href=href aria-current=is_on.then_some("page")>
                    {show.label()}" "<span class="desk-tab__count">{count}</span>
                </a>
            </li>
        }
    });
    html! { <nav aria-label="Which books"><ul class="desk-tabs">{tabs.collect::<Vec<_>>()}</ul></nav> }
}

fn list(books: Vec<ShelfRow>) -> AnyView {
    if books.is_empty() {
        return html! { <p class="muted">"No book fits. Try fewer words, or another shelf."</p> };
    }
    table(
        "Books table",
        "",
        &[
            Text("Title"),
            Text("SKU"),
            Text("State"),
            Number("Price"),
            Number("On hand"),
            Number("Held"),
            Number("On sale"),
        ],
        books.into_iter().map(row).collect::<Vec<_>>(),
    )
}

fn row(book: ShelfRow) -> AnyView {
    let left = book.on_hand - book.reserved;
    let on_sale = use_shop().live.available(book.id, Some(left));
    let (low_from, is_retired) = (book.low_from, book.is_retired);
    html! {
        <tr>
            <th scope="row" class="desk-title">
                <a class="table__link" href=format!("{HERE}/{}", book.id)>{book.title}</a>
                <span class="small muted">{book.authors}</span>
            </th>
            <td class="nowrap">{book.sku}</td>
            <td>{move || state(is_retired, on_sale.get().unwrap_or(left), low_from)}</td>
            <td class="num">{book.price.with(book.currency).to_string()}</td>
            <td class="num">{book.on_hand}</td>
            <td class="num">{book.reserved}</td>
            <td class="num">{move || on_sale.get().unwrap_or(left)}</td>
        </tr>
    }
}

/// Icon, word and colour.
pub fn state(is_retired: bool, left: i64, low_from: i64) -> AnyView {
    let (slug, mark, words) = match left {
        _ if is_retired => ("cancelled", "x", "Retired"),
        ..=0 => ("failed", "alert", "Sold out"),
        left if left <= low_from => ("payment-pending", "hourglass", "Low"),
        _ => ("paid", "check", "In stock"),
    };
    html! { <span class=format!("status status--{slug}")>{icon(mark)}{words}</span> }
}

/// From how few copies on a book counts as low.
fn low_everywhere(low_from: i64) -> AnyView {
    let post = Post::new("admin/books/low_everywhere");
    let saved = RwSignal::new(false);
    post.on_success(move |_: i64| saved.set(true));
    let wrong = post.wrong("low_from");
    let typed = post.typed("low_from").unwrap_or_else(|| low_from.to_string());
    let said = move || {
        let wrong = wrong.get().map(
            |why| html! { <p class="field__error" id="low-everywhere-error">{icon("alert")}<span>{why}</span></p> },
        );
        wrong.or_else(|| {
            saved.get().then(|| html! { <p class="small" role="status"><a href="/admin/books?show=low" rel="external">"Kept. Look at the list anew"</a></p> })
        })
    };
    html! {
        {refusal(move || post.error()().filter(|error| error.fields.is_empty()))}
        <PostForm to=post class="desk-low">
            <label for="low-everywhere">"A book is low from this many copies on sale, unless it says otherwise:"</label>
            <input class="input" id="low-everywhere" name="low_from" inputmode="numeric" autocomplete="off" required=true value=typed
                aria-invalid=move || wrong.with(Option::is_some).then_some("true")
                aria-describedby=move || wrong.with(Option::is_some).then_some("low-everywhere-error")/>
            <button class="button button--small" aria-busy=move || post.busy()>"Keep"</button>
            {changing(said)}
        </PostForm>
    }
}
