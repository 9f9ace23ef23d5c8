//! Every store keeps every sentence of the contract.

use coatroom::conformance_tests;
use coatroom::store::MemoryStore;

conformance_tests!(memory, MemoryStore::new());
