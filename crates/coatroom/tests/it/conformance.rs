//! Every store keeps every sentence of the contract.

use std::sync::Arc;

use coatroom::conformance_tests;
use coatroom::store::{FaultyStore, MemoryStore};

conformance_tests!(memory, MemoryStore::new());
// Answers that have to be waited for: each call can be dropped before its work and after it.
conformance_tests!(memory_that_pends, FaultyStore::new(Arc::new(MemoryStore::new())).yielding());
