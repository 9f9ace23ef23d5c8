//! The format as `docs/format.md` gives it: what version 1 wrote must load in every later version.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::*;
use crate::id::SessionId;

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1")).join(name)
}

/// The vectors of one section.
fn vectors(section: &str) -> Vec<Json> {
    let text = std::fs::read_to_string(path("vectors.json")).unwrap();
    let mut whole: Json = serde_json::from_str(&text).unwrap();
    let Json::Array(vectors) = whole[section].take() else { panic!("no section {section}") };
    assert!(!vectors.is_empty());
    vectors
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

/// A 64-bit number is written as a decimal string, since not every reader of JSON has them.
fn number(json: &Json) -> u64 {
    text(json).parse().unwrap()
}

fn millis(json: &Json) -> Timestamp {
    Timestamp::from_millis(number(json))
}

fn bytes(json: &Json) -> Vec<u8> {
    let digits = text(json).as_bytes();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(vector: &Json) -> Key {
    let key = Key::from_bytes(&bytes(&vector["key"]["bytes"]).try_into().unwrap());
    assert_eq!(key.namespace, Namespace::new(text(&vector["key"]["namespace"])));
    key
}

fn load(vector: &Json) -> (Vec<u8>, Record) {
    let activity = Activity::from_bits(u64::from_str_radix(text(&vector["activity"]["bits"]), 16).unwrap());
    let stored = std::fs::read(path(&format!("{}.bin", text(&vector["name"])))).unwrap();
    let record = Record::decode(key_of(vector), activity, &stored).unwrap();
    (stored, record)
}

fn check_header(record: &Record, json: &Json) {
    let header = record.header();
    assert_eq!(header.persistent, json["persistent"]);
    assert_eq!(header.algorithm as u64, json["hash_algorithm"].as_u64().unwrap());
    assert_eq!(record.revision(), number(&json["revision"]));
    assert_eq!(u64::from(record.generation()), json["generation"].as_u64().unwrap());
    assert_eq!(
        record.unconfirmed_timeout().map_or(0, |timeout| timeout.as_secs()),
        json["unconfirmed_seconds"].as_u64().unwrap()
    );
    assert_eq!(record.created(), millis(&json["created"]));
    assert_eq!(record.deadline(), millis(&json["deadline"]));
    assert_eq!(crate::clock::millis(record.idle_timeout()), number(&json["idle_millis"]));
    assert_eq!(record.nonce(), number(&json["nonce"]));
    assert_eq!(hex(&record.secret_hash()), text(&json["secret_hash"]));
    assert_eq!(header.renewal.is_some(), json["renewal"].is_object());
    if let Some(renewal) = header.renewal {
        assert_eq!(renewal.authenticated, millis(&json["renewal"]["authenticated"]));
        assert_eq!(renewal.renewed, millis(&json["renewal"]["renewed"]));
        assert_eq!(hex(&renewal.previous), text(&json["renewal"]["previous_hash"]));
    }
}

fn check_extensions(record: &Record, json: &Json) {
    assert_eq!(record.principal(), json["principal"]["name"].as_str());
    assert_eq!(record.principal_epoch(), json["principal"]["epoch"].as_str().map(|n| n.parse().unwrap()));
    assert_eq!(record.client_label(), json["client_label"].as_str());
    let lifetime = record.own_lifetime().map(crate::clock::millis);
    assert_eq!(lifetime, json["lifetime_millis"].as_str().map(|n| n.parse().unwrap()));
}

fn check_attributes(record: &Record, json: &Json) {
    let attributes = json["attributes"].as_array().unwrap();
    assert_eq!(record.attribute_count(), attributes.len());
    for ((name, value), json) in record.attributes_iter().zip(attributes) {
        assert_eq!(name, text(&json["name"]));
        assert_eq!(u64::from(value.format.0), json["format"].as_u64().unwrap());
        assert_eq!(hex(value.bytes), text(&json["bytes"]));
        assert_eq!(record.get(name), Some(value));
    }
}

/// The record that this version makes of the same content.
fn write_again(record: &Record) -> Record {
    let edits: Vec<_> =
        record.attributes_iter().map(|(name, value)| AttributeEdit { name, value: Some(value) }).collect();
    let header = record.header();
    let extensions = record.extensions().bytes();
    Draft {
        key: *record.key(),
        activity: record.activity(),
        header: HeaderEdit::Whole(&header),
        extensions,
        base: None,
        edits: &edits,
    }
    .assemble()
    .unwrap()
}

#[test]
fn every_record_of_version_1_loads_and_is_written_byte_for_byte() {
    for vector in vectors("records") {
        let (stored, record) = load(&vector);
        check_header(&record, &vector["record"]);
        check_extensions(&record, &vector["record"]);
        check_attributes(&record, &vector["record"]);
        assert_eq!(record.expires_at(), millis(&vector["expires_at"]), "{}", vector["name"]);
        assert_eq!(hex(write_again(&record).bytes()), hex(&stored), "{}", vector["name"]);
    }
}

#[test]
fn the_activity_word_reads_and_writes_as_documented() {
    for vector in vectors("records") {
        let json = &vector["activity"];
        let activity = load(&vector).1.activity();
        assert_eq!(activity.last_accessed, millis(&json["last_accessed"]));
        assert_eq!(activity.confirmed, json["confirmed"]);
        assert_eq!(format!("{:016x}", activity.to_bits()), text(&json["bits"]));
    }
}

#[test]
fn every_fixture_has_its_vector() {
    let known: Vec<_> = vectors("records").iter().map(|v| format!("{}.bin", text(&v["name"]))).collect();
    for file in std::fs::read_dir(path("")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(name == "vectors.json" || known.contains(&name), "{name} has no vector");
    }
}

#[test]
fn bytes_that_break_a_rule_are_refused_by_that_rule() {
    for vector in vectors("refused") {
        let error = Record::decode(key(), activity(), &bytes(&vector["bytes"])).unwrap_err();
        let why = match error {
            RecordError::Malformed(why) => why,
            RecordError::Truncated => "truncated",
            RecordError::UnknownVersion { .. } => "unknown version",
        };
        assert_eq!(why, text(&vector["why"]), "{}", vector["name"]);
    }
}

#[test]
fn ids_namespaces_and_keyed_locators_are_as_documented() {
    for vector in vectors("session_ids") {
        let id = SessionId::parse(text(&vector["text"]).as_bytes()).unwrap();
        assert_eq!(id.expose(), text(&vector["text"]));
        assert_eq!(id.locator().to_string(), text(&vector["locator"]));
        assert!(id.hash().matches(&bytes(&vector["secret_hash"]).try_into().unwrap()));
    }
    for vector in vectors("namespaces") {
        assert_eq!(hex(Namespace::new(text(&vector["name"])).as_bytes()), text(&vector["bytes"]));
    }
    for vector in vectors("keyed_locators") {
        let locator = Locator::keyed(Namespace::new(text(&vector["namespace"])), &bytes(&vector["key"]));
        assert_eq!(locator.to_string(), text(&vector["locator"]));
    }
}

/// The checksum that files and journals carry.
#[cfg(feature = "embedded")]
#[test]
fn the_checksum_of_a_record_is_its_crc_32c() {
    for vector in vectors("records") {
        assert_eq!(format!("{:08x}", crc32c::crc32c(load(&vector).1.bytes())), text(&vector["crc32c"]));
    }
}
