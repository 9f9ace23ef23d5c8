//! Where sessions are kept, and what a crash costs.
//!
//! | | [memory](crate::store::MemoryStore) | [embedded](crate::store::EmbeddedStore) | `RedisStore` | `PostgresStore` |
//! |---|---|---|---|---|
//! | for | tests, sessions that may be thrown away | one machine, one process | many machines | many machines, one database |
//! | the process ends or is killed | all is gone | nothing that was acknowledged | nothing | nothing |
//! | the server or its machine fails | – | what came within the flush interval, or nothing | by its settings: nothing with `appendfsync always` | nothing but last accesses |
//! | bounded by | bytes; the least used go, and are reported | the disk; in memory only those in use | the memory of the server | the disk |
//! | an answer takes | less than a microsecond | a microsecond | one round trip | one round trip, and for a commit one sync of the disk |
//! | needs | nothing | a directory of its own | Redis 6.2, any Valkey, or a Cluster; feature `redis` | PostgreSQL 12; feature `postgres` |
//!
//! Every rule of this manual holds in all; the rules live above the stores, and one suite of tests
//! ([`store::conformance`](crate::store::conformance)) holds each store to the same contract. Begin with
//! embedded; a site that outgrows its machine changes one URL ([`StoreUrl`](crate::store::StoreUrl)) and
//! takes its sessions along with `coatroom copy`.
//!
//! # Memory
//!
//! ```
//! use coatroom::MemoryStore;
//!
//! let store = MemoryStore::builder().max_bytes(256 << 20).build();
//! # drop(store);
//! ```
//!
//! When it is full the expired go first, then sessions that were never brought back, then those accessed
//! the longest time ago; the listener hears of each as [`Event::Evicted`](crate::Event::Evicted), with
//! its data.
//!
//! # Embedded
//!
//! ```
//! use coatroom::SessionManager;
//! use coatroom::store::{Durability, EmbeddedStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("sessions");
//! let store = EmbeddedStore::builder(path).durability(Durability::EveryCommit).open()?;
//! let sessions = SessionManager::builder(store).build()?;
//! # drop(sessions);
//! # Ok(())
//! # }
//! ```
//!
//! A directory of files, and the sessions in use in memory before them. The answer to a commit leaves
//! after the kernel has the change, so `kill -9`, a panic or an upgrade of the program cost nothing that
//! was acknowledged. What a power cut or a crash of the machine costs is yours to choose:
//!
//! | durability | an acknowledged commit is on disk | a power cut costs |
//! |---|---|---|
//! | [`Interval`](crate::store::Durability::Interval), the default | within the interval (1 s) | at most the commits of that time |
//! | [`EveryCommit`](crate::store::Durability::EveryCommit) | at once; those that wait at the same time share one `fdatasync` | nothing but last accesses |
//!
//! What is on disk comes through whole: after a power cut each session is as it was at one moment, never a
//! mix, and found under its principal and its deadline. A disk that fails to sync is not asked twice: commits
//! that wait are answered with [`StoreError::OutcomeUnknown`](crate::StoreError::OutcomeUnknown), later ones
//! refused, reading goes on, and [`check`](crate::SessionManager::check) fails; once the disk is sound again,
//! open the store again, which writes into fresh files what could not be synced.
//!
//! Plan the disk with three times the bytes of all live sessions, and of those that expired since the last
//! sweep, and to that the journal ([`max_journal_bytes`](crate::store::EmbeddedStoreBuilder::max_journal_bytes),
//! 128 MiB) and 256 MiB. It does not grow beyond, however often sessions are written: a test holds it to that.
//!
//! [Opening](crate::store::OpenError) it fails, with a path and a remedy, where the directory is held by another process,
//! written by a newer version, damaged, or may not be written. A full disk fails writes with
//! [`StoreError::Full`](crate::StoreError::Full); reading and ending sessions go on.
//!
//! For a backup copy the directory while no process holds it. Restoring an old copy brings back sessions
//! that were ended since: end all sessions of whom that concerns, or start empty.
//!
//! # Redis and PostgreSQL
//!
//! Their documentation says what their URLs take, which settings of the server keep sessions safe, and
//! what each call costs. `coatroom stores check URL` looks at a server and names what endangers sessions
//! there; the guide `docs/scale.md` of the repository says how to size and run it.
//!
//! A store on a server lives in the async runtime that it was opened in; opened outside of any it brings
//! a thread of its own, so that threads without a runtime can use it through [`Wait`](crate::Wait). A
//! server that is away, slow or full is an error within the timeout ([`StoreError`](crate::StoreError)),
//! answered with 503 and `Retry-After`; when it is back, so are the sessions.
//!
//! # One store, many applications
//!
//! Managers with different [namespaces](crate::SessionManagerBuilder::namespace) share a store and never
//! meet: each lists, counts, ends and sweeps its own alone.
//!
//! # A store of your own
//!
//! Implement [`Store`](crate::Store), whose documentation is the contract, and have
//! [`conformance_tests!`](crate::conformance_tests) test it sentence by sentence. A record comes as bytes
//! and an activity, and goes back through [`Record::decode`](crate::Record::decode); nothing else is to be
//! known about it.
