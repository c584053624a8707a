//! What one page needs in one answer. Made for the pages of this app only; other clients use the other modules.

#[cfg(feature = "ssr")]
use crate::ssr::Caller;
use crate::{
    AppError,
    components::{crumbs::Crumb, form::Input},
};
#[cfg(feature = "ssr")]
use domain::{Minor, catalog::BookQuery};
use domain::{
    address::Entry,
    cart::{CartView, Changes},
    catalog::{BookCard, Category, Sort},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    pub shelf: Vec<BookCard>,
    pub newest: Vec<BookCard>,
    pub categories: Vec<Category>,
    /// Titles on sale.
    pub titles: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub title: String,
    pub lede: String,
    pub books: Vec<BookCard>,
    pub page: u32,
    pub pages: u32,
    /// The address of its first page.
    pub here: String,
    /// The form that orders it: where it leads, and what it keeps.
    pub action: String,
    pub form: Vec<(String, String)>,
    /// The lists that it is a part of.
    pub crumbs: Vec<Crumb>,
    pub sort: Sort,
    /// The filters that are on; each leads to the list without it.
    pub chosen: Vec<Choice>,
    pub groups: Vec<Group>,
}

/// Filters of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub title: String,
    pub choices: Vec<Choice>,
}

/// A filter, and where following it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub name: String,
    /// Books that it leaves.
    pub books: Option<u32>,
    pub href: String,
    pub is_on: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    pub card: BookCard,
    pub more: BookMore,
    /// Others by its first author.
    pub same_author: Vec<BookCard>,
    /// Others of its first category.
    pub near: Vec<BookCard>,
}

/// What [`domain::catalog::BookDetail`] says besides the card; flattened as there, it would be read through a buffer,
/// which is a lot of WASM for one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookMore {
    /// Names of its authors and the addresses of their pages.
    pub by: Vec<(String, String)>,
    pub subtitle: Option<String>,
    pub isbn: Option<String>,
    pub language: String,
    pub pages: Option<i32>,
    pub description: String,
    pub categories: Vec<Category>,
    pub on_sale: bool,
    /// What it costs to have it sent, and how long that takes.
    pub delivery: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub cart: CartView,
    /// The same for every tab and reload that shows this version of the cart.
    pub key: String,
    /// The cart as [`domain::cart::Seen`] writes it, for the next look.
    pub seen: String,
    /// What is different from what the page showed before.
    pub changes: Option<Changes>,
    pub address: AddressStep,
    /// What it costs to bring it there, and how long it takes.
    pub delivery: String,
}

/// Where the parcel goes, and how its shopper is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressStep {
    /// Guests say where we can write to them.
    pub contact: Option<Input>,
    /// The addresses to choose from; another one can be typed.
    pub book: Vec<Entry>,
    pub inputs: Vec<Input>,
}

/// Books on one row of the home and book pages.
#[cfg(feature = "ssr")]
const ROW: usize = 6;

#[server(name = HomePage, prefix = "/api", endpoint = "page/home", input = GetUrl)]
pub async fn home() -> Result<Home, AppError> {
    let caller = Caller::current()?;
    let shelf = store::catalog::home(caller.store()).await?;
    let categories = store::catalog::categories(caller.store()).await?;
    let newest = BookQuery { sort: Sort::Newest, in_stock: true, ..BookQuery::default() }.bounded();
    let page = store::catalog::list(caller.store(), &newest).await?;
    let shelf: Vec<BookCard> = shelf.iter().take(ROW).cloned().collect();
    let fresh = page.books.into_iter().filter(|book| shelf.iter().all(|shown| shown.id != book.id));
    let newest = fresh.take(ROW).collect();
    let titles = store::catalog::list(caller.store(), &BookQuery::default().bounded()).await?.total;
    Ok(Home { shelf, newest, categories: categories.to_vec(), titles })
}

/// `at`: the address of the page, like `/authors/jane-austen?sort=title`.
#[server(name = ListPage, prefix = "/api", endpoint = "page/books", input = GetUrl)]
pub async fn books(#[server(default)] at: String) -> Result<List, AppError> {
    let caller = Caller::current()?;
    super::list::list(caller.store(), &at).await
}

#[server(name = BookPageOf, prefix = "/api", endpoint = "page/book", input = GetUrl)]
pub async fn book(#[server(default)] slug: String) -> Result<Book, AppError> {
    use domain::catalog::BookDetail;
    let caller = Caller::current()?;
    let book = store::catalog::book(caller.store(), &slug).await?;
    let book = book.ok_or_else(|| domain::ApiError::not_found("that book"))?;
    let authors = store::catalog::authors_of(caller.store(), book.card.id).await?;
    let author = authors.first().map(|author| if author.slug.is_empty() { &author.name } else { &author.slug });
    let same_author = match author {
        None => Vec::new(),
        author => others(&caller, BookQuery { author: author.cloned(), ..BookQuery::default() }, &[&book.card]).await?,
    };
    let near = match &book.card.category {
        None => Vec::new(),
        category => {
            let shown: Vec<&BookCard> = same_author.iter().chain([&book.card]).collect();
            let query = BookQuery { category: category.clone(), in_stock: true, ..BookQuery::default() };
            others(&caller, query, &shown).await?
        }
    };
    let BookDetail { card, subtitle, isbn, language, pages, description, categories, on_sale } = book;
    let language = language_name(&language).map_or(language, str::to_owned);
    let by = authors.into_iter().map(|author| (author.name.clone(), super::list::author_address(&author))).collect();
    let delivery = delivery(caller.store().config(), card.price);
    let more = BookMore { by, subtitle, isbn, language, pages, description, categories, on_sale, delivery };
    Ok(Book { card, more, same_author, near })
}

/// A row of a list, without the books shown already.
#[cfg(feature = "ssr")]
async fn others(caller: &Caller, query: BookQuery, shown: &[&BookCard]) -> Result<Vec<BookCard>, AppError> {
    let page = store::catalog::list(caller.store(), &query.bounded()).await?;
    let books = page.books.into_iter().filter(|book| shown.iter().all(|shown| shown.id != book.id));
    Ok(books.take(ROW).collect())
}

/// `Delivery ₹49, free from ₹999. With you in 3 to 6 days, anywhere in India.`
#[cfg(feature = "ssr")]
fn delivery(config: &store::config::StoreConfig, price: Minor) -> String {
    let (rule, money) = (config.delivery, |amount: Minor| amount.with(config.currency).to_string());
    let cost = if rule.fee_for(price) == Minor::ZERO {
        "Delivery is free".to_owned()
    } else if rule.free_from == Minor::new(i64::MAX) {
        format!("Delivery {}", money(rule.fee))
    } else {
        format!("Delivery {}, free from {}", money(rule.fee), money(rule.free_from))
    };
    format!("{cost}. Usually with you in {}, anywhere in India.", config.delivery_days)
}

/// The English name of a language of ISO 639, by its two- or three-letter code.
#[cfg(feature = "ssr")]
pub fn language_name(code: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str, &str); 24] = [
        ("en", "eng", "English"),
        ("hi", "hin", "Hindi"),
        ("bn", "ben", "Bengali"),
        ("ta", "tam", "Tamil"),
        ("te", "tel", "Telugu"),
        ("mr", "mar", "Marathi"),
        ("gu", "guj", "Gujarati"),
        ("kn", "kan", "Kannada"),
        ("ml", "mal", "Malayalam"),
        ("ur", "urd", "Urdu"),
        ("sa", "san", "Sanskrit"),
        ("fr", "fre", "French"),
        ("de", "ger", "German"),
        ("es", "spa", "Spanish"),
        ("it", "ita", "Italian"),
        ("pt", "por", "Portuguese"),
        ("nl", "nld", "Dutch"),
        ("ru", "rus", "Russian"),
        ("pl", "pol", "Polish"),
        ("ja", "jpn", "Japanese"),
        ("zh", "chi", "Chinese"),
        ("ar", "ara", "Arabic"),
        ("la", "lat", "Latin"),
        ("el", "gre", "Greek"),
    ];
    // Catalogues also write `en-US`.
    let start = code.split('-').next().unwrap_or(code);
    NAMES.iter().find(|(two, three, _)| *two == start || *three == start).map(|(.., name)| *name)
}

#[server(name = CheckoutPage, prefix = "/api", endpoint = "page/checkout", input = GetUrl)]
pub async fn checkout(#[server(default)] seen: String) -> Result<Checkout, AppError> {
    let caller = Caller::current()?;
    let Some(viewer) = caller.viewer() else {
        let cart = CartView::empty(caller.store().config().currency);
        let [key, seen, delivery] = [const { String::new() }; 3];
        return Ok(Checkout { cart, key, seen, changes: None, address: AddressStep::default(), delivery });
    };
    let cart = store::carts::view(caller.store(), &viewer.owner).await?;
    let key = store::orders::checkout_key(&viewer.owner, cart.version).to_string();
    let changes = store::carts::changes(caller.store(), &cart, &seen).await?;
    let delivery = delivery(caller.store().config(), cart.subtotal);
    let address = super::fields::checkout(&caller).await;
    Ok(Checkout { seen: domain::cart::Seen::of(&cart).to_string(), cart, key, changes, address, delivery })
}
