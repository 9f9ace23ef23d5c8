//! Signing in and out.

use serde_json::json;

use crate::client::AS_PAGE;
use crate::process::Server;

#[test]
fn signing_in_keeps_the_cart_and_replaces_the_secret() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.form("/cart", "sku=scarf&quantity=2");
    let (before, cookie) = (visitor.session(), visitor.cookie.clone());
    assert_eq!(visitor.login("alice", "wonderland").leads(), (303, Some("/")));
    let after = visitor.session();
    assert_eq!((&after["user"], &after["cart"]), (&json!("alice"), &before["cart"]));
    assert_eq!(after["locator"], before["locator"]);
    assert_ne!(visitor.cookie, cookie);
    // Whoever knew the old cookie has nothing of it.
    visitor.cookie = cookie;
    assert_eq!(visitor.session()["user"], json!(null));
}

#[test]
fn a_wrong_name_or_password_is_refused_with_a_page_and_changes_nothing() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    for (user, password) in [("alice", "builder"), ("nobody", "wonderland"), ("", "")] {
        let answer = visitor.login(user, password);
        assert_eq!((answer.status, answer.header("set-cookie")), (401, None), "{user}");
        assert!(answer.body.contains("name or the password is wrong"));
    }
    let hostile = visitor.login("%3Cscript%3E", "x").body;
    assert!(hostile.contains("&lt;script&gt;") && !hostile.contains("\"<script>"));
}

#[test]
fn signing_out_ends_the_session_for_good() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.login("bob", "builder");
    visitor.form("/cart", "sku=hook&quantity=1");
    let stolen = visitor.clone();
    assert_eq!(visitor.post("/logout").leads(), (303, Some("/")));
    assert_eq!(visitor.cookie, None);
    assert_eq!(stolen.clone().session()["cart"], json!([]));
}

#[test]
fn another_user_takes_nothing_over() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.login("alice", "wonderland");
    visitor.form("/cart", "sku=hook&quantity=1");
    visitor.login("bob", "builder");
    let session = visitor.session();
    assert_eq!((&session["user"], &session["cart"]), (&json!("bob"), &json!([])));
}

#[test]
fn every_page_of_a_signed_in_visitor_has_a_way_out() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.login("alice", "wonderland");
    for path in ["/", "/account", "/nothing"] {
        let page = visitor.send("GET", path, &[AS_PAGE], "").body;
        assert!(page.contains(r#"action="/logout""#) && page.contains("alice"), "{path}");
    }
}
