//! Any bytes as a record: decoding never panics, and what it accepts can be read to the last field
//! and gives the same bytes back.

#![no_main]

use std::time::Duration;

use coatroom::{Activity, Key, Locator, Namespace, Record, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let key = Key { namespace: Namespace::from_bytes([1; 8]), locator: Locator::from_bytes([2; 16]) };
    let activity = Activity { last_accessed: Timestamp::from_millis(5), confirmed: false };
    let Ok(record) = Record::decode(key, activity, data) else { return };

    assert_eq!(record.bytes(), data);
    let again = Record::decode(key, activity, record.bytes()).expect("accepted once, accepted twice");
    assert_eq!(again.bytes(), data);
    assert_eq!(*record.key(), key);
    assert_eq!(record.activity(), activity);

    let attributes: Vec<_> = record.attributes_iter().collect();
    assert_eq!(attributes.len(), record.attribute_count());
    assert!(attributes.windows(2).all(|two| two[0].0 < two[1].0), "names are sorted");
    for (name, value) in &attributes {
        assert_eq!(record.get(name), Some(*value), "each attribute is found by its name");
    }
    let held: usize = attributes.iter().map(|(name, value)| name.len() + value.bytes.len()).sum();
    assert!(held <= data.len(), "nothing is read twice");

    let expires_at = record.expires_at();
    assert!(expires_at <= record.deadline(), "no activity outlives the lifetime");
    assert!(!record.is_live(expires_at));
    record.touch(Activity { last_accessed: Timestamp::from_millis(9), confirmed: true });
    assert!(record.expires_at() >= expires_at, "a touch lengthens only");

    assert_eq!(record.principal().is_some(), record.principal_epoch().is_some());
    assert!(record.unconfirmed_timeout() != Some(Duration::ZERO));
    let shown = format!("{record:?}");
    assert!(shown.contains(&key.locator.to_string()));
    let _ = (record.revision(), record.generation(), record.created(), record.nonce());
    let _ = (record.authenticated(), record.client_label(), record.own_lifetime(), record.is_persistent());
});
