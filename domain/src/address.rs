//! Where a parcel goes.

use crate::{AddressId, ApiError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A delivery address; made by [`Address::parse`], so what is stored has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub name: String,
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub state: String,
    pub postcode: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub phone: String,
}

/// What the form sent, before anything is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddressForm {
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub state: String,
    pub postcode: String,
    pub country: String,
    pub phone: String,
}

/// An address of somebody's address book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: AddressId,
    pub address: Address,
    /// The one to begin with.
    pub is_default: bool,
}

/// Most addresses of one book.
pub const MAX_ENTRIES: usize = 20;

/// Where the shop delivers: code and name. A longer list comes with more couriers.
pub const COUNTRIES: [(&str, &str); 1] = [("IN", "India")];

/// The states and union territories of India, to choose from; programs may send others.
pub const STATES: [&str; 36] = [
    "Andaman and Nicobar Islands",
    "Andhra Pradesh",
    "Arunachal Pradesh",
    "Assam",
    "Bihar",
    "Chandigarh",
    "Chhattisgarh",
    "Dadra and Nagar Haveli and Daman and Diu",
    "Delhi",
    "Goa",
    "Gujarat",
    "Haryana",
    "Himachal Pradesh",
    "Jammu and Kashmir",
    "Jharkhand",
    "Karnataka",
    "Kerala",
    "Ladakh",
    "Lakshadweep",
    "Madhya Pradesh",
    "Maharashtra",
    "Manipur",
    "Meghalaya",
    "Mizoram",
    "Nagaland",
    "Odisha",
    "Puducherry",
    "Punjab",
    "Rajasthan",
    "Sikkim",
    "Tamil Nadu",
    "Telangana",
    "Tripura",
    "Uttar Pradesh",
    "Uttarakhand",
    "West Bengal",
];

/// Longest text in any field of an address, in characters.
pub const MAX_FIELD: usize = 120;

impl Address {
    /// Trims and checks every field; the error names each wrong one.
    pub fn parse(form: &AddressForm) -> Result<Self, ApiError> {
        let mut wrong = BTreeMap::new();
        let mut text = |name: &str, value: &str, missing: &str| checked(&mut wrong, name, value, missing);
        let address = Self {
            name: text("name", &form.name, "Who is the parcel for?"),
            line1: text("line1", &form.line1, "Please give a street and house number."),
            line2: Some(form.line2.trim().to_owned()).filter(|line| !line.is_empty()),
            city: text("city", &form.city, "Please give a city."),
            state: text("state", &form.state, "Please give a state or region."),
            postcode: text("postcode", &form.postcode, "Please give a postcode."),
            country: text("country", &form.country, "Please choose a country.").to_ascii_uppercase(),
            phone: text("phone", &form.phone, "The courier needs a phone number."),
        };
        if address.line2.as_deref().is_some_and(|line| !is_printable(line)) {
            wrong.insert("line2".into(), too_long());
        }
        check_shapes(&mut wrong, &address);
        if wrong.is_empty() { Ok(address) } else { Err(ApiError::fields(wrong)) }
    }
}

impl Address {
    /// On paper, line by line.
    pub fn lines(&self) -> Vec<String> {
        let place = format!("{}, {} {}", self.city, self.state, self.postcode);
        let country =
            COUNTRIES.iter().find(|(code, _)| *code == self.country).map_or(&*self.country, |(_, name)| *name);
        let lines = [Some(&*self.name), Some(&*self.line1), self.line2.as_deref(), Some(&*place), Some(country)];
        let lines = lines.into_iter().chain([Some(&*self.phone)]);
        lines.flatten().map(str::to_owned).collect()
    }
}

fn checked(wrong: &mut BTreeMap<String, String>, name: &str, value: &str, missing: &str) -> String {
    let value = value.trim();
    if value.is_empty() {
        wrong.insert(name.into(), missing.into());
    } else if !is_printable(value) {
        wrong.insert(name.into(), too_long());
    }
    value.to_owned()
}

/// Shapes that a courier would stumble over; only for fields not yet marked.
fn check_shapes(wrong: &mut BTreeMap<String, String>, address: &Address) {
    let mut expect = |name: &str, fits: bool, message: &str| {
        if !fits {
            wrong.entry(name.into()).or_insert_with(|| message.into());
        }
    };
    let country = &address.country;
    expect(
        "country",
        country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()),
        "Use a two-letter country code, like IN.",
    );
    let pin: String = address.postcode.chars().filter(|c| *c != ' ').collect();
    let indian = pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()) && !pin.starts_with('0');
    expect("postcode", country != "IN" || indian, "An Indian PIN code has six digits.");
    let plausible = address.postcode.chars().count() <= 12
        && address.postcode.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'));
    expect("postcode", plausible, "This does not look like a postcode.");
    let digits = address.phone.chars().filter(char::is_ascii_digit).count();
    let phone = address.phone.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'));
    expect("phone", phone && (7..=15).contains(&digits), "A phone number has 7 to 15 digits.");
}

fn is_printable(text: &str) -> bool {
    text.chars().count() <= MAX_FIELD && !text.chars().any(char::is_control)
}

fn too_long() -> String {
    format!("At most {MAX_FIELD} characters on one line.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> AddressForm {
        AddressForm {
            name: " Asha Rao ".into(),
            line1: "12 MG Road".into(),
            line2: " ".into(),
            city: "Bengaluru".into(),
            state: "Karnataka".into(),
            postcode: "560 001".into(),
            country: "in".into(),
            phone: "+91 98450 12345".into(),
        }
    }

    #[test]
    fn a_good_address_is_trimmed() {
        let address = Address::parse(&form()).ok();
        assert_eq!(address.as_ref().map(|a| a.name.as_str()), Some("Asha Rao"));
        assert_eq!(address.as_ref().map(|a| a.country.as_str()), Some("IN"));
        assert_eq!(address.and_then(|a| a.line2), None);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let bad = AddressForm {
            postcode: "5600".into(),
            phone: "call me".into(),
            city: "x".repeat(121),
            name: "a\nb".into(),
            ..form()
        };
        let fields = Address::parse(&bad).err().map(|e| e.fields.into_keys().collect::<Vec<_>>());
        assert_eq!(fields, Some(["city", "name", "phone", "postcode"].map(String::from).to_vec()));
        let empty = Address::parse(&AddressForm::default()).err().map(|e| e.fields.len());
        assert_eq!(empty, Some(7));
    }
}
