//! The shop's look in mails. Kinds of mail say what there is to say in [`Block`]s; only this file knows HTML, so only
//! this file must escape. Mail programs know neither stylesheets nor SVG: everything is inline, covers are drawn by a cell.

use domain::markup::escape;
use std::fmt::Write;

// Tokens of style/_tokens.scss, light: mail programs darken by themselves.
const PAPER: &str = "#fbf7f0";
const CARD: &str = "#ffffff";
const INK: &str = "#1f1a17";
const INK_2: &str = "#5b524b";
const LINE: &str = "#e4dbcf";
const ACCENT: &str = "#0e5a63";
const ON_ACCENT: &str = "#ffffff";
const AWNING_2: &str = "#f1e4cf";
const SERIF: &str = "Fraunces,Georgia,'Noto Serif',serif";
const SANS: &str = "'Source Sans 3',Arial,'Noto Sans',sans-serif";

/// A part of a letter.
pub(crate) enum Block {
    Heading(String),
    Text(String),
    Books(Vec<BookLine>),
    /// What it comes to: a label and an amount in each row; the last one counts.
    Sums(Vec<(String, String)>),
    /// A label, and a line or several.
    Facts(Vec<(&'static str, Vec<String>)>),
    /// The one thing to do.
    Button {
        words: String,
        href: String,
    },
    Small(String),
}

pub(crate) struct BookLine {
    pub title: String,
    /// Empty: not said.
    pub authors: String,
    pub copies: u32,
    /// Of one copy: `₹399`.
    pub price: String,
    pub href: String,
}

pub(crate) struct Footer<'a> {
    /// The shop's address.
    pub shop: &'a str,
    /// Which mails, and the link that ends them.
    pub unsubscribe: Option<(&'static str, String)>,
}

pub(crate) fn text(blocks: &[Block], footer: &Footer<'_>) -> String {
    let mut out = String::new();
    for block in blocks {
        let _ = match block {
            Block::Heading(text) | Block::Text(text) | Block::Small(text) => writeln!(out, "{}\n", plain(text)),
            Block::Books(lines) => writeln!(out, "{}", lines.iter().map(text_line).collect::<String>()),
            Block::Sums(rows) => writeln!(out, "{}", rows.iter().map(text_sum).collect::<String>()),
            Block::Facts(facts) => writeln!(out, "{}", facts.iter().map(text_fact).collect::<String>()),
            Block::Button { words, href } => writeln!(out, "{}:\n{href}\n", plain(words)),
        };
    }
    let _ = writeln!(out, "--\nBook Bazar · {}", footer.shop);
    if let Some((what, href)) = &footer.unsubscribe {
        let _ = writeln!(out, "No more {what}:\n{href}");
    }
    out
}

fn text_line(line: &BookLine) -> String {
    let BookLine { title, authors, copies, price, href } = line;
    let authors = if authors.is_empty() { String::new() } else { format!("  {}\n", plain(authors)) };
    format!("* {}\n{authors}  {copies} × {price}\n  {href}\n", plain(title))
}

fn text_sum((label, amount): &(String, String)) -> String {
    format!("{label}: {amount}\n")
}

fn text_fact((label, lines): &(&'static str, Vec<String>)) -> String {
    let lines: Vec<String> = lines.iter().map(|line| plain(line)).collect();
    format!("{label}: {}\n", lines.join("\n  "))
}

/// Titles keep to their line.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn html(blocks: &[Block], footer: &Footer<'_>) -> String {
    let body: String = blocks.iter().map(html_block).collect();
    let shop = escape(footer.shop);
    let end = footer.unsubscribe.as_ref().map(|(what, href)| {
        format!("<br>You get this because you have an account with us. <a href=\"{}\" style=\"color:{INK_2}\">No more {}</a>", escape(href), escape(what))
    });
    let end = end.unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Book Bazar</title></head>\n\
         <body style=\"margin:0;padding:0;background:{PAPER};color:{INK};font-family:{SANS};font-size:17px;line-height:1.5\">\n\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"background:{PAPER}\"><tr>\
         <td align=\"center\" style=\"padding:24px 12px\">\n\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"max-width:560px;text-align:left\">\n\
         <tr><td style=\"padding:14px 24px;background:{ACCENT};border-bottom:4px solid {AWNING_2};border-radius:6px 6px 0 0\">\
         <a href=\"{shop}\" style=\"color:{ON_ACCENT};font-family:{SERIF};font-size:22px;text-decoration:none\">Book Bazar</a></td></tr>\n\
         <tr><td style=\"padding:24px;background:{CARD};border:1px solid {LINE};border-top:0;border-radius:0 0 6px 6px\">\n\
         {body}</td></tr>\n\
         <tr><td style=\"padding:16px 24px;color:{INK_2};font-size:14px\">\
         <a href=\"{shop}\" style=\"color:{INK_2}\">Book Bazar</a>{end}</td></tr>\n\
         </table></td></tr></table></body></html>\n"
    )
}

fn html_block(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!(
            "<h1 style=\"margin:0 0 12px;font-family:{SERIF};font-size:28px;font-weight:600;line-height:1.2\">{}</h1>\n",
            escape(text)
        ),
        Block::Text(text) => format!("<p style=\"margin:0 0 16px\">{}</p>\n", escape(text)),
        Block::Small(text) => {
            format!("<p style=\"margin:0;color:{INK_2};font-size:15px\">{}</p>\n", escape(text))
        }
        Block::Button { words, href } => format!(
            "<p style=\"margin:24px 0\"><a href=\"{}\" style=\"display:inline-block;padding:13px 24px;background:{ACCENT};\
             color:{ON_ACCENT};border-radius:6px;font-weight:600;text-decoration:none\">{}</a></p>\n",
            escape(href),
            escape(words)
        ),
        Block::Books(lines) => {
            let rows: String = lines.iter().map(html_line).collect();
            format!(
                "<table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"border-top:1px solid {LINE}\">{rows}</table>\n"
            )
        }
        Block::Sums(rows) => {
            let last = rows.len().saturating_sub(1);
            let rows: String = rows.iter().enumerate().map(|(at, row)| html_sum(row, at == last)).collect();
            format!(
                "<table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" style=\"margin:0 0 16px\">{rows}</table>\n"
            )
        }
        Block::Facts(facts) => {
            let rows: String = facts.iter().map(html_fact).collect();
            format!("<table cellpadding=\"0\" cellspacing=\"0\" style=\"margin:0 0 16px\">{rows}</table>\n")
        }
    }
}

fn html_sum((label, amount): &(String, String), counts: bool) -> String {
    let style = match counts {
        true => format!("padding:10px 0;border-top:1px solid {LINE};font-weight:600;font-size:20px"),
        false => format!("padding:6px 0;color:{INK_2};font-size:15px"),
    };
    format!(
        "<tr><td style=\"{style}\">{}</td><td align=\"right\" style=\"{style};white-space:nowrap\">{}</td></tr>\n",
        escape(label),
        escape(amount)
    )
}

fn html_fact((label, lines): &(&'static str, Vec<String>)) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
    format!(
        "<tr><td valign=\"top\" style=\"padding:4px 16px 4px 0;color:{INK_2};font-size:15px;white-space:nowrap\">{}</td>\
         <td style=\"padding:4px 0;font-size:15px;overflow-wrap:anywhere\">{}</td></tr>\n",
        escape(label),
        lines.join("<br>")
    )
}

fn html_line(line: &BookLine) -> String {
    let BookLine { title, authors, copies, price, href } = line;
    let initial = title.chars().find(|c| c.is_alphanumeric()).unwrap_or('B').to_uppercase().to_string();
    let (title, price, href) = (escape(title), escape(price), escape(href));
    let authors = match authors.is_empty() {
        true => String::new(),
        false => format!("<br><span style=\"color:{INK_2};font-size:15px\">{}</span>", escape(authors)),
    };
    format!(
        "<tr>\
         <td width=\"48\" style=\"padding:12px 16px 12px 0;border-bottom:1px solid {LINE}\">\
         <div aria-hidden=\"true\" style=\"width:48px;height:72px;line-height:72px;background:{ACCENT};border-left:3px solid {AWNING_2};\
         border-radius:2px;color:{AWNING_2};font-family:{SERIF};font-size:26px;text-align:center\">{}</div></td>\
         <td style=\"padding:12px 0;border-bottom:1px solid {LINE};overflow-wrap:anywhere\">\
         <a href=\"{href}\" style=\"color:{INK};font-family:{SERIF};font-size:18px;text-decoration:none\">{title}</a>\
         {authors}</td>\
         <td align=\"right\" style=\"padding:12px 0 12px 12px;border-bottom:1px solid {LINE};white-space:nowrap\">{copies} × {price}</td>\
         </tr>\n",
        escape(&initial)
    )
}
