//! Every default, its range, and where it is changed.
//!
//! # The manager
//!
//! | setting | default | range | changed by |
//! |---|---|---|---|
//! | namespace | that of `""` | any text | [`namespace`](crate::SessionManagerBuilder::namespace) |
//! | idle timeout | 20 min | 1 s and more; `Duration::MAX` for none | [`idle_timeout`](crate::SessionManagerBuilder::idle_timeout), [`Session::set_idle_timeout`](crate::Session::set_idle_timeout) |
//! | lifetime | 12 h | 1 s and more; `Duration::MAX` for none | [`lifetime`](crate::SessionManagerBuilder::lifetime), [`Session::set_lifetime`](crate::Session::set_lifetime) |
//! | unconfirmed timeout | 10 min | 1 s and more, whole seconds; `None` | [`unconfirmed_timeout`](crate::SessionManagerBuilder::unconfirmed_timeout) |
//! | two that `set` at once | the later wins | | [`on_conflict`](crate::SessionManagerBuilder::on_conflict), [`Slot::on_conflict`](crate::Slot::on_conflict) |
//! | sessions of a principal | no cap | 1 and more | [`max_sessions_per_principal`](crate::SessionManagerBuilder::max_sessions_per_principal) |
//! | attributes of a session | 1,024 | 1 to 65,535 | [`max_attributes`](crate::SessionManagerBuilder::max_attributes) |
//! | one encoded value | 256 KiB | 64 bytes to 64 MiB | [`max_value_bytes`](crate::SessionManagerBuilder::max_value_bytes) |
//! | a whole record | 1 MiB | 1 KiB to 256 MiB | [`max_record_bytes`](crate::SessionManagerBuilder::max_record_bytes) |
//! | sweeping | every second, on a thread | 1 ms and more; `None` | [`sweep_every`](crate::SessionManagerBuilder::sweep_every) |
//! | clock | the machine's | | [`clock`](crate::SessionManagerBuilder::clock) |
//! | listener, sealer | none | | [`on_event`](crate::SessionManagerBuilder::on_event), [`sealer`](crate::SessionManagerBuilder::sealer) |
//!
//! # HTTP
//!
//! | setting | default | changed by |
//! |---|---|---|
//! | where ids come from | the cookie | [`id_source`](crate::SessionManagerBuilder::id_source) |
//! | name | `__Host-session` | [`CookieOptions::name`](crate::CookieOptions::name) |
//! | `Domain` | none: this host alone | [`CookieOptions::domain`](crate::CookieOptions::domain) |
//! | `Path` | `/` | [`CookieOptions::path`](crate::CookieOptions::path) |
//! | `SameSite` | `Lax` | [`CookieOptions::same_site`](crate::CookieOptions::same_site) |
//! | `Secure` | yes | [`CookieOptions::insecure_plain_http_for_localhost`](crate::CookieOptions::insecure_plain_http_for_localhost) |
//! | `HttpOnly` | yes | [`CookieOptions::readable_by_scripts`](crate::CookieOptions::readable_by_scripts) |
//! | `Partitioned` | no | [`CookieOptions::partitioned`](crate::CookieOptions::partitioned) |
//! | `Max-Age` | none: forgotten when the browser closes | [`CookieOptions::persistent`](crate::CookieOptions::persistent), [`Session::set_persistent`](crate::Session::set_persistent) |
//! | responses that roll back | status 500 and above | [`roll_back_on`](crate::SessionManagerBuilder::roll_back_on) |
//! | the answer when a session fails | [`ErrorResponse::of`](crate::ErrorResponse::of): 409, 413, 503 or 500 and a sentence | [`on_error`](crate::SessionManagerBuilder::on_error) |
//!
//! # Stores
//!
//! | setting | default | changed by |
//! |---|---|---|
//! | memory of a [`MemoryStore`](crate::MemoryStore) | 1 GiB | [`max_bytes`](crate::store::MemoryStoreBuilder::max_bytes) |
//! | what a power cut may cost an [`EmbeddedStore`](crate::store::EmbeddedStore) | the commits of one second | [`durability`](crate::store::EmbeddedStoreBuilder::durability) |
//! | its memory for sessions in use | 256 MiB | [`hot_bytes`](crate::store::EmbeddedStoreBuilder::hot_bytes) |
//! | its journal on disk | 128 MiB at most | [`max_journal_bytes`](crate::store::EmbeddedStoreBuilder::max_journal_bytes) |
//! | how it writes the journal | mapped where the file system allows it | [`without_mapping`](crate::store::EmbeddedStoreBuilder::without_mapping) |
//!
//! # Fixed
//!
//! | what | value | why |
//! |---|---|---|
//! | touch interval | a twentieth of the idle timeout, at most 60 s | a read writes nothing most of the time |
//! | stragglers with the previous secret | 60 s | longer than any honest request takes |
//! | lease of an expiry that was delivered | 60 s | then it is delivered again |
//! | attempts of a commit | 500 | bounds a runaway, not a rush |
//! | name of an attribute, principal, client label | 255 bytes | |
//! | names of all attributes of a session together | 65,535 bytes | the record's table has 16 bits for them; 1,024 names of 64 bytes do not quite fit |
//! | `Max-Age` | 1 s to 400 days | browsers keep no cookie longer |
//!
//! # How they compare
//!
//! ASVS 7.1.1 asks for limits that are written down, and to justify longer ones than NIST's. NIST SP
//! 800-63B-4 has for its second level at most 24 h and an idle hour, which the defaults keep; for its
//! third 12 h and 15 idle minutes, for which the idle timeout must be set.
//!
//! ```
//! use std::time::Duration;
//! use coatroom::{CookieOptions, MemoryStore, SessionManager, Slot, Wait};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = SessionManager::builder(MemoryStore::new()).build()?;
//! let (id, session) = sessions.create()?;
//! sessions.commit(&session).wait()?;
//! assert_eq!(session.idle_timeout(), Duration::from_secs(20 * 60));
//! let lifetime = session.deadline().zip(session.created()).map(|(end, begin)| end.since(begin));
//! assert_eq!(lifetime, Some(Duration::from_secs(12 * 3600)));
//!
//! let large = Slot::<String>::new("large");
//! assert!(session.set(large, &"x".repeat(256 * 1024 - 5)).is_ok()); // five bytes say how long it is
//! assert!(session.set(large, &"x".repeat(256 * 1024)).is_err());
//!
//! let cookie = CookieOptions::new().build()?.set(&id);
//! let attributes = cookie.to_str()?.split_once(';').map(|(_, attributes)| attributes);
//! assert_eq!(attributes, Some(" Path=/; Secure; HttpOnly; SameSite=Lax"));
//! # Ok(())
//! # }
//! ```
