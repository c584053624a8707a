//! Where Redis and Postgres say different things about carts. Only looks; the shop runs on meanwhile.
//!
//! A cart without a mark is one that Postgres had, as it stands, when the mark was taken off. So a cart is read in this
//! order: its hash, its marks, its row. Then a row that is older, or as old and different, cannot be a matter of timing,
//! and one that is newer only if the cart has moved since.

use super::{
    CartState, plain, queries,
    scripts::{self, Marks},
};
use crate::{
    Store,
    error::{During, Error},
    jobs::dead_letters,
    stock::keyspace::Scan,
};
use domain::Owner;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// A mark due for so long is one that no worker takes.
const OVERDUE_MS: i64 = 60_000;
/// Between two looks at what may just be on its way.
const PAUSE: Duration = Duration::from_millis(300);

/// What is wrong with a cart that nobody is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Postgres does not have it, or an older state.
    RedisNewer,
    /// Postgres has the same version with another content; or the cart was never proven.
    Differs,
    PostgresNewer,
    /// Its hash, or its row, is not what we write.
    Unreadable,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::RedisNewer => "redis_newer",
            Self::Differs => "differs",
            Self::PostgresNewer => "postgres_newer",
            Self::Unreadable => "unreadable",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Difference {
    pub owner: Owner,
    pub kind: Kind,
    pub v: i64,
    pub t: i64,
    /// Another run of Redis left it: the first call that touches it settles that.
    pub is_doubted: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Carts that Redis has.
    pub carts: usize,
    /// Dirty or parked, and so not judged.
    pub in_flight: usize,
    pub differences: Vec<Difference>,
}

/// Looks at these carts, as far as Redis has them.
pub(crate) async fn carts(store: &Store, owners: &[Owner]) -> Result<Compared, Error> {
    let mut compared = Compared::default();
    if owners.is_empty() {
        return Ok(compared);
    }
    let run = store.redis_run().await?.id;
    let hashes = plain::read(store, owners).await?;
    let marks = scripts::marks(store, owners).await?;
    let rows = queries::load_all(store.pg(), owners).await.during("carts.compare")?;
    for ((owner, fields), Marks { is_dirty, is_dead }) in owners.iter().zip(hashes).zip(marks) {
        if fields.is_empty() {
            continue;
        }
        compared.carts += 1;
        if is_dirty || is_dead {
            compared.in_flight += 1;
            continue;
        }
        let is_doubted = fields.get("e").is_none_or(|era| **era != *run);
        let state = CartState::from_fields(fields).ok().flatten();
        let (v, t) = state.as_ref().map_or((0, 0), |cart| (cart.v, cart.t));
        if let Some(kind) = judge(state.as_ref(), rows.get(owner).map(Result::as_ref)) {
            compared.differences.push(Difference { owner: *owner, kind, v, t, is_doubted });
        }
    }
    Ok(compared)
}

/// `cart`: `None` if it cannot be read.
fn judge(cart: Option<&CartState>, row: Option<Result<&CartState, &sqlx::Error>>) -> Option<Kind> {
    let Some(cart) = cart else { return Some(Kind::Unreadable) };
    let Ok(row) = row.transpose() else { return Some(Kind::Unreadable) };
    match row {
        None => (cart.t > 0).then_some(Kind::RedisNewer),
        Some(row) if row.t > cart.t => Some(Kind::PostgresNewer),
        Some(row) if row.t < cart.t => Some(Kind::RedisNewer),
        Some(row) => (row != cart).then_some(Kind::Differs),
    }
}

/// All carts of Redis, page by page; one may come twice.
pub(crate) struct AllCarts(Scan);

impl AllCarts {
    pub fn of(store: &Store) -> Self {
        Self(Scan::new(store.keys().carts()))
    }

    pub async fn next(&mut self, store: &Store) -> Result<Option<Vec<Owner>>, Error> {
        let page = self.0.next(store).await?;
        // `5}:a:7` of a cart; the marks of a bucket name no owner.
        Ok(page.map(|names| names.iter().filter_map(|name| name.split_once("}:")?.1.parse().ok()).collect()))
    }
}

/// Carts whose marks no worker takes.
#[derive(Debug, Default)]
pub(crate) struct Overdue {
    /// Redis does not have the cart: the mark is about nothing.
    pub without_cart: Vec<Owner>,
    /// How many have a cart; they wait for a worker, or for Postgres.
    pub waiting: usize,
}

pub(crate) async fn overdue(store: &Store) -> Result<Overdue, Error> {
    let mut overdue = Overdue::default();
    for bucket in 0..Owner::CART_BUCKETS {
        let owners = scripts::due_before(store, bucket, store.now().plus(-OVERDUE_MS)).await?;
        for (owner, fields) in owners.iter().zip(plain::read(store, &owners).await?) {
            match fields.is_empty() {
                true => overdue.without_cart.push(*owner),
                false => overdue.waiting += 1,
            }
        }
    }
    Ok(overdue)
}

/// Where the dead carts of Redis and the dead letters of Postgres do not match.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    pub dead_without_letter: Vec<Owner>,
    /// Parked letters of carts that are neither dead nor about to be written, by their ids.
    pub letters_without_mark: Vec<(Owner, i64)>,
}

/// Looks twice: parking and reviving are two steps each.
pub(crate) async fn orphans(store: &Store) -> Result<Orphans, Error> {
    let first = mismatches(store).await?;
    if first.dead_without_letter.is_empty() && first.letters_without_mark.is_empty() {
        return Ok(first);
    }
    tokio::time::sleep(PAUSE).await;
    let mut second = mismatches(store).await?;
    second.dead_without_letter.retain(|owner| first.dead_without_letter.contains(owner));
    second.letters_without_mark.retain(|letter| first.letters_without_mark.contains(letter));
    Ok(second)
}

async fn mismatches(store: &Store) -> Result<Orphans, Error> {
    let dead: HashSet<Owner> = scripts::dead(store).await?.into_iter().collect();
    let letters: HashMap<Owner, i64> = dead_letters::of_carts(store).await?.into_iter().collect();
    let dead_without_letter = dead.iter().filter(|owner| !letters.contains_key(owner)).copied().collect();
    let unmarked: Vec<(Owner, i64)> = letters.into_iter().filter(|(owner, _)| !dead.contains(owner)).collect();
    let owners: Vec<Owner> = unmarked.iter().map(|(owner, _)| *owner).collect();
    let marks = scripts::marks(store, &owners).await?;
    let is_left = |(_, marks): &(_, Marks)| !marks.is_dirty && !marks.is_dead;
    let letters_without_mark = unmarked.into_iter().zip(marks).filter(is_left).map(|(letter, _)| letter).collect();
    Ok(Orphans { dead_without_letter, letters_without_mark })
}
