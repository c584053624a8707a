//! The inputs of forms that the server describes: one address, wherever it is asked for.

use super::pages::AddressStep;
use crate::{components::form::Input, ssr::Caller};
use domain::{
    account::PASSWORD_MIN,
    address::{Address, COUNTRIES, MAX_ENTRIES, STATES},
};
use store::accounts::addresses;

pub fn input(name: &str, label: &str, autocomplete: &str) -> Input {
    Input {
        name: name.into(),
        label: label.into(),
        kind: "text".into(),
        autocomplete: autocomplete.into(),
        ..Input::default()
    }
}

pub fn checkbox(name: &str, label: &str) -> Input {
    Input { kind: "checkbox".into(), is_optional: true, ..input(name, label, "off") }
}

pub fn password(name: &str, label: &str, autocomplete: &str) -> Input {
    Input { kind: "password".into(), ..input(name, label, autocomplete) }
}

pub fn new_password() -> Input {
    let help = Some(format!("At least {PASSWORD_MIN} characters. A short sentence is good."));
    Input { help, ..password("password", "New password", "new-password") }
}

/// What the checkout asks for. While the book of addresses cannot be read, the address is typed.
pub async fn checkout(caller: &Caller) -> AddressStep {
    let help = Some("For news of this order. Nothing else.".to_owned());
    let Some(account) = caller.account() else {
        let email = Input { kind: "email".into(), help, ..input("email", "E-mail", "email") };
        return AddressStep { contact: Some(email), inputs: address(None, ""), ..AddressStep::default() };
    };
    let book = addresses::list(caller.store(), account.id).await.unwrap_or_else(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "the checkout goes on without the address book");
        Vec::new()
    });
    let mut inputs = address(None, &account.name);
    if book.len() < MAX_ENTRIES {
        inputs.push(checkbox("keep_address", "Keep this address for next time"));
    }
    if !book.is_empty() {
        // Out of sight while another address is chosen, so the browser must not insist on them.
        inputs.iter_mut().for_each(|input| input.is_asked_later = true);
    }
    AddressStep { book, inputs, ..AddressStep::default() }
}

/// Filled in with an address, or with the name of whom it is probably for.
pub fn address(known: Option<&Address>, name: &str) -> Vec<Input> {
    let value = |of: fn(&Address) -> &str| known.map(of).unwrap_or_default().to_owned();
    let half = |input: Input| Input { is_half: true, ..input };
    let states = STATES.map(|state| (state.to_owned(), state.to_owned()));
    let countries = COUNTRIES.map(|(code, name)| (code.to_owned(), name.to_owned()));
    vec![
        Input { value: known.map_or(name, |address| &address.name).to_owned(), ..input("name", "Full name", "name") },
        Input { value: value(|address| &address.line1), ..input("line1", "House and street", "address-line1") },
        Input {
            value: value(|address| address.line2.as_deref().unwrap_or_default()),
            is_optional: true,
            ..input("line2", "Area or landmark", "address-line2")
        },
        half(Input { value: value(|address| &address.city), ..input("city", "City", "address-level2") }),
        half(Input {
            choices: states.into(),
            value: value(|address| &address.state),
            ..input("state", "State", "address-level1")
        }),
        half(Input {
            inputmode: Some("numeric".into()),
            value: value(|address| &address.postcode),
            ..input("postcode", "PIN code", "postal-code")
        }),
        half(Input {
            kind: "select".into(),
            choices: countries.into(),
            value: value(|address| &address.country),
            ..input("country", "Country", "country")
        }),
        Input {
            kind: "tel".into(),
            inputmode: Some("tel".into()),
            help: Some("Only for the courier.".into()),
            value: value(|address| &address.phone),
            ..input("phone", "Phone", "tel")
        },
    ]
}
