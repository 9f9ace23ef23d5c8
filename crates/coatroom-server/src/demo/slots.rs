//! What the shop keeps in a session.

use coatroom::{Session, SessionError, Slot, Timestamp};

use super::cart::Cart;
use super::view::SessionView;

/// How often the visitor stamped the ticket.
pub(crate) const VISITS: Slot<u64> = Slot::new("visits");

/// What the visitor is about to buy.
pub(crate) const CART: Slot<Cart> = Slot::new("shop.cart");

/// What the next page says once.
pub(crate) const FLASH: Slot<String> = Slot::new("flash");

/// The attribute of a note is this and the note's name.
pub(crate) const NOTE_PREFIX: &str = "note.";

impl SessionView {
    /// The whole session, as far as it concerns its visitor.
    pub(crate) fn of(session: &Session) -> Result<Self, SessionError> {
        let mut view = Self {
            locator: session.locator().filter(|_| session.exists()).map(|locator| locator.to_string()),
            user: session.principal(),
            created: session.created().and_then(civil),
            last_accessed: session.last_accessed().and_then(civil),
            idle_deadline: session.idle_deadline().and_then(civil),
            deadline: session.deadline().and_then(civil),
            visits: session.get(VISITS)?.unwrap_or_default(),
            cart: session.get(CART)?.unwrap_or_default(),
            ..Self::default()
        };
        for name in session.names() {
            let Some(note) = name.strip_prefix(NOTE_PREFIX) else { continue };
            if let Some(text) = session.get(Slot::<String>::new(&name))? {
                view.notes.insert(note.to_owned(), text);
            }
        }
        Ok(view)
    }
}

/// A time for people; `None` for a deadline that never comes.
pub(crate) fn civil(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(i64::try_from(time.as_millis()).ok()?).ok()
}
