//! Each route, as a script meets it.

use serde_json::json;

use crate::client::{AS_JSON, AS_PAGE, FORM};
use crate::process::Server;

#[test]
fn looking_never_makes_a_session() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    for path in ["/", "/session", "/healthz", "/account", "/nothing"] {
        assert_eq!(visitor.get(path).header("set-cookie"), None, "{path}");
    }
    for path in ["/cart", "/notes/a"] {
        let answer = visitor.send("DELETE", path, &[], "");
        assert_eq!((answer.status, answer.header("set-cookie")), (204, None), "{path}");
    }
    for quantity in [0, -1] {
        assert_eq!(
            visitor.form("/cart", &format!("sku=scarf&quantity={quantity}")).header("set-cookie"),
            None
        );
    }
    assert_eq!(visitor.post("/logout").header("set-cookie"), None);
    let nothing = json!({
        "locator": null, "user": null, "created": null, "last_accessed": null, "idle_deadline": null,
        "deadline": null, "visits": 0, "notes": {}, "cart": [],
    });
    assert_eq!(visitor.session(), nothing);
}

#[test]
fn a_session_holds_visits_notes_and_a_cart() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    assert_eq!(visitor.post("/visits").json(), json!({ "visits": 1 }));
    assert_eq!(visitor.post("/visits").json(), json!({ "visits": 2 }));
    assert_eq!(visitor.send("PUT", "/notes/lining", &[], "left sleeve").status, 204);
    assert_eq!(visitor.send("PUT", "/notes/h%C3%BClle", &[], "grün").status, 204);
    assert_eq!(visitor.form("/cart", "sku=scarf&quantity=2").leads(), (303, Some("/")));
    assert_eq!(visitor.form("/cart", "sku=hook&quantity=1").leads(), (303, Some("/")));
    assert_eq!(visitor.form("/cart", "sku=scarf&quantity=1").leads(), (303, Some("/")));
    let session = visitor.session();
    assert_eq!(session["visits"], 2);
    assert_eq!(session["notes"], json!({ "lining": "left sleeve", "hülle": "grün" }));
    let cart = json!([{ "sku": "scarf", "quantity": 3 }, { "sku": "hook", "quantity": 1 }]);
    assert_eq!(session["cart"], cart);
    assert_eq!(session["locator"].as_str().unwrap().len(), 32);
    for time in ["created", "last_accessed", "idle_deadline", "deadline"] {
        let time = session[time].as_str().unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'), "{time}");
    }
}

#[test]
fn what_was_left_can_be_taken_away() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.send("PUT", "/notes/a", &[], "1");
    visitor.form("/cart", "sku=scarf&quantity=2");
    visitor.form("/cart", "sku=hook&quantity=2");
    visitor.form("/cart", "sku=scarf&quantity=0");
    visitor.form("/cart", "sku=hook&quantity=-1");
    assert_eq!(visitor.session()["cart"], json!([{ "sku": "hook", "quantity": 1 }]));
    assert_eq!(visitor.send("DELETE", "/cart", &[], "").status, 204);
    assert_eq!(visitor.send("DELETE", "/notes/a", &[], "").status, 204);
    let session = visitor.session();
    assert_eq!((&session["cart"], &session["notes"]), (&json!([]), &json!({})));
}

#[test]
fn a_stamp_in_a_browser_leads_back_to_the_shop() {
    let server = Server::in_memory();
    assert_eq!(server.client().send("POST", "/visits", &[AS_PAGE], "").leads(), (303, Some("/")));
}

#[test]
fn the_shop_says_once_what_was_done() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.form("/cart", "sku=scarf&quantity=1");
    assert!(visitor.get("/").body.contains("Signal scarf is in your cart."));
    assert!(!visitor.get("/").body.contains("Signal scarf is in your cart."));
}

#[test]
fn what_is_said_once_is_not_used_up_by_a_request_without_a_page() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.form("/cart", "sku=scarf&quantity=1");
    let head = visitor.send("HEAD", "/", &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(visitor.get("/").body.contains("Signal scarf is in your cart."));
}

#[test]
fn bad_input_is_refused_with_the_reason() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    for (fields, status, reason) in [
        ("sku=elephant&quantity=1", 422, "elephant"),
        ("sku=scarf&quantity=1000000", 422, "-9999 to 9999"),
        ("sku=scarf&quantity=many", 422, "quantity"),
        ("sku=scarf", 422, "quantity"),
    ] {
        let answer = visitor.form("/cart", fields);
        assert_eq!(answer.status, status, "{fields}");
        assert!(answer.body.contains(reason), "{fields}: {}", answer.body);
    }
    assert_eq!(visitor.send("POST", "/cart", &[], "sku=scarf&quantity=1").status, 415);
    assert_eq!(visitor.form("/login", "user=alice").status, 422);
    assert_eq!(visitor.send("PUT", &format!("/notes/{}", "x".repeat(61)), &[], "1").status, 422);
    assert_eq!(visitor.cookie, None);
}

#[test]
fn a_note_is_told_which_names_and_texts_there_are() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    for (path, text, status, advice) in [
        ("/notes/%00", b"1".as_slice(), 422, "no control characters"),
        ("/notes/%FF", b"1", 400, "percent-encoded UTF-8"),
        ("/notes/%zz", b"1", 400, "%25 for a percent sign"),
        ("/notes/50%", b"1", 400, "%25 for a percent sign"),
        ("/notes/a", b"\xFF", 400, "text in UTF-8"),
    ] {
        for method in ["PUT", "DELETE"] {
            if (method, path) == ("DELETE", "/notes/a") {
                continue;
            }
            let page = visitor.send(method, path, &[AS_PAGE], text);
            assert_eq!(page.status, status, "{path}");
            assert!(page.body.contains(advice) && page.body.contains("<h1>"), "{path}: {}", page.body);
            let json = visitor.send(method, path, &[AS_JSON], text).json();
            assert!(json["error"].as_str().unwrap().contains(advice), "{path}: {json}");
        }
    }
    assert_eq!(visitor.send("PUT", "/notes/50%25", &[], "1").status, 204);
    assert_eq!(visitor.session()["notes"], json!({ "50%": "1" }));
}

#[test]
fn what_came_in_is_told_back_in_short() {
    let server = Server::in_memory();
    let answer = server.client().form("/cart", &format!("sku={}&quantity=1", "é".repeat(1_000)));
    let cut = format!("{:?}", "é".repeat(40));
    assert!(answer.body.contains(&cut) && answer.body.len() < 200, "{}", answer.body);
}

#[test]
fn more_than_a_session_holds_is_refused_and_changes_nothing() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.send("PUT", "/notes/a", &[], "small");
    let answer = visitor.send("PUT", "/notes/a", &[], "x".repeat(300 * 1024));
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("max_value_bytes"), "{}", answer.body);
    assert_eq!(visitor.session()["notes"], json!({ "a": "small" }));
}

#[test]
fn what_a_commit_refuses_is_told_with_its_limit() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    let note = "x".repeat(255 * 1024);
    for number in 0..4 {
        assert_eq!(visitor.send("PUT", &format!("/notes/{number}"), &[], &note).status, 204);
    }
    let page = visitor.send("PUT", "/notes/last", &[AS_PAGE], &note);
    assert_eq!(page.status, 413);
    assert!(page.body.contains("max_record_bytes = 1048576"), "{}", page.body);
    assert!(page.body.contains("That is too much to carry"), "{}", page.body);
    let json = visitor.send("PUT", "/notes/last", &[AS_JSON], &note).json();
    assert!(json["error"].as_str().unwrap().contains("max_record_bytes"), "{json}");
    let text = visitor.send("PUT", "/notes/last", &[], &note).body;
    assert!(text.contains("max_record_bytes"), "{text}");
}

#[test]
fn failures_are_told_as_the_client_likes_it() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.login("alice", "wonderland");
    let page = visitor.send("GET", "/nothing", &[AS_PAGE], "");
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.body.contains("Nothing hangs here") && page.body.contains("Sign out"));
    let json = visitor.send("GET", "/nothing", &[AS_JSON], "");
    assert!(json.json()["error"].as_str().unwrap().contains("Nothing hangs here"));
    assert!(visitor.get("/nothing").header("content-type").unwrap().starts_with("text/plain"));
    let wrong = visitor.send("GET", "/cart", &[AS_PAGE], "");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST,DELETE")));
    assert!(wrong.body.contains("Not like this"));
}

#[test]
fn the_health_check_answers_without_a_session() {
    let server = Server::in_memory();
    let answer = server.client().get("/healthz");
    assert_eq!((answer.status, answer.body.as_str(), answer.header("vary")), (200, "ok\n", None));
}

#[test]
fn twenty_visitors_do_not_mix() {
    let server = Server::in_memory();
    std::thread::scope(|scope| {
        for number in 0..20 {
            let mut visitor = server.client();
            scope.spawn(move || {
                for _ in 0..=number {
                    visitor.send("POST", "/visits", &[FORM], "");
                }
                assert_eq!(visitor.session()["visits"], number + 1);
            });
        }
    });
}
