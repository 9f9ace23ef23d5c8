//! The pages, each a function from what it shows to HTML.

mod account;
mod error;
mod layout;
mod shop;
mod ticket;

pub(crate) use self::account::account;
pub(crate) use self::error::{ErrorPage, error};
pub(crate) use self::layout::{Shell, Visitor};
pub(crate) use self::shop::{Shop, shop, sign_in_failed};
pub(crate) use self::ticket::Ticket;
