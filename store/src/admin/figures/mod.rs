//! The figures of a chosen time: money, orders, how far people came, what sells, what runs out.

mod queries;
mod span;

pub use span::Span;

use crate::{
    Store,
    error::{During, Error},
    world::to_timestamp,
};
use domain::{
    Minor, UnixMillis,
    figures::{FiguresView, Funnel, LowBook, Point, TopBook, Totals},
};
use queries::Range;
use std::collections::HashMap;
use time::OffsetDateTime;

const OPERATION: &str = "admin.figures";
/// Everybody who looks within this time sees the same figures.
const GOOD_MS: i64 = 10_000;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Books of each list.
const MOST_BOOKS: i64 = 10;

/// The figures of this time.
pub async fn of(store: &Store, span: Span) -> Result<FiguresView, Error> {
    store.views().figures.get(store, span, GOOD_MS, || count(store, span)).await
}

async fn count(store: &Store, span: Span) -> Result<FiguresView, Error> {
    let now = store.now();
    let (from, to) = span.moments(now);
    let length = span.end(now).since(from);
    let today = span::midnight(now);
    let range = |from: UnixMillis, to: UnixMillis| Range { from: to_timestamp(from), to: to_timestamp(to) };
    let week = |at: UnixMillis| at.plus(-7 * DAY_MS);
    let (chosen, before) = (range(from, to), range(from.plus(-length), to.plus(-length)));
    let pg = store.postgres(OPERATION).await?;
    let code = store.config().currency.code();
    let lists = async {
        let top = queries::top(pg, chosen, MOST_BOOKS).await?;
        let low = queries::low(pg, MOST_BOOKS).await?;
        Ok::<_, sqlx::Error>((top, low, queries::low_total(pg).await?, queries::funnel(pg, chosen).await?))
    };
    let sums = async {
        let totals = [chosen, before, range(today, now), range(week(today), week(now))];
        let mut sums = Vec::with_capacity(totals.len());
        for range in totals {
            sums.push(queries::totals(pg, range, code).await?);
        }
        Ok::<_, sqlx::Error>((sums, queries::buckets(pg, chosen, code, span.step()).await?))
    };
    let (lists, sums) = tokio::join!(lists, sums);
    let ((top, low, low_total, funnel), (sums, buckets)) = (lists.during(OPERATION)?, sums.during(OPERATION)?);
    let [now_sums, before_sums, today_sums, week_ago] = totals(sums)?;
    Ok(FiguresView {
        period: span.period().to_owned(),
        from: span.first_day(now),
        to: span.last_day(now),
        label: span.label(now),
        before_label: span.before_label(),
        wrong: None,
        currency: store.config().currency,
        now: now_sums,
        before: before_sums,
        today: today_sums,
        week_ago,
        series: series(span, now, buckets),
        funnel: Funnel { carts: funnel.carts, ordered: funnel.ordered, paid: funnel.paid },
        top: top.into_iter().map(top_book).collect(),
        low: low.into_iter().map(low_book).collect(),
        low_total,
    })
}

fn totals(sums: Vec<queries::Sums>) -> Result<[Totals; 4], Error> {
    let totals: Vec<Totals> = sums
        .into_iter()
        .map(|sums| Totals {
            captured: Minor::new(sums.captured),
            refunded: Minor::new(sums.refunded),
            payments: sums.payments,
            orders: sums.orders,
            expired: sums.expired,
        })
        .collect();
    totals.try_into().map_err(|_| Error::unexpected(OPERATION, "other sums than asked for"))
}

/// Every step of the time, also those in which nothing happened.
fn series(span: Span, now: UnixMillis, buckets: Vec<queries::Bucket>) -> Vec<Point> {
    let by_start: HashMap<i64, queries::Bucket> =
        buckets.into_iter().map(|bucket| (millis(bucket.start), bucket)).collect();
    let point = |(start, label): (UnixMillis, String)| {
        let bucket = by_start.get(&start.get());
        Point {
            label,
            revenue: Minor::new(bucket.map_or(0, |bucket| bucket.revenue)),
            orders: bucket.map_or(0, |bucket| bucket.orders),
        }
    };
    span.steps(now).into_iter().map(point).collect()
}

fn millis(at: OffsetDateTime) -> i64 {
    crate::world::from_timestamp(at).get()
}

fn top_book(row: queries::TopRow) -> TopBook {
    TopBook { book_id: row.book_id, title: row.title, slug: row.slug, copies: row.copies }
}

fn low_book(row: queries::LowRow) -> LowBook {
    LowBook { book_id: row.book_id, title: row.title, slug: row.slug, available: row.available.into() }
}
