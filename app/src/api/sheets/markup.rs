//! A sheet as HTML, like the components write it: `components::form::Input` is its twin for forms that follow the browser.

use super::{Draft, Form, Part};
use crate::{boot::Flash, components::form::Input};
use domain::markup::escape;
use std::fmt::Write;

/// `flash`: the form that was just sent and came back.
pub fn html(sheet: &Draft, done: Option<&str>, flash: Option<&Flash>) -> String {
    let mut out = String::from("<header class=\"page-head\">");
    if let Some((href, name)) = &sheet.back {
        let _ =
            write!(out, "<a class=\"page-head__back\" href=\"{}\">{} {}</a>", escape(href), icon("left"), escape(name));
    }
    let _ = write!(out, "<h1>{}</h1>", escape(&sheet.title));
    if !sheet.lede.is_empty() {
        let _ = write!(out, "<p class=\"page-head__lede\">{}</p>", escape(&sheet.lede));
    }
    out.push_str("</header>");
    let mut forms = sheet.parts.iter().flat_map(|part| &part.forms);
    let flash = flash.filter(|flash| forms.any(|form| form.action == flash.form));
    if let Some(error) = flash.and_then(|flash| flash.error.as_ref()) {
        out.push_str(&notice("bad", "alert", "alert", &error.message));
    } else if let Some(done) = done {
        out.push_str(&notice("good", "check", "status", done));
    }
    let parts: String = sheet.parts.iter().map(|one| part(one, flash)).collect();
    let _ = write!(out, "<div class=\"account\">{parts}</div>");
    out
}

fn icon(name: &str) -> String {
    format!("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"/icons.svg#{name}\"></use></svg>")
}

fn notice(tone: &str, mark: &str, role: &str, text: &str) -> String {
    format!(
        "<div class=\"notices\"><div class=\"notice notice--{tone}\" role=\"{role}\">{}<div class=\"notice__body\">\
         <p class=\"notice__title\">{}</p></div></div></div>",
        icon(mark),
        escape(text)
    )
}

fn part(part: &Part, flash: Option<&Flash>) -> String {
    let title = match part.title.is_empty() {
        true => String::new(),
        false => format!("<h2 class=\"panel__title\">{}</h2>", escape(&part.title)),
    };
    let lines = part.lines.iter().map(|line| escape(line));
    let lines = match part.is_address {
        true => format!("<address class=\"address\">{}</address>", lines.collect::<Vec<_>>().join("<br>")),
        false => lines.map(|line| format!("<p>{line}</p>")).collect(),
    };
    let link = |(href, name): &(String, String)| {
        format!("<a class=\"button button--small\" href=\"{}\">{}</a>", escape(href), escape(name))
    };
    let links: String = part.links.iter().map(link).collect();
    let forms: String = part.forms.iter().map(|one| form(one, flash)).collect();
    let class = if part.forms.iter().all(|form| form.is_small) { "actions" } else { "account__forms" };
    format!(
        "<section class=\"panel account__part\">{title}{lines}<div class=\"{class}\">{links}{forms}</div></section>"
    )
}

fn form(form: &Form, flash: Option<&Flash>) -> String {
    let flash = flash.filter(|flash| flash.form == form.action);
    let hidden = form
        .hidden
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value)));
    let hidden: String = hidden.collect();
    let inputs: String = form.inputs.iter().map(|one| input(one, flash)).collect();
    let inputs = if inputs.is_empty() { inputs } else { format!("<div class=\"fields\">{inputs}</div>") };
    let class = if form.is_small { "button button--small button--quiet" } else { "button button--primary" };
    format!(
        "<form class=\"form\" action=\"/api/{}\" method=\"post\">{hidden}{inputs}<p><button class=\"{class}\">{}</button></p></form>",
        form.action,
        escape(&form.button)
    )
}

fn input(input: &Input, flash: Option<&Flash>) -> String {
    let typed = flash.and_then(|flash| flash.values.get(&input.name));
    let wrong = flash.and_then(|flash| flash.error.as_ref()?.fields.get(&input.name));
    let (name, label, value) = (escape(&input.name), escape(&input.label), escape(typed.unwrap_or(&input.value)));
    if input.kind == "checkbox" {
        let checked = if value == "on" { " checked" } else { "" };
        return format!(
            "<label class=\"check field--whole\"><input type=\"checkbox\" name=\"{name}\" value=\"on\"{checked}>{label}</label>"
        );
    }
    let width = if input.is_half { "" } else { " field--whole" };
    let is_wrong = if wrong.is_some() { " field--error" } else { "" };
    let optional = if input.is_optional { " <span class=\"field__optional\">(optional)</span>" } else { "" };
    let help =
        input.help.as_ref().map(|help| format!("<p class=\"field__help\" id=\"{name}-help\">{}</p>", escape(help)));
    let error = wrong.map(|wrong| {
        let mark = icon("alert");
        format!("<p class=\"field__error\" id=\"{name}-error\">{mark}<span>{}</span></p>", escape(wrong))
    });
    let described = match (&error, &help) {
        (Some(_), _) => format!(" aria-invalid=\"true\" autofocus aria-describedby=\"{name}-error\""),
        (None, Some(_)) => format!(" aria-describedby=\"{name}-help\""),
        (None, None) => String::new(),
    };
    let required = if input.is_optional { "" } else { " required" };
    let attributes =
        format!("id=\"{name}\" name=\"{name}\" autocomplete=\"{}\"{required}{described}", escape(&input.autocomplete));
    format!(
        "<div class=\"field{width}{is_wrong}\"><label class=\"field__label\" for=\"{name}\">{label}{optional}</label>{}{}{}</div>",
        control(input, &value, &attributes),
        help.unwrap_or_default(),
        error.unwrap_or_default()
    )
}

/// `value` and `attributes` are escaped.
fn control(input: &Input, value: &str, attributes: &str) -> String {
    let options = input.choices.iter().map(|(choice, name)| {
        let selected = if escape(choice) == value { " selected" } else { "" };
        format!("<option value=\"{}\"{selected}>{}</option>", escape(choice), escape(name))
    });
    let options: String = options.collect();
    if input.kind == "select" {
        return format!("<select class=\"select\" {attributes}>{options}</select>");
    }
    let (name, kind) = (escape(&input.name), escape(&input.kind));
    let (list, proposed) = match options.is_empty() {
        true => (String::new(), String::new()),
        false => (format!(" list=\"{name}-list\""), format!("<datalist id=\"{name}-list\">{options}</datalist>")),
    };
    let mode = input.inputmode.as_ref().map(|mode| format!(" inputmode=\"{}\"", escape(mode))).unwrap_or_default();
    let value = if kind == "password" { "" } else { value };
    format!("<input class=\"input\" type=\"{kind}\" value=\"{value}\" {attributes}{mode}{list}>{proposed}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ApiError;

    #[test]
    fn what_people_typed_stays_text_and_no_password_comes_back() {
        let inputs =
            ["name", "password"].map(|name| Input { name: name.into(), kind: name.into(), ..Input::default() });
        let form = Form { action: "account/x".into(), inputs: inputs.into(), ..Form::default() };
        let sheet = Draft { parts: vec![Part { forms: vec![form], ..Part::default() }], ..Draft::default() };
        let typed = "\"><script>'&".to_owned();
        let values = [("name".to_owned(), typed.clone()), ("password".to_owned(), "secret".to_owned())].into();
        let error = Some(ApiError::fields([("name".to_owned(), typed)].into()));
        let came_back = Flash { form: "account/x".into(), error, values };
        let html = html(&sheet, None, Some(&came_back));
        assert!(!html.contains("<script>") && !html.contains("secret"), "{html}");
        assert!(
            html.contains("value=\"&quot;&gt;&lt;script&gt;&#39;&amp;\"") && html.contains("aria-invalid"),
            "{html}"
        );
        let other = Flash { form: "account/y".into(), ..came_back };
        assert!(!super::html(&sheet, None, Some(&other)).contains("aria-invalid"), "of another form");
    }
}
