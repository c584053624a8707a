//! What must hold for any title a catalogue may bring.

use super::{HEIGHT, cover_svg, glyphs, layout, text};

const CATEGORIES: [&str; 20] = [
    "literary-fiction",
    "classics",
    "science-fiction",
    "fantasy",
    "mystery-and-thriller",
    "historical-fiction",
    "poetry",
    "short-stories",
    "indian-writing",
    "children-and-young-adult",
    "history",
    "biography-and-memoir",
    "science-and-nature",
    "philosophy",
    "society-and-politics",
    "business-and-economics",
    "mind-and-self",
    "food-travel-and-art",
    "computing",
    "?",
];

fn assert_fits(title: &str, author: &str) {
    let (title, author) = (text::clean(title), text::clean(author));
    let setting = layout::set(&title, &author);
    for block in &setting.blocks {
        assert!(block.width <= layout::MEASURE + 0.01, "{:?} is {} wide", block.text, block.width);
    }
    assert!(setting.bottom < HEIGHT - 120.0, "{title:?} leaves no room for the print: {}", setting.bottom);
}

fn lines(title: &str) -> Vec<String> {
    layout::set(title, "").blocks.into_iter().map(|b| b.text).collect()
}

#[test]
fn the_same_arguments_give_the_same_cover() {
    for (seed, category) in (0..).zip(CATEGORIES) {
        assert_eq!(cover_svg("Gora", "Tagore", category, seed), cover_svg("Gora", "Tagore", category, seed));
    }
}

#[test]
fn neighbours_differ() {
    for category in CATEGORIES {
        let covers: std::collections::HashSet<_> = (0..24).map(|seed| cover_svg("Gora", "", category, seed)).collect();
        assert!(covers.len() > 20, "{category}: {} of 24 differ", covers.len());
    }
}

#[test]
fn markup_in_a_title_stays_text() {
    let svg = cover_svg(r#"<script>&"'</title>"#, "<b>A & B</b>", "poetry", 1);
    assert!(svg.contains("<title>&lt;script&gt;&amp;&quot;&#39;&lt;/title&gt;, &lt;b&gt;A &amp; B&lt;/b&gt;</title>"));
    assert!(!svg.contains("<script") && !svg.contains("<b>"));
}

#[test]
fn long_titles_step_down_and_keep_their_words() {
    let title = "The Curious Incident of the Dog in the Night-Time and Several Other Matters of Some Importance to the Household";
    assert_fits(title, "Mark Haddon");
    assert_eq!(lines(title).join(" "), title);
    assert!(!lines("One Hundred Years of Solitude").iter().any(|line| line.ends_with(" of")));
}

#[test]
fn only_very_long_titles_end_in_an_ellipsis() {
    let title = "word ".repeat(60);
    assert!(text::clean(&title).ends_with("word…"));
    assert!(text::clean(&title).chars().count() <= 121);
    assert_fits(&title, &"A. Author, ".repeat(20));
}

#[test]
fn subtitles_and_series_are_set_apart() {
    assert_eq!(
        text::split_title("The Hunger Games (The Hunger Games, #1)"),
        ("The Hunger Games", "The Hunger Games, #1")
    );
    assert_eq!(text::split_title("Sapiens: A Brief History"), ("Sapiens", "A Brief History"));
    assert_eq!(text::split_title("(parentheses)"), ("(parentheses)", ""));
    assert_eq!(text::split_title("Q: A"), ("Q: A", ""));
}

#[test]
fn odd_text_neither_panics_nor_overflows() {
    let odd = [
        "",
        " ",
        "…",
        "a\u{0}b\u{FFFE}\u{202E}c",
        "गोदान",
        "源氏物語源氏物語源氏物語源氏物語源氏物語源氏物語源氏物語",
        "👩‍👩‍👧‍👦 🎉",
        "Ça ira, naïve Ærøskøbing ŁÓDŹ",
        "e\u{301}\u{301}\u{301}tude",
        ": (",
        "x (",
        "ß",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    ];
    let unbroken = "W".repeat(500);
    for title in odd.into_iter().chain([unbroken.as_str()]) {
        assert_fits(title, title);
        let svg = cover_svg(title, title, "history", 7);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert!(!svg.contains(['\u{0}', '\u{FFFE}', '\u{202E}']));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}

#[test]
fn the_typeface_is_whole_and_lends_its_outlines() {
    assert!(glyphs::outline("The Quick Brown Fox, Łódź & “Ṛṣi”", 0.0).is_some());
    assert!(glyphs::outline("गोदान", 0.0).is_none());
    assert!((glyphs::measure("n", 0.0) - 0.6).abs() < 0.15);
    assert!(cover_svg("गोदान", "Premchand", "classics", 3).contains(r#"fill-opacity="1">गोदान</text>"#));
}

#[test]
fn many_authors_become_the_first_and_others() {
    let crowd =
        "Gabriel García Márquez, Mario Vargas Llosa, Julio Cortázar, Carlos Fuentes, Isabel Allende, Juan Rulfo";
    let words: Vec<_> = layout::set("Boom", crowd).blocks.into_iter().skip(1).map(|b| b.text).collect();
    assert_eq!(words.join(" "), "Gabriel García Márquez and others");
}

#[test]
fn covers_stay_small() {
    for category in CATEGORIES {
        for seed in 0..40 {
            let size =
                cover_svg("On the Origin of Species by Means of Natural Selection", "Charles Darwin", category, seed)
                    .len();
            assert!(size < 90_000, "{category} {seed}: {size} bytes");
        }
    }
}
