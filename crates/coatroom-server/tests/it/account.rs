//! A user's own sessions.

use serde_json::{Value, json};

use crate::client::{AS_JSON, Client};
use crate::process::Server;

fn signed_in(server: &Server, user: &str, password: &str) -> Client {
    let mut visitor = server.client();
    assert_eq!(visitor.login(user, password).status, 303);
    visitor
}

fn alice(server: &Server) -> Client {
    signed_in(server, "alice", "wonderland")
}

fn locator(visitor: &mut Client) -> String {
    visitor.session()["locator"].as_str().unwrap().to_owned()
}

fn listed(visitor: &mut Client) -> Vec<Value> {
    visitor.send("GET", "/account", &[AS_JSON], "").json()["sessions"].as_array().unwrap().clone()
}

#[test]
fn a_stranger_is_led_to_the_shop() {
    let server = Server::in_memory();
    let mut stranger = server.client();
    assert_eq!(stranger.get("/account").leads(), (303, Some("/")));
    assert_eq!(stranger.send("GET", "/account", &[AS_JSON], "").leads(), (303, Some("/")));
    assert_eq!(stranger.post("/account/sessions/end-others").leads(), (303, Some("/")));
    assert_eq!(
        stranger.post("/account/sessions/00000000000000000000000000000000/end").leads(),
        (303, Some("/"))
    );
}

#[test]
fn a_user_sees_the_own_sessions_and_which_one_this_is() {
    let server = Server::in_memory();
    let mut here = alice(&server);
    let mut there = server.client();
    let agent = [("user-agent", "till no. 4"), crate::client::FORM];
    there.send("POST", "/login", &agent, "user=alice&password=wonderland");
    signed_in(&server, "bob", "builder");
    let sessions = listed(&mut here);
    assert_eq!(sessions.len(), 2);
    assert_eq!(
        (&sessions[0]["current"], &sessions[0]["locator"]),
        (&json!(true), &json!(locator(&mut here)))
    );
    assert_eq!((&sessions[1]["current"], &sessions[1]["browser"]), (&json!(false), &json!("till no. 4")));
    let page = here.get("/account").body;
    assert!(page.contains("till no. 4") && page.contains("this one"));
}

#[test]
fn no_list_holds_what_a_cookie_holds() {
    let server = Server::in_memory();
    let mut visitor = alice(&server);
    let cookie = visitor.cookie.clone().unwrap();
    let id = cookie.split_once('=').unwrap().1.to_owned();
    for path in ["/", "/account", "/session"] {
        assert!(!visitor.get(path).body.contains(&id[24..]), "{path}");
    }
}

#[test]
fn ending_another_session_ends_that_one() {
    let server = Server::in_memory();
    let (mut here, mut there) = (alice(&server), alice(&server));
    let end = format!("/account/sessions/{}/end", locator(&mut there));
    assert_eq!(here.post(&end).leads(), (303, Some("/account")));
    assert_eq!(there.session()["user"], json!(null));
    assert_eq!(here.session()["user"], json!("alice"));
    assert_eq!(here.post(&end).status, 404);
}

#[test]
fn ending_the_own_session_is_signing_out() {
    let server = Server::in_memory();
    let mut here = alice(&server);
    let end = format!("/account/sessions/{}/end", locator(&mut here));
    assert_eq!(here.post(&end).leads(), (303, Some("/account")));
    assert_eq!(here.cookie, None);
}

#[test]
fn nobody_ends_another_users_session() {
    let server = Server::in_memory();
    let (mut bob, mut alice) = (signed_in(&server, "bob", "builder"), alice(&server));
    for name in [locator(&mut alice), "0".repeat(32), "x".to_owned(), "..%2F..".to_owned()] {
        assert_eq!(bob.post(&format!("/account/sessions/{name}/end")).status, 404, "{name}");
    }
    assert_eq!(alice.session()["user"], json!("alice"));
}

#[test]
fn all_others_end_at_once() {
    let server = Server::in_memory();
    let mut bob = signed_in(&server, "bob", "builder");
    let mut others = [alice(&server), alice(&server), alice(&server)];
    let mut here = alice(&server);
    assert_eq!(here.post("/account/sessions/end-others").leads(), (303, Some("/account")));
    assert!(here.get("/account").body.contains("3 other sessions are ended."));
    for other in &mut others {
        assert_eq!(other.session()["user"], json!(null));
    }
    assert_eq!((&here.session()["user"], &bob.session()["user"]), (&json!("alice"), &json!("bob")));
    assert_eq!(listed(&mut here).len(), 1);
    // A later login is one more session, as ever.
    let _again = alice(&server);
    assert_eq!(listed(&mut here).len(), 2);
}
