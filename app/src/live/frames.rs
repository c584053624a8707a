//! Reading frames and writing questions. `serde` reads a tagged enum through a buffer, which would put a second copy of every type's reader
//! into the WASM; looking at the tag first and then reading the right type does not.

use crate::call::json;
use domain::{
    BookId,
    cart::CartView,
    live::{Ask, Frame},
    order::{OrderSummary, OrderView},
};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct Tag {
    r#type: String,
}

#[derive(Deserialize)]
struct OfCart {
    cart: CartView,
}

#[derive(Deserialize)]
struct OfOrder {
    order: OrderView,
}

#[derive(Deserialize)]
struct OfAdminOrder {
    order: OrderSummary,
}

#[derive(Deserialize)]
struct OfStock {
    book_id: BookId,
    available: i64,
    epoch: i64,
    version: i64,
}

#[derive(Deserialize)]
struct OfNotice {
    message: String,
}

/// `None`: not a frame of this version of the shop.
pub fn read(text: &str) -> Option<Frame> {
    Some(match as_type::<Tag>(text)?.r#type.as_str() {
        "cart" => Frame::Cart { cart: Box::new(as_type::<OfCart>(text)?.cart) },
        "order" => Frame::Order { order: Box::new(as_type::<OfOrder>(text)?.order) },
        "admin_order" => Frame::AdminOrder { order: Box::new(as_type::<OfAdminOrder>(text)?.order) },
        "stock" => {
            let OfStock { book_id, available, epoch, version } = as_type(text)?;
            Frame::Stock { book_id, available, epoch, version }
        }
        "notice" => Frame::Notice { message: as_type::<OfNotice>(text)?.message },
        "resync" => Frame::Resync,
        "beat" => Frame::Beat,
        _ => return None,
    })
}

pub fn write(ask: &Ask) -> String {
    match ask {
        Ask::Watch { books } => {
            let books: Vec<String> = books.iter().map(BookId::to_string).collect();
            format!(r#"{{"type":"watch","books":[{}]}}"#, books.join(","))
        }
        Ask::Order { order_id } => format!(r#"{{"type":"order","order_id":"{order_id}"}}"#),
        Ask::AdminOrders => r#"{"type":"admin_orders"}"#.to_owned(),
        Ask::Snapshot => r#"{"type":"snapshot"}"#.to_owned(),
    }
}

fn as_type<T: DeserializeOwned>(text: &str) -> Option<T> {
    json::read(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        Currency, Minor, OrderId, UnixMillis,
        order::{OrderNumber, OrderStatus},
    };

    #[test]
    fn every_question_is_written_as_serde_writes_it() {
        let books = [1, 7].map(|id| BookId::new(id).unwrap()).to_vec();
        let order_id = OrderId::new(uuid::Uuid::from_u128(7));
        let asks = [
            Ask::Watch { books },
            Ask::Watch { books: Vec::new() },
            Ask::Order { order_id },
            Ask::AdminOrders,
            Ask::Snapshot,
        ];
        for ask in asks {
            assert_eq!(write(&ask), serde_json::to_string(&ask).unwrap());
        }
    }

    #[test]
    fn every_frame_is_read_as_serde_reads_it() {
        let order = OrderSummary {
            order_id: OrderId::new(uuid::Uuid::nil()),
            number: OrderNumber::from_bits([7; 5]),
            status: OrderStatus::Paid,
            version: 3,
            total: Minor::new(100),
            currency: Currency::Inr,
            copies: 1,
            email: "a@b.in".into(),
            first_title: "A".into(),
            titles: 1,
            placed_at: UnixMillis::new(1),
            expires_at: UnixMillis::new(2),
        };
        let frames = [
            Frame::Cart { cart: Box::new(CartView::empty(Currency::Inr)) },
            Frame::AdminOrder { order: Box::new(order) },
            Frame::Stock { book_id: BookId::new(7).unwrap(), available: 3, epoch: 1, version: 2 },
            Frame::Notice { message: "Hello".into() },
            Frame::Resync,
            Frame::Beat,
        ];
        for frame in frames {
            let text = serde_json::to_string(&frame).unwrap();
            assert_eq!(read(&text), Some(frame), "{text}");
        }
        assert_eq!(read(r#"{"type":"order","order":7}"#), None);
        assert_eq!(read(r#"{"type":"of tomorrow"}"#), None);
    }
}
