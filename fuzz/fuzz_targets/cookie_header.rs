//! Any `Cookie` lines: reading them never panics, and gives what the `cookie` crate and the rule
//! about two values come to.

#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use coatroom::{CookieOptions, Presented, SessionCookie, SessionId};
use cookie::Cookie;
use libfuzzer_sys::fuzz_target;

fn sid() -> &'static SessionCookie {
    static SID: OnceLock<SessionCookie> = OnceLock::new();
    SID.get_or_init(|| CookieOptions::new().name("sid").build().expect("a valid name"))
}

/// The values that the `cookie` crate finds under our name.
fn values(lines: &[&str]) -> BTreeSet<String> {
    let cookies = lines.iter().flat_map(|line| Cookie::split_parse(*line)).filter_map(Result::ok);
    cookies.filter(|cookie| cookie.name() == sid().name()).map(|cookie| cookie.value().to_owned()).collect()
}

fn expected(values: &BTreeSet<String>) -> Presented {
    match (values.len(), values.first()) {
        (0, _) => Presented::None,
        (1, Some(value)) => SessionId::parse(value.as_bytes()).map_or(Presented::Malformed, Presented::One),
        _ => Presented::Duplicate,
    }
}

/// Both trim, but the crate trims more than blanks and tabs: every Unicode space.
fn trims_alike(line: &str) -> bool {
    line.chars().all(|c| !c.is_whitespace() || c == ' ' || c == '\t')
}

fuzz_target!(|data: &[u8]| {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let read = sid().read(lines.iter().copied());

    let backward = sid().read(lines.iter().rev().copied());
    assert_eq!(read, backward, "the order of lines decides nothing");

    if let Presented::One(id) = &read {
        let text = id.expose();
        assert!(data.windows(text.len()).any(|window| window == text.as_bytes()), "an id nobody sent");
    }

    let text: Option<Vec<&str>> = lines.iter().map(|line| std::str::from_utf8(line).ok()).collect();
    if let Some(text) = text.filter(|text| text.iter().all(|line| trims_alike(line))) {
        assert_eq!(read, expected(&values(&text)));
    }
});
