//! The shop itself: goods, cart, ticket and the door.

use maud::{Markup, PreEscaped, html};

use super::layout::{Shell, layout};
use super::ticket::{Ticket, ticket};
use crate::demo::cart::{Cart, Line};
use crate::demo::goods::{self, GOODS, Good};

/// What the front page shows.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) shell: Shell,
    pub(crate) ticket: Ticket,
    /// Whether writing routes take `hold_ms` and `fail`.
    pub(crate) lab: bool,
}

/// GET /
pub(crate) fn shop(shop: &Shop) -> Markup {
    let session = &shop.ticket.session;
    layout(
        "Coats, and what hangs beside them",
        &shop.shell,
        &html! {
            div.shop {
                div.intro {
                    h1 { "Leave it with us." }
                    p { "Coats, and the small things that go missing with them. What you put down here is yours when you come back: a second tab, a slow request or a restart loses none of it." }
                    @if shop.lab { p.lab { strong { "Lab mode. " } "Writing routes take " code { "?hold_ms=N" } " and " code { "?fail=1" } "." } }
                }
                (ticket(&shop.ticket))
                section.goods aria-labelledby="goods-title" {
                    h2 id="goods-title" { "On the rail" }
                    ul { @for good in GOODS { li { (on_offer(good)) } } }
                }
                div.side {
                    (cart(&session.cart))
                    @if session.user.is_none() { (sign_in(None)) }
                }
            }
        },
    )
}

/// The answer to POST /login with a wrong name or password.
pub(crate) fn sign_in_failed(shell: &Shell, user: &str) -> Markup {
    layout(
        "Sign in",
        shell,
        &html! {
            div.narrow {
                h1 { "That is not a pair we know." }
                p { "The name or the password is wrong. Your cart is as it was." }
                (sign_in(Some(user)))
                p { a href="/" { "Back to the shop" } }
            }
        },
    )
}

fn on_offer(good: &Good) -> Markup {
    html! {
        article.good {
            div class={ "picture " (good.tone) } { (PreEscaped(good.picture)) }
            h3 { (good.name) }
            p.note { (good.note) }
            p.price { (euros(good.price)) }
            form method="post" action="/cart" {
                input type="hidden" name="sku" value=(good.sku);
                input type="hidden" name="quantity" value="1";
                button aria-label={ "Add to cart: " (good.name) } { "Add to cart" }
            }
        }
    }
}

fn cart(cart: &Cart) -> Markup {
    html! {
        section.card.cart id="cart" aria-labelledby="cart-title" tabindex="-1" {
            h2 id="cart-title" { "Cart" }
            @if cart.lines.is_empty() {
                p.empty { "Nothing yet. The rail is right here." }
            } @else {
                ul { @for line in &cart.lines { li { (in_cart(line)) } } }
                p.total { span { "Total" } strong { (euros(cart.total())) } }
            }
        }
    }
}

fn in_cart(line: &Line) -> Markup {
    let name = goods::find(&line.sku).map_or(line.sku.as_str(), |good| good.name);
    html! {
        span.name { (name) }
        span.sum { (euros(line.total())) }
        div.steps {
            (step(&line.sku, -1, "−", &format!("One {name} less")))
            span.quantity { span.away { "Quantity " } (line.quantity) }
            (step(&line.sku, 1, "+", &format!("One {name} more")))
        }
        (step(&line.sku, 0, "Remove", &format!("Remove {name}")))
    }
}

fn step(sku: &str, quantity: i32, text: &str, label: &str) -> Markup {
    html! {
        form method="post" action="/cart" {
            input type="hidden" name="sku" value=(sku);
            input type="hidden" name="quantity" value=(quantity);
            button.quiet.step[quantity != 0] aria-label=(label) { (text) }
        }
    }
}

/// The sign-in form; `refused` is the name of an attempt that failed.
fn sign_in(refused: Option<&str>) -> Markup {
    html! {
        section.card.sign-in id="sign-in" aria-labelledby="sign-in-title" tabindex="-1" {
            h2 id="sign-in-title" { "Sign in" }
            @if refused.is_none() { p { "Your cart comes with you." } }
            form method="post" action="/login" {
                label for="user" { "Name" }
                input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64" value=[refused];
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password" required maxlength="128" autofocus[refused.is_some()];
                button.primary { "Sign in" }
            }
            p.hint { "For the demo: " code { "alice" } " with " code { "wonderland" } ", or " code { "bob" } " with " code { "builder" } "." }
        }
    }
}

fn euros(amount: u64) -> String {
    let digits = amount.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    format!("€{}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_grouped_by_thousands() {
        assert_eq!(euros(19), "€19");
        assert_eq!(euros(1_234), "€1,234");
        assert_eq!(euros(3_199_680), "€3,199,680");
    }
}
