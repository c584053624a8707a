//! What the shop told people: whatever was answered must be true in the end.

use crate::visitor::{Reply, Visitor};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

#[derive(Default)]
pub struct Diary {
    answers: Mutex<BTreeMap<(&'static str, String), usize>>,
    orders: Mutex<Vec<Arc<Order>>>,
    wrongs: Mutex<Vec<String>>,
}

/// An order that the shop said it had accepted.
pub struct Order {
    pub id: String,
    pub number: String,
    pub body: String,
    /// The browser that placed it, with its receipt.
    pub visitor: Arc<Visitor>,
    /// Between the question and the last answer.
    pub accepted: RangeInclusive<Instant>,
    seen: Mutex<Seen>,
}

/// What its shopper did and was told.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub statuses: BTreeSet<String>,
    /// The cancellation was answered with yes.
    pub cancelled: bool,
    /// The page said that it is lost.
    pub lost: bool,
}

impl Order {
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("what was seen")
    }

    pub fn saw(&self, status: &str) {
        self.seen().statuses.insert(status.to_owned());
    }
}

impl Diary {
    /// Counts an answer by its status and, for refusals, its code. Whoever cannot be served is told when to come again.
    pub fn count(&self, action: &'static str, reply: Option<&Reply>) {
        if let Some(reply) = reply.filter(|reply| reply.status >= 500)
            && (reply.status != 503 || reply.header("retry-after").is_empty())
        {
            let (status, request) = (reply.status, reply.header("x-request-id"));
            self.wrong(format!("{action} was answered with {status} (request {request}): {}", reply.body));
        }
        let answer = match reply {
            None => "no answer".to_owned(),
            Some(reply) if reply.status < 400 => reply.status.to_string(),
            Some(reply) => {
                let code = serde_json::from_str::<Value>(&reply.body).ok();
                let code = code.and_then(|json| json["code"].as_str().map(str::to_owned)).unwrap_or_default();
                format!("{} {code}", reply.status)
            }
        };
        *self.answers.lock().expect("answers").entry((action, answer)).or_default() += 1;
    }

    /// `asked`: before the question.
    pub fn accepted(&self, reply: &Reply, visitor: &Arc<Visitor>, asked: Instant) -> Arc<Order> {
        let json = reply.json();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let order = Arc::new(Order {
            id: text("order_id"),
            number: text("number"),
            body: reply.body.clone(),
            visitor: visitor.clone(),
            accepted: asked..=Instant::now(),
            seen: Mutex::default(),
        });
        self.orders.lock().expect("orders").push(order.clone());
        order
    }

    pub fn orders(&self) -> Vec<Arc<Order>> {
        self.orders.lock().expect("orders").clone()
    }

    /// A promise was seen broken.
    pub fn wrong(&self, what: impl Into<String>) {
        self.wrongs.lock().expect("wrongs").push(what.into());
    }

    pub fn wrongs(&self) -> Vec<String> {
        self.wrongs.lock().expect("wrongs").clone()
    }

    /// Lines for people: each action with its answers.
    pub fn summary(&self) -> Vec<String> {
        let answers = self.answers.lock().expect("answers");
        let mut lines = BTreeMap::<&str, Vec<String>>::new();
        for ((action, answer), count) in answers.iter() {
            lines.entry(action).or_default().push(format!("{answer}: {count}"));
        }
        lines.into_iter().map(|(action, answers)| format!("{action:8} {}", answers.join(", "))).collect()
    }
}
