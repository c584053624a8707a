//! Somebody who edits one cart again and again and knows what it must hold after every answer.

use crate::{
    dice::Dice,
    servers::Postgres,
    shop::{Shop, eventually},
    visitor::{Reply, Visitor},
};
use futures::future::join_all;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Between two edits of one person.
const PAUSE: Duration = Duration::from_millis(25);
/// Of these there are at least ten copies.
const TITLES: [&str; 3] = ["The First Book", "The Second Book", "Only Ten Copies"];
const MOST: i64 = 10;

/// Book → copies.
pub type Lines = BTreeMap<i64, i64>;

pub struct Editor {
    pub visitor: Visitor,
    /// Which row of `carts` is theirs.
    owner: String,
    books: Vec<i64>,
    /// What the cart may hold: more than one after an edit of which nobody said whether it happened.
    may_hold: Vec<Lines>,
    dice: Dice,
}

/// One edit, as it went.
pub struct Edited {
    pub status: Option<u16>,
    pub took: Duration,
}

/// How a time of editing went.
pub struct Times(Vec<Edited>);

impl Editor {
    pub async fn shopper(shop: &Shop, number: usize) -> Self {
        let email = format!("shopper{number}@example.org");
        let visitor = shop.shopper(&email).await;
        Self::new(shop, visitor, format!("account_id = (SELECT id FROM accounts WHERE email = '{email}')"), number)
            .await
    }

    pub async fn guest(shop: &Shop, number: usize) -> Self {
        let visitor = shop.visitor();
        visitor.post("/api/cart/clear", &[]).await.ok();
        let cookie = visitor.cookie_header();
        let owner = format!("guest_id = '{}'", &cookie[cookie.len() - 36..]);
        Self::new(shop, visitor, owner, number).await
    }

    async fn new(shop: &Shop, visitor: Visitor, owner: String, number: usize) -> Self {
        let mut books = Vec::new();
        for title in TITLES {
            books.push(shop.book(title).await.parse().expect("a number"));
        }
        let dice = Dice(0x9E37_79B9 + number as u64);
        Self { visitor, owner, books, may_hold: vec![Lines::new()], dice }
    }

    /// Any edit; whatever is answered must fit what the cart may hold.
    pub async fn edit(&mut self) -> Edited {
        let book = self.books[self.dice.below(self.books.len())];
        let copies = 1 + self.dice.below(3) as i64;
        match self.dice.below(10) {
            0 => self.send("clear", None, None, |_| 0).await,
            1 | 2 => self.send("remove", Some(book), None, |_| 0).await,
            3 | 4 => self.send("set", Some(book), Some(copies), |_| copies).await,
            _ => self.send("add", Some(book), Some(copies), |have| (have + copies).min(MOST)).await,
        }
    }

    /// Sets a line, for certain.
    pub async fn set(&mut self, title: usize, copies: i64) {
        let edited = self.send("set", Some(self.books[title]), Some(copies), |_| copies).await;
        assert_eq!(edited.status, Some(200));
    }

    /// The same while nobody can see the rest of the cart: what is answered does not count, what is asked does.
    pub async fn set_unseen(&mut self, title: usize, copies: i64) {
        let (book, quantity) = (self.books[title], copies.to_string());
        let form = [("book_id", book.to_string()), ("quantity", quantity)];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let cart = self.visitor.post("/api/cart/set", &form).await.ok();
        assert_eq!(lines(&cart).get(&book), Some(&copies), "{cart}");
        self.may_hold = vec![changed(self.lines(), Some(book), |_| copies)];
    }

    /// Whether the cart that is shown holds what it must, by now.
    pub async fn is_as_expected(&self) -> bool {
        self.visitor
            .try_get("/api/cart")
            .await
            .is_some_and(|reply| reply.status == 200 && lines(&reply.json()) == *self.lines())
    }

    async fn send(
        &mut self,
        verb: &str,
        book: Option<i64>,
        copies: Option<i64>,
        change: impl Fn(i64) -> i64,
    ) -> Edited {
        let [id, quantity] = [book, copies].map(|number| number.map(|number| number.to_string()));
        let form = [("book_id", &id), ("quantity", &quantity)];
        let form: Vec<_> = form.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let after: Vec<Lines> = self.may_hold.iter().map(|lines| changed(lines, book, &change)).collect();
        let started = Instant::now();
        let reply = self.visitor.try_post(&format!("/api/cart/{verb}"), &form, &[]).await;
        let took = started.elapsed();
        match &reply {
            Some(reply) if reply.status == 200 => self.saw(&after, reply, &format!("{verb} {form:?}")),
            // An error may come before or after the edit.
            _ => {
                self.may_hold.extend(after);
                self.may_hold.sort();
                self.may_hold.dedup();
            }
        }
        Edited { status: reply.map(|reply| reply.status), took }
    }

    /// The cart is there and as it must be.
    pub async fn assert_cart(&mut self) {
        let reply = self.visitor.get("/api/cart").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        self.saw(&self.may_hold.clone(), &reply, "look");
    }

    pub fn lines(&self) -> &Lines {
        assert_eq!(self.may_hold.len(), 1, "nobody knows: {:?}", self.may_hold);
        &self.may_hold[0]
    }

    fn saw(&mut self, allowed: &[Lines], reply: &Reply, what: &str) {
        let seen = lines(&reply.json());
        assert!(allowed.contains(&seen), "{} after {what}: {seen:?} is none of {allowed:?}", self.owner);
        self.may_hold = vec![seen];
    }

    /// What Postgres has of this cart.
    pub fn persisted(&self, postgres: &Postgres) -> Lines {
        let sql = format!("SELECT book_id, quantity FROM cart_lines JOIN carts USING (owner) WHERE {}", self.owner);
        let rows = postgres.ask(&sql);
        let numbers = rows.iter().filter_map(|row| row.split_once('|'));
        numbers.map(|(book, copies)| (book.parse().expect("a book"), copies.parse().expect("copies"))).collect()
    }

    pub async fn wait_until_persisted(&self, postgres: &Postgres) {
        let what = format!("Postgres to hold {:?} of {}", self.lines(), self.owner);
        eventually(&what, || async { (self.persisted(postgres) == *self.lines()).then_some(()) }).await;
    }
}

/// Everybody edits for that long, each at their own pace.
pub async fn edit_for(editors: &mut [Editor], time: Duration) -> Times {
    let end = Instant::now() + time;
    let all = editors.iter_mut().map(|editor| async move {
        let mut edits = Vec::new();
        while Instant::now() < end {
            edits.push(editor.edit().await);
            tokio::time::sleep(PAUSE).await;
        }
        edits
    });
    Times(join_all(all).await.into_iter().flatten().collect())
}

impl Times {
    /// Every edit was accepted.
    pub fn assert_all_accepted(&self, when: &str) {
        let refused: Vec<_> = self.0.iter().filter(|edit| edit.status != Some(200)).map(|edit| edit.status).collect();
        assert!(refused.is_empty(), "{when}: {} of {} edits failed: {refused:?}", refused.len(), self.0.len());
    }

    pub fn median(&self) -> Duration {
        let mut times: Vec<_> = self.0.iter().map(|edit| edit.took).collect();
        times.sort_unstable();
        times[times.len() / 2]
    }

    pub fn slowest(&self) -> Duration {
        self.0.iter().map(|edit| edit.took).max().unwrap_or_default()
    }

    pub fn accepted(&self) -> usize {
        self.0.iter().filter(|edit| edit.status == Some(200)).count()
    }
}

/// The lines of an answer.
pub fn lines(cart: &Value) -> Lines {
    let lines = cart["lines"].as_array().unwrap_or_else(|| panic!("no cart: {cart}"));
    let number = |value: &Value| value.as_i64().expect("a number");
    lines.iter().map(|line| (number(&line["book_id"]), number(&line["quantity"]))).collect()
}

fn changed(lines: &Lines, book: Option<i64>, change: impl Fn(i64) -> i64) -> Lines {
    let Some(book) = book else { return Lines::new() };
    let mut lines = lines.clone();
    match change(lines.get(&book).copied().unwrap_or(0)) {
        0 => lines.remove(&book),
        copies => lines.insert(book, copies),
    };
    lines
}
