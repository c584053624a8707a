//! The dashboard: how the shop does in a chosen time.

use super::admin_orders::only_for;
use crate::{
    call::address,
    components::{
        admin_nav::AdminPage,
        chart::{Bar, chart},
        get_form::follow,
        loaded::loaded,
        notice::{Tone, notice},
        table::{Heard, Number, Text, table},
    },
    derived::Derived,
    html::html,
    shop::use_shop,
};
use domain::{
    Minor, Permission,
    figures::{FiguresView, Funnel, LowBook, TopBook, Totals, percent, share},
    words::{counted, number},
};
use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_query_map};

const PERIODS: [(&str, &str); 4] = [("today", "Today"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days")];

#[component]
pub fn AdminDashboardPage() -> impl IntoView {
    let shop = use_shop();
    // Who does not look at figures begins with the orders.
    if shop.may(Permission::ReadOrders) && !shop.may(Permission::ReadFigures) {
        return html! { <Redirect path="/admin/orders"/> };
    }
    if let Err(other) = only_for(Permission::ReadFigures, shop, "/admin") {
        return other;
    }
    let query = use_query_map();
    let wanted = Derived::new(move || {
        let text = |name: &str| query.with(|query| query.get(name)).unwrap_or_default();
        let [period, from, to] = ["period", "from", "to"].map(text);
        address("admin/figures", &[("period", &period), ("from", &from), ("to", &to)])
    });
    loaded(move || wanted.get(), show)
}

fn show(view: FiguresView) -> AnyView {
    let money = |amount: Minor| amount.with(view.currency).to_string();
    let revenue: Vec<Bar> = view
        .series
        .iter()
        .map(|point| Bar { label: point.label.clone(), value: point.revenue.get(), said: money(point.revenue) })
        .collect();
    let orders: Vec<Bar> = view
        .series
        .iter()
        .map(|point| Bar { label: point.label.clone(), value: point.orders, said: orders_of(point.orders) })
        .collect();
    let charts = [
        chart("revenue", &format!("Revenue, {}", view.label), "Revenue", &revenue),
        chart("orders", &format!("Orders, {}", view.label), "Orders", &orders),
    ];
    let wrong = view
        .wrong
        .clone()
        .map(|wrong| notice(Tone::Warn, wrong, html! { <p>"Below are the last 7 days instead."</p> }));
    html! {
        <AdminPage title="Dashboard">
            <header class="page-head"><h1>"Dashboard"</h1></header>
            {periods(&view)}{wrong}
            {today(&view)}
            <section class="panel" aria-labelledby="ad-s">
                <h2 class="panel__title" id="ad-s">{capital(&view.label)}</h2>
                {cards(&view)}
                <div class="admin-charts">{Vec::from(charts)}</div>
            </section>
            <div class="admin-columns">
                {funnel(view.funnel)}
                {top(&view.top)}
                {low(&view.low, view.low_total)}
            </div>
        </AdminPage>
    }
}

fn orders_of(orders: i64) -> String {
    counted(orders.unsigned_abs(), "order", "orders")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn periods(view: &FiguresView) -> AnyView {
    let links = PERIODS.map(|(period, name)| {
        let current = (view.period == period).then_some("true");
        html! { <li><a class="admin-choice" href=address("/admin", &[("period", period)]) aria-current=current>{name}</a></li> }
    });
    let day = |id: &'static str, label: &'static str, value: String| {
        html! {
            <div class="field">
                <label class="field__label" for=id>{label}</label>
                <input class="input" id=id name=id type="date" value=value required=true/>
            </div>
        }
    };
    let (from, to) = (day("from", "From", view.from.clone()), day("to", "To", view.to.clone()));
    html! {
        <ul class="admin-choices" aria-label="Time">{Vec::from(links)}</ul>
        <form class="admin-filters" action="/admin" method="get" on:submit=follow("/admin")>
            {from}{to}
            <button class="button button--quiet" type="submit">"Show these days"</button>
        </form>
    }
}

/// Today until now beside the same day of last week until the same time.
fn today(view: &FiguresView) -> AnyView {
    let money = |amount: Minor| amount.with(view.currency).to_string();
    let (now, then) = (&view.today, &view.week_ago);
    let row = |what: &'static str, now: String, then: String| {
        html! { <tr><th scope="row">{what}</th><td class="num">{now}</td><td class="num">{then}</td></tr> }
    };
    let rows = [
        row("Revenue", money(now.revenue()), money(then.revenue())),
        row("Orders", number(now.orders.unsigned_abs()), number(then.orders.unsigned_abs())),
        row("Paid", number(now.payments.unsigned_abs()), number(then.payments.unsigned_abs())),
    ];
    html! {
        <section class="panel" aria-labelledby="ad-t">
            <h2 class="panel__title" id="ad-t">"Today so far"</h2>
            {table("Today and last week, table", "admin-today", &[Heard("Figure"), Number("Today"), Number("A week ago, until this time")], Vec::from(rows))}
        </section>
    }
}

fn cards(view: &FiguresView) -> AnyView {
    let money = |amount: Minor| amount.with(view.currency).to_string();
    let (now, before) = (&view.now, &view.before);
    let average = |totals: &Totals| totals.average().map_or_else(|| "–".to_owned(), money);
    let expiry = |totals: &Totals| totals.expiry_permille().map_or_else(|| "–".to_owned(), percent);
    let card = |what: &'static str, value: String, before: String| {
        html! {
            <div>
                <dt class="muted">{what}</dt>
                <dd>{value}</dd>
                <dd class="admin-cards__before muted">{format!("{before} {}", view.before_label)}</dd>
            </div>
        }
    };
    let count = |count: i64| number(count.unsigned_abs());
    let cards = [
        card("Revenue", money(now.revenue()), money(before.revenue())),
        card("Orders", count(now.orders), count(before.orders)),
        card("Average order", average(now), average(before)),
        card("Expired", expiry(now), expiry(before)),
        card("Money back", money(now.refunded), money(before.refunded)),
    ];
    html! {
        <dl class="figures admin-cards">{Vec::from(cards)}</dl>
        <p class="small muted">"Revenue is what came in less what went back, each when it did. Expired are orders of this time that nobody paid."</p>
    }
}

fn funnel(funnel: Funnel) -> AnyView {
    let row = |what: &'static str, people: i64| {
        let of_all = share(people, funnel.carts).map(percent);
        let bar = i64::from(funnel.carts > 0) * people * 100 / funnel.carts.max(1);
        let picture = format!(
            "<svg class=\"chart__meter\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"{bar}\" height=\"8\"/></svg>"
        );
        html! {
            <tr>
                <th scope="row">{what}<div class="admin-meter" inner_html=picture></div></th>
                <td class="num">{number(people.unsigned_abs())}</td>
                <td class="num">{of_all}</td>
            </tr>
        }
    };
    let rows = [row("Had books in a cart", funnel.carts), row("Ordered", funnel.ordered), row("Paid", funnel.paid)];
    html! {
        <section class="panel" aria-labelledby="ad-f">
            <h2 class="panel__title" id="ad-f">"From cart to paid"</h2>
            {table("From cart to paid, table", "", &[Text("People who"), Number("Count"), Number("Share")], Vec::from(rows))}
        </section>
    }
}

fn top(books: &[TopBook]) -> AnyView {
    let rows =
        books.iter().map(|book| line(&book.title, &book.slug, counted(book.copies.unsigned_abs(), "copy", "copies")));
    let rows = rows.collect::<Vec<_>>();
    let none = rows.is_empty().then(|| html! { <p class="muted">"No book was sold in this time."</p> });
    html! {
        <section class="panel" aria-labelledby="ad-b">
            <h2 class="panel__title" id="ad-b">"Sold best"</h2>
            {none}
            <ol class="admin-list">{rows}</ol>
        </section>
    }
}

fn low(books: &[LowBook], total: i64) -> AnyView {
    let rows = books.iter().map(|book| {
        let left = if book.available == 0 { "none left".to_owned() } else { format!("{} left", book.available) };
        line(&book.title, &book.slug, left)
    });
    let rows = rows.collect::<Vec<_>>();
    let said = match total {
        0 => "No book has run low.".to_owned(),
        total => format!("{} low.", counted(total.unsigned_abs(), "title has run", "titles have run")),
    };
    html! {
        <section class="panel" aria-labelledby="ad-l">
            <h2 class="panel__title" id="ad-l">"Running out"</h2>
            <p class="muted">{said}</p>
            <ol class="admin-list">{rows}</ol>
        </section>
    }
}

fn line(title: &str, slug: &str, figure: String) -> AnyView {
    html! {
        <li class="admin-list__line">
            <a href=format!("/books/{slug}")>{title.to_owned()}</a><span class="nowrap">{figure}</span>
        </li>
    }
}
