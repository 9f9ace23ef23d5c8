use std::time::Duration;

use cookie::{Cookie, Expiration};

use super::*;

mod differential;
mod hostile;
mod options;

/// A cookie of the name that the hostile cases use.
fn sid() -> SessionCookie {
    CookieOptions::new().name("sid").build().unwrap()
}

fn id(byte: u8) -> SessionId {
    SessionId::parse(&[byte; SessionId::TEXT_LEN]).unwrap()
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap()
}

#[test]
fn a_session_cookie_is_the_strictest_there_is() {
    let value = sid().set(&id(b'V'));
    let expected = format!("__Host-sid={}; Path=/; Secure; HttpOnly; SameSite=Lax", id(b'V').expose());
    assert_eq!(text(&value), expected);
}

#[test]
fn a_cookie_with_every_option_says_so() {
    let options = CookieOptions::new().name("sid").domain("example.org").path("/shop");
    let cookie = options.same_site(SameSite::None).partitioned().readable_by_scripts().build().unwrap();
    let expected = format!(
        "__Secure-sid={}; Path=/shop; Domain=example.org; Secure; SameSite=None; Partitioned",
        id(b'V').expose()
    );
    assert_eq!(text(&cookie.set(&id(b'V'))), expected);
}

#[test]
fn a_persistent_cookie_has_a_max_age_of_one_second_to_400_days() {
    for (given, sent) in [
        (Duration::ZERO, 1),
        (Duration::from_millis(999), 1),
        (Duration::from_secs(43_200), 43_200),
        (Duration::MAX, 34_560_000),
    ] {
        let value = sid().set_for(&id(b'V'), given);
        assert!(text(&value).ends_with(&format!("; SameSite=Lax; Max-Age={sent}")));
    }
}

#[test]
fn a_value_that_holds_an_id_is_sensitive() {
    for value in [sid().set(&id(b'V')), sid().set_for(&id(b'V'), Duration::from_secs(60))] {
        assert!(value.is_sensitive());
        assert!(!format!("{value:?}").contains("VVVV"));
    }
}

#[test]
fn debug_shows_no_id() {
    let line = format!("__Host-sid={}", id(b'V').expose());
    assert!(!format!("{:?}", sid().read([line.as_bytes()])).contains("VVVV"));
}

#[test]
fn removal_names_the_cookie_that_was_set_and_has_no_time_left() {
    let options = CookieOptions::new().name("sid").domain("example.org").path("/shop").partitioned();
    let cookie = options.build().unwrap();
    let (set, removal) = (cookie.set(&id(b'V')), cookie.remove());
    let set = Cookie::parse(text(&set)).unwrap();
    let removal = Cookie::parse(text(&removal)).unwrap();
    assert_eq!(removal.value(), "");
    assert_eq!(removal.max_age().unwrap().whole_seconds(), 0);
    assert!(matches!(removal.expires(), Some(Expiration::DateTime(time)) if time.unix_timestamp() == 0));
    assert_eq!(
        (removal.name(), removal.path(), removal.domain(), removal.secure(), removal.partitioned()),
        (set.name(), set.path(), set.domain(), set.secure(), set.partitioned())
    );
}

#[test]
fn what_is_set_is_read_back() {
    let id = SessionId::generate().unwrap();
    for options in [
        CookieOptions::new(),
        CookieOptions::new().path("/shop"),
        CookieOptions::new().insecure_plain_http_for_localhost(),
    ] {
        let cookie = options.build().unwrap();
        let set = cookie.set(&id);
        let pair = text(&set).split(';').next().unwrap();
        assert_eq!(cookie.read([pair.as_bytes()]), Presented::One(id.clone()));
    }
}
