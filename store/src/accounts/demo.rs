//! Two people to try the shop with. Their passwords are printed in the README: never seed a shop that is reachable.

use super::queries;
use crate::{
    Store,
    error::{During, Error},
};
use domain::account::{Registration, Role};

/// What to type into the login page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoLogin {
    pub role: Role,
    pub email: &'static str,
    pub password: &'static str,
    name: &'static str,
}

const LOGINS: [DemoLogin; 2] = [
    DemoLogin { role: Role::Owner, email: "admin@bookbazar.local", password: "admin-demo-pass", name: "Asha (admin)" },
    DemoLogin { role: Role::Shopper, email: "shopper@bookbazar.local", password: "shopper-demo-pass", name: "Ravi" },
];

/// Creates the demo accounts that are missing; one that is there keeps its password and role.
pub async fn seed_demo(store: &Store) -> Result<Vec<DemoLogin>, Error> {
    for login in LOGINS {
        let registration = Registration::parse(login.email, login.password, login.name)?;
        if queries::by_email(store.pg(), &registration.email).await.during("accounts.seed_demo")?.is_some() {
            continue;
        }
        let made = make(store, login.role, registration).await;
        // Another process that seeds at the same time was quicker.
        if let Err(error) = made
            && !error.is_refusal()
        {
            return Err(error);
        }
    }
    Ok(LOGINS.to_vec())
}

/// Their addresses count as proven: no mail asks for it, for nobody would read it.
async fn make(store: &Store, role: Role, registration: Registration) -> Result<(), Error> {
    const OPERATION: &str = "accounts.make_demo";
    let email = registration.email.clone();
    let id = match role {
        Role::Shopper => {
            let Registration { email, password, name } = registration;
            let hash = super::hasher(store).hash(password, store.uuid()).await?;
            let inserted = queries::insert_shopper(store.pg(), &email, &name, &hash, store.now()).await;
            inserted.map_err(|error| super::taken_or(OPERATION, error))?.view.id
        }
        _ => super::create_admin(store, registration).await?.view.id,
    };
    queries::set_verified_email(store.pg(), id, email.as_str(), store.now()).await.during(OPERATION)?;
    super::changed(store, id).await
}
