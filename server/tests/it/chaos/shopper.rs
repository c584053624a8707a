//! Somebody who shops on, whatever happens: repeats what was not answered, clicks twice, pays, declines, cancels or
//! lets the time run out.

use super::diary::{Diary, Order};
use crate::{
    dice::Dice,
    orders::ADDRESS,
    visitor::{Reply, Visitor},
};
use futures::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Requests with the same key before somebody gives up.
const TRIES: usize = 10;
/// Orders of one browser: its receipts cookie remembers twenty.
const ORDERS_PER_BROWSER: usize = 15;
/// How long somebody looks at an order that does not move.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Shopper {
    pub number: usize,
    pub dice: Dice,
    pub visitor: Arc<Visitor>,
    pub is_guest: bool,
    /// The doors of the shop.
    pub urls: [String; 2],
    pub books: Arc<Vec<String>>,
    pub diary: Arc<Diary>,
    pub closing: Arc<AtomicBool>,
    pub placed: usize,
    /// Whether Redis may lose data: then an order may be accepted twice under its key.
    pub loses_data: bool,
}

impl Shopper {
    pub async fn shop(mut self) {
        while !self.closing.load(Ordering::Relaxed) {
            self.fill_cart().await;
            if let Some(order) = self.place().await {
                self.decide(&order).await;
            }
            self.pause(50, 500).await;
        }
    }

    async fn fill_cart(&mut self) {
        for _ in 0..self.dice.between(1, 3) {
            let book = self.books[self.dice.below(self.books.len())].clone();
            let copies = self.dice.between(1, 2).to_string();
            self.post("add", "/api/cart/add", &[("book_id", &book), ("quantity", &copies)]).await;
        }
    }

    /// The order, once the shop has said yes; `None`: it said no, or nothing to the end.
    async fn place(&mut self) -> Option<Arc<Order>> {
        self.placed += 1;
        if self.placed.is_multiple_of(ORDERS_PER_BROWSER) {
            let fresh = if self.is_guest { Visitor::new(&self.urls[0]) } else { self.visitor.tab() };
            self.visitor = Arc::new(fresh);
            self.fill_cart().await;
        }
        let key = format!("{}-{}", self.number, self.placed);
        for _ in 0..TRIES {
            let (clicks, door) = (1 + usize::from(self.dice.below(4) == 0), self.dice.below(2));
            let asked = Instant::now();
            let replies = join_all((door..door + clicks).map(|door| self.click(&key, door))).await;
            let accepted: Vec<&Reply> = replies.iter().flatten().filter(|reply| reply.status == 200).collect();
            if let Some(first) = accepted.first() {
                let order = self.diary.accepted(first, &self.visitor, asked);
                accepted.iter().for_each(|other| self.compare(&order, &key, other));
                return Some(order);
            }
            if let Some(no) = replies.into_iter().flatten().find(|reply| reply.status < 500) {
                self.give_way(&no).await;
                return None;
            }
            self.pause(200, 800).await;
        }
        None
    }

    async fn click(&self, key: &str, door: usize) -> Option<Reply> {
        let address = format!("{}/api/orders/place", self.urls[door % 2]);
        let reply = self.visitor.try_post(&address, &ADDRESS, &[("idempotency-key", key)]).await;
        self.diary.count("place", reply.as_ref());
        reply
    }

    /// One key is one order, and one answer.
    fn compare(&self, order: &Order, key: &str, other: &Reply) {
        if !self.loses_data && other.body != order.body {
            self.diary.wrong(format!("key {key} was answered with {} and with {}", order.body, other.body));
        }
    }

    /// After a refusal: begins anew.
    async fn give_way(&mut self, no: &Reply) {
        if no.body.contains("too_many_holds") {
            self.pause(500, 2_000).await;
        } else {
            self.post("clear", "/api/cart/clear", &[]).await;
        }
    }

    async fn decide(&mut self, order: &Arc<Order>) {
        if self.dice.below(5) == 0 {
            let key = format!("{}-{}", self.number, self.placed);
            if let Some(again) = self.click(&key, self.placed).await.filter(|reply| reply.status < 500) {
                match again.status {
                    200 => self.compare(order, &key, &again),
                    status if !self.loses_data => {
                        self.diary.wrong(format!("key {key} of {} was answered with {status}", order.number));
                    }
                    _ => {}
                }
            }
        }
        match self.dice.below(20) {
            0..9 => self.pay(order, "pay").await,
            9..11 => {
                self.pay(order, "decline").await;
                self.pay(order, "pay").await;
            }
            11 => self.pay(order, "late").await,
            12..15 => self.cancel(order).await,
            15 => {
                let mut other = self.clone();
                tokio::join!(self.pay(order, "pay"), other.cancel(order));
            }
            _ => {
                self.look(order).await;
            }
        }
    }

    async fn pay(&mut self, order: &Arc<Order>, outcome: &str) {
        if !self.wait_for(order, &["PAYMENT_PENDING"]).await {
            return;
        }
        let form = [("order_id", order.id.as_str()), ("provider", "sandbox")];
        let Some(started) = self.post("init", "/api/payments/init", &form).await.filter(|r| r.status == 200) else {
            return;
        };
        let page = started.json()["redirect_url"].as_str().unwrap_or_default().to_owned();
        let path = format!("/sandbox/pay/{}", page.rsplit('/').next().unwrap_or_default());
        let pressed = self.post("press", &path, &[("outcome", outcome)]).await;
        if pressed.is_some_and(|reply| reply.status == 303) && outcome != "decline" {
            self.wait_for(order, &["PAID", "FULFILLING", "REFUNDED"]).await;
        }
    }

    async fn cancel(&mut self, order: &Arc<Order>) {
        let form = [("order_id", order.id.as_str())];
        let Some(reply) = self.post("cancel", "/api/orders/cancel", &form).await else { return };
        if reply.status == 200 {
            order.seen().cancelled = true;
            self.wait_for(order, &["CANCELLED", "REFUNDED"]).await;
        }
    }

    /// Looks until the order stands so, or has ended, or patience has.
    async fn wait_for(&mut self, order: &Arc<Order>, wanted: &[&str]) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let Some(status) = self.look(order).await else { continue };
            if wanted.contains(&status.as_str()) {
                return true;
            }
            if matches!(status.as_str(), "EXPIRED" | "CANCELLED" | "FAILED" | "PAID" | "lost") {
                return false;
            }
        }
        false
    }

    /// What the order's page says now.
    async fn look(&mut self, order: &Arc<Order>) -> Option<String> {
        self.pause(50, 300).await;
        let path = format!("{}/api/orders/get?id={}", self.urls[self.dice.below(2)], order.id);
        let reply = order.visitor.try_get(&path).await;
        self.diary.count("look", reply.as_ref());
        let reply = reply?;
        match reply.status {
            200 => {
                let status = reply.json()["status"].as_str().unwrap_or_default().to_owned();
                if order.seen().lost {
                    self.diary.wrong(format!("{} was said to be lost, and is {status}", order.number));
                }
                order.saw(&status);
                Some(status)
            }
            404 if reply.body.contains("order_lost") => {
                order.seen().lost = true;
                Some("lost".to_owned())
            }
            404 => {
                self.diary.wrong(format!("nobody knows {} any more: {}", order.number, reply.body));
                None
            }
            _ => None,
        }
    }

    /// Repeats until somebody answers who is well.
    async fn post(&mut self, action: &'static str, path: &str, form: &[(&str, &str)]) -> Option<Reply> {
        for _ in 0..TRIES {
            let address = format!("{}{path}", self.urls[self.dice.below(2)]);
            let reply = self.visitor.try_post(&address, form, &[]).await;
            self.diary.count(action, reply.as_ref());
            if let Some(reply) = reply.filter(|reply| reply.status < 500) {
                return Some(reply);
            }
            self.pause(200, 800).await;
        }
        None
    }

    async fn pause(&mut self, low_ms: usize, high_ms: usize) {
        tokio::time::sleep(Duration::from_millis(self.dice.between(low_ms, high_ms) as u64)).await;
    }
}
