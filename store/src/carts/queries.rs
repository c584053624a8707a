//! SQL of the carts: one row per cart, one per line.

use super::state::{CartState, Line};
use domain::{BookId, Minor, Owner, Quantity};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::{BTreeMap, HashMap, HashSet};
use time::OffsetDateTime;

type Marks = Json<BTreeMap<String, String>>;

struct Row {
    owner: String,
    v: i64,
    t: i64,
    merged_into: Option<String>,
    marks: Marks,
    books: Vec<i64>,
    quantities: Vec<i32>,
    seen: Vec<Option<i64>>,
}

/// The cart as it was last written.
pub(super) async fn load(pg: &PgPool, owner: &Owner) -> Result<Option<CartState>, sqlx::Error> {
    load_all(pg, &[*owner]).await?.remove(owner).transpose()
}

/// Those of these carts that Postgres has; a row that cannot be read is nobody else's error.
pub(super) async fn load_all(
    pg: &PgPool,
    owners: &[Owner],
) -> Result<HashMap<Owner, Result<CartState, sqlx::Error>>, sqlx::Error> {
    let names: Vec<String> = owners.iter().map(Owner::to_string).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT owner, v, t, merged_into, marks AS "marks: Marks",
                  ARRAY(SELECT book_id FROM cart_lines l WHERE l.owner = c.owner ORDER BY book_id) AS "books!",
                  ARRAY(SELECT quantity FROM cart_lines l WHERE l.owner = c.owner ORDER BY book_id) AS "quantities!",
                  ARRAY(SELECT seen_price_minor FROM cart_lines l WHERE l.owner = c.owner ORDER BY book_id)
                      AS "seen!: Vec<Option<i64>>"
           FROM carts c WHERE owner = ANY($1)"#,
        &names
    )
    .fetch_all(pg)
    .await?;
    let cart = |row: Row| {
        let lines = row.books.iter().zip(&row.quantities).zip(&row.seen).map(|((book, copies), seen)| {
            let quantity = Quantity::new(i64::from(*copies)).map_err(broken)?;
            Ok((BookId::new(*book).map_err(broken)?, Line { quantity, seen: seen.map(Minor::new) }))
        });
        let lines = lines.collect::<Result<_, sqlx::Error>>()?;
        let into = row.merged_into.map(|text| text.parse::<Owner>()).transpose().map_err(broken)?;
        Ok(CartState { v: row.v, t: row.t, lines, marks: row.marks.0, into, is_unproven: false })
    };
    rows.into_iter().map(|row| Ok((row.owner.parse().map_err(broken)?, cart(row)))).collect()
}

/// Owners of carts that changed since, after this one.
pub(super) async fn written_since(
    pg: &PgPool,
    since: OffsetDateTime,
    after: &str,
    most: usize,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT owner FROM carts WHERE updated_at >= $1 AND owner > $2 ORDER BY owner LIMIT $3",
        since,
        after,
        i64::try_from(most).unwrap_or(i64::MAX)
    )
    .fetch_all(pg)
    .await
}

/// Owners of carts that belong into Redis, after this one: accounts' that changed since, and moves cut short.
pub(super) async fn restorable(
    pg: &PgPool,
    since: OffsetDateTime,
    after: &str,
    most: usize,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT owner FROM carts c WHERE updated_at >= $1 AND owner > $2 AND (account_id IS NOT NULL
           OR merged_into IS NOT NULL AND EXISTS (SELECT 1 FROM cart_lines l WHERE l.owner = c.owner))
         ORDER BY owner LIMIT $3",
        since,
        after,
        i64::try_from(most).unwrap_or(i64::MAX)
    )
    .fetch_all(pg)
    .await
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// Makes these carts in Postgres what they are given as; one that Postgres has at a later `t` stays as it is.
/// What is written of the lines is their difference from what is there now, whoever wrote that.
/// Rows of `carts` are locked in the order of their owners, so that two writers cannot wait for each other. Rows of
/// `cart_lines` need no order of their own, because every writer of a cart's lines has locked its row of `carts` first.
pub(super) async fn save(db: &mut PgConnection, carts: &[(Owner, &CartState)]) -> Result<(), sqlx::Error> {
    let owners: Vec<String> = save_rows(db, carts).await?;
    let written: HashSet<&String> = owners.iter().collect();
    let (mut of, mut books, mut quantities, mut seen) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (owner, cart) in carts {
        let owner = owner.to_string();
        if !written.contains(&owner) {
            continue;
        }
        for (book, line) in &cart.lines {
            of.push(owner.clone());
            books.push(book.get());
            quantities.push(i64::from(line.quantity.get()));
            seen.push(line.seen.map(Minor::get));
        }
    }
    sqlx::query!(
        "DELETE FROM cart_lines held WHERE owner = ANY($1) AND NOT EXISTS (
           SELECT 1 FROM UNNEST($2::text[], $3::bigint[]) AS line (owner, book_id)
           WHERE line.owner = held.owner AND line.book_id = held.book_id)",
        &owners,
        &of,
        &books
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO cart_lines AS held (owner, book_id, quantity, seen_price_minor)
         SELECT owner, book_id, quantity::integer, seen FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
              AS line (owner, book_id, quantity, seen)
         ON CONFLICT (owner, book_id) DO UPDATE
         SET quantity = excluded.quantity, seen_price_minor = excluded.seen_price_minor
         WHERE (held.quantity, held.seen_price_minor) IS DISTINCT FROM (excluded.quantity, excluded.seen_price_minor)",
        &of,
        &books,
        &quantities,
        &seen as &[Option<i64>]
    )
    .execute(&mut *db)
    .await?;
    Ok(())
}

async fn save_rows(db: &mut PgConnection, carts: &[(Owner, &CartState)]) -> Result<Vec<String>, sqlx::Error> {
    let owners: Vec<String> = carts.iter().map(|(owner, _)| owner.to_string()).collect();
    let accounts: Vec<Option<i64>> = carts.iter().map(|(owner, _)| owner.account().map(|id| id.get())).collect();
    let guests: Vec<Option<uuid::Uuid>> = carts.iter().map(|(owner, _)| owner.guest().map(|id| id.get())).collect();
    let vs: Vec<i64> = carts.iter().map(|(_, cart)| cart.v).collect();
    let ts: Vec<i64> = carts.iter().map(|(_, cart)| cart.t).collect();
    let into: Vec<Option<String>> = carts.iter().map(|(_, cart)| cart.into.map(|owner| owner.to_string())).collect();
    let marks: Vec<Json<&BTreeMap<String, String>>> = carts.iter().map(|(_, cart)| Json(&cart.marks)).collect();
    sqlx::query_scalar!(
        "INSERT INTO carts (owner, account_id, guest_id, v, t, merged_into, marks, updated_at)
         SELECT owner, account_id, guest_id, v, t, merged_into, marks, to_timestamp(t / 1000.0)
         FROM UNNEST($1::text[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::jsonb[])
              AS cart (owner, account_id, guest_id, v, t, merged_into, marks)
         ORDER BY owner
         ON CONFLICT (owner) DO UPDATE SET v = excluded.v, t = excluded.t, marks = excluded.marks,
             merged_into = coalesce(excluded.merged_into, carts.merged_into), updated_at = excluded.updated_at
         WHERE carts.t <= excluded.t
         RETURNING owner",
        &owners,
        &accounts as &[Option<i64>],
        &guests as &[Option<uuid::Uuid>],
        &vs,
        &ts,
        &into as &[Option<String>],
        &marks as &[Json<&BTreeMap<String, String>>]
    )
    .fetch_all(&mut *db)
    .await
}

/// Which of these books are in any cart.
pub(super) async fn held(pg: &PgPool, books: &[i64]) -> Result<HashSet<BookId>, sqlx::Error> {
    let held = sqlx::query_scalar!(
        r#"SELECT book AS "book!" FROM unnest($1::bigint[]) AS asked (book)
           WHERE EXISTS (SELECT FROM cart_lines WHERE book_id = book)"#,
        books
    );
    held.fetch_all(pg).await?.into_iter().map(|book| BookId::new(book).map_err(broken)).collect()
}

/// The next owners whose carts hold the book.
pub(super) async fn holders(pg: &PgPool, book: BookId, after: &str, most: usize) -> Result<Vec<Owner>, sqlx::Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let owners = sqlx::query_scalar!(
        "SELECT owner FROM cart_lines WHERE book_id = $1 AND owner > $2 ORDER BY owner LIMIT $3",
        book.get(),
        after,
        most
    );
    owners.fetch_all(pg).await?.iter().map(|owner| owner.parse().map_err(broken)).collect()
}

/// Carts that stood in the dead letters have been written at `(v, t)` after all. A letter whose cart had come further
/// than that stays: what was written did not come of it.
pub(super) async fn close_dead_letters(pg: &PgPool, written: &[(Owner, i64, i64)]) -> Result<(), sqlx::Error> {
    let owners: Vec<String> = written.iter().map(|(owner, ..)| owner.to_string()).collect();
    let vs: Vec<i64> = written.iter().map(|(_, v, _)| *v).collect();
    let ts: Vec<i64> = written.iter().map(|(.., t)| *t).collect();
    sqlx::query!(
        r"UPDATE dead_letters SET state = 'retried', ended_at = now()
          FROM UNNEST($1::text[], $2::bigint[], $3::bigint[]) AS written (owner, v, t)
          WHERE source = 'cart' AND key = written.owner AND state = 'parked'
            AND CASE WHEN payload #>> '{cart,v}' ~ '^\d{1,18}$' THEN (payload #>> '{cart,v}')::bigint ELSE 0 END <= written.v
            AND CASE WHEN payload #>> '{cart,t}' ~ '^\d{1,18}$' THEN (payload #>> '{cart,t}')::bigint ELSE 0 END <= written.t",
        &owners,
        &vs,
        &ts
    )
    .execute(pg)
    .await?;
    Ok(())
}
