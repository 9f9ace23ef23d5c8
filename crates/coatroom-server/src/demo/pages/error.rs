//! What is shown when something did not work.

use maud::{Markup, html};

use super::layout::{Shell, layout};

/// What an error page says.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPage {
    pub(crate) status: u16,
    /// What happened, as a heading.
    pub(crate) title: &'static str,
    /// What it means for the visitor, and what to do.
    pub(crate) advice: &'static str,
    /// The error's own words.
    pub(crate) detail: Option<String>,
}

/// The page for an error.
pub(crate) fn error(shell: &Shell, page: &ErrorPage) -> Markup {
    layout(
        page.title,
        shell,
        &html! {
            div.narrow.error {
                p.status aria-hidden="true" { (page.status) }
                h1 { (page.title) }
                p { (page.advice) }
                @if let Some(detail) = &page.detail { p.detail { (detail) } }
                p { a.button href="/" { "Back to the shop" } }
            }
        },
    )
}
