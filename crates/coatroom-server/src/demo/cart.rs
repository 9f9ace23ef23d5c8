//! What a visitor is about to buy.

use serde::{Deserialize, Serialize};

use super::goods;

/// The visitor's cart: one line a good, in the order of first choosing.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Cart {
    pub(crate) lines: Vec<Line>,
}

/// So many of one good.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) sku: String,
    /// 1 to [`Cart::MOST`].
    pub(crate) quantity: u32,
}

impl Cart {
    /// The most of one good that a cart holds, and the most that one form adds or takes out.
    pub(crate) const MOST: u32 = 9_999;

    /// Adds so many of a good, or takes them out where `quantity` is negative; zero takes out the
    /// whole line.
    ///
    /// It states the change and not the outcome, so that it comes right on a newer cart too.
    pub(crate) fn add(&mut self, sku: &str, quantity: i32) {
        let line = self.lines.iter_mut().find(|line| line.sku == sku);
        match line {
            Some(line) => line.quantity = next(line.quantity, quantity),
            None => self.lines.push(Line { sku: sku.to_owned(), quantity: next(0, quantity) }),
        }
        self.lines.retain(|line| line.quantity > 0);
    }

    /// How many things are in it.
    pub(crate) fn count(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// What they cost, in whole euros. A good that is no longer sold costs nothing.
    pub(crate) fn total(&self) -> u64 {
        self.lines.iter().map(Line::total).sum()
    }
}

impl Line {
    pub(crate) fn total(&self) -> u64 {
        goods::find(&self.sku).map_or(0, |good| good.price * u64::from(self.quantity))
    }
}

fn next(quantity: u32, change: i32) -> u32 {
    match change {
        0 => 0,
        _ => quantity.saturating_add_signed(change).min(Cart::MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(changes: &[(&str, i32)]) -> Vec<(String, u32)> {
        let mut cart = Cart::default();
        changes.iter().for_each(|(sku, quantity)| cart.add(sku, *quantity));
        cart.lines.into_iter().map(|line| (line.sku, line.quantity)).collect()
    }

    #[test]
    fn goods_add_up_in_the_order_of_first_choosing() {
        let cart = after(&[("scarf", 1), ("hook", 2), ("scarf", 3)]);
        assert_eq!(cart, [("scarf".to_owned(), 4), ("hook".to_owned(), 2)]);
    }

    #[test]
    fn a_line_goes_when_nothing_is_left_or_all_is_taken_out() {
        assert!(after(&[("scarf", 2), ("scarf", -2)]).is_empty());
        assert!(after(&[("scarf", 2), ("scarf", -5)]).is_empty());
        assert!(after(&[("scarf", 2), ("scarf", 0)]).is_empty());
        assert!(after(&[("scarf", -1)]).is_empty());
    }

    #[test]
    fn a_line_stops_at_the_most() {
        assert_eq!(after(&[("hook", i32::MAX), ("hook", i32::MAX)]), [("hook".to_owned(), Cart::MOST)]);
    }

    #[test]
    fn a_cart_has_a_count_and_a_price() {
        let mut cart = Cart::default();
        cart.add("hook", 2);
        cart.add("scarf", 1);
        cart.add("no longer sold", 1);
        assert_eq!((cart.count(), cart.total()), (4, 2 * 19 + 54));
    }
}
