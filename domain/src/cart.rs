//! A cart as clients see it, and its limits.

mod seen;

pub use seen::{Change, Changes, Seen, Shown};

use crate::{BookId, Currency, Minor, Quantity, order::DeliveryRule};
use serde::{Deserialize, Serialize};

/// Most different titles in one cart.
pub const MAX_TITLES: u32 = 50;
/// From this many copies down, a line says how many are left.
const FEW: i64 = 3;

/// Something the shopper should know about a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", from = "WrittenNotice")]
pub enum LineNotice {
    /// They asked for more than there is, or than one line may hold; the line holds what is left.
    Cut {
        asked: u32,
        left: u32,
    },
    SoldOut,
    OnlyLeft {
        left: u32,
    },
    /// No longer sold; the line stays until the shopper removes it.
    Retired,
    PriceChanged {
        was: Minor,
    },
}

/// [`LineNotice`] as it stands in JSON. serde reads a tagged enum through a buffer; reading it as this does not, which
/// keeps that buffer out of the browser's code.
#[derive(Deserialize)]
struct WrittenNotice {
    kind: Kind,
    #[serde(default)]
    asked: u32,
    #[serde(default)]
    left: u32,
    #[serde(default)]
    was: Minor,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Cut,
    SoldOut,
    OnlyLeft,
    Retired,
    PriceChanged,
}

impl From<WrittenNotice> for LineNotice {
    fn from(written: WrittenNotice) -> Self {
        let WrittenNotice { kind, asked, left, was } = written;
        match kind {
            Kind::Cut => Self::Cut { asked, left },
            Kind::SoldOut => Self::SoldOut,
            Kind::OnlyLeft => Self::OnlyLeft { left },
            Kind::Retired => Self::Retired,
            Kind::PriceChanged => Self::PriceChanged { was },
        }
    }
}

/// Something the shopper should know about the cart as a whole; it stands until they go on or have seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", from = "WrittenCartNotice")]
pub enum CartNotice {
    /// They logged in, and what they had picked as a guest is here now.
    Merged {
        /// Titles that came.
        titles: u32,
        /// Of these, lines that hold fewer than both carts together.
        cut: u32,
        /// Titles for which there was no room.
        left_out: u32,
    },
}

/// [`CartNotice`] as it stands in JSON; see [`WrittenNotice`].
#[derive(Deserialize)]
struct WrittenCartNotice {
    titles: u32,
    cut: u32,
    left_out: u32,
}

impl From<WrittenCartNotice> for CartNotice {
    fn from(WrittenCartNotice { titles, cut, left_out }: WrittenCartNotice) -> Self {
        Self::Merged { titles, cut, left_out }
    }
}

/// One title in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    pub book_id: BookId,
    pub slug: String,
    pub title: String,
    pub authors: String,
    pub quantity: Quantity,
    pub unit_price: Minor,
    pub line_total: Minor,
    /// Copies on sale now; `None` while the gate does not know.
    pub available: Option<i64>,
    pub notice: Option<LineNotice>,
}

/// A whole cart; every edit answers with it and every live message carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartView {
    /// Grows with every change; the browser ignores older ones. 0: nothing was ever in it.
    pub version: i64,
    pub lines: Vec<CartLine>,
    pub subtotal: Minor,
    /// What delivery would cost now.
    pub delivery: Minor,
    /// Subtotal and delivery: what a checkout must expect.
    pub total: Minor,
    pub currency: Currency,
    /// Copies in all lines.
    pub copies: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<CartNotice>,
}

impl CartView {
    pub fn empty(currency: Currency) -> Self {
        Self {
            version: 0,
            lines: Vec::new(),
            subtotal: Minor::ZERO,
            delivery: Minor::ZERO,
            total: Minor::ZERO,
            currency,
            copies: 0,
            notice: None,
        }
    }

    /// Sums of the lines, each line's own total too; `None` past the range.
    pub fn add_up(&mut self, delivery: DeliveryRule) -> Option<()> {
        (self.subtotal, self.copies) = (Minor::ZERO, 0);
        for line in &mut self.lines {
            line.line_total = line.unit_price.times(line.quantity)?;
            self.subtotal = self.subtotal.plus(line.line_total)?;
            self.copies += line.quantity.get();
        }
        self.delivery = if self.lines.is_empty() { Minor::ZERO } else { delivery.fee_for(self.subtotal) };
        self.total = self.subtotal.plus(self.delivery)?;
        Some(())
    }

    /// The lines that want more copies than there are, each with what is left of it.
    pub fn short_lines(&self) -> impl Iterator<Item = (&CartLine, u32)> {
        self.lines.iter().filter_map(|line| Some((line, line.left()?)))
    }

    /// Whether every line can be ordered as it stands.
    pub fn is_orderable(&self) -> bool {
        !self.lines.is_empty() && !self.lines.iter().any(CartLine::is_gone)
    }
}

impl CartLine {
    /// What is left of it, when that is less than it wants.
    pub fn left(&self) -> Option<u32> {
        let left = if self.notice == Some(LineNotice::Retired) { 0 } else { self.available?.max(0) };
        let is_short = left < i64::from(self.quantity);
        is_short.then(|| u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// Not one copy of it can be ordered now.
    pub fn is_gone(&self) -> bool {
        matches!(self.notice, Some(LineNotice::SoldOut | LineNotice::Retired))
    }
}

impl CartNotice {
    pub fn sentence(&self) -> String {
        let Self::Merged { titles, cut, left_out } = *self;
        let titles_of = |count| if count == 1 { "1 title".to_owned() } else { format!("{count} titles") };
        let mut said = match titles {
            0 => "Your cart was full already.".to_owned(),
            _ => format!("The {} you had picked came along into your cart.", titles_of(titles)),
        };
        if cut > 0 {
            said += &format!(" Of {} you have {} copies now, the most of one title.", titles_of(cut), Quantity::MAX);
        }
        if left_out > 0 {
            said += &format!(" {} did not fit: a cart holds at most {MAX_TITLES}.", titles_of(left_out));
        }
        said
    }
}

impl LineNotice {
    /// The most important thing to say about a line. `asked`: what an edit asked for and did not get; `seen`: the price
    /// that the shopper saw last.
    pub fn worst(line: &CartLine, is_retired: bool, asked: Option<u32>, seen: Option<Minor>) -> Option<Self> {
        if is_retired {
            return Some(Self::Retired);
        }
        let stock = Self::of_stock(line.quantity, line.available);
        let cut = asked.map(|asked| Self::Cut { asked, left: line.quantity.get() });
        let price = seen.filter(|seen| *seen != line.unit_price).map(|was| Self::PriceChanged { was });
        match stock {
            Some(Self::SoldOut) => stock,
            _ => cut.or(price).or(stock),
        }
    }

    /// What the stock alone has to say about a line; `None` while nobody knows it, or there is enough.
    pub fn of_stock(quantity: Quantity, available: Option<i64>) -> Option<Self> {
        match available? {
            ..=0 => Some(Self::SoldOut),
            left if left <= FEW || left < i64::from(quantity.get()) => {
                Some(Self::OnlyLeft { left: u32::try_from(left).unwrap_or(u32::MAX) })
            }
            _ => None,
        }
    }

    /// What the line says about it; prices in `currency`.
    pub fn sentence(&self, currency: Currency) -> String {
        match self {
            Self::Cut { asked, left } => format!("You asked for {asked}; we could give you {left}."),
            Self::SoldOut => "Sold out just now.".into(),
            Self::OnlyLeft { left: 1 } => "Only 1 left.".into(),
            Self::OnlyLeft { left } => format!("Only {left} left."),
            Self::Retired => "No longer sold.".into(),
            Self::PriceChanged { was } => format!("The price has changed; it was {}.", was.with(currency)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_speaks_up_when_there_is_little() {
        let of = |copies, available| LineNotice::of_stock(Quantity::new(copies).unwrap(), available);
        assert_eq!(of(2, Some(0)), Some(LineNotice::SoldOut));
        assert_eq!(of(2, Some(3)), Some(LineNotice::OnlyLeft { left: 3 }));
        assert_eq!(of(9, Some(8)), Some(LineNotice::OnlyLeft { left: 8 }), "fewer than the line holds");
        assert_eq!((of(2, Some(4)), of(2, None)), (None, None));
    }

    fn line(price: i64, copies: i64) -> CartLine {
        CartLine {
            book_id: BookId::new(1).unwrap(),
            slug: String::new(),
            title: String::new(),
            authors: String::new(),
            quantity: Quantity::new(copies).unwrap(),
            unit_price: Minor::new(price),
            line_total: Minor::ZERO,
            available: None,
            notice: None,
        }
    }

    #[test]
    fn the_worst_news_comes_first() {
        let worst = |available, is_retired, asked, seen: Option<i64>| {
            let line = CartLine { available, ..line(34_900, 2) };
            LineNotice::worst(&line, is_retired, asked, seen.map(Minor::new))
        };
        let was = Some(39_900);
        assert_eq!(worst(Some(0), true, Some(5), was), Some(LineNotice::Retired));
        assert_eq!(worst(Some(0), false, Some(5), was), Some(LineNotice::SoldOut));
        assert_eq!(worst(Some(2), false, Some(5), was), Some(LineNotice::Cut { asked: 5, left: 2 }));
        assert_eq!(worst(Some(2), false, None, was), Some(LineNotice::PriceChanged { was: Minor::new(39_900) }));
        assert_eq!(worst(Some(2), false, None, Some(34_900)), Some(LineNotice::OnlyLeft { left: 2 }));
        assert_eq!((worst(Some(4), false, None, None), worst(None, false, None, None)), (None, None));
    }

    #[test]
    fn a_short_line_says_what_is_left() {
        let left = |available, notice| CartLine { available, notice, ..line(100, 3) }.left();
        assert_eq!((left(Some(3), None), left(None, None)), (None, None));
        assert_eq!((left(Some(2), None), left(Some(-1), None)), (Some(2), Some(0)));
        assert_eq!(left(Some(9), Some(LineNotice::Retired)), Some(0), "no longer sold");
    }

    #[test]
    fn a_merge_says_what_became_of_it() {
        let all = CartNotice::Merged { titles: 1, cut: 0, left_out: 0 };
        assert_eq!(all.sentence(), "The 1 title you had picked came along into your cart.");
        let some = CartNotice::Merged { titles: 3, cut: 1, left_out: 2 };
        let said = some.sentence();
        assert!(
            said.contains("3 titles") && said.contains("10 copies") && said.contains("2 titles did not fit"),
            "{said}"
        );
        let text = serde_json::to_string(&some).unwrap();
        assert_eq!(text, r#"{"kind":"merged","titles":3,"cut":1,"left_out":2}"#);
        assert_eq!(serde_json::from_str::<CartNotice>(&text).unwrap(), some);
        let plain = serde_json::to_string(&CartView::empty(Currency::Inr)).unwrap();
        assert!(!plain.contains("notice"), "{plain}");
        assert_eq!(serde_json::from_str::<CartView>(&plain).unwrap(), CartView::empty(Currency::Inr));
    }

    #[test]
    fn a_cart_is_added_up_line_by_line() {
        let rule = DeliveryRule { fee: Minor::new(49), free_from: Minor::new(500) };
        let mut cart = CartView { lines: vec![line(100, 2), line(50, 1)], ..CartView::empty(Currency::Inr) };
        let sums = |cart: &CartView| [cart.subtotal, cart.delivery, cart.total].map(Minor::get);
        assert_eq!(cart.add_up(rule), Some(()));
        assert_eq!((sums(&cart), cart.copies, cart.lines[0].line_total.get()), ([250, 49, 299], 3, 200));
        cart.lines.push(line(250, 1));
        assert_eq!((cart.add_up(rule), sums(&cart)), (Some(()), [500, 0, 500]), "free from here on");
        cart.lines.clear();
        assert_eq!((cart.add_up(rule), sums(&cart), cart.copies), (Some(()), [0, 0, 0], 0));
        cart.lines.push(line(i64::MAX, 2));
        assert_eq!(cart.add_up(rule), None);
    }

    #[test]
    fn notices_are_read_as_they_are_written() {
        let notices = [
            LineNotice::Cut { asked: 5, left: 3 },
            LineNotice::SoldOut,
            LineNotice::OnlyLeft { left: 2 },
            LineNotice::Retired,
            LineNotice::PriceChanged { was: Minor::new(39_900) },
        ];
        for notice in notices {
            let text = serde_json::to_string(&notice).unwrap();
            assert_eq!(serde_json::from_str::<LineNotice>(&text).unwrap(), notice, "{text}");
        }
        assert_eq!(serde_json::to_string(&LineNotice::SoldOut).unwrap(), r#"{"kind":"sold_out"}"#);
    }
}
