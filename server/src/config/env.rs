//! Reads variables and remembers everything that was wrong, so that one start shows all there is to mend.

use super::ConfigError;
use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

pub(super) struct Env<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl<'a> Env<'a> {
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get, problems: Vec::new(), warnings: Vec::new() }
    }

    /// The warnings, unless something was wrong.
    pub fn finish(self) -> Result<Vec<String>, ConfigError> {
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(ConfigError(self.problems)) }
    }

    pub fn problem(&mut self, line: impl Into<String>) {
        self.problems.push(line.into());
    }

    pub fn warn(&mut self, line: impl Into<String>) {
        self.warnings.push(line.into());
    }

    pub fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A URL that has no default; its value is never repeated in a message, it may hold a password.
    pub fn required(&mut self, name: &str, example: &str, schemes: &[&str]) -> String {
        match self.text(name) {
            Some(value) if schemes.iter().any(|scheme| value.starts_with(scheme)) => return value,
            Some(_) => self.problem(format!("{name} is not a URL of the kind {example}")),
            None => self.problem(format!("{name} is not set; it must look like {example}")),
        }
        String::new()
    }

    pub fn number(&mut self, name: &str, default: i64, range: RangeInclusive<i64>) -> i64 {
        let Some(value) = self.text(name) else { return default };
        match value.parse() {
            Ok(number) if range.contains(&number) => return number,
            _ if *range.end() == i64::MAX => {
                self.problem(format!("{name} must be a whole number from {} on, not {value:?}", range.start()));
            }
            _ => {
                let (low, high) = (range.start(), range.end());
                self.problem(format!("{name} must be a whole number from {low} to {high}, not {value:?}"));
            }
        }
        default
    }

    pub fn one_of<T: Copy>(&mut self, name: &str, default: T, choices: &[(&str, T)]) -> T {
        let Some(value) = self.text(name) else { return default };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == value) {
            return *choice;
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        self.problem(format!("{name} must be {}, not {value:?}", words.join(" or ")));
        default
    }

    pub fn addr(&mut self, name: &str) -> Option<SocketAddr> {
        let value = self.text(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.problem(format!("{name} must be an address and a port like 127.0.0.1:3000, not {value:?}"));
        }
        parsed
    }

    /// Addresses separated by commas.
    pub fn addresses(&mut self, name: &str) -> Vec<IpAddr> {
        let value = self.text(name).unwrap_or_default();
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parsed: Result<Vec<IpAddr>, _> = parts.map(str::parse).collect();
        parsed.unwrap_or_else(|_| {
            self.problem(format!("{name} must be IP addresses separated by commas, not {value:?}"));
            Vec::new()
        })
    }

    pub fn key_prefix(&mut self, name: &str, default: &str) -> String {
        let value = self.text(name).unwrap_or_else(|| default.to_owned());
        let plain = value.len() <= 64
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_' | b'.'));
        if !plain {
            self.problem(format!("{name} may hold up to 64 letters, digits and : - _ . and nothing else"));
        }
        value
    }
}
