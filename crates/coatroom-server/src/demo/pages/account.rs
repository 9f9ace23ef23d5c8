//! A user's own sessions.

use jiff::Timestamp;
use maud::{Markup, html};

use super::layout::{Shell, layout};
use super::ticket::number;
use crate::demo::view::{AccountView, OwnSession};
use crate::demo::wording;

/// GET /account
pub(crate) fn account(shell: &Shell, account: &AccountView, now: Timestamp) -> Markup {
    let others = account.sessions.iter().filter(|session| !session.current).count();
    layout(
        "Your sessions",
        shell,
        &html! {
            div.account {
                h1 { "Where you are signed in" }
                p { "Each line is a browser that holds a ticket for " strong { (account.user) } ". Ending one takes effect at its next request." }
                table {
                    caption.away { "Sessions of " (account.user) }
                    thead {
                        tr { th scope="col" { "Browser" } th scope="col" { "Ticket" } th scope="col" { "Since" } th scope="col" { "Last seen" } th scope="col" { span.away { "End it" } } }
                    }
                    tbody { @for session in &account.sessions { (row(session, now)) } }
                }
                @if others > 0 {
                    form method="post" action="/account/sessions/end-others" {
                        button.danger { @if others == 1 { "End the other session" } @else { "End the " (others) " others" } }
                    }
                }
            }
        },
    )
}

fn row(session: &OwnSession, now: Timestamp) -> Markup {
    let browser = wording::browser(&session.browser);
    let end = if session.current { "Sign out here" } else { "End" };
    html! {
        tr.current[session.current] {
            th scope="row" data-label="Browser" {
                span title=(session.browser) { (browser) }
                @if session.current { " " span.badge { "this one" } }
            }
            td data-label="Ticket" { code title=(session.locator) { (number(&session.locator)) } }
            td data-label="Since" { time datetime=(session.created) title=(wording::date(session.created)) { (wording::ago(session.created, now)) } }
            td data-label="Last seen" { time datetime=(session.last_seen) title=(wording::date(session.last_seen)) { (wording::ago(session.last_seen, now)) } }
            td.act {
                form method="post" action={ "/account/sessions/" (session.locator) "/end" } {
                    button.small aria-label={ (end) ": ticket " (number(&session.locator)) ", " (browser) } { (end) }
                }
            }
        }
    }
}
