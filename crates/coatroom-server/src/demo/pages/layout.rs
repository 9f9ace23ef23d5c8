//! What all pages have in common.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::demo::assets::{ICON, SCRIPT, STYLESHEET};

/// What the frame around a page tells of the visitor.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub(crate) visitor: Visitor,
    /// How many things are in the cart.
    pub(crate) cart_count: u64,
    /// What the last request has to say, once.
    pub(crate) flash: Option<String>,
}

/// Who is asking.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Visitor {
    /// Somebody without a name.
    Anonymous,
    /// This user.
    SignedIn(String),
    /// The session could not be asked.
    Unknown,
}

impl Shell {
    /// The frame where no session can be asked.
    pub(crate) const UNKNOWN: Self = Self { visitor: Visitor::Unknown, cart_count: 0, flash: None };
}

/// A whole page with this title and main part.
pub(super) fn layout(title: &str, shell: &Shell, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Coatroom" }
                link rel="icon" href=(ICON.url) type="image/svg+xml";
                link rel="stylesheet" href=(STYLESHEET.url);
                script src=(SCRIPT.url) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (masthead(shell))
                main id="main" tabindex="-1" {
                    @if let Some(flash) = &shell.flash { p.flash role="status" { (flash) } }
                    (main)
                }
                (footer())
            }
        }
    }
}

fn masthead(shell: &Shell) -> Markup {
    html! {
        header.masthead {
            a.wordmark href="/" { (PreEscaped(HANGER)) span { "Coatroom" } }
            @if shell.visitor != Visitor::Unknown {
                nav aria-label="Your shop" {
                    a.cart-link href="/#cart" {
                        "Cart"
                        @if shell.cart_count > 0 { " " span.count { (shell.cart_count) } }
                    }
                    @if let Visitor::SignedIn(user) = &shell.visitor {
                        a.account-link href="/account" { span.long { "Signed in as " } strong { (user) } }
                        form method="post" action="/logout" { button.quiet { "Sign out" } }
                    } @else {
                        a href="/#sign-in" { "Sign in" }
                    }
                }
            }
        }
    }
}

fn footer() -> Markup {
    html! {
        footer {
            p {
                "Nothing here is for sale. This is the demo of " strong { "Coatroom" }
                ", server-side web sessions in Rust. Restart the server or open a second tab: what you left stays yours."
            }
            p { a href="/session" { "Your session as JSON" } }
        }
    }
}

const HANGER: &str = r#"<svg viewBox="0 0 32 26" width="32" height="26" aria-hidden="true" focusable="false"><path d="M16 11V8.8c4.6-.6 4.4-6.6.2-6.6-2.2 0-3.4 1.5-3.4 3.1M16 11 4.2 19.6c-1.6 1.2-.9 3.4 1 3.4h21.6c1.9 0 2.6-2.2 1-3.4z"/></svg>"#;
