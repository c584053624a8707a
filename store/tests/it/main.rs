//! The store against a real Postgres and a real Redis; one binary, so that it links once. Run by `make test`.

mod accounts;
mod admin_board;
mod admin_books;
mod admin_desk;
mod admin_figures;
mod admin_health;
mod admin_people;
mod admin_work;
mod away;
mod carts;
mod catalog;
mod check;
mod clock;
mod dead_letters;
mod jobs;
mod link;
mod live;
mod mail;
mod messages;
mod orders;
mod payments;
mod poison;
mod schedules;
mod servers;
mod stock;
mod wire;
