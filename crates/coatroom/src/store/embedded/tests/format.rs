//! What lies in the files is what `docs/format.md` says, by its vectors.

use std::path::Path;

use crate::id::Key;
use crate::record::{Activity, Record};
use crate::store::embedded::db::keys;

/// Bytes in hexadecimal.
pub(in crate::store::embedded) fn bytes(json: &serde_json::Value) -> Vec<u8> {
    let digits = json.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// Each vector of the files, and the record that it tells of.
pub(in crate::store::embedded) fn stored() -> Vec<(serde_json::Value, Record)> {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v1"));
    let text = std::fs::read_to_string(fixtures.join("vectors.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let read = |vector: &serde_json::Value| {
        let name = vector["record"].as_str().unwrap();
        let key = Key::from_bytes(bytes(&vector["file_key"])[1..].try_into().unwrap());
        let activity = bytes(&vector["file_value_head"])[..8].try_into().unwrap();
        let activity = Activity::from_bits(u64::from_le_bytes(activity));
        let record = std::fs::read(fixtures.join(format!("{name}.bin"))).unwrap();
        (vector.clone(), Record::decode(key, activity, &record).unwrap())
    };
    vectors["stored"].as_array().unwrap().iter().map(read).collect()
}

#[test]
fn a_record_lies_in_the_files_as_documented() {
    for (vector, record) in stored() {
        assert_eq!(keys::record_key(record.key())[..], bytes(&vector["file_key"]));
        let mut value = Vec::new();
        keys::write_record(&record, &mut value);
        assert_eq!(value, [bytes(&vector["file_value_head"]), record.bytes().to_vec()].concat());
        let again = keys::read_record(*record.key(), &value).unwrap();
        assert_eq!((again.bytes(), again.activity()), (record.bytes(), record.activity()));
    }
}
