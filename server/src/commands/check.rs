//! `bazar check`: shows what each promise was held against, and fails when one is broken.

use crate::failure::Failure;
use store::{Store, check};

pub async fn run(store: &Store) -> Result<(), Failure> {
    let findings = check::run(store).await?;
    for finding in &findings {
        let figures: Vec<_> = finding.figures.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let verdict = if finding.violations.is_empty() { "ok    " } else { "BROKEN" };
        println!("{verdict} {} ({})", finding.promise, figures.join(", "));
        for violation in &finding.violations {
            println!("       {violation}");
        }
    }
    let broken = findings.iter().filter(|finding| !finding.violations.is_empty()).count();
    match broken {
        0 => Ok(()),
        1 => Err(Failure::said("1 promise is broken: see above")),
        n => Err(Failure::said(format!("{n} promises are broken: see above"))),
    }
}
