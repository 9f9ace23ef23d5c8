//! What may be asked of a cookie, and what the refusal says.

use super::*;

fn refused(options: CookieOptions) -> CookieOptionsError {
    options.build().unwrap_err()
}

#[test]
fn the_prefix_follows_from_the_other_options() {
    let new = || CookieOptions::new().name("sid");
    for (options, name) in [
        (CookieOptions::new(), "__Host-session"),
        (new(), "__Host-sid"),
        (new().path("/"), "__Host-sid"),
        (new().path("/shop"), "__Secure-sid"),
        (new().domain("example.org"), "__Secure-sid"),
        (new().insecure_plain_http_for_localhost(), "sid"),
    ] {
        assert_eq!(options.build().unwrap().name(), name);
    }
}

#[test]
fn plain_http_mode_leaves_out_secure_and_nothing_else() {
    let cookie = CookieOptions::new().insecure_plain_http_for_localhost().build().unwrap();
    assert!(text(&cookie.set(&id(b'V'))).ends_with("V; Path=/; HttpOnly; SameSite=Lax"));
}

#[test]
fn persistence_must_be_asked_for() {
    assert!(!CookieOptions::new().build().unwrap().is_persistent());
    assert!(CookieOptions::new().persistent().build().unwrap().is_persistent());
}

#[test]
fn names_that_no_browser_keeps_are_refused() {
    for name in ["", "a b", "a=b", "a;b", "a,b", "a\0", "größe", "\"a\""] {
        assert!(
            matches!(refused(CookieOptions::new().name(name)), CookieOptionsError::Name { .. }),
            "{name:?}"
        );
    }
}

#[test]
fn names_that_bring_a_prefix_are_refused() {
    for name in ["__Host-sid", "__host-sid", "__SECURE-sid", "__Http-sid", "__Host-Http-sid"] {
        let error = refused(CookieOptions::new().name(name));
        assert!(matches!(error, CookieOptionsError::PrefixedName { .. }), "{name:?}");
        assert!(error.to_string().contains("give the name without it"));
    }
}

#[test]
fn domains_that_are_no_host_names_are_refused() {
    for domain in ["", ".example.org", "example.org.", "a..b", "a b", "a;b", "https://a", "münchen.de"] {
        let error = refused(CookieOptions::new().domain(domain));
        assert!(matches!(error, CookieOptionsError::Domain { .. }), "{domain:?}");
    }
}

#[test]
fn paths_that_end_or_break_the_attribute_are_refused() {
    for path in ["", "shop", "/a;b", "/a b", "/a\r\nSet-Cookie: x=y", "/ä"] {
        let error = refused(CookieOptions::new().path(path));
        assert!(matches!(error, CookieOptionsError::Path { .. }), "{path:?}");
    }
}

#[test]
fn what_needs_secure_is_refused_over_plain_http() {
    let plain = || CookieOptions::new().insecure_plain_http_for_localhost();
    for (options, what) in
        [(plain().same_site(SameSite::None), "SameSite=None"), (plain().partitioned(), "Partitioned")]
    {
        assert_eq!(refused(options), CookieOptionsError::NeedsSecure { what });
    }
}

#[test]
fn the_limits_of_browsers_hold_to_the_byte() {
    let name = |size: usize| CookieOptions::new().name("n".repeat(size - 64 - "__Host-".len()));
    let path = |size: usize| CookieOptions::new().path(format!("/{}", "p".repeat(size - 1)));
    let domain = |size: usize| CookieOptions::new().domain("d".repeat(size));
    for (fits, exceeds, limit) in
        [(name(4096), name(4097), 4096), (path(1024), path(1025), 1024), (domain(253), domain(254), 253)]
    {
        assert!(fits.build().is_ok());
        let error = refused(exceeds);
        assert!(
            matches!(error, CookieOptionsError::TooLong { size, limit: l, .. } if l == limit && size == limit + 1)
        );
    }
}
