//! The hosted page's HTML: the payment, the buttons that would do something now, and the webhooks so far.

use super::tricks::{self, Trick};
use domain::{UnixMillis, markup::escape};
use store::sandbox::{LogEntry, SandboxPayment, Sending};

/// A webhook that is due within so many milliseconds is worth waiting for on the page.
const SOON_MS: i64 = 130_000;

pub fn page(payment: &SandboxPayment, log: &[LogEntry], now: UnixMillis) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">{refresh}
<title>Sandbox Pay</title>
<link rel="stylesheet" href="/sandbox.css">
</head>
<body>
<header class="sandbox-tape"><p>Test provider. No real money moves here.</p></header>
<main class="sandbox">
<p class="sandbox-name">Sandbox Pay</p>
<h1 class="sandbox-amount">{amount}</h1>
<dl class="sandbox-facts"><dt>To</dt><dd>Book Bazar</dd><dt>For</dt><dd>Order {number}</dd><dt>Payment</dt><dd>{id}</dd></dl>
{body}
<p><a href="{back}">Back to the shop</a></p>
{log}
{tricks}
<p class="sandbox-note">Whatever happens here, the shop hears of it by a signed webhook, as from a real provider.</p>
</main>
</body>
</html>
"#,
        refresh = if is_moving(log, now) { "<meta http-equiv=\"refresh\" content=\"2\">" } else { "" },
        amount = escape(&payment.amount.with(payment.currency).to_string()),
        number = escape(&payment.order_number),
        id = escape(&payment.id),
        body = body(payment),
        tricks = tricks(payment),
        log = history(log, now),
        back = escape(&payment.cancel_url),
    )
}

/// Something will be sent soon, so the page looks again by itself.
fn is_moving(log: &[LogEntry], now: UnixMillis) -> bool {
    log.iter().filter_map(|entry| entry.next_at).any(|at| at.since(now) < SOON_MS)
}

fn body(payment: &SandboxPayment) -> String {
    let sentence = match payment.status.as_str() {
        "open" => {
            return form(
                payment,
                "<p id=\"pay\">Pay: the money arrives at once. The shop hears of it, and the order is paid.</p>\n\
                 <button class=\"sandbox-button sandbox-button--pay\" name=\"outcome\" value=\"pay\" aria-describedby=\"pay\">Pay</button>\n\
                 <p id=\"decline\">Decline: the payment fails. The shop offers another try while the copies are held.</p>\n\
                 <button class=\"sandbox-button\" name=\"outcome\" value=\"decline\" aria-describedby=\"decline\">Decline</button>\n",
            );
        }
        "closed" => "The shop has closed this payment. Money can only come late now.",
        "processing" => "Your money is on its way and arrives in a while.",
        "paid" => "This payment is paid.",
        _ => "This payment was declined. The shop can open another one.",
    };
    format!("<p role=\"status\">{sentence}</p>")
}

fn tricks(payment: &SandboxPayment) -> String {
    let shown: String = tricks::of(&payment.status).map(|trick| one(payment, trick)).collect();
    if shown.is_empty() {
        return String::new();
    }
    format!(
        "<section class=\"sandbox-tricks\" aria-labelledby=\"tricks\">\n<h2 id=\"tricks\">What else can happen</h2>\n{shown}</section>"
    )
}

fn one(payment: &SandboxPayment, trick: &Trick) -> String {
    let Trick { outcome, label, sentence, seconds, .. } = trick;
    let seconds = seconds.map(|seconds| {
        format!(
            "<label>Seconds <input type=\"number\" name=\"seconds\" value=\"{seconds}\" min=\"1\" max=\"{}\" required></label>\n",
            store::sandbox::Delay::MOST
        )
    });
    let inner = format!(
        "<p id=\"{outcome}\">{sentence}</p>\n{}<button class=\"sandbox-button\" name=\"outcome\" value=\"{outcome}\" \
         aria-describedby=\"{outcome}\">{label}</button>\n",
        seconds.unwrap_or_default()
    );
    form(payment, &inner)
}

fn form(payment: &SandboxPayment, inner: &str) -> String {
    let id = escape(&payment.id);
    format!("<form class=\"sandbox-form\" method=\"post\" action=\"/sandbox/pay/{id}\">\n{inner}</form>\n")
}

fn history(log: &[LogEntry], now: UnixMillis) -> String {
    if log.is_empty() {
        return String::new();
    }
    let entries: String = log.iter().map(|entry| webhook(entry, now)).collect();
    format!(
        "<section class=\"sandbox-log\" aria-labelledby=\"log\">\n<h2 id=\"log\">Webhooks sent to the shop</h2>\n<ol>\n{entries}</ol>\n</section>"
    )
}

fn webhook(entry: &LogEntry, now: UnixMillis) -> String {
    let forged = if entry.is_forged { " <b>forged</b>" } else { "" };
    let sendings: String =
        entry.sendings.iter().map(|sending| format!("<li>{}</li>\n", answer(sending, now))).collect();
    let next = match entry.next_at {
        Some(at) => format!("<li>Goes out in {} s.</li>\n", at.since(now).max(0) / 1000),
        None if entry.sendings.is_empty() => "<li>Is never sent.</li>\n".to_owned(),
        None => String::new(),
    };
    let (kind, id) = (escape(&entry.kind), escape(&entry.id));
    format!("<li><code>{kind}</code>{forged}<br><small>{id}</small>\n<ul>\n{sendings}{next}</ul></li>\n")
}

fn answer(sending: &Sending, now: UnixMillis) -> String {
    let ago = now.since(sending.at).max(0) / 1000;
    match &sending.answer {
        Ok(status) => format!("{ago} s ago: the shop answered <b>{status}</b>"),
        Err(why) => format!("{ago} s ago: no answer ({})", escape(why)),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use domain::{Currency, Minor};

    pub fn payment(status: &str) -> SandboxPayment {
        SandboxPayment {
            id: "sbx_pay_1".into(),
            order_id: "o".into(),
            order_number: "<BB>".into(),
            amount: Minor::new(164_600),
            currency: Currency::Inr,
            email: "a@b.in".into(),
            return_url: "https://shop.example/orders/1?paying=1".into(),
            cancel_url: "https://shop.example/orders/1?a=\"b".into(),
            status: status.into(),
            url: String::new(),
        }
    }

    const NOW: UnixMillis = UnixMillis::new(1_763_636_412_000);

    #[test]
    fn buttons_are_those_that_would_do_something() {
        let outcomes = |status: &str| page(&payment(status), &[], NOW).matches("name=\"outcome\"").count();
        assert_eq!(["open", "closed", "processing", "paid", "declined"].map(outcomes), [10, 3, 0, 2, 0]);
    }

    #[test]
    fn nothing_of_a_customer_becomes_markup() {
        let html = page(&payment("open"), &[], NOW);
        assert!(html.contains("Order &lt;BB&gt;") && html.contains("?a=&quot;b"), "{html}");
        assert!(!html.contains("http-equiv"), "nothing to wait for");
    }

    #[test]
    fn the_log_tells_what_was_sent_and_what_the_shop_said() {
        let entry = |is_forged, next_at, sendings| LogEntry {
            id: "sbx_evt_1".into(),
            kind: "payment.captured".into(),
            is_forged,
            next_at,
            sendings,
        };
        let sent = |answer| vec![Sending { at: NOW.plus(-5_000), answer }];
        let log = [
            entry(true, None, sent(Ok(400))),
            entry(false, Some(NOW.plus(9_000)), sent(Err("timed <out>".into()))),
            entry(false, None, Vec::new()),
        ];
        let html = page(&payment("paid"), &log, NOW);
        for text in [
            "<b>forged</b>",
            "5 s ago: the shop answered <b>400</b>",
            "no answer (timed &lt;out&gt;)",
            "Goes out in 9 s.",
            "Is never sent.",
            "http-equiv=\"refresh\"",
        ] {
            assert!(html.contains(text), "{text}: {html}");
        }
    }
}
