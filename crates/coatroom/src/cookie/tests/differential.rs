//! Beside the `cookie` crate: never more permissive than it, and the same where both have a rule.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// The values that the `cookie` crate finds under our name in all lines together.
fn values_by_the_crate(line: &str) -> BTreeSet<String> {
    let cookies = Cookie::split_parse(line).filter_map(Result::ok);
    cookies.filter(|cookie| cookie.name() == sid().name()).map(|cookie| cookie.value().to_owned()).collect()
}

fn expected(values: &BTreeSet<String>) -> Presented {
    match (values.len(), values.first()) {
        (0, _) => Presented::None,
        (1, Some(value)) => SessionId::parse(value.as_bytes()).map_or(Presented::Malformed, Presented::One),
        _ => Presented::Duplicate,
    }
}

/// What cookie headers are made of, so that random rows of it are often nearly right.
fn piece() -> impl Strategy<Value = String> {
    let name = || Just(sid().name().to_owned());
    let pair = |byte| Just(format!("{}={}", sid().name(), id(byte).expose()));
    prop_oneof![
        3 => name(),
        3 => pair(b'V'),
        1 => pair(b'W'),
        2 => Just(id(b'V').expose()),
        8 => prop::sample::select(vec![";", "; ", "=", " ", "\t"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["a", "\"", ",", "%56", "$Path", "é", "\0"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn both_read_the_same_values(pieces in prop::collection::vec(piece(), 0..12)) {
        let line = pieces.concat();
        prop_assert_eq!(sid().read([line.as_bytes()]), expected(&values_by_the_crate(&line)));
    }

    #[test]
    fn lines_are_as_good_as_one_line(lines in prop::collection::vec(prop::collection::vec(piece(), 0..5), 0..5)) {
        let lines: Vec<String> = lines.iter().map(|pieces| pieces.concat()).collect();
        let joined = lines.join("; ");
        prop_assert_eq!(sid().read(lines.iter().map(String::as_bytes)), sid().read([joined.as_bytes()]));
    }

    #[test]
    fn order_changes_nothing(mut lines in prop::collection::vec(prop::collection::vec(piece(), 0..5), 0..5)) {
        let read = |lines: &[Vec<String>]| {
            let lines: Vec<String> = lines.iter().map(|pieces| pieces.concat()).collect();
            sid().read(lines.iter().map(String::as_bytes))
        };
        let forward = read(&lines);
        lines.reverse();
        let backward = read(&lines);
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn a_damaged_header_is_never_read_more_freely(at in 0_usize..100, with in prop::collection::vec(any::<u8>(), 0..4), cut in 0_usize..3) {
        let mut line = format!("a=1; {}={}; b=2", sid().name(), id(b'V').expose()).into_bytes();
        let start = at.min(line.len());
        let end = (start + cut).min(line.len());
        line.splice(start..end, with);
        if let Presented::One(read) = sid().read([&line[..]]) {
            let values = values_by_the_crate(&String::from_utf8_lossy(&line));
            prop_assert!(values.contains(&read.expose()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
        prop_assert_eq!(sid().read(lines.iter().map(Vec::as_slice)), Presented::None);
    }

    #[test]
    fn any_value_is_read_without_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
        let line = [b"__Host-sid=", &value[..]].concat();
        if let Presented::One(read) = sid().read([&line[..]]) {
            prop_assert!(String::from_utf8_lossy(&value).contains(&read.expose()));
        }
    }
}
