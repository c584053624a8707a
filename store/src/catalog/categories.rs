//! The shelves every shop knows; a file may name more, which come after these.

/// Slug and name, in shelf order.
const SHELVES: [(&str, &str); 19] = [
    ("literary-fiction", "Literary fiction"),
    ("classics", "Classics"),
    ("indian-writing", "Indian writing"),
    ("historical-fiction", "Historical fiction"),
    ("mystery-and-thriller", "Mystery and thriller"),
    ("science-fiction", "Science fiction"),
    ("fantasy", "Fantasy"),
    ("short-stories", "Short stories"),
    ("poetry", "Poetry"),
    ("children-and-young-adult", "Children and young adult"),
    ("biography-and-memoir", "Biography and memoir"),
    ("history", "History"),
    ("society-and-politics", "Society and politics"),
    ("philosophy", "Philosophy"),
    ("science-and-nature", "Science and nature"),
    ("computing", "Computing"),
    ("business-and-economics", "Business and economics"),
    ("mind-and-self", "Mind and self"),
    ("food-travel-and-art", "Food, travel and art"),
];

/// Where categories stand that are not in the list.
const AFTER_ALL: i32 = 1_000;

/// Name and position of a category: `graphic-novels` that nobody knew becomes “Graphic novels”, after the known ones.
pub(super) fn named(slug: &str) -> (String, i32) {
    let known = SHELVES.iter().zip(1..).find(|((known, _), _)| *known == slug);
    if let Some(((_, name), position)) = known {
        return ((*name).to_owned(), position);
    }
    let mut chars = slug.chars().map(|c| if c == '-' { ' ' } else { c });
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    (first.into_iter().chain(chars).collect(), AFTER_ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_shelves_have_readable_names() {
        assert_eq!(named("food-travel-and-art"), ("Food, travel and art".into(), 19));
        assert_eq!(named("graphic-novels"), ("Graphic novels".into(), 1_000));
    }
}
