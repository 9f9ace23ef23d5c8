mod fixtures;

use super::*;
use crate::id::{Locator, Namespace};

fn key() -> Key {
    Key { namespace: Namespace::new("test"), locator: Locator::from_bytes([7; 16]) }
}

fn activity() -> Activity {
    Activity { last_accessed: Timestamp::from_millis(5_000), confirmed: false }
}

fn header() -> Header {
    Header {
        persistent: true,
        algorithm: HashAlgorithm::Sha256,
        revision: 41,
        generation: 2,
        unconfirmed_timeout: Some(Duration::from_secs(600)),
        created: Timestamp::from_millis(1_000),
        deadline: Timestamp::from_millis(9_000_000),
        idle_timeout: Duration::from_secs(1_200),
        nonce: 99,
        secret_hash: [3; 32],
        renewal: Some(Renewal {
            authenticated: Timestamp::from_millis(2_000),
            renewed: Timestamp::from_millis(2_000),
            previous: [4; 32],
        }),
    }
}

fn edit<'a>(name: &'a str, value: Option<&'a [u8]>) -> AttributeEdit<'a> {
    AttributeEdit { name, value: value.map(|bytes| RawValue { format: ValueFormat::MESSAGE_PACK, bytes }) }
}

fn assemble(base: Option<&Record>, edits: &[AttributeEdit<'_>]) -> Record {
    let extensions = Extensions::new(&[]).with_principal(Some((3, "alice")));
    Draft {
        key: key(),
        activity: activity(),
        header: crate::record::HeaderEdit::Whole(&header()),
        extensions: &extensions,
        base,
        edits,
    }
    .assemble()
    .unwrap()
}

fn attributes(record: &Record) -> Vec<(&str, &[u8])> {
    record.attributes_iter().map(|(name, value)| (name, value.bytes)).collect()
}

#[test]
fn a_record_says_what_was_put_in() {
    let record = assemble(None, &[edit("a", Some(b"1")), edit("b", Some(b"")), edit("cart", Some(b"three"))]);
    assert_eq!(attributes(&record), [("a", &b"1"[..]), ("b", b""), ("cart", b"three")]);
    assert_eq!(record.get("cart").unwrap().bytes, b"three");
    assert!(record.get("c").is_none() && record.get("").is_none() && record.get("z").is_none());
    assert_eq!((record.revision(), record.generation(), record.nonce()), (41, 2, 99));
    assert_eq!((record.principal(), record.principal_epoch()), (Some("alice"), Some(3)));
    assert_eq!(record.authenticated(), Some(Timestamp::from_millis(2_000)));
    assert_eq!(record.unconfirmed_timeout(), Some(Duration::from_secs(600)));
    assert!(record.is_persistent());
}

#[test]
fn decoding_gives_the_same_record() {
    let record = assemble(None, &[edit("a", Some(b"1")), edit("b", Some(b"22"))]);
    let again = Record::decode(key(), activity(), record.bytes()).unwrap();
    assert_eq!(again.bytes(), record.bytes());
    assert_eq!(attributes(&again), attributes(&record));
}

#[test]
fn edits_are_spliced_into_the_base() {
    let base = assemble(None, &[edit("b", Some(b"2")), edit("d", Some(b"4")), edit("f", Some(b"6"))]);
    let edits = [
        edit("a", Some(b"1")),
        edit("b", None),
        edit("d", Some(b"44")),
        edit("e", None),
        edit("g", Some(b"7")),
    ];
    let record = assemble(Some(&base), &edits);
    assert_eq!(attributes(&record), [("a", &b"1"[..]), ("d", b"44"), ("f", b"6"), ("g", b"7")]);
}

#[test]
fn no_cut_and_no_flipped_byte_makes_decoding_panic() {
    let record = assemble(None, &[edit("a", Some(b"1")), edit("bb", Some(b"22")), edit("ccc", Some(b"333"))]);
    let bytes = record.bytes();
    for end in 0..bytes.len() {
        assert!(Record::decode(key(), activity(), &bytes[..end]).is_err());
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= 1 << bit;
            if let Ok(record) = Record::decode(key(), activity(), &bytes) {
                let _ = (attributes(&record), record.principal(), record.expires_at(), record.get("bb"));
            }
        }
    }
}

#[test]
fn a_newer_version_is_named() {
    let mut bytes = assemble(None, &[]).bytes().to_vec();
    bytes[0] = 2;
    let error = Record::decode(key(), activity(), &bytes).unwrap_err();
    assert_eq!(error, RecordError::UnknownVersion { version: 2 });
}

#[test]
fn clones_see_the_activity_move_and_only_forward() {
    let record = assemble(None, &[]);
    let clone = record.clone();
    record.touch(Activity { last_accessed: Timestamp::from_millis(7_000), confirmed: true });
    record.touch(Activity { last_accessed: Timestamp::from_millis(6_000), confirmed: false });
    assert_eq!(clone.activity(), Activity { last_accessed: Timestamp::from_millis(7_000), confirmed: true });
    assert!(record.shared_activity().claim() && !clone.shared_activity().claim());
    assert_eq!(clone.activity().last_accessed, Timestamp::from_millis(7_000));
}
