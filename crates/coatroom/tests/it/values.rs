//! What a session holds: values, limits, and changes meeting changes.

use coatroom::{
    OnConflict, Place, RawValue, Sealer, SessionError, SessionId, SessionManagerBuilder, Slot,
    TryUpdateError, ValueError, ValueFormat,
};
use serde::{Deserialize, Serialize};

use crate::support::{Fixture, on_each_store, open};

const NAME: Slot<String> = Slot::new("name");
const COUNT: Slot<u64> = Slot::new("count");
const LIST: Slot<Vec<u64>> = Slot::new("list");
const STRICT: Slot<u64> = Slot::new("strict").on_conflict(OnConflict::Reject);

/// A stored session that holds `count` = 1.
async fn stored(fixture: &Fixture) -> SessionId {
    let (id, session) = fixture.sessions.create().unwrap();
    session.set(COUNT, &1).unwrap();
    fixture.sessions.commit(&session).await.unwrap();
    id
}

on_each_store! {
    async fn a_view_shows_what_this_request_did(place) {
        let fixture = Fixture::new(place);
        let session = open(&fixture, &stored(&fixture).await).await;
        session.set(NAME, &"a".to_owned()).unwrap();
        session.edit(LIST, |list| list.push(7)).unwrap();
        session.remove(COUNT).unwrap();
        assert_eq!(session.names(), ["list", "name"]);
        assert_eq!(session.get(LIST).unwrap(), Some(vec![7]));
        assert_eq!(session.get(COUNT).unwrap(), None);
        assert_eq!(session.get_or_init(COUNT, || 9).unwrap(), 9);
        assert_eq!(session.take(NAME).unwrap().as_deref(), Some("a"));
        assert_eq!(session.take(NAME).unwrap(), None);
    }

    async fn what_is_committed_is_there_and_what_is_not_is_not(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        session.set(NAME, &"kept".to_owned()).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        session.set(NAME, &"dropped".to_owned()).unwrap();
        drop(session);
        assert_eq!(open(&fixture, &id).await.get(NAME).unwrap().as_deref(), Some("kept"));
    }

    async fn an_edit_runs_again_on_the_newer_value(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        a.edit(LIST, |list| list.push(1)).unwrap();
        b.edit(LIST, |list| list.push(2)).unwrap();
        b.edit(LIST, |list| list.push(3)).unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        fixture.sessions.commit(&b).await.unwrap();
        assert_eq!(open(&fixture, &id).await.get(LIST).unwrap(), Some(vec![1, 2, 3]));
    }

    async fn two_requests_that_count_the_same_number_are_a_conflict_where_the_slot_rejects_one(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        a.set(STRICT, &2).unwrap();
        b.set(STRICT, &2).unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        let error = fixture.sessions.commit(&b).await.unwrap_err();
        assert!(matches!(error, SessionError::Conflict { name } if name == "strict"));
    }

    async fn the_later_set_wins_unless_its_slot_rejects_that(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        for (session, n) in [(&a, 10), (&b, 20)] {
            session.set(COUNT, &n).unwrap();
        }
        fixture.sessions.commit(&a).await.unwrap();
        fixture.sessions.commit(&b).await.unwrap();
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(20));

        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        a.set(STRICT, &1).unwrap();
        b.set(STRICT, &2).unwrap();
        b.set(NAME, &"lost with it".to_owned()).unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        let error = fixture.sessions.commit(&b).await.unwrap_err();
        assert!(matches!(&error, SessionError::Conflict { name } if name == "strict"), "{error}");
        assert_eq!(open(&fixture, &id).await.get(NAME).unwrap(), None);
    }

    async fn clear_of_what_was_empty_removes_what_another_added_meanwhile(place) {
        let fixture = Fixture::new(place);
        let (id, session) = fixture.sessions.create().unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        a.clear().unwrap();
        b.set(COUNT, &2).unwrap();
        fixture.sessions.commit(&b).await.unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        assert!(open(&fixture, &id).await.names().is_empty());
    }

    async fn clear_removes_what_another_added_meanwhile_and_keeps_what_came_after(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        a.clear().unwrap();
        a.set(NAME, &"after".to_owned()).unwrap();
        b.set(LIST, &vec![1]).unwrap();
        fixture.sessions.commit(&b).await.unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        assert_eq!(open(&fixture, &id).await.names(), ["name"]);
    }

    async fn setting_what_is_there_changes_nothing(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let (a, b) = (open(&fixture, &id).await, open(&fixture, &id).await);
        let revision = fixture.sessions.list(None, 1).await.unwrap().0[0].revision;
        a.set(COUNT, &1).unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        assert_eq!(fixture.sessions.list(None, 1).await.unwrap().0[0].revision, revision);
        // It is no change for others either: theirs stays.
        a.set(COUNT, &1).unwrap();
        b.set(COUNT, &5).unwrap();
        fixture.sessions.commit(&b).await.unwrap();
        fixture.sessions.commit(&a).await.unwrap();
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(5));
    }

    async fn updates_are_immediate_and_refuse_what_is_deferred(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        assert_eq!(session.update(COUNT, |n| n + 1).await.unwrap(), 2);
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(2));
        assert_eq!(session.get(COUNT).unwrap(), Some(2));
        session.set(COUNT, &9).unwrap();
        let error = session.update(COUNT, |n| n + 1).await.unwrap_err();
        assert!(matches!(error, SessionError::DeferredChange { .. }));
        let refused = session.try_update(LIST, |_| Err::<Vec<u64>, _>("no")).await.unwrap_err();
        assert!(matches!(refused, TryUpdateError::Refused("no")));
    }

    async fn an_update_keeps_what_is_deferred(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        session.edit(LIST, |list| list.push(1)).unwrap();
        session.update(COUNT, |n| n + 1).await.unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let session = open(&fixture, &id).await;
        assert_eq!((session.get(LIST).unwrap(), session.get(COUNT).unwrap()), (Some(vec![1]), Some(2)));
    }

    async fn a_value_that_no_longer_decodes_is_that_one_attributes_error(place) {
        let fixture = Fixture::new(place);
        let session = open(&fixture, &stored(&fixture).await).await;
        session.set(NAME, &"fine".to_owned()).unwrap();
        let error = session.get(Slot::<Vec<String>>::new("count")).unwrap_err();
        let SessionError::Value(ValueError::Decode { name, expected, .. }) = &error else { panic!("{error}") };
        assert_eq!((name.as_str(), *expected), ("count", std::any::type_name::<Vec<String>>()));
        assert!(error.to_string().contains("remove the attribute"));
        assert_eq!(session.get(NAME).unwrap().as_deref(), Some("fine"));
    }

    async fn a_pickle_lies_beside_the_rest_untouched(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        let pickle = RawValue { format: ValueFormat::PICKLE, bytes: b"\x80\x04N." };
        session.set_raw("zope", Some(pickle), OnConflict::Reject).unwrap();
        session.update(COUNT, |n| n + 1).await.unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let session = open(&fixture, &id).await;
        assert_eq!(session.get_raw("zope"), Some((ValueFormat::PICKLE, b"\x80\x04N.".to_vec())));
        assert!(session.get(Slot::<u64>::new("zope")).is_err());
    }

    async fn limits_name_themselves_and_lose_nothing(place) {
        let fixture = Fixture::with(place, |b| b.max_value_bytes(100).max_attributes(3).max_record_bytes(1_024));
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        let error = session.set(NAME, &"x".repeat(200)).unwrap_err();
        assert!(error.to_string().contains("max_value_bytes = 100"), "{error}");
        assert!(session.set(Slot::new(""), &1u8).is_err());
        assert!(session.set(Slot::new(&"n".repeat(256)), &1u8).is_err());
        for n in 0..3 {
            session.set(Slot::new(&format!("more.{n}")), &n).unwrap();
        }
        let error = fixture.sessions.commit(&session).await.unwrap_err();
        assert!(matches!(error, SessionError::TooManyAttributes { count: 4, limit: 3 }), "{error}");
        assert_eq!(open(&fixture, &id).await.names(), ["count"]);
    }

    async fn a_record_may_have_its_limits_to_the_byte(place) {
        let fixture = Fixture::with(place, |b| b.max_attributes(2).max_record_bytes(1_024));
        let session = open(&fixture, &stored(&fixture).await).await;
        let write = async |length: usize| {
            session.set(NAME, &"x".repeat(length)).unwrap();
            session.save().await
        };
        let Err(SessionError::RecordTooLarge { size, limit: 1_024 }) = write(2_000).await else { panic!() };
        let longest = 2_000 - (size - 1_024);
        write(longest).await.unwrap();
        assert!(matches!(write(longest + 1).await, Err(SessionError::RecordTooLarge { size: 1_025, .. })));
    }

    async fn a_limit_that_was_lowered_holds_for_what_is_beyond_it_already(place) {
        let before = Fixture::new(place.clone());
        let id = stored(&before).await;
        let session = open(&before, &id).await;
        session.set(NAME, &"x".repeat(2_000)).unwrap();
        before.sessions.commit(&session).await.unwrap();
        for (attributes, bytes) in [(1, 4_096), (2, 1_024)] {
            let lowered = |b: SessionManagerBuilder| b.max_attributes(attributes).max_record_bytes(bytes);
            let now = Fixture::with(place.clone(), lowered);
            let session = open(&now, &id).await;
            session.set(COUNT, &2).unwrap();
            assert!(session.save_undoable_at_hand().is_none());
            assert_eq!(now.sessions.commit(&session).await.unwrap_err().status(), 413);
            assert_eq!(open(&now, &id).await.get(COUNT).unwrap(), Some(1));
        }
    }

    async fn names_too_long_for_a_record_are_an_error_that_names_their_own_limit(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        // With "count" that is one byte more than fits.
        for n in 0..257 {
            let size = if n < 256 { 255 } else { 251 };
            session.set(Slot::new(&format!("{n:0size$}")), &n).unwrap();
        }
        let error = fixture.sessions.commit(&session).await.unwrap_err();
        assert!(matches!(error, SessionError::NamesTooLong { size: 65_536, limit: 65_535 }), "{error}");
        assert!(error.to_string().contains("65535") && !error.to_string().contains("max_"), "{error}");
        assert_eq!(error.status(), 413);
        session.remove(Slot::<i32>::new(&format!("{:0251}", 256))).unwrap();
        session.set(Slot::new(&format!("{:0250}", 256)), &256).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        assert_eq!(open(&fixture, &id).await.names().len(), 258);
    }

    async fn an_error_about_a_value_does_not_quote_it(place) {
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        session.set(Slot::new("pin"), &77u8).unwrap();
        session.set(Slot::new("debt"), &-7i8).unwrap();
        session.set(Slot::new("married"), &true).unwrap();
        session.set(Slot::new("diary"), &"dear diary".to_owned()).unwrap();
        let unreadable = [
            session.get(Slot::<String>::new("pin")).unwrap_err(),
            session.get(Slot::<String>::new("debt")).unwrap_err(),
            session.get(Slot::<String>::new("married")).unwrap_err(),
            session.get(Slot::<Picky>::new("diary")).unwrap_err(),
        ];
        let unwritable = session.set(Slot::new("picky"), &Picky).unwrap_err();
        assert!(unwritable.to_string().contains("\"picky\" failed: its Serialize refused it"), "{unwritable}");
        for error in unreadable.iter().chain([&unwritable]) {
            let mut said = format!("{error:?}");
            let mut cause: Option<&dyn std::error::Error> = Some(error);
            while let Some(error) = cause {
                said += &error.to_string();
                cause = error.source();
            }
            for value in ["77", "-7", "True", "true", "dear"] {
                assert!(!said.contains(value), "{said}");
            }
        }
    }

    async fn a_struct_gains_a_field_by_a_deploy(place) {
        #[derive(Serialize, Deserialize)]
        struct Old { sku: String }
        #[derive(Debug, Deserialize, PartialEq, Serialize)]
        struct New { sku: String, #[serde(default)] quantity: u32 }
        let fixture = Fixture::new(place);
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        session.set(Slot::new("item"), &Old { sku: "hat".into() }).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let item = open(&fixture, &id).await.get(Slot::<New>::new("item")).unwrap();
        assert_eq!(item, Some(New { sku: "hat".into(), quantity: 0 }));
    }

    async fn a_sealed_value_is_bound_to_its_place(place) {
        const CARD: Slot<String> = Slot::new("card").sealed();
        let fixture = Fixture::with(place, |b| b.sealer(Xor));
        let id = stored(&fixture).await;
        let session = open(&fixture, &id).await;
        session.set(CARD, &"4111".to_owned()).unwrap();
        fixture.sessions.commit(&session).await.unwrap();
        let session = open(&fixture, &id).await;
        assert_eq!(session.get(CARD).unwrap().as_deref(), Some("4111"));
        let (format, bytes) = session.get_raw("card").unwrap();
        assert!(format.is_sealed() && !bytes.windows(4).any(|w| w == b"4111"));
        session.set_raw("other", Some(RawValue { format, bytes: &bytes }), OnConflict::LaterWins).unwrap();
        let error = session.get(Slot::<String>::new("other")).unwrap_err();
        assert!(matches!(error, SessionError::Value(ValueError::Sealed { .. })), "{error}");
    }
}

/// Refuses everything, and says what.
#[derive(Debug)]
struct Picky;

impl Serialize for Picky {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no room for dear diary"))
    }
}

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(format!("no reading of {}", String::deserialize(from)?)))
    }
}

/// Not a cipher; it shows what a sealer is given and that its refusal is heard.
#[derive(Debug)]
struct Xor;

impl Sealer for Xor {
    fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut sealed = place.to_bytes();
        sealed.extend(plain.iter().map(|byte| byte ^ 0x5a));
        sealed
    }

    fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let bytes = sealed.strip_prefix(&place.to_bytes()[..])?;
        Some(bytes.iter().map(|byte| byte ^ 0x5a).collect())
    }
}
