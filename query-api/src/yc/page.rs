//! Tokens: where a page ends, and how far an answer reached.
//!
//! Knows: their text form, which is nobody's business outside: base64 of `order|rank|trace id|positions`. Must not know:
//! searches. Start at [`Token`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::backend::{Found, Order, Positions};
use crate::jaeger::refusal::Refusal;
use crate::jaeger::v3::hex;
use crate::trace_id;

/// Orders by their words.
const ORDERS: [(&str, Order); 5] = [
    ("newest", Order::Newest),
    ("oldest", Order::Oldest),
    ("longest", Order::Longest),
    ("spans", Order::Spans),
    ("errors", Order::Errors),
];

/// The order of a word; empty is newest.
pub(super) fn order_of(word: &str) -> Result<Order, Refusal> {
    let known = ORDERS.iter().find(|(known, _)| *known == word).map(|(_, order)| *order);
    known.or((word.is_empty()).then_some(Order::Newest)).ok_or_else(|| {
        let words = ORDERS.map(|(word, _)| word).join(", ");
        Refusal::invalid(format!("'order' should be one of {words}, received: {word}"))
    })
}

/// The place after which a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) order: Order,
    pub(super) last: Found,
    /// What the page before included: the next one includes at least that.
    pub(super) positions: Positions,
}

impl Token {
    pub(super) fn text(&self) -> String {
        let word = ORDERS.iter().find(|(_, order)| *order == self.order).map_or("", |(word, _)| word);
        let plain = format!("{word}|{}|{}|{}", self.last.rank, hex(&self.last.id), self.positions);
        URL_SAFE_NO_PAD.encode(plain)
    }

    /// Reads a token.
    ///
    /// # Errors
    /// When it is none of ours.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let read = || {
            let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let [order, rank, id, positions] = plain.split('|').collect::<Vec<_>>().try_into().ok()?;
            let mut token = Self {
                order: order_of(order).ok()?,
                last: Found { rank: rank.parse().ok()?, id: trace_id::parse(id).ok()? },
                positions: Positions::default(),
            };
            token.positions.parse(positions).ok()?;
            Some(token)
        };
        read().ok_or_else(|| Refusal::invalid("'page' is no token that an answer gave as 'next'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_was_put_in_and_nothing_else_is_one() {
        let mut positions = Positions::default();
        positions.parse("traces/0@17,traces/3@42").unwrap();
        for (_, order) in ORDERS {
            let last = Found { rank: u64::MAX, id: 0xabc_u128.to_be_bytes() };
            let token = Token { order, last, positions: positions.clone() };
            assert_eq!(Token::parse(&token.text()).unwrap(), token);
        }
        for wrong in ["", "x", "bmV3ZXN0", "newest|1|1|"] {
            assert!(Token::parse(wrong).is_err(), "{wrong}");
        }
    }
}
