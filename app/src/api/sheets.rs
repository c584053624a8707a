//! What stands on each sheet: the settings of an account, and the ways to a new password.

mod markup;

use super::{fields, sheet::Sheet};
use crate::{AppError, components::form::Input, next::login_for, ssr::Caller};
use domain::{ApiError, account::AccountView, address::MAX_ENTRIES};
use store::accounts::{addresses, links};

/// A sheet before it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Draft {
    title: String,
    lede: String,
    /// The page it belongs to: address and name.
    back: Option<(String, String)>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    title: String,
    lines: Vec<String>,
    /// The lines are an address.
    is_address: bool,
    forms: Vec<Form>,
    /// Addresses and names.
    links: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Form {
    /// Its server function, like `account/profile`.
    action: String,
    hidden: Vec<(String, String)>,
    inputs: Vec<Input>,
    button: String,
    /// One of several beside each other.
    is_small: bool,
}

/// The sheet at this address, for this person.
pub async fn of(caller: &Caller, at: &str) -> Result<Sheet, AppError> {
    let (path, query) = at.split_once('?').unwrap_or((at, ""));
    let done = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done");
    let done = done.and_then(|(_, what)| self::done(&what));
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let draft = match *steps {
        ["password", "forgot"] => forgot(),
        ["password", "reset", "done"] => was_reset(),
        ["password", "reset", token] => reset(caller, token).await?,
        ["account", ..] => match caller.account() {
            Some(account) => of_account(caller, account, &steps[1..]).await?,
            None => return Ok(Sheet { elsewhere: Some(login_for(path)), ..Sheet::default() }),
        },
        _ => return Err(not_there()),
    };
    let html = markup::html(&draft, done, caller.flash().as_ref());
    Ok(Sheet { title: draft.title, html, elsewhere: None })
}

async fn of_account(caller: &Caller, account: &AccountView, steps: &[&str]) -> Result<Draft, AppError> {
    match *steps {
        ["details"] => Ok(details(account)),
        ["password"] => Ok(password()),
        ["email", token] => verify(caller, account, token).await,
        ["addresses"] => book(caller, account).await,
        ["addresses", "new"] => Ok(address("A new address", Vec::new(), fields::address(None, &account.name), true)),
        ["addresses", id] => edit(caller, account, id).await,
        _ => Err(not_there()),
    }
}

/// What the form before did, by the name it is redirected with.
fn done(what: &str) -> Option<&'static str> {
    let said = match what {
        "name" => "Your name is changed.",
        "email" => {
            "We wrote to your new address. Once you confirm it there, it is yours here; until then the old one stands."
        }
        "sent" => "A mail is on its way. It may take a minute; look into the folder for junk, too.",
        "verified" => "Your address is confirmed. Orders that you placed as a guest with it are now among yours.",
        "password" => "Your new password is set. Everywhere else you are signed out.",
        "address" => "Your address book is up to date.",
        "forgot" => {
            "If somebody has an account with that address, a mail is on its way to it. Its link works for one hour."
        }
        _ => return None,
    };
    Some(said)
}

fn details(account: &AccountView) -> Draft {
    let name = Form {
        action: "account/profile".into(),
        inputs: vec![Input { value: account.name.clone(), ..fields::input("name", "Name", "name") }],
        button: "Save the name".into(),
        ..Form::default()
    };
    let email = Form {
        action: "account/email".into(),
        inputs: vec![
            Input { kind: "email".into(), ..fields::input("email", "New e-mail", "email") },
            Input {
                help: Some("So that nobody else changes where your mails go.".into()),
                ..fields::password("password", "Your password", "current-password")
            },
        ],
        button: "Change the address".into(),
        ..Form::default()
    };
    let resend = Form {
        action: "account/email/resend".into(),
        button: "Send the mail again".into(),
        is_small: true,
        ..Form::default()
    };
    let (said, forms) = match account.is_verified {
        true => (format!("{}, confirmed.", account.email), vec![email]),
        false => {
            let asked = "not confirmed yet. The mail we sent has a link for that; it works for two days.";
            (format!("{}, {asked}", account.email), vec![resend, email])
        }
    };
    Draft {
        title: "Name and e-mail".into(),
        back: to_account(),
        parts: vec![
            Part { title: "Name".into(), forms: vec![name], ..Part::default() },
            Part { title: "E-mail".into(), lines: vec![said], forms, ..Part::default() },
        ],
        ..Draft::default()
    }
}

fn password() -> Draft {
    let change = Form {
        action: "account/password".into(),
        inputs: vec![fields::password("current", "Your password now", "current-password"), fields::new_password()],
        button: "Change the password".into(),
        ..Form::default()
    };
    let sign_out = Form {
        action: "account/sign_out_everywhere".into(),
        button: "Sign out everywhere".into(),
        is_small: true,
        ..Form::default()
    };
    Draft {
        title: "Password and sign-ins".into(),
        back: to_account(),
        parts: vec![
            Part {
                title: "Change the password".into(),
                lines: vec!["You stay signed in here, and nowhere else.".into()],
                forms: vec![change],
                ..Part::default()
            },
            Part {
                title: "Sign out everywhere".into(),
                lines: vec!["On every phone and computer, this one too.".into()],
                forms: vec![sign_out],
                ..Part::default()
            },
        ],
        ..Draft::default()
    }
}

/// The link of the mail: a press of its button proves the address, following it does not.
async fn verify(caller: &Caller, account: &AccountView, token: &str) -> Result<Draft, AppError> {
    let sheet = Draft { title: "Confirm your address".into(), back: to_account(), ..Draft::default() };
    let Some(email) = links::to_verify(caller.store(), account.id, token).await? else {
        let lines = vec!["This link was used already, is too old, or belongs to another account.".into()];
        let links = vec![("/account/details".into(), "Name and e-mail".into())];
        return Ok(Draft { parts: vec![Part { lines, links, ..Part::default() }], ..sheet });
    };
    let form = Form {
        action: "account/email/verify".into(),
        hidden: vec![("token".into(), token.into())],
        button: "Yes, this is my address".into(),
        ..Form::default()
    };
    let lines = vec![format!("Do we reach you at {email}?")];
    Ok(Draft { parts: vec![Part { lines, forms: vec![form], ..Part::default() }], ..sheet })
}

async fn book(caller: &Caller, account: &AccountView) -> Result<Draft, AppError> {
    let entries = addresses::list(caller.store(), account.id).await?;
    let (is_full, is_empty) = (entries.len() >= MAX_ENTRIES, entries.is_empty());
    let button = |action: &str, words: &str, id: &str| Form {
        action: action.into(),
        hidden: vec![("id".into(), id.into())],
        button: words.into(),
        is_small: true,
        ..Form::default()
    };
    let part = |entry: domain::address::Entry| {
        let id = entry.id.to_string();
        let mut forms = vec![button("account/addresses/remove", "Remove", &id)];
        if !entry.is_default {
            forms.insert(0, button("account/addresses/default", "Make it the first choice", &id));
        }
        Part {
            title: if entry.is_default { "First choice".into() } else { String::new() },
            lines: entry.address.lines(),
            is_address: true,
            links: vec![(format!("/account/addresses/{id}"), "Edit".into())],
            forms,
        }
    };
    let mut parts: Vec<Part> = entries.into_iter().map(part).collect();
    if !is_full {
        let links = vec![("/account/addresses/new".into(), "Add an address".into())];
        parts.insert(0, Part { links, ..Part::default() });
    }
    let lede = match (is_empty, is_full) {
        (true, _) => "None yet. Keep one here, and the checkout asks you for nothing but a press.".to_owned(),
        (_, true) => format!("{MAX_ENTRIES} are the most it holds; remove one to add another."),
        _ => "The checkout begins with your first choice.".to_owned(),
    };
    Ok(Draft { title: "Addresses".into(), lede, back: to_account(), parts })
}

async fn edit(caller: &Caller, account: &AccountView, id: &str) -> Result<Draft, AppError> {
    let address_id = id.parse().map_err(|_| not_there())?;
    let known = addresses::get(caller.store(), account.id, address_id).await?;
    let hidden = vec![("id".to_owned(), id.to_owned())];
    Ok(address("Edit the address", hidden, fields::address(Some(&known), ""), false))
}

fn address(title: &str, hidden: Vec<(String, String)>, mut inputs: Vec<Input>, may_be_default: bool) -> Draft {
    if may_be_default {
        inputs.push(fields::checkbox("is_default", "Make it the first choice"));
    }
    let form = Form {
        action: "account/addresses/save".into(),
        hidden,
        inputs,
        button: "Save the address".into(),
        is_small: false,
    };
    Draft {
        title: title.into(),
        back: Some(("/account/addresses".into(), "Addresses".into())),
        parts: vec![Part { forms: vec![form], ..Part::default() }],
        ..Draft::default()
    }
}

fn forgot() -> Draft {
    let form = Form {
        action: "account/password/forgot".into(),
        inputs: vec![Input { kind: "email".into(), ..fields::input("email", "E-mail", "username") }],
        button: "Send me a link".into(),
        ..Form::default()
    };
    Draft {
        title: "Forgot your password?".into(),
        lede: "We send you a link by which you choose a new one.".into(),
        back: Some(("/login".into(), "Log in".into())),
        parts: vec![Part { forms: vec![form], ..Part::default() }],
    }
}

async fn reset(caller: &Caller, token: &str) -> Result<Draft, AppError> {
    let sheet = Draft { title: "Choose a new password".into(), ..Draft::default() };
    if !links::may_reset(caller.store(), token).await? {
        let lines = vec!["This link was used already, or its hour is over.".into()];
        let links = vec![("/password/forgot".into(), "Ask for a new one".into())];
        return Ok(Draft { parts: vec![Part { lines, links, ..Part::default() }], ..sheet });
    }
    let form = Form {
        action: "account/password/reset".into(),
        hidden: vec![("token".into(), token.into())],
        inputs: vec![fields::new_password()],
        button: "Set the password".into(),
        ..Form::default()
    };
    Ok(Draft { parts: vec![Part { forms: vec![form], ..Part::default() }], ..sheet })
}

fn was_reset() -> Draft {
    let lines = vec!["You are signed out everywhere. Log in with the new one.".into()];
    let links = vec![("/login".into(), "Log in".into())];
    Draft {
        title: "Your new password is set".into(),
        parts: vec![Part { lines, links, ..Part::default() }],
        ..Draft::default()
    }
}

fn to_account() -> Option<(String, String)> {
    Some(("/account".into(), "Account".into()))
}

fn not_there() -> AppError {
    ApiError::not_found("this page").into()
}
