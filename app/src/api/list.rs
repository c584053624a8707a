//! What the page of a list shows: the address says what is wanted, and every choice is an address again.

use super::pages::{Choice, Group, List};
use crate::{AppError, call, components::crumbs::Crumb, next::encode};
use domain::{
    ApiError, Currency, Minor,
    catalog::{BookPage, BookQuery, Category, Facet, Facets, PriceFacet, Sort},
    words::counted,
};
use store::{Store, catalog};

/// What an address says; a list is no place to fail, so what makes no sense there is read as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    /// The path names an author or a category: unlike a filter, it must be there.
    is_about: Option<About>,
    query: BookQuery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Author,
    Category,
}

impl Wanted {
    /// `/authors/jane-austen?sort=title`
    fn read(address: &str) -> Self {
        let (path, arguments) = address.split_once('?').unwrap_or((address, ""));
        let mut wanted = Self::default();
        let query = &mut wanted.query;
        for (name, value) in form_urlencoded::parse(arguments.as_bytes()) {
            let text = Some(value.to_string());
            let price = || value.parse().ok().map(Minor::new);
            match &*name {
                "q" => query.q = text,
                "category" => query.category = text,
                "author" => query.author = text,
                "language" => query.language = text,
                "min" => query.min = price(),
                "max" => query.max = price(),
                "in_stock" => query.in_stock = value == "true",
                "sort" => query.sort = Sort::parse(&value),
                "page" => query.page = value.parse().unwrap_or(1),
                _ => {}
            }
        }
        if let Some(slug) = path.strip_prefix("/authors/") {
            (query.author, wanted.is_about) = (Some(slug.to_owned()), Some(About::Author));
        } else if let Some(slug) = path.strip_prefix("/categories/") {
            (query.category, wanted.is_about) = (Some(slug.to_owned()), Some(About::Category));
        }
        wanted.query = std::mem::take(query).bounded();
        wanted
    }

    /// The address of its first page; an author or a category has a page of its own as long as nothing is searched for.
    fn address(query: &BookQuery) -> String {
        let arguments = arguments(query);
        let pairs: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        call::address(&path(query), &pairs)
    }
}

fn path(query: &BookQuery) -> String {
    match (&query.q, &query.author, &query.category) {
        (None, Some(author), _) if is_slug(author) => format!("/authors/{author}"),
        (None, None, Some(category)) if is_slug(category) => format!("/categories/{category}"),
        _ => "/books".to_owned(),
    }
}

fn is_slug(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What the path does not say.
fn arguments(query: &BookQuery) -> Vec<(&'static str, String)> {
    let path = path(query);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let price = |value: Option<Minor>| value.map(|value| value.get().to_string()).unwrap_or_default();
    let all = [
        ("q", text(&query.q)),
        ("category", if path.starts_with("/categories/") { String::new() } else { text(&query.category) }),
        ("author", if path.starts_with("/authors/") { String::new() } else { text(&query.author) }),
        ("language", text(&query.language)),
        ("min", price(query.min)),
        ("max", price(query.max)),
        ("in_stock", if query.in_stock { "true".to_owned() } else { String::new() }),
        ("sort", if query.sort == Sort::default() { String::new() } else { query.sort.as_str().to_owned() }),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

pub async fn list(store: &Store, address: &str) -> Result<List, AppError> {
    let wanted = Wanted::read(address);
    let query = &wanted.query;
    let shelves = catalog::categories(store).await?;
    let shelf = query.category.as_ref().and_then(|slug| shelves.iter().find(|shelf| shelf.slug == *slug));
    let author = match &query.author {
        Some(slug) if is_slug(slug) => catalog::author(store, slug).await?,
        _ => None,
    };
    let is_there = match wanted.is_about {
        Some(About::Author) => author.is_some(),
        Some(About::Category) => shelf.is_some(),
        None => true,
    };
    if !is_there {
        return Err(ApiError::not_found("this page").into());
    }
    let page = catalog::list(store, query).await?;
    let facets = catalog::facets(store, query).await?;
    let author = author.map(|author| author.name).or_else(|| query.author.clone());
    let chosen = chosen(&wanted, shelf, author.as_deref(), store.config().currency);
    let title = match (&query.q, author, shelf) {
        (Some(q), ..) => format!("“{q}”"),
        (None, Some(author), _) => author,
        (None, None, Some(shelf)) => shelf.name.clone(),
        (None, None, None) => "All books".to_owned(),
    };
    let form = arguments(query).into_iter().filter(|(name, _)| *name != "sort");
    Ok(List {
        title,
        lede: lede(&page),
        crumbs: if path(query) == "/books" { Vec::new() } else { vec![Crumb::all_books()] },
        action: path(query),
        form: form.map(|(name, value)| (name.to_owned(), value)).collect(),
        sort: query.sort,
        here: Wanted::address(query),
        groups: groups(&wanted, facets, store.config().currency),
        chosen,
        pages: page.pages(),
        page: page.page,
        books: page.books,
    })
}

fn lede(page: &BookPage) -> String {
    let titles = |total: i64| counted(total.unsigned_abs(), "title", "titles");
    match (page.total, page.pages()) {
        (0, _) => "Nothing on the shelves matches that.".to_owned(),
        (total, 1) => titles(total),
        (total, pages) => format!("{}, page {} of {pages}", titles(total), page.page),
    }
}

/// The same list with one thing changed, from its first page.
fn with(query: &BookQuery, change: impl FnOnce(&mut BookQuery)) -> String {
    let mut query = query.clone();
    change(&mut query);
    Wanted::address(&query)
}

/// The filters that are on; the address of each is the list without it.
fn chosen(wanted: &Wanted, shelf: Option<&Category>, author: Option<&str>, currency: Currency) -> Vec<Choice> {
    let query = &wanted.query;
    let off =
        |name: String, change: fn(&mut BookQuery)| Choice { name, books: None, href: with(query, change), is_on: true };
    let mut chosen = Vec::new();
    let is_heading = |about: About| query.q.is_none() && (wanted.is_about == Some(about));
    if let (Some(slug), false) = (&query.category, is_heading(About::Category)) {
        chosen.push(off(shelf.map_or_else(|| slug.clone(), |shelf| shelf.name.clone()), |query| query.category = None));
    }
    if let (Some(author), false) = (author, is_heading(About::Author)) {
        chosen.push(off(author.to_owned(), |query| query.author = None));
    }
    if let Some(code) = &query.language {
        chosen.push(off(language(code), |query| query.language = None));
    }
    if query.min.is_some() || query.max.is_some() {
        chosen.push(off(range(query.min, query.max, currency), |query| (query.min, query.max) = (None, None)));
    }
    if query.in_stock {
        chosen.push(off("In stock".to_owned(), |query| query.in_stock = false));
    }
    chosen
}

fn groups(wanted: &Wanted, facets: Facets, currency: Currency) -> Vec<Group> {
    let query = &wanted.query;
    let of = |facets: Vec<Facet>, now: &Option<String>, change: fn(&mut BookQuery, Option<String>)| {
        let choices = facets.into_iter().map(|facet| {
            let is_on = now.as_ref() == Some(&facet.value);
            let href = with(query, |query| change(query, (!is_on).then_some(facet.value)));
            Choice { name: facet.name, books: Some(facet.books), href, is_on }
        });
        choices.collect::<Vec<_>>()
    };
    let languages = facets.languages.into_iter().map(|facet| Facet { name: language(&facet.value), ..facet }).collect();
    let prices = facets.prices.into_iter().filter(|price| price.books > 0).map(|price| {
        let PriceFacet { min, max, books } = price;
        let is_on = (min, max) == (query.min, query.max) && (min.is_some() || max.is_some());
        let href = with(query, |query| (query.min, query.max) = if is_on { (None, None) } else { (min, max) });
        Choice { name: range(min, max, currency), books: Some(books), href, is_on }
    });
    let stock = Choice {
        name: "In stock".to_owned(),
        books: Some(facets.in_stock),
        href: with(query, |query| query.in_stock = !query.in_stock),
        is_on: query.in_stock,
    };
    let authors = match wanted.is_about {
        Some(About::Author) => Vec::new(),
        _ => of(facets.authors, &query.author, |query, author| query.author = author),
    };
    let groups = [
        ("Stock", if stock.books > Some(0) || stock.is_on { vec![stock] } else { Vec::new() }),
        ("Subject", of(facets.categories, &query.category, |query, category| query.category = category)),
        ("Price", prices.collect()),
        ("Author", authors),
        ("Language", of(languages, &query.language, |query, language| query.language = language)),
    ];
    let groups = groups.into_iter().filter(|(_, choices)| !choices.is_empty());
    groups.map(|(title, choices)| Group { title: title.to_owned(), choices }).collect()
}

/// `Under ₹250`, `₹250 to ₹400`, `From ₹1,000`: whole amounts, the end not included.
fn range(min: Option<Minor>, max: Option<Minor>, currency: Currency) -> String {
    let short = |minor: Minor| {
        let text = minor.with(currency).to_string();
        text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
    };
    let end = |max: Minor| short(Minor::new(if max.get() % 100 == 99 { max.get() + 1 } else { max.get() }));
    match (min, max) {
        (None, None) => "Any price".to_owned(),
        (None, Some(max)) => format!("Under {}", end(max)),
        (Some(min), None) => format!("From {}", short(min)),
        (Some(min), Some(max)) => format!("{} to {}", short(min), end(max)),
    }
}

fn language(code: &str) -> String {
    super::pages::language_name(code).map_or_else(|| code.to_owned(), str::to_owned)
}

/// The page of an author, or of what their name finds.
pub fn author_address(author: &catalog::Author) -> String {
    match author.slug.as_str() {
        "" => format!("/books?author={}", encode(&author.name)),
        slug => format!("/authors/{slug}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_state() {
        for address in [
            "/books",
            "/books?q=a%20b&in_stock=true&sort=title",
            "/authors/jane-austen",
            "/authors/jane-austen?category=classics&language=en&min=25000&max=39999",
            "/categories/classics?sort=newest",
            "/books?q=emma&category=classics&author=jane-austen",
            "/books?author=%E0%A4%AA%E0%A5%8D%E0%A4%B0",
        ] {
            assert_eq!(Wanted::address(&Wanted::read(address).query), address);
        }
        assert_eq!(Wanted::address(&Wanted::read("/books?category=classics&page=3").query), "/categories/classics");
    }

    #[test]
    fn nonsense_is_read_as_nothing() {
        let read = Wanted::read("/books?page=-7&sort=colour&in_stock=perhaps&min=cheap&%FF=x&q=%20");
        assert_eq!(read, Wanted::read("/books"));
    }

    #[test]
    fn ranges_are_said_in_whole_amounts() {
        let said = |min: Option<i64>, max: Option<i64>| range(min.map(Minor::new), max.map(Minor::new), Currency::Inr);
        assert_eq!(said(None, Some(24_999)), "Under ₹250");
        assert_eq!(said(Some(25_000), Some(39_999)), "₹250 to ₹400");
        assert_eq!(said(Some(100_000), None), "From ₹1,000");
    }
}
