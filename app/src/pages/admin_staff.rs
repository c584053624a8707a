//! Who works in the shop, and as what; for owners.

use super::admin_orders::only_for;
use crate::{
    call::{Post, PostForm, address},
    components::{
        admin_nav::AdminPage,
        asked::{Yes, asked as ask},
        form::Input,
        icon::icon,
        loaded::loaded,
        notice::{Tone, notice, refusal},
        table::{Heard, Text, table},
    },
    derived::Derived,
    html::{changing, html},
    shop::use_shop,
};
use domain::{ErrorCode, Permission, account::Role, people::StaffMember};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/staff";

#[component]
pub fn AdminStaffPage() -> impl IntoView {
    if let Err(other) = only_for(Permission::ManageStaff, use_shop(), PATH) {
        return other;
    }
    let query = use_query_map();
    let email = Derived::new(move || query.with(|query| query.get("email")).unwrap_or_default());
    loaded(|| "admin/staff".to_owned(), move |staff| show(staff, email))
}

/// `email`: whom the form begins with.
fn show(staff: Vec<StaffMember>, email: Derived<String>) -> AnyView {
    let (staff, form, is_done) = (RwSignal::new(staff), Post::new("admin/staff/set"), RwSignal::new(false));
    form.on_success(move |now: Vec<StaffMember>| {
        staff.set(now);
        is_done.set(true);
    });
    let rows = move || staff.with(|staff| staff.iter().map(row).collect::<Vec<_>>());
    let error = form.error();
    let done = move || {
        (is_done.get() && error().is_none()).then(|| notice(Tone::Good, "That is settled. It holds at once.", ()))
    };
    html! {
        <AdminPage title="People">
            <header class="page-head">
                <h1>"People of the shop"</h1>
                <p class="page-head__lede">"Whoever gets another role is signed out everywhere, and logs in anew with it."</p>
            </header>
            {done}
            <div class="admin-people">
                {table("People table", "", &[Text("Name"), Text("E-mail"), Text("Role"), Heard("Change")], changing(rows))}
                <section class="panel" aria-labelledby="give">
                    <h2 class="panel__title" id="give">"Give or take a role"</h2>
                    {changing(move || give(form, email.get(), staff))}
                </section>
            </div>
            {duties()}
        </AdminPage>
    }
}

fn row(person: &StaffMember) -> AnyView {
    let change = format!("{}#give", address(PATH, &[("email", &person.email)]));
    let label = format!("Change the role of {}", person.name);
    html! {
        <tr>
            <th scope="row">{person.name.clone()}</th>
            <td>{person.email.clone()}</td>
            <td>{person.role.title()}</td>
            <td><a class="table__link" href=change aria-label=label>"Change"</a></td>
        </tr>
    }
}

fn give(form: Post, email: String, staff: RwSignal<Vec<StaffMember>>) -> AnyView {
    let now = staff.with_untracked(|staff| staff.iter().find(|person| person.email == email).map(|person| person.role));
    let whom = Input {
        name: "email".to_owned(),
        label: "E-mail of their account".to_owned(),
        kind: "email".to_owned(),
        autocomplete: "off".to_owned(),
        value: email,
        ..Input::default()
    };
    let choice = |role: Role| match role {
        Role::Shopper => (role.as_str().to_owned(), "No role: works here no more".to_owned()),
        role => (role.as_str().to_owned(), role.title().to_owned()),
    };
    let role = Input {
        name: "role".to_owned(),
        label: "Role".to_owned(),
        kind: "select".to_owned(),
        autocomplete: "off".to_owned(),
        value: now.unwrap_or(Role::Packer).as_str().to_owned(),
        choices: Role::ALL.into_iter().rev().map(choice).collect(),
        ..Input::default()
    };
    let (whom, role, error) = (whom.view(form), role.view(form), form.error());
    let asked = Derived::new(move || error().filter(|error| error.code == ErrorCode::NeedsConfirmation));
    let refused = move || error().filter(|error| error.code != ErrorCode::NeedsConfirmation);
    html! {
        {refusal(refused)}
        <PostForm to=form class="form admin-people__form">
            <input type="hidden" name="ask" value="true"/>
            {whom}{role}
            {changing(move || asked.get().map_or_else(|| first_button(form), |asked| ask(form, asked, yes(), ())))}
        </PostForm>
    }
}

fn first_button(form: Post) -> AnyView {
    html! { <button class="button" aria-busy=move || form.busy()>{icon("user")}" Set the role"</button> }
}

fn yes() -> Yes {
    Yes { label: "Yes, so be it", icon: "check", id: "role-asked", back: PATH.to_owned() }
}

/// The table of rights, as it is asked.
fn duties() -> AnyView {
    let staff: Vec<Role> = Role::ALL.into_iter().rev().filter(|role| role.is_staff()).collect();
    let heads = staff.iter().map(|role| html! { <th scope="col">{role.title()}</th> }).collect::<Vec<_>>();
    let rows = Permission::ALL.into_iter().map(|permission| {
        let cells = staff.iter().map(|role| {
            let (mark, word) = if role.may(permission) { (Some(icon("check")), "Yes") } else { (None, "No") };
            html! { <td>{mark}<span class="visually-hidden">{word}</span></td> }
        });
        html! { <tr><th scope="row">{permission.title()}</th>{cells.collect::<Vec<_>>()}</tr> }
    });
    html! {
        <section class="panel admin-people__duties" aria-labelledby="duties-h">
            <h2 class="panel__title" id="duties-h">"What each role may do"</h2>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Rights table">
                <table class="table">
                    <thead><tr><th scope="col">"May they"</th>{heads}</tr></thead>
                    <tbody>{rows.collect::<Vec<_>>()}</tbody>
                </table>
            </div>
        </section>
    }
}
