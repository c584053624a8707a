//! Whether the shop is well, and whether what it says is true, as its people see it.

use crate::UnixMillis;
use serde::{Deserialize, Serialize};

/// The servers that the shop stands on, the checks of its promises, and what was mended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    pub parts: Vec<PartView>,
    /// The latest run of each kind; kinds that never ran are missing.
    pub runs: Vec<RunView>,
    /// Books that the latest check found wrong and that are wrong still.
    pub drift: Vec<DriftView>,
    /// This person may run checks and repairs.
    pub may_run: bool,
}

/// Something that the shop needs: a server, a provider, its own version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    pub title: String,
    /// What is wrong, and what to do about it.
    pub problems: Vec<String>,
    pub facts: Vec<(String, String)>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Holds every promise against the data; changes nothing.
    Check,
    Stock,
    Carts,
    Payments,
}

impl RunKind {
    pub const ALL: [Self; 4] = [Self::Check, Self::Stock, Self::Carts, Self::Payments];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Stock => "stock",
            Self::Carts => "carts",
            Self::Payments => "payments",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Check => "Check all promises",
            Self::Stock => "Compare and mend the stock",
            Self::Carts => "Compare and mend the carts",
            Self::Payments => "Compare with the providers",
        }
    }

    /// What it does.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Check => "Counts books, orders, money, carts and work against each other. Changes nothing.",
            Self::Stock => "Every book and order at the gate against the ledger. What differs is put right.",
            Self::Carts => "Every cart in Redis against Postgres. What differs is put right.",
            Self::Payments => {
                "Seven days of the providers' statements against the ledger. What their word can mend is mended."
            }
        }
    }
}

/// A check or a repair that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    pub kind: RunKind,
    /// Who asked for it.
    pub by: Option<String>,
    pub asked_at: UnixMillis,
    pub started_at: Option<UnixMillis>,
    /// `None`: it is under way.
    pub finished_at: Option<UnixMillis>,
    pub report: Option<Report>,
    /// Why there is no report.
    pub error: Option<String>,
}

/// What a run found; also how it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub sections: Vec<Section>,
    /// Books of which gate and ledger say different numbers.
    #[serde(default)]
    pub drift: Vec<i64>,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.sections.iter().all(|section| section.is_good)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub title: String,
    pub is_good: bool,
    pub figures: Vec<(String, i64)>,
    /// What was found, in words.
    pub lines: Vec<String>,
}

/// A book of which the gate has another number of copies than the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftView {
    pub book_id: i64,
    pub title: String,
    pub at_gate: i64,
    /// Available by the ledger's word.
    pub ledger: i64,
    /// Copies under way between the two.
    pub in_flight: i64,
}

impl DriftView {
    /// What the gate should have on sale.
    pub const fn expected(&self) -> i64 {
        self.ledger - self.in_flight
    }
}
