//! The running binary over HTTP, as a client sees it: each test starts a shop of its own, with its own database, keys and
//! port, and talks to nothing but its addresses and its command line.

mod accounts;
mod admin_board;
mod admin_books;
mod admin_odd;
mod admin_people;
mod admin_rights;
mod admin_work;
mod cart;
mod chaos;
mod checkout;
mod commands;
mod desk;
mod dice;
mod failures;
mod found;
mod frame;
mod kept;
mod live;
mod mail;
mod moves;
mod open_order;
mod orders;
mod payments;
mod process;
mod providers;
mod refunds;
mod rush;
mod sandbox;
mod servers;
mod settings;
mod shop;
mod slow_reader;
mod visitor;
