//! What is different between two states of a thing, field by field, as people read it.

use domain::people::Changed;
use serde_json::{Map, Value};

/// Fields shown of one entry, and characters of each value.
const MAX_FIELDS: usize = 40;
const MAX_VALUE: usize = 300;

/// The fields whose value is another one, in the order of their names.
pub(super) fn changes(before: Option<Value>, after: Option<Value>) -> Vec<Changed> {
    let (before, after) = (fields(before), fields(after));
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let different = names.filter(|name| before.get(*name) != after.get(*name));
    let mut changes: Vec<Changed> = different
        .map(|name| Changed { field: name.clone(), before: words(before.get(name)), after: words(after.get(name)) })
        .filter(|change| change.before != change.after)
        .take(MAX_FIELDS)
        .collect();
    changes.sort_by(|one, two| one.field.cmp(&two.field));
    changes
}

fn fields(state: Option<Value>) -> Map<String, Value> {
    match state {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(value) => Map::from_iter([("value".to_owned(), value)]),
    }
}

fn words(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::Null => return None,
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let is_long = text.chars().nth(MAX_VALUE).is_some();
    Some(if is_long { text.chars().take(MAX_VALUE).chain(['…']).collect() } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_different_is_told() {
        let told = |before: Value, after: Value| {
            let changes = changes(Some(before), Some(after));
            changes.into_iter().map(|c| (c.field, c.before, c.after)).collect::<Vec<_>>()
        };
        let text = |text: &str| Some(text.to_owned());
        let before = json!({"title": "Old", "price": 100, "tags": ["a"], "gone": true, "same": 1});
        let after = json!({"title": "New", "price": 100, "tags": ["a", "b"], "new": false, "same": 1});
        assert_eq!(
            told(before, after),
            [
                ("gone".to_owned(), text("yes"), None),
                ("new".to_owned(), None, text("no")),
                ("tags".to_owned(), text("[\"a\"]"), text("[\"a\",\"b\"]")),
                ("title".to_owned(), text("Old"), text("New")),
            ]
        );
        assert_eq!(told(Value::Null, json!({"at": null})), []);
        assert_eq!(told(json!(3), json!(4)), [("value".to_owned(), text("3"), text("4"))]);
        let long = told(Value::Null, json!({"note": "x".repeat(1000)}));
        assert_eq!(long[0].2.as_ref().map(|text| text.chars().count()), Some(MAX_VALUE + 1));
    }
}
