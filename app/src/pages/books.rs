//! Lists of books: search, subject, order and page, all of it in the address.

use crate::{
    api::pages::List,
    call::address,
    components::{
        book_card::book_cards,
        category_nav::category_nav,
        get_form::follow,
        icon::icon,
        loaded::loaded,
        page::{PLAIN, Page},
        pagination::pagination,
    },
    html::html,
};
use domain::catalog::Sort;
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

/// What the address says; a list is no place to fail, so what makes no sense there is read as nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    q: String,
    category: String,
    author: String,
    in_stock: bool,
    sort: Sort,
    page: u32,
}

impl Wanted {
    fn read(params: &ParamsMap) -> Self {
        let text = |name: &str| params.get(name).unwrap_or_default().trim().to_owned();
        Self {
            q: text("q"),
            category: text("category"),
            author: text("author"),
            in_stock: params.get("in_stock").is_some_and(|value| value == "true"),
            sort: Sort::parse(&text("sort")),
            page: text("page").parse().unwrap_or(1).max(1),
        }
    }

    /// The address of a page of this list: for people (`/books`) or of its data.
    fn address(&self, path: &str, page: u32) -> String {
        let page = if page > 1 { page.to_string() } else { String::new() };
        let arguments = [
            ("q", self.q.as_str()),
            ("category", &self.category),
            ("author", &self.author),
            ("in_stock", if self.in_stock { "true" } else { "" }),
            ("sort", if self.sort == Sort::default() { "" } else { self.sort.as_str() }),
            ("page", &page),
        ];
        address(path, &arguments)
    }
}

#[component]
pub fn BooksPage() -> impl IntoView {
    let query = use_query_map();
    let wanted = Memo::new(move |_| query.with(Wanted::read));
    loaded(
        move || wanted.with(|wanted| wanted.address("page/books", wanted.page)),
        move |list| show(wanted.get_untracked(), list),
    )
}

fn show(wanted: Wanted, list: List) -> AnyView {
    let subject = list.categories.iter().find(|category| category.slug == wanted.category);
    let title = match (wanted.q.as_str(), subject, wanted.author.as_str()) {
        ("", Some(subject), _) => subject.name.clone(),
        ("", None, "") => "All books".to_owned(),
        ("", None, author) => author.to_owned(),
        (q, ..) => format!("“{q}”"),
    };
    let (total, page, pages) = (list.page.total, list.page.page, list.page.pages());
    let lede = match (total, pages) {
        (0, _) => "Nothing on the shelves matches that.".to_owned(),
        (1, _) => "1 title".to_owned(),
        (_, 1) => format!("{total} titles"),
        _ => format!("{total} titles, page {page} of {pages}"),
    };
    let body = if list.page.books.is_empty() {
        nothing()
    } else {
        let filters = filters(&wanted);
        html! {
            {filters}
            <ul class="shelf">{book_cards(list.page.books, 5)}</ul>
            {pagination(page, pages, |page| wanted.address("/books", page))}
        }
    };
    html! {
        <Page title=title.clone() class=PLAIN>
            <div class="books">
                <div class="books__head"><h1>{title.clone()}</h1><p class="muted">{lede}</p></div>
                {category_nav(list.categories, &wanted.category)}
                <div class="books__content">{body}</div>
            </div>
        </Page>
    }
}

fn filters(wanted: &Wanted) -> AnyView {
    let hidden = |name: &'static str, value: &str| {
        (!value.is_empty()).then(|| html! { <input type="hidden" name=name value=value.to_owned()/> })
    };
    let sort = wanted.sort;
    let options = Sort::ALL.map(|option| {
        html! { <option value=option.as_str() selected=option == sort>{option.label()}</option> }
    });
    html! {
        <form class="filters" action="/books" method="get" on:submit=follow("/books")>
            {hidden("q", &wanted.q)}
            {hidden("category", &wanted.category)}
            {hidden("author", &wanted.author)}
            <div class="field">
                <label class="field__label" for="sort">"Sort by"</label>
                <select class="select" id="sort" name="sort">{Vec::from(options)}</select>
            </div>
            <label class="check">
                <input type="checkbox" name="in_stock" value="true" checked=wanted.in_stock/>" In stock only"
            </label>
            <button class="button button--quiet" type="submit">"Apply"</button>
        </form>
    }
}

fn nothing() -> AnyView {
    html! {
        <div class="empty">
            <div class="empty__arch">{icon("search")}</div>
            <h2>"No book by that name here"</h2>
            <p class="empty__text">"Try fewer words, only the author’s surname, or look through a subject."</p>
            <p class="actions"><a class="button button--primary" href="/books">"See all books"</a></p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pairs: &[(&str, &str)]) -> Wanted {
        let mut params = ParamsMap::new();
        for (name, value) in pairs {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
        Wanted::read(&params)
    }

    #[test]
    fn the_address_is_the_state() {
        assert_eq!(wanted(&[]).address("/books", 1), "/books");
        let some = wanted(&[("q", "a b"), ("sort", "title"), ("in_stock", "true"), ("page", "3")]);
        assert_eq!(some.address("/books", 4), "/books?q=a%20b&in_stock=true&sort=title&page=4");
        assert_eq!(some.page, 3);
    }

    #[test]
    fn nonsense_is_read_as_nothing() {
        let read = wanted(&[("page", "-7"), ("sort", "colour"), ("in_stock", "perhaps")]);
        assert_eq!(read, wanted(&[]));
    }
}
