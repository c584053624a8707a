//! Texts of a request → types of the domain, or a 400 that names the argument.

use super::books::ListArgs;
use crate::AppError;
use domain::{AddressId, BookId, IdempotencyKey, Minor, Quantity, catalog::BookQuery, catalog::Sort};

pub fn book(text: &str) -> Result<BookId, AppError> {
    text.parse().map_err(|_| AppError::bad_request("“book_id” must be the number of a book."))
}

pub fn address(text: &str) -> Result<AddressId, AppError> {
    text.parse().map_err(|_| AppError::bad_request("“id” must be the id of an address."))
}

/// How many copies to add; nothing said means one.
pub fn quantity(text: &str) -> Result<Quantity, AppError> {
    let copies = if text.is_empty() { 1 } else { number("quantity", text)? };
    Quantity::new(copies).map_err(|e| AppError::bad_request(format!("“quantity”: {e}.")))
}

/// How many copies a line shall have; `None`: none, so the line goes.
pub fn quantity_or_none(text: &str) -> Result<Option<Quantity>, AppError> {
    if text == "0" { Ok(None) } else { number("quantity", text).and_then(|_| quantity(text)).map(Some) }
}

pub fn amount(name: &str, text: &str) -> Result<Option<Minor>, AppError> {
    if text.is_empty() { Ok(None) } else { number(name, text).map(|units| Some(Minor::new(units))) }
}

/// An amount as people type it, in the field of that name.
pub fn typed_amount(name: &str, text: &str) -> Result<Option<Minor>, AppError> {
    let wrong =
        |_| domain::ApiError::fields([(name.to_owned(), "Write an amount like 499 or 499.50.".to_owned())].into());
    if text.trim().is_empty() { Ok(None) } else { Ok(Some(Minor::parse_typed(text).map_err(wrong)?)) }
}

pub fn page(text: &str) -> Result<u32, AppError> {
    let page = if text.is_empty() { 1 } else { number("page", text)? };
    Ok(u32::try_from(page.max(1)).unwrap_or(u32::MAX))
}

pub fn flag(name: &str, text: &str) -> Result<bool, AppError> {
    match text {
        "" | "false" | "0" | "off" => Ok(false),
        "true" | "1" | "on" => Ok(true),
        _ => Err(AppError::bad_request(format!("“{name}” must be true or false."))),
    }
}

/// The key of a request that must happen once: from the header or the form, and the same when it is in both.
pub fn idempotency_key(header: Option<&str>, field: &str) -> Result<IdempotencyKey, AppError> {
    let header = header.map(|text| text.trim().trim_matches('"'));
    let key = match header {
        Some(header) if !field.is_empty() && header != field => {
            return Err(AppError::bad_request("The header and the field name different idempotency keys."));
        }
        Some(header) => header,
        None => field,
    };
    if key.is_empty() {
        let message = "Send an Idempotency-Key, so that a retry is not a second order.";
        return Err(AppError::new(domain::ErrorCode::MissingKey, message));
    }
    IdempotencyKey::parse(key)
        .map_err(|_| AppError::bad_request("An idempotency key has 1 to 128 visible ASCII characters."))
}

/// The query of a list.
pub fn list(args: ListArgs) -> Result<BookQuery, AppError> {
    let query = BookQuery {
        q: Some(args.q),
        category: Some(args.category),
        author: Some(args.author),
        language: Some(args.language),
        min: amount("min", &args.min)?,
        max: amount("max", &args.max)?,
        in_stock: flag("in_stock", &args.in_stock)?,
        sort: Sort::parse(&args.sort),
        page: page(&args.page)?,
    };
    Ok(query.bounded())
}

fn number(name: &str, text: &str) -> Result<i64, AppError> {
    text.trim().parse().map_err(|_| AppError::bad_request(format!("“{name}” must be a whole number.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ErrorCode;

    #[test]
    fn wrong_texts_are_named() {
        let message = |result: Result<Quantity, AppError>| result.err().map(|e| (e.status(), e.0.message));
        assert_eq!(message(quantity("two")), Some((400, "“quantity” must be a whole number.".into())));
        assert_eq!(message(quantity("11")), Some((400, "“quantity”: choose between 1 and 10 copies.".into())));
        assert_eq!(quantity("").ok().map(Quantity::get), Some(1));
        assert_eq!(quantity_or_none("0"), Ok(None));
        assert!(quantity_or_none("").is_err(), "an empty quantity is no wish");
        assert!(flag("in_stock", "maybe").is_err());
        assert!(book("1 OR 1=1").is_err());
        assert_eq!(page("0"), Ok(1));
    }

    #[test]
    fn one_key_from_header_or_field() {
        let key = |header, field| idempotency_key(header, field).map(String::from).map_err(|e| e.0.code);
        assert_eq!(key(Some("\"a\""), ""), Ok("a".into()));
        assert_eq!(key(None, "a"), Ok("a".into()));
        assert_eq!(key(Some("a"), "a"), Ok("a".into()));
        assert_eq!(key(Some("a"), "b"), Err(ErrorCode::BadRequest));
        assert_eq!(key(None, ""), Err(ErrorCode::MissingKey));
        assert_eq!(key(Some(""), ""), Err(ErrorCode::MissingKey));
        assert_eq!(key(Some("a b"), ""), Err(ErrorCode::BadRequest));
    }
}
