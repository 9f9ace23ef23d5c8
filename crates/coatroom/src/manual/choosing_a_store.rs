//! Where sessions are kept, and what a crash costs.
//!
//! | | [memory](crate::store::MemoryStore) | [embedded](crate::store::EmbeddedStore) |
//! |---|---|---|
//! | for | tests, sessions that may be thrown away | one machine |
//! | the process ends or is killed | all is gone | nothing that was acknowledged |
//! | power fails | all is gone | what came within the flush interval, or nothing |
//! | bounded by | bytes; the least used go, and are reported | the disk; in memory only those in use |
//! | needs | nothing | a directory of its own |
//!
//! Every rule of this manual holds in both; the rules live above the stores, and one suite of tests
//! ([`store::conformance`](crate::store::conformance)) holds each store to the same contract. Both are
//! for one process at a time. For many machines there is `RedisStore` (feature `redis`), which is told of
//! in its own documentation.
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
//! [Opening](crate::store::OpenError) it fails, with a path and a remedy, where the directory is held by another process,
//! written by a newer version, damaged, or may not be written. A full disk fails writes with
//! [`StoreError::Full`](crate::StoreError::Full); reading and ending sessions go on.
//!
//! For a backup copy the directory while no process holds it. Restoring an old copy brings back sessions
//! that were ended since: end all sessions of whom that concerns, or start empty.
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
