//! The parts that pages are made of, one per file; class names follow the style sheets in `style/`.

pub mod address;
pub mod book_card;
pub mod connection;
pub mod cover;
pub mod crumbs;
pub mod edit_form;
pub mod empty;
pub mod facets;
pub mod form;
pub mod get_form;
pub mod icon;
pub mod loaded;
pub mod notice;
pub mod order_after;
pub mod order_row;
pub mod page;
pub mod pagination;
pub mod parcel;
pub mod receipt;
pub mod ring;
pub mod search;
pub mod site_footer;
pub mod site_header;
pub mod status;
pub mod stock;
pub mod thread;
