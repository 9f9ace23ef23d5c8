//! Two shops on one store, behind an nginx that hands requests to each in turn.

mod crash;
mod expiry;
mod pair;

use serde_json::json;

use self::pair::on_each_store;
use crate::client::Client;

const CLIENTS: usize = 20;
const REQUESTS: usize = 10;

/// All clients send all their requests on the session of `visitor`, each of which must be answered
/// with `status`.
fn rush(visitor: &Client, status: u16, send: impl Fn(&mut Client, &str) -> u16 + Sync) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (mut visitor, send) = (visitor.clone(), &send);
            scope.spawn(move || {
                for turn in 0..REQUESTS {
                    assert_eq!(send(&mut visitor, &format!("{client}-{turn}")), status);
                }
            });
        }
    });
}

on_each_store! {
    fn requests_through_both_on_one_session_lose_nothing(pair) {
        let mut visitor = pair.client();
        visitor.post("/visits");
        rush(&visitor, 204, |visitor, name| {
            visitor.send("PUT", &format!("/notes/{name}?hold_ms=2"), &[], "1").status
        });
        rush(&visitor, 303, |visitor, _| visitor.form("/cart?hold_ms=2", "sku=hook&quantity=1").status);
        rush(&visitor, 200, |visitor, _| visitor.post("/visits?hold_ms=2").status);
        let session = visitor.session();
        assert_eq!(session["notes"].as_object().unwrap().len(), CLIENTS * REQUESTS);
        assert_eq!(session["cart"], json!([{ "sku": "hook", "quantity": CLIENTS * REQUESTS }]));
        assert_eq!(session["visits"], 1 + CLIENTS * REQUESTS);
    }

    fn what_one_shop_does_is_true_at_the_other_at_once(pair) {
        for turn in 0..20 {
            let mut here = pair.nodes[turn % 2].client();
            let mut there = pair.nodes[(turn + 1) % 2].client();
            assert_eq!(here.login("alice", "wonderland").status, 303);
            there.cookie = here.cookie.clone();
            assert_eq!(there.session()["user"], "alice");
            assert_eq!(here.post("/logout").status, 303);
            assert_eq!(there.session()["locator"], json!(null));
        }
    }

    fn ending_all_others_at_one_shop_ends_them_at_the_other(pair) {
        let mut here = pair.nodes[0].client();
        let mut there = pair.nodes[1].client();
        for visitor in [&mut here, &mut there] {
            assert_eq!(visitor.login("alice", "wonderland").status, 303);
        }
        assert_eq!(here.post("/account/sessions/end-others").status, 303);
        assert_eq!(there.session()["locator"], json!(null));
        assert_eq!(here.session()["user"], "alice");
    }
}
