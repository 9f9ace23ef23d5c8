//! The card "your session", which is a cloakroom ticket.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::demo::view::{Remaining, SessionView};
use crate::demo::wording;

/// A session with its limits.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) session: SessionView,
    pub(crate) idle: Option<Remaining>,
    pub(crate) lifetime: Option<Remaining>,
    pub(crate) now: Timestamp,
}

pub(super) fn ticket(ticket: &Ticket) -> Markup {
    html! {
        section.ticket aria-labelledby="ticket-title" {
            @match &ticket.session.locator {
                Some(locator) => (filled(ticket, locator)),
                None => (blank()),
            }
        }
    }
}

fn blank() -> Markup {
    html! {
        div.stub {
            h2 id="ticket-title" { "Your session" }
            p.number.blank aria-hidden="true" { "– – – –" }
        }
        div.body {
            p { "You have no ticket yet, and just looking does not make one. The first thing you leave here does: a coat in the cart, a stamp, your name." }
            (stamp("Get a first stamp"))
        }
    }
}

fn filled(ticket: &Ticket, locator: &str) -> Markup {
    let session = &ticket.session;
    html! {
        div.stub {
            h2 id="ticket-title" { "Your session" }
            p.number title="The first eight digits of the locator" { (number(locator)) }
        }
        div.body {
            @if let Some(idle) = ticket.idle { (bar("idle", "Idle timeout", idle)) }
            @if let Some(lifetime) = ticket.lifetime { (bar("lifetime", "Lifetime", lifetime)) }
            p.ended id="ended" role="status" hidden { "This ticket is over. What hung on it is gone; the next thing you leave makes a new one." }
            dl {
                div { dt { "Belongs to" } dd { (session.user.as_deref().unwrap_or("nobody in particular")) } }
                @if let Some(created) = session.created {
                    div { dt { "Handed out" } dd { time datetime=(created) title=(wording::date(created)) { (wording::ago(created, ticket.now)) } } }
                }
                div { dt { "Stamps" } dd.stamps { data value=(session.visits) { (session.visits) } (stamp("Stamp")) } }
                div.wide { dt { "Locator" } dd { code { (locator) } } }
            }
            (notes(session))
        }
    }
}

/// The first eight digits of a locator, as a ticket would print them.
pub(super) fn number(locator: &str) -> String {
    match (locator.get(..4), locator.get(4..8)) {
        (Some(first), Some(second)) => format!("{first} {second}"),
        _ => locator.to_owned(),
    }
}

fn bar(id: &str, label: &str, remaining: Remaining) -> Markup {
    let (left, whole) = (remaining.left.as_secs(), remaining.whole.as_secs().max(1));
    html! {
        div.bar {
            label for=(id) { (label) }
            span id={ (id) "-left" } { (wording::left(remaining.left)) }
            progress.low[left * 5 < whole] id=(id) max=(whole) value=(left) data-left=(left) { (wording::left(remaining.left)) }
        }
    }
}

/// Counts one visit by `update`, at once and atomically.
fn stamp(label: &str) -> Markup {
    html! { form method="post" action="/visits" { button.small { (label) } } }
}

fn notes(session: &SessionView) -> Markup {
    html! {
        @if !session.notes.is_empty() {
            h3 { "Notes in the pockets" }
            dl.notes {
                @for (name, text) in &session.notes { div { dt { (name) } dd { (text) } } }
            }
        }
    }
}
