//! What keeps other sites, proxies and shoulders out.

use crate::client::{AS_PAGE, FORM};
use crate::process::Server;

#[test]
fn requests_from_other_sites_are_refused_with_a_page_before_they_reach_a_session() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    visitor.login("alice", "wonderland");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
    ] {
        let answer = visitor.send("POST", "/logout", &[AS_PAGE, (name, value)], "");
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(answer.body.contains("That came from another site"));
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(visitor.session()["user"], "alice");
}

#[test]
fn the_shops_own_forms_and_clients_without_browser_headers_are_served() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    let own = format!("http://{}", server.address);
    for header in [("sec-fetch-site", "same-origin"), ("origin", own.as_str()), ("x-none", "")] {
        let answer = visitor.send("POST", "/cart", &[FORM, header], "sku=hook&quantity=1");
        assert_eq!(answer.status, 303, "{header:?}");
    }
}

#[test]
fn every_answer_carries_the_headers_that_protect_it() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    for path in ["/", "/session", "/healthz", "/account", "/nothing", "/assets/nothing.css"] {
        let answer = visitor.send("GET", path, &[AS_PAGE], "");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn pages_name_files_that_may_be_kept_for_good() {
    let server = Server::in_memory();
    let mut visitor = server.client();
    let page = visitor.get("/").body;
    let files: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let answer = visitor.get(file);
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("onclick"));
}

#[test]
fn the_cookie_is_hidden_from_scripts_and_other_sites() {
    let server = Server::in_memory();
    let answer = server.client().post("/visits");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("coatroom-demo="));
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "all but the id");
    assert_eq!(answer.header("vary"), Some("cookie"));
}
