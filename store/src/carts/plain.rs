//! What is read of carts without a script: their hashes as they are.

use super::{state, verb::Reply};
use crate::{
    Store,
    error::{During, Error},
    link::Run,
    stock,
};
use domain::{BookId, OrderId, Owner};
use redis::AsyncCommands;
use std::collections::HashMap;

type Fields = HashMap<String, String>;

/// The whole hashes of these carts, in their order; one round trip.
pub(super) async fn read(store: &Store, owners: &[Owner]) -> Result<Vec<HashMap<String, String>>, Error> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for owner in owners {
        pipe.hgetall(store.keys().cart(owner));
    }
    pipe.query_async(&mut store.redis()).await.during("carts.read")
}

/// A cart as it was found.
pub(super) struct Found {
    /// `None`: it is not here, or this run of Redis has not proven it.
    pub proven: Option<Reply>,
    /// Orders whose copies it gave up, or got back, proven or not: one script takes the copies and sets the mark.
    pub given_up: Vec<OrderId>,
    /// What the gate has of the books that were asked for.
    pub on_sale: HashMap<BookId, i64>,
}

/// The cart and what the gate has of these books; one round trip.
pub(super) async fn find(store: &Store, run: &mut Run, owner: &Owner, books: &[BookId]) -> Result<Found, Error> {
    const OPERATION: &str = "carts.find";
    let cart = store.keys().cart(owner);
    let (fields, on_sale): (Fields, _) = if books.is_empty() {
        (run.connection.hgetall(cart).await.during(OPERATION)?, HashMap::new())
    } else {
        let mut pipe = redis::pipe();
        stock::ask(store, &mut pipe, books);
        let answer = pipe.hgetall(cart).query_async(&mut run.connection).await.during(OPERATION)?;
        let (epoch, counts, fields): (Option<String>, Vec<Option<i64>>, Fields) = answer;
        (fields, stock::told(books, epoch.as_deref(), &counts))
    };
    let given_up = fields.keys().filter_map(|field| state::given_up(field)).collect();
    Ok(Found { proven: Reply::of_proven(fields, &run.id)?, given_up, on_sale })
}

/// Whether these owners' carts, as far as Redis has them, have a mark of these orders; one round trip.
pub(super) async fn given_up(store: &Store, orders: &[(Owner, OrderId)]) -> Result<Vec<bool>, Error> {
    let mut pipe = redis::pipe();
    for (owner, order) in orders {
        pipe.hexists(store.keys().cart(owner), format!("taken:{order}"));
    }
    pipe.query_async(&mut store.redis()).await.during("carts.given_up")
}
