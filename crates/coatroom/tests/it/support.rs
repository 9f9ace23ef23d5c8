//! What the tests share: both stores, a clock moved by hand, an application around them.

pub mod capture;

use std::sync::Arc;
use std::time::Duration;

use coatroom::store::EmbeddedStore;
use coatroom::{ManualClock, MemoryStore, Session, SessionId, SessionManager, SessionManagerBuilder, Store};

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);

/// A store and what must outlive it.
#[derive(Clone)]
pub struct Place {
    pub store: Arc<dyn Store>,
    _directory: Option<Arc<tempfile::TempDir>>,
}

pub fn memory() -> Place {
    Place { store: Arc::new(MemoryStore::new()), _directory: None }
}

pub fn embedded() -> Place {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let store = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
    Place { store, _directory: Some(directory) }
}

/// What most tests stand on: a manager on its own clock, without a sweeper's thread.
pub struct Fixture {
    pub sessions: SessionManager,
    pub clock: Arc<ManualClock>,
    _place: Option<Place>,
}

impl Fixture {
    pub fn new(place: Place) -> Self {
        Self::with(place, |builder| builder)
    }

    pub fn with(
        place: Place,
        configure: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let mut fixture = Self::with_store(place.store.clone(), configure);
        fixture._place = Some(place);
        fixture
    }

    pub fn with_store(
        store: Arc<dyn Store>,
        configure: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let clock = Arc::new(ManualClock::new());
        let builder = SessionManager::builder_shared(store).clock(clock.clone()).sweep_every(None);
        let builder = builder.follow_store_clock(false);
        Self { sessions: configure(builder).build().unwrap(), clock, _place: None }
    }
}

/// The session of an id, as another request finds it.
pub async fn open(fixture: &Fixture, id: &SessionId) -> Session {
    fixture.sessions.open(id).await.unwrap().unwrap()
}

/// Makes a test of the function for each store: `on_each_store! { fn name(place) { … } }`.
macro_rules! on_each_store {
    ($($(#[$meta:meta])* $async:ident fn $name:ident($place:ident) $body:block)*) => {
        $(mod $name {
            use super::*;

            $async fn check($place: $crate::support::Place) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_the_memory_store() {
                check($crate::support::memory()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_the_embedded_store() {
                check($crate::support::embedded()).await;
            }
        })*
    };
}
pub(crate) use on_each_store;
