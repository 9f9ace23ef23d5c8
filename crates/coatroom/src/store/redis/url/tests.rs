use super::*;

fn parsed(url: &str) -> RedisUrl {
    url.parse().unwrap()
}

fn host(name: &str, port: u16) -> Host {
    Host { name: name.to_owned(), port }
}

#[test]
fn a_url_names_a_server() {
    let plain = parsed("redis://sessions");
    assert_eq!(plain.place, Place::One(host("sessions", 6379)));
    assert_eq!((plain.tls, plain.user, plain.password, plain.database), (false, None, None, 0));
    for (url, place) in [
        ("redis://10.0.0.1:7000/", Place::One(host("10.0.0.1", 7000))),
        ("redis://[::1]", Place::One(host("::1", 6379))),
        ("redis://[fe80::1]:7000/3", Place::One(host("fe80::1", 7000))),
        ("redis+cluster://a", Place::Cluster(vec![host("a", 6379)])),
        (
            "redis+cluster://u:p@a:1,[::1]:2,c",
            Place::Cluster(vec![host("a", 1), host("::1", 2), host("c", 6379)]),
        ),
        ("redis+unix:///run/redis.sock", Place::Socket("/run/redis.sock".into())),
        ("redis+unix:///a%20b?db=4", Place::Socket("/a b".into())),
    ] {
        assert_eq!(parsed(url).place, place, "{url}");
    }
    assert!(parsed("rediss://a").tls && parsed("rediss+cluster://a,b").tls);
    assert_eq!(parsed("redis://[fe80::1]:7000/3").database, 3);
    assert_eq!(parsed("redis+unix:///a%20b?db=4").database, 4);
}

#[test]
fn user_and_password_are_decoded() {
    for (url, user, password) in [
        ("redis://shop:word@h", Some("shop"), Some("word")),
        ("redis://:word@h", None, Some("word")),
        ("redis://shop@h", Some("shop"), None),
        ("redis://shop:@h", Some("shop"), None),
        ("redis://a%40b:c%3A%2f%3fd@h", Some("a@b"), Some("c:/?d")),
        ("redis://a:b@c@h", Some("a"), Some("b@c")),
        ("redis://%C3%A4:%E2%82%AC@h", Some("\u{e4}"), Some("\u{20ac}")),
    ] {
        let read = parsed(url);
        assert_eq!((read.user.as_deref(), read.password.as_deref()), (user, password), "{url}");
    }
}

#[test]
fn options_are_read() {
    let url = "redis://h?prefix=shop&timeout=500ms&connect_timeout=1m&connections=4&max_in_flight=9\
        &max_waiting=0&cacert=%2Fetc%2Fca.pem";
    let options = parsed(url).options;
    let expected = Options {
        prefix: "shop".to_owned(),
        timeout: Duration::from_millis(500),
        connect_timeout: Duration::from_secs(60),
        connections: 4,
        max_in_flight: 9,
        max_waiting: 0,
        authorities: Some("/etc/ca.pem".into()),
    };
    assert_eq!(options, expected);
    assert_eq!(parsed("redis://h").options, Options::default());
}

#[test]
fn a_url_is_written_as_it_is_read_but_for_the_password() {
    for url in [
        "redis://h:6379",
        "redis://[::1]:7000/2",
        "rediss://shop@h:6379",
        "redis+cluster://a:1,b:2",
        "redis+unix:///run/redis.sock",
        "redis+unix:///run/redis.sock?db=3&prefix=shop",
        "redis://h:6379/2?cacert=/etc/ca.pem&connect_timeout=1s&connections=2&max_in_flight=7&max_waiting=8&prefix=a%26b&timeout=250ms",
    ] {
        assert_eq!(parsed(url).to_string(), url);
        assert_eq!(parsed(url), parsed(&parsed(url).to_string()));
    }
    for url in [
        "redis://shop:s3cret@h",
        "redis://:s3cret@h/1",
        "rediss+cluster://u:s3cret@a,b",
        "redis+unix://u:s3cret@/a",
    ] {
        let shown = [parsed(url).to_string(), format!("{:?}", parsed(url))];
        assert!(shown.iter().all(|shown| !shown.contains("s3cret") && shown.contains(":***@")), "{shown:?}");
    }
}

#[test]
fn other_texts_are_told_what_is_wrong() {
    for (url, part) in [
        ("", "redis://"),
        ("redis:h", "redis://"),
        ("http://h", "redis://"),
        ("redis://", "redis://"),
        ("redis://h:port", "redis://"),
        ("redis://h:70000", "redis://"),
        ("redis://[::1", "redis://"),
        ("redis+cluster://a,,b", "redis://"),
        ("redis+unix://", "redis://"),
        ("redis://h/one", "database is a number"),
        ("redis+cluster://a/1", "no database but 0"),
        ("redis://a,b", "redis+cluster://"),
        ("redis://u:%zz@h", "percent-encoded"),
        ("redis://u:%ff@h", "percent-encoded"),
        (
            "redis://h?pool=3",
            "cacert, connect_timeout, connections, max_in_flight, max_waiting, prefix, timeout",
        ),
        ("redis://h?timeout=2", "timeout is a time such as 2s"),
        ("redis://h?timeout=0s", "timeout is a time such as 2s"),
        ("redis://h?connections=0", "from 1 to 64"),
        ("redis://h?max_in_flight=many", "from 1 to"),
        ("redis://h?prefix=a{b}", "no braces"),
        ("redis://h?prefix=", "no braces"),
        ("redis://h?db=1", "there is no option"),
    ] {
        let error = url.parse::<RedisUrl>().unwrap_err().to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
}

#[test]
fn no_error_shows_a_part_of_a_password() {
    for url in
        ["redis://u:s3?cret@h", "redis://u:s3cret%@h", "redis://u:s3cret@h:x", "redis://u:s3cret@h/x?y"]
    {
        let error = url.parse::<RedisUrl>().unwrap_err().to_string();
        assert!(!error.contains("s3") && !error.contains("cret"), "{error}");
    }
}
