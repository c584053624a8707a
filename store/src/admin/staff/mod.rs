//! Who works in the shop. A role is given to an account that there is, by an owner; there is always one of those.

mod queries;

use super::audit::{self, Action};
use crate::{
    Store, accounts,
    error::{During, Error},
    viewer::Viewer,
};
use domain::{
    AccountId, ApiError, ErrorCode,
    account::{Email, Role},
    people::StaffMember,
};
use queries::Person;
use serde_json::json;
use std::collections::BTreeMap;

/// What an owner wants.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    pub email: &'a str,
    /// [`Role::Shopper`]: they work here no more.
    pub role: &'a str,
    /// The mark of the consequence that a person has read and agreed to; `None`: nobody needs to.
    pub agreed: Option<&'a str>,
}

/// Everybody who works here: owners first, then by name.
pub async fn list(store: &Store) -> Result<Vec<StaffMember>, Error> {
    const OPERATION: &str = "staff.list";
    let people = queries::list(store.postgres(OPERATION).await?).await.during(OPERATION)?;
    let mut staff = people.into_iter().map(member).collect::<Result<Vec<_>, _>>()?;
    staff.sort_by(|one, two| order(two.role).cmp(&order(one.role)).then_with(|| one.name.cmp(&two.name)));
    Ok(staff)
}

/// Gives this role in the place of the former one. It holds at once: every session of theirs ends by it.
pub async fn set_role(store: &Store, owner: &Viewer, wanted: &Wanted<'_>) -> Result<(), Error> {
    const OPERATION: &str = "staff.set_role";
    let (email, role) = parse(wanted)?;
    let mut tx = store.postgres(OPERATION).await?.begin().await.during(OPERATION)?;
    // From here on, owners that unmake each other come one after the other.
    let owners = queries::lock_owners(&mut *tx).await.during(OPERATION)?;
    if !owner.owner.account().is_some_and(|account| owners.contains(&account.get())) {
        return Err(ApiError::new(ErrorCode::Forbidden, "Only an owner says who works here.").into());
    }
    let person = queries::lock(&mut *tx, email.as_str()).await.during(OPERATION)?.ok_or_else(unknown)?;
    let former = role_of(&person)?;
    if former == role {
        return Ok(());
    }
    if former == Role::Shopper && !person.is_verified {
        return Err(unproven());
    }
    if former == Role::Owner && owners.len() == 1 {
        return Err(wrong("role", "The shop needs an owner. Make somebody else one first."));
    }
    agreed(wanted, &person, former, role)?;
    let account = AccountId::new(person.id).map_err(|error| Error::unexpected(OPERATION, error.to_string()))?;
    queries::set_role(&mut *tx, person.id, role.as_str()).await.during(OPERATION)?;
    let (before, after) = (json!({ "role": former }), json!({ "role": role }));
    audit::note(&mut *tx, store, owner, Action::StaffRole, ("account", &account), before, after).await?;
    tx.commit().await.during(OPERATION)?;
    tracing::info!(account.id = account.get(), from = former.as_str(), to = role.as_str(), "another role");
    accounts::sessions_ended(store, account).await
}

fn parse(wanted: &Wanted<'_>) -> Result<(Email, Role), ApiError> {
    let (email, role) = (Email::parse(wanted.email), Role::parse(wanted.role));
    let mut fields = BTreeMap::new();
    if email.is_err() {
        fields.insert("email".to_owned(), "This does not look like an e-mail address.".to_owned());
    }
    if role.is_none() {
        fields.insert("role".to_owned(), "Choose what they do here.".to_owned());
    }
    match (email, role) {
        (Ok(email), Some(role)) => Ok((email, role)),
        _ => Err(ApiError::fields(fields)),
    }
}

/// An owner who has not read what comes of it is asked first.
fn agreed(wanted: &Wanted<'_>, person: &Person, former: Role, role: Role) -> Result<(), ApiError> {
    let mark = format!("{}-{}-{}", person.id, former.as_str(), role.as_str());
    if wanted.agreed.is_none_or(|agreed| agreed == mark) {
        return Ok(());
    }
    let Person { name, email, .. } = person;
    let sentence = match role {
        Role::Shopper => format!("{name} ({email}) works here no more: everything behind the counter closes to them."),
        role => format!("{name} ({email}) becomes {}: {}.", role.title().to_lowercase(), role.duty()),
    };
    let sentence = format!("{sentence} They are signed out everywhere, and log in anew.");
    Err(ApiError::new(ErrorCode::NeedsConfirmation, sentence).field("agreed", mark))
}

fn member(person: Person) -> Result<StaffMember, Error> {
    let role = role_of(&person)?;
    let account_id = AccountId::new(person.id).map_err(|error| Error::unexpected("staff.read", error.to_string()))?;
    Ok(StaffMember { account_id, name: person.name, email: person.email, role })
}

fn role_of(person: &Person) -> Result<Role, Error> {
    Role::parse(&person.role).ok_or_else(|| Error::unexpected("staff.read", "an unknown role"))
}

/// Of [`Role::ALL`].
fn order(role: Role) -> Option<usize> {
    Role::ALL.iter().position(|known| *known == role)
}

fn unknown() -> Error {
    wrong("email", "Nobody has an account with this address. They register first, then they get a role.")
}

/// Else whoever registered with somebody else's address would get in.
fn unproven() -> Error {
    wrong("email", "They have not confirmed this address yet. Ask them to follow the link in our mail first.")
}

fn wrong(field: &str, message: &str) -> Error {
    ApiError::fields(BTreeMap::from([(field.to_owned(), message.to_owned())])).into()
}
