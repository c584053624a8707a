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
    /// The one thing to do.
    Button {
        words: String,
        href: String,
    },
    Small(String),
}

pub(crate) struct BookLine {
    pub title: String,
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

pub(super) fn text(blocks: &[Block], footer: &Footer<'_>) -> String {
    let mut out = String::new();
    for block in blocks {
        let _ = match block {
            Block::Heading(text) | Block::Text(text) | Block::Small(text) => writeln!(out, "{}\n", plain(text)),
            Block::Books(lines) => writeln!(out, "{}", lines.iter().map(text_line).collect::<String>()),
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
    format!("* {}\n  {}\n  {copies} × {price}\n  {href}\n", plain(title), plain(authors))
}

/// Titles keep to their line.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn html(blocks: &[Block], footer: &Footer<'_>) -> String {
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
    }
}

fn html_line(line: &BookLine) -> String {
    let BookLine { title, authors, copies, price, href } = line;
    let initial = title.chars().find(|c| c.is_alphanumeric()).unwrap_or('B').to_uppercase().to_string();
    let (title, authors, price, href) = (escape(title), escape(authors), escape(price), escape(href));
    format!(
        "<tr>\
         <td width=\"48\" style=\"padding:12px 16px 12px 0;border-bottom:1px solid {LINE}\">\
         <div aria-hidden=\"true\" style=\"width:48px;height:72px;line-height:72px;background:{ACCENT};border-left:3px solid {AWNING_2};\
         border-radius:2px;color:{AWNING_2};font-family:{SERIF};font-size:26px;text-align:center\">{}</div></td>\
         <td style=\"padding:12px 0;border-bottom:1px solid {LINE}\">\
         <a href=\"{href}\" style=\"color:{INK};font-family:{SERIF};font-size:18px;text-decoration:none\">{title}</a><br>\
         <span style=\"color:{INK_2};font-size:15px\">{authors}</span></td>\
         <td align=\"right\" style=\"padding:12px 0 12px 12px;border-bottom:1px solid {LINE};white-space:nowrap\">{copies} × {price}</td>\
         </tr>\n",
        escape(&initial)
    )
}
