//! After the storm: no work is left, every promise holds, and what people were told is true.

use super::{
    diary::{Diary, Order},
    house::{House, Loss},
    stocker::Deltas,
    watch::Looks,
};
use crate::{
    orders,
    servers::Servers,
    shop::Shop,
    visitor::{Reply, Visitor},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

/// Longest wait until no work is left: leases, retries and deadlines all come round in it.
const LONGEST_REST: Duration = Duration::from_secs(150);

const PAID: [&str; 4] = ["PAID", "FULFILLING", "SHIPPED", "DELIVERED"];

/// Waits until no work is left; says how long that took and what came last.
pub async fn rest(house: &House) -> Result<String, String> {
    let (started, mut last) = (Instant::now(), Vec::new());
    loop {
        let left = work_left(&house.servers, house.shop());
        if left.is_empty() {
            return Ok(format!("no work was left after {:.1?}; last of all: {}", started.elapsed(), last.join(", ")));
        }
        if started.elapsed() > LONGEST_REST {
            return Err(format!("after {LONGEST_REST:?} of rest there is work left: {}", left.join(", ")));
        }
        last = left;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Kinds of work that is not done, with how much of it there is.
pub fn work_left(servers: &Servers, shop: &Shop) -> Vec<String> {
    let kinds = [
        ("open orders", "SELECT count(*) FROM orders WHERE status IN ('PENDING', 'PAYMENT_PENDING')"),
        ("outbox", "SELECT count(*) FROM outbox"),
        ("gate operations", "SELECT count(*) FROM gate_ops WHERE applied_at IS NULL"),
        ("webhooks", "SELECT count(*) FROM sandbox.events WHERE delivered_at IS NULL AND isfinite(due_at)"),
        ("inbox", "SELECT count(*) FROM webhook_inbox WHERE outcome = 'waiting'"),
        ("refunds", "SELECT count(*) FROM payments WHERE status = 'refunding'"),
    ];
    let sql: Vec<&str> = kinds.iter().map(|(_, sql)| *sql).collect();
    let counts = servers.postgres.ask(&sql.join(" UNION ALL "));
    let placed = servers.redis.ask(&["XLEN", &shop.keys().placed()]);
    let counts = kinds.iter().map(|(kind, _)| *kind).zip(counts).chain([("placed", placed)]);
    counts.filter(|(_, count)| count != "0").map(|(kind, count)| format!("{kind}: {count}")).collect()
}

/// Everything that is wrong, and what is worth telling.
#[derive(Default)]
pub struct Verdict {
    pub wrongs: Vec<String>,
    pub notes: Vec<String>,
}

impl Verdict {
    pub async fn of(house: &House, diary: &Diary, deltas: &Deltas) -> Self {
        let mut verdict = Self { wrongs: diary.wrongs(), notes: Vec::new() };
        verdict.promises(house.shop());
        verdict.orders(house, diary).await;
        verdict.copies(house, deltas);
        verdict.letters(house);
        verdict
    }

    /// Whatever it found stands in the diary.
    pub fn watched(&mut self, looks: &Looks, loses_data: bool) {
        self.notes.push(looks.to_string());
        // A gate that is lost again and again is seldom there to be judged.
        if looks.judged == 0 && !loses_data {
            self.wrongs.push("bazar check was never clean while people shopped".to_owned());
        }
    }

    /// `bazar check` is clean, and what `bazar reconcile` finds it does not find again.
    fn promises(&mut self, shop: &Shop) {
        self.check(shop, "after the rest");
        let first = found(shop);
        if !first.is_empty() {
            self.notes.push(format!("reconciling found: {}", first.join("; ")));
        }
        let again = found(shop);
        if !again.is_empty() {
            self.wrongs.push(format!("reconciling found twice: {}", again.join("; ")));
        }
        self.check(shop, "after reconciling");
    }

    fn check(&mut self, shop: &Shop, when: &str) {
        let output = shop.run(&["check"]);
        if !output.status.success() {
            let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
            self.wrongs.push(format!("bazar check {when}:\n{text}"));
        }
    }

    /// Every accepted order has ended as its shopper was told; lost is only what Redis lost, and it was never paid.
    async fn orders(&mut self, house: &House, diary: &Diary) {
        let rows = house.servers.postgres.ask("SELECT id, status FROM orders");
        let money = house.servers.postgres.ask("SELECT order_id FROM sandbox.payments WHERE status = 'paid'");
        let ended: HashMap<&str, &str> = rows.iter().filter_map(|row| row.split_once('|')).collect();
        let mut counts = BTreeMap::<String, usize>::new();
        for order in diary.orders() {
            let status = ended.get(order.id.as_str()).copied();
            *counts.entry(status.unwrap_or("lost").to_owned()).or_default() += 1;
            match status {
                Some(status) => self.ended(house, &order, status, money.contains(&order.id)),
                None => self.lost(house, &order).await,
            }
        }
        let counts: Vec<String> = counts.into_iter().map(|(status, count)| format!("{status}: {count}")).collect();
        self.notes.push(format!("accepted orders: {}", counts.join(", ")));
    }

    /// `is_paid`: the provider has its money, or had.
    fn ended(&mut self, house: &House, order: &Order, status: &str, is_paid: bool) {
        let seen = order.seen().clone();
        let mut wrong = |what: &str| self.wrongs.push(format!("{} is {status}, but {what} ({seen:?})", order.number));
        let is_sold = PAID.contains(&status);
        if seen.statuses.iter().any(|status| PAID.contains(&status.as_str())) && !is_sold {
            wrong("its shopper saw it paid");
        }
        if is_paid != (is_sold || status == "REFUNDED") {
            wrong(if is_paid { "its money was taken" } else { "there is no money" });
        }
        for end in ["EXPIRED", "CANCELLED", "FAILED"] {
            if seen.statuses.contains(end) && status != end && !is_paid {
                wrong(&format!("its shopper saw it {end}"));
            }
        }
        if status == "FAILED" && !house.losses.iter().any(Loss::forgot_everything) {
            wrong("the shop had said yes");
        }
        // A wish that was only written down in Redis may be lost with it.
        if seen.cancelled && status != "CANCELLED" && !is_paid && house.losses.is_empty() {
            wrong("it was cancelled");
        }
    }

    async fn lost(&mut self, house: &House, order: &Order) {
        let seen = order.seen().clone();
        let unheard = seen.statuses.iter().all(|status| status == "PENDING");
        let may_be = unheard && house.losses.iter().any(|loss| loss.may_have_lost(&order.accepted));
        let reply = order.visitor.get(&format!("{}/api/orders/get?id={}", house.urls()[0], order.id)).await;
        if !may_be {
            self.wrongs.push(format!("{} was accepted and is nowhere ({seen:?}): {}", order.number, reply.body));
        } else if (reply.status, reply.json()["code"].as_str()) != (404, Some("order_lost")) {
            self.wrongs.push(format!("{} is lost, and its page says {}", order.number, reply.body));
        }
    }

    /// What came, less what was sold, is what is there, on both sides.
    fn copies(&mut self, house: &House, deltas: &Deltas) {
        // Imports say counts, not changes: what each of them changed, only the ledger knows.
        let sql = "SELECT s.book_id, s.on_hand, coalesce(sum(i.quantity) FILTER (WHERE o.status IN
                     ('PAID', 'FULFILLING', 'SHIPPED', 'DELIVERED')), 0), (SELECT coalesce(sum(on_hand_delta), 0)
                       FROM stock_movements m WHERE m.book_id = s.book_id AND (kind = 'return' OR operation_id LIKE 'import:%'))
                   FROM stock s LEFT JOIN order_items i USING (book_id) LEFT JOIN orders o ON o.id = i.order_id GROUP BY 1, 2";
        for row in house.servers.postgres.ask(sql) {
            let numbers: Vec<i64> = row.split('|').map(|number| number.parse().expect("a number")).collect();
            let [book, on_hand, sold, counted] = numbers[..] else { panic!("four columns: {row}") };
            let came = deltas.get(&book).copied().unwrap_or(0) + counted;
            if sold > came || on_hand != came - sold {
                self.wrongs.push(format!("book {book}: {came} copies came, {sold} were sold, {on_hand} are on hand"));
            }
        }
    }

    /// Nothing was given up.
    fn letters(&mut self, house: &House) {
        let sql = "SELECT source, key, attempts, left(error, 200) FROM dead_letters WHERE state = 'parked'";
        let letters = house.servers.postgres.ask(sql);
        // A key that Redis forgot, used again, may make an order twice; one of them goes to the dead letters.
        let (twins, others): (Vec<String>, Vec<String>) =
            letters.into_iter().partition(|letter| letter.contains("was placed twice"));
        if !twins.is_empty() {
            self.notes.push(format!("placed twice: {}", twins.len()));
        }
        if !others.is_empty() {
            self.wrongs.push(format!("dead letters: {}", others.join("; ")));
        }
    }
}

/// What `bazar reconcile` says it found.
fn found(shop: &Shop) -> Vec<String> {
    let output = shop.run(&["reconcile"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.contains(" found, ") && !line.contains(": 0 found"));
    let mut lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    if !output.status.success() {
        lines.push(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    lines
}

/// A fresh order goes all the way at both doors.
pub async fn fresh_order(house: &House, book: &str) -> Result<(), String> {
    for url in house.urls() {
        let visitor = Visitor::new(&url);
        let step = |reply: Reply| match reply.status {
            200 => Ok(reply.json()),
            _ => Err(format!("a fresh order at {url}: {} {}", reply.status, reply.body)),
        };
        step(visitor.post("/api/cart/add", &[("book_id", book), ("quantity", "1")]).await)?;
        let placed = step(orders::place(&visitor, "fresh").await)?;
        let id = placed["order_id"].as_str().unwrap_or_default().to_owned();
        reaches(&visitor, &id, "PAYMENT_PENDING").await?;
        let form = [("order_id", id.as_str()), ("provider", "sandbox")];
        let started: Value = step(visitor.post("/api/payments/init", &form).await)?;
        let page = started["redirect_url"].as_str().unwrap_or_default().to_owned();
        visitor.post(&page, &[("outcome", "pay")]).await;
        reaches(&visitor, &id, "PAID").await?;
    }
    Ok(())
}

async fn reaches(visitor: &Visitor, id: &str, status: &str) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(10);
    let mut order = Value::Null;
    while Instant::now() < end {
        order = visitor.get(&format!("/api/orders/get?id={id}")).await.json();
        if order["status"] == status {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("a fresh order does not become {status}: {order}"))
}
