//! `bazar seed`: something to sell and somebody to log in as, for a first look. Twice is as good as once.

use crate::{config::Config, failure::Failure};
use store::{Store, accounts, catalog};

pub async fn run(config: &Config, store: &Store) -> Result<(), Failure> {
    if config.is_production() {
        return Err(Failure::said(
            "the demo logins have known passwords: `bazar seed` refuses with BAZAR_ENV=production",
        ));
    }
    match catalog::seed_demo(store).await.map_err(super::import::failure)? {
        Some(report) => println!("{} demo books", report.added + report.updated),
        None => println!("the demo books are here already"),
    }
    for login in accounts::seed_demo(store).await? {
        println!("{}: {} with the password {}", login.role.as_str(), login.email, login.password);
    }
    Ok(())
}
