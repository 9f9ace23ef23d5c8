use super::*;

fn parsed(url: &str) -> PostgresUrl {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refusal(url: &str) -> String {
    url.parse::<PostgresUrl>().unwrap_err().to_string()
}

#[test]
fn a_url_has_stated_defaults() {
    let url = parsed("postgres://app@db/app");
    assert_eq!(url.schema.name(), "coatroom");
    assert_eq!((url.timeout, url.connect_timeout), (Duration::from_secs(2), Duration::from_secs(5)));
    assert_eq!((url.pool_size, url.max_waiting), (16, 4_096));
    assert_eq!((url.prepared, url.ssl_mode), (Prepared::Auto, SslMode::Prefer));
    assert_eq!(url.config.get_application_name(), Some("coatroom"));
    assert_eq!(url.server(), "db:5432");
}

#[test]
fn options_are_read() {
    let url = parsed(
        "postgresql://app:p%40ss@a:1,b:2/app?schema=s_1&timeout=500ms&connect_timeout=3&pool_size=7&max_waiting=0\
         &prepared_statements=off&sslmode=verify-ca&sslrootcert=%2Fetc%2Fca%20file.pem&application_name=shop",
    );
    assert_eq!(url.schema.name(), "s_1");
    assert_eq!((url.timeout, url.connect_timeout), (Duration::from_millis(500), Duration::from_secs(3)));
    assert_eq!((url.pool_size, url.max_waiting), (7, 0));
    assert_eq!((url.prepared, url.ssl_mode), (Prepared::Off, SslMode::VerifyCa));
    assert_eq!(url.root_certificates, Some(PathBuf::from("/etc/ca file.pem")));
    assert_eq!(url.config.get_application_name(), Some("shop"));
    assert_eq!(url.config.get_password(), Some(&b"p@ss"[..]));
    assert_eq!(url.server(), "a:1,b:2");
}

#[test]
fn a_socket_is_named_by_its_directory_and_not_encrypted() {
    let url = parsed("postgres:///app?host=/run/postgresql&port=5433&sslmode=require");
    assert_eq!(url.server(), "/run/postgresql/.s.PGSQL.5433");
    assert_eq!(url.ssl_mode, SslMode::Disable);
}

#[test]
fn passwords_are_never_shown() {
    for (url, shown) in [
        ("postgres://app:secret@db/app", "postgres://app:***@db/app"),
        ("postgres://app:se:cret@db/app?timeout=1s", "postgres://app:***@db/app?timeout=1s"),
        ("postgres://app:secret%40@db/app", "postgres://app:***@db/app"),
        ("postgres://app@db/app?password=secret&timeout=1s", "postgres://app@db/app?password=***&timeout=1s"),
        ("postgres://app@db/app", "postgres://app@db/app"),
        ("postgres://db/app", "postgres://db/app"),
    ] {
        assert_eq!(parsed(url).to_string(), shown);
        assert_eq!(format!("{:?}", parsed(url)), format!("PostgresUrl({shown})"));
    }
}

#[test]
fn errors_never_show_a_piece_of_a_password() {
    for url in [
        "postgres://app:pa?secret@db/app",
        "postgres://app:pa?secret=x@db/app",
        "postgres://app:pa/secret@db:x/app",
        "mysql://app:secret@db/app",
        "postgres://app:secret@db:port/app",
        "postgres://app:secret@db/app?schema=secret!",
        "postgres://app:secret@/app",
    ] {
        let said = refusal(url);
        assert!(!said.contains("secret"), "{url}: {said}");
    }
}

#[test]
fn an_unknown_option_is_told_the_known_ones() {
    let said = refusal("postgres://app@db/app?time_out=2s");
    assert!(said.contains("\"time_out\"") && said.contains("connect_timeout"), "{said}");
    assert!(said.contains("tcp_user_timeout"), "{said}");
}

#[test]
fn values_out_of_range_are_told_the_range() {
    for (option, told) in [
        ("timeout=0s", "1ms to 60m"),
        ("timeout=2h", "1ms to 60m"),
        ("timeout=", "1ms to 60m"),
        ("timeout=99999999999999999999s", "1ms to 60m"),
        ("connect_timeout=61m", "1ms to 60m"),
        ("pool_size=0", "1 to 1000"),
        ("pool_size=x", "1 to 1000"),
        ("max_waiting=-1", "0 to 1000000"),
        ("sslmode=allow", "verify-full"),
        ("prepared_statements=maybe", "auto, on or off"),
        ("schema=a%22b", "lower case"),
        ("sslrootcert=%f", "percent-encoded"),
        ("keepalives_idle=x", "keepalives_idle"),
    ] {
        let said = refusal(&format!("postgres://app@db/app?{option}"));
        assert!(said.contains(told), "{option}: {said}");
    }
}

#[test]
fn urls_are_compared_with_their_passwords() {
    assert_eq!(parsed("postgres://app:a@db/app"), parsed("postgres://app:a@db/app"));
    assert!(parsed("postgres://app:a@db/app").config != parsed("postgres://app:b@db/app").config);
}
