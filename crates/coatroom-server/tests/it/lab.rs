//! The guarantees, as `--lab` lets anyone see them.

use serde_json::json;

use crate::client::AS_PAGE;
use crate::process::Server;

#[test]
fn a_failed_request_takes_back_what_it_deferred_and_keeps_what_was_immediate() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.post("/visits");
    let before = visitor.session();
    assert_eq!(visitor.form("/cart?fail=1", "sku=scarf&quantity=1").status, 500);
    assert_eq!(visitor.send("PUT", "/notes/a?fail=1", &[], "1").status, 500);
    assert_eq!(visitor.form("/login?fail=1", "user=alice&password=wonderland").status, 500);
    let after = visitor.session();
    for untouched in ["user", "cart", "notes", "visits"] {
        assert_eq!(after[untouched], before[untouched], "{untouched}");
    }
    assert_eq!(visitor.post("/visits?fail=1").status, 500);
    assert_eq!(visitor.session()["visits"], 2);
    let old = visitor.clone();
    assert_eq!(visitor.post("/logout?fail=1").status, 500);
    assert_eq!(old.clone().session()["locator"], json!(null));
}

#[test]
fn a_failed_request_is_told_what_is_undone_and_what_stays() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    for path in ["/visits?fail=1", "/logout?fail=1"] {
        let page = visitor.send("POST", path, &[AS_PAGE], "");
        assert_eq!(page.status, 500);
        assert!(!page.body.contains("stays as it was"), "{path}: {}", page.body);
        assert!(page.body.contains("what it did at once"), "{path}: {}", page.body);
        assert!(page.body.contains("What it had put off until its end was dropped"), "{}", page.body);
    }
}

#[test]
fn parallel_requests_on_one_session_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = format!("embedded:{}", directory.path().display());
    for server in [Server::in_memory(), Server::start(&["--store", &store, "--lab"])] {
        let mut visitor = server.client();
        visitor.post("/visits");
        std::thread::scope(|scope| {
            for client in 0..8 {
                let mut visitor = visitor.clone();
                scope.spawn(move || {
                    for turn in 0..4 {
                        let note = format!("/notes/{client}-{turn}?hold_ms=10");
                        assert_eq!(visitor.send("PUT", &note, &[], "1").status, 204);
                        assert_eq!(visitor.form("/cart?hold_ms=10", "sku=hook&quantity=1").status, 303);
                        assert_eq!(visitor.post("/visits?hold_ms=10").status, 200);
                    }
                });
            }
        });
        let session = visitor.session();
        assert_eq!(session["notes"].as_object().unwrap().len(), 32);
        assert_eq!(session["cart"], json!([{ "sku": "hook", "quantity": 32 }]));
        assert_eq!(session["visits"], 33);
    }
}

#[test]
fn wrong_lab_numbers_are_told_their_range() {
    let server = Server::in_memory();
    for query in ["hold_ms=-1", "hold_ms=60001", "hold_ms=x", "fail=2", "fail=yes"] {
        let answer = server.client().post(&format!("/visits?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains("0 to 60000"), "{}", answer.body);
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[test]
fn without_the_lab_nothing_fails_on_demand() {
    let server = Server::start(&["--store", "memory:"]);
    assert_eq!(server.client().post("/visits?fail=1&hold_ms=99999999").json(), json!({ "visits": 1 }));
}
