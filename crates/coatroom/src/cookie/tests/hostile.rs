//! The hostile `Cookie` headers that session systems have stumbled over, numbered. The part of case 32 that
//! needs a store, an id that was good once, is in `tests/it/events.rs`.

use super::*;

/// What a case must come to. `V` and `W` are session ids, `X` is no id.
#[derive(Clone, Copy, Debug)]
enum Expect {
    Duplicate,
    Malformed,
    Nothing,
    V,
}

use Expect::{Duplicate, Malformed, Nothing, V};

/// Header lines with `{V}`, `{W}` and `{X}` filled in.
fn check(case: u32, lines: &[&str], expect: Expect) {
    let fill = |line: &&str| {
        let filled = line.replace("{V}", &id(b'V').expose()).replace("{W}", &id(b'W').expose());
        filled.replace("{X}", "planted").into_bytes()
    };
    check_bytes(case, &lines.iter().map(fill).collect::<Vec<_>>(), expect);
}

fn check_bytes(case: u32, lines: &[Vec<u8>], expect: Expect) {
    let expected = match expect {
        Duplicate => Presented::Duplicate,
        Malformed => Presented::Malformed,
        Nothing => Presented::None,
        V => Presented::One(id(b'V')),
    };
    let shown: Vec<_> =
        lines.iter().map(|line| line[..line.len().min(200)].escape_ascii().to_string()).collect();
    assert_eq!(sid().read(lines.iter().map(Vec::as_slice)), expected, "case {case}: {shown:?}");
}

fn with_value(bytes: &[u8]) -> Vec<Vec<u8>> {
    vec![[b"__Host-sid=", bytes].concat()]
}

#[test]
fn each_hostile_header_is_what_the_grammar_says() {
    let cases: &[(u32, &[&str], Expect)] = &[
        (0, &[], Nothing),
        (1, &["__Host-sid={V}"], V),
        (2, &["a=1;__Host-sid={V}"], V),
        (3, &["a=1;   __Host-sid={V} ;b=2"], V),
        (4, &["__Host-sid={V};"], V),
        (4, &[";;__Host-sid={V};;"], V),
        (5, &["__Host-sid = {V}"], V),
        (5, &["\t__Host-sid\t \t=\t {V}\t"], V),
        (6, &["a=1", "__Host-sid={V}"], V),
        (6, &["__Host-sid={V}", "", "b=2; c=3"], V),
        (7, &["__Host-sid={V}; __Host-sid={V}"], V),
        (7, &["__Host-sid={V}", "__Host-sid = {V}"], V),
        (8, &["__Host-sid={X}; __Host-sid={V}"], Duplicate),
        (8, &["__Host-sid={X}", "__Host-sid={V}"], Duplicate),
        (8, &["__Host-sid=; __Host-sid={V}"], Duplicate),
        (9, &["__Host-sid={V}; __Host-sid={X}"], Duplicate),
        (9, &["__Host-sid={V}; a=1; __Host-sid={V}; __Host-sid={X}"], Duplicate),
        (10, &["__Host-sid={V}; __Host-sid={W}"], Duplicate),
        (11, &["__host-sid={V}"], Nothing),
        (11, &["__HOST-SID={V}"], Nothing),
        (12, &["sid={V}"], Nothing),
        (12, &["__Secure-sid={V}"], Nothing),
        (12, &["__Host-sid2={V}; x__Host-sid={V}; __Host-sid.x={V}"], Nothing),
        (13, &["=__Host-sid={V}"], Nothing),
        (14, &["==__Host-sid={V}"], Nothing),
        (14, &["__Host-sid=={V}"], Malformed),
        (15, &["__Host-sid"], Nothing),
        (15, &["__Host-sid;={V}"], Nothing),
        (15, &["__Host-sid", "={V}"], Nothing),
        (16, &["__Host-sid="], Malformed),
        (16, &["__Host-sid= \t "], Malformed),
        (17, &["__Host-sid=\"{V}\""], Malformed),
        (17, &["__Host-sid='{V}'"], Malformed),
        (17, &["\"__Host-sid\"={V}"], Nothing),
        (18, &["a=\"x; __Host-sid={V}\""], Malformed),
        (18, &["a=\"x; __Host-sid={V}; y\""], V),
        (19, &["a=1, __Host-sid={V}"], Nothing),
        (19, &["__Host-sid={V}, a=1"], Malformed),
        (20, &["$Version=1; __Host-sid={V}; $Path=/"], V),
        (20, &["$Version=\"1\"; __Host-sid=\"{V}\"; $Path=\"/\""], Malformed),
        (22, &["__Host-sid={V}%00"], Malformed),
        (22, &["__Host-sid={V}\0"], Malformed),
        (22, &["__Host-sid={V}\0x"], Malformed),
        (22, &["\0__Host-sid={V}"], Nothing),
        (23, &["__Host-sid={V}\r\n"], Malformed),
        (23, &["__Host-sid={V}\n"], Malformed),
        (23, &["a=1\r\n __Host-sid={V}"], Nothing),
        (23, &["a=1;\r\n __Host-sid={V}"], Nothing),
        (23, &["__Host-sid=\x0b{V}"], Malformed),
        (23, &["__Host-sid\r={V}"], Nothing),
        (26, &["__Host-sid={V}A"], Malformed),
        (26, &["__Host-sid={V} x"], Malformed),
        (26, &["__Host-sid={V}\tx"], Malformed),
        (26, &["__Host-sid={V}{V}"], Malformed),
        (30, &["constructor=1; __proto__=1; __Host-sid={V}"], V),
        (32, &["csrf={V}; __Host-csrf={V}; remember={V}"], Nothing),
    ];
    for (case, lines, expect) in cases {
        check(*case, lines, *expect);
    }
}

#[test]
fn nothing_is_percent_decoded() {
    let text = id(b'V').expose();
    check_bytes(21, &with_value(format!("%56{}", &text[1..]).as_bytes()), Malformed);
    check_bytes(21, &with_value("%56".repeat(64).as_bytes()), Malformed);
    check(21, &["__Host%2Dsid={V}"], Nothing);
}

#[test]
fn bytes_beyond_ascii_are_no_session_and_no_panic() {
    let text = id(b'V').expose().into_bytes();
    for byte in 0x7f..=0xff {
        for at in [0, 31, 63] {
            let mut wrong = text.clone();
            wrong[at] = byte;
            check_bytes(24, &with_value(&wrong), Malformed);
        }
        check_bytes(24, &with_value(&[&text[..], &[byte]].concat()), Malformed);
        check_bytes(24, &[[b"a=", &[byte][..], b"; __Host-sid=", &text].concat()], V);
        check_bytes(24, &[[&[byte][..], b"__Host-sid=", &text].concat()], Nothing);
    }
    // The Kelvin sign, a full-width letter, a no-break space, an ideographic space.
    for spelling in ["__Host-\u{212a}id", "__Host-\u{ff53}id", "\u{a0}__Host-sid", "__Host-sid\u{3000}"] {
        check(24, &[&format!("{spelling}={{V}}")], Nothing);
    }
    check(24, &["__Host-sid=\u{a0}{V}"], Malformed);
}

#[test]
fn one_id_has_exactly_one_spelling() {
    let text = id(b'V').expose();
    for wrong in [
        text.replacen('V', "+", 1),
        text.replacen('V', "/", 1),
        format!("{}=", &text[..63]),
        format!("{}==", &text[..62]),
        format!("{text}="),
    ] {
        check_bytes(25, &with_value(wrong.as_bytes()), Malformed);
    }
    // A swapped case is another id, and so no way to the session of this one.
    let swapped = text.replacen('V', "v", 1);
    let line = format!("__Host-sid={swapped}");
    let read = sid().read([line.as_bytes()]);
    assert!(matches!(&read, Presented::One(other) if *other != id(b'V') && other.expose() == swapped));
}

#[test]
fn an_id_cut_short_anywhere_is_none() {
    let text = id(b'V').expose();
    for size in 0..SessionId::TEXT_LEN {
        check_bytes(26, &with_value(&text.as_bytes()[..size]), Malformed);
    }
}

#[test]
fn patterns_and_paths_never_reach_a_store() {
    // Malformed carries no id, so there is nothing that a store could be asked for.
    let padded = format!("{:A<64}", "../");
    for attack in
        ["../../../etc/passwd", "..%2f..%2f", "'or 1=1--", "\r\nSET", "*", "{}", "${jndi:x}", "null", &padded]
    {
        check_bytes(27, &with_value(attack.as_bytes()), Malformed);
    }
}

#[test]
fn size_changes_nothing() {
    for size in [4096, 64 << 10, 1 << 20] {
        check_bytes(28, &with_value(&vec![b'V'; size]), Malformed);
        let pad = "p".repeat(size);
        check(28, &[&format!("a={pad}; __Host-sid={{V}}")], V);
        check(28, &[&format!("__Host-sid={{V}}{}", " ".repeat(size))], V);
    }
}

#[test]
fn number_changes_nothing() {
    let many = (0..500).map(|i| format!("c{i}={i}; ")).collect::<String>();
    check(29, &[&format!("{many}__Host-sid={{V}}; {many}")], V);
    check(29, &[&";".repeat(10_000), "__Host-sid={V}"], V);
    check(29, &[&"__Host-sid={V};".repeat(10_000)], V);
    check(29, &[&"__Host-sid".repeat(10_000)], Nothing);
    check(29, &[&"=".repeat(10_000)], Nothing);
    check(29, &vec!["a=1"; 10_000], Nothing);
}

#[test]
fn ids_of_another_format_are_malformed_and_no_fault() {
    for old in ["3f2b8c1e-9d4a-4f6b-8e7c-2a1b0c9d8e7f", "A00000001AbCdEfGhIj", "s:abc.def", "1"] {
        check_bytes(31, &with_value(old.as_bytes()), Malformed);
    }
}
