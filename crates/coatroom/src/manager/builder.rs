use std::sync::Arc;
use std::time::Duration;

use super::{SessionManager, Shared};
use crate::clock::{Clock, CorrectedClock, SystemClock};
use crate::codec::Sealer;
use crate::config::{AtLimit, Cap, Config, ConfigError, SHORTEST_SWEEP, check_timeout};
use crate::engine::Engine;
use crate::event::{Events, Listener};
use crate::id::Namespace;
use crate::slot::OnConflict;
use crate::store::Store;
use crate::sweeper::Sweeper;

/// Configures a [`SessionManager`]. Every setting has a safe default; [`build`](Self::build) checks
/// them all.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SessionManagerBuilder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    follow_store_clock: bool,
    config: Config,
    events: Events,
    sealer: Option<Arc<dyn Sealer>>,
    sweep_interval: Option<Duration>,
    #[cfg(feature = "tower")]
    pub(crate) web: crate::web::WebOptions,
}

impl SessionManagerBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            follow_store_clock: true,
            config: Config::default(),
            events: Events::default(),
            sealer: None,
            sweep_interval: Some(Duration::from_secs(1)),
            #[cfg(feature = "tower")]
            web: crate::web::WebOptions::default(),
        }
    }

    /// The name of the application's part of the store; default `""`. Applications that share a
    /// store need one each.
    pub fn namespace(mut self, name: &str) -> Self {
        self.config.namespace = Namespace::new(name);
        self
    }

    /// A namespace by its bytes.
    pub fn namespace_bytes(mut self, namespace: Namespace) -> Self {
        self.config.namespace = namespace;
        self
    }

    /// How long a session lives without activity: 1 s and more, default 20 min, `Duration::MAX` for
    /// no limit (keyed sessions of callers that see to it themselves). It may end up to a
    /// twentieth of this, at most a minute, early; never late.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.config.idle_timeout = timeout;
        self
    }

    /// How long a session lives at most, from its creation or its latest login: 1 s and more,
    /// default 12 h, `Duration::MAX` for no limit.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.config.lifetime = lifetime;
        self
    }

    /// How long a session lives that was never presented back, as those of robots: 1 s and more, in
    /// whole seconds, default 10 min; `None` treats it as any other.
    pub fn unconfirmed_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.unconfirmed_timeout = timeout;
        self
    }

    /// What `set`, `remove` and `clear` do when another request changed the same attribute
    /// meanwhile, where the slot does not say: default [`OnConflict::LaterWins`].
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.config.on_conflict = on_conflict;
        self
    }

    /// How many sessions a principal may have (1 and more; default no cap), and what a login does
    /// at the cap. Parallel logins never leave more.
    pub fn max_sessions_per_principal(mut self, limit: usize, at_limit: AtLimit) -> Self {
        self.config.cap = Some(Cap { limit, at_limit });
        self
    }

    /// The most attributes of a session: 1 to 65,535, default 1,024. Whatever is set here, all names
    /// together have at most 65,535 bytes; beyond, a commit fails with
    /// [`NamesTooLong`](crate::SessionError::NamesTooLong).
    pub fn max_attributes(mut self, limit: usize) -> Self {
        self.config.max_attributes = limit;
        self
    }

    /// The most bytes of one encoded value: 64 bytes to 64 MiB, default 256 KiB.
    pub fn max_value_bytes(mut self, limit: usize) -> Self {
        self.config.max_value_bytes = limit;
        self
    }

    /// The most bytes of a whole record: 1 KiB to 256 MiB, default 1 MiB.
    pub fn max_record_bytes(mut self, limit: usize) -> Self {
        self.config.max_record_bytes = limit;
        self
    }

    /// The clock; default [`SystemClock`]. Tests give a [`ManualClock`](crate::ManualClock) and
    /// keep a clone of the `Arc`.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Whether the clock is corrected by that of the store's server
    /// ([`Store::server_time`](crate::Store::server_time)): when the manager is built and at every
    /// sweep. Default `true`, so that machines whose clocks differ agree on every deadline; stores of
    /// one machine have no other clock. Tests that move a manual clock over a store on a server
    /// turn it off.
    pub fn follow_store_clock(mut self, follow: bool) -> Self {
        self.follow_store_clock = follow;
        self
    }

    /// The one listener of [events](crate::Event); default none.
    pub fn on_event(mut self, listener: impl Listener) -> Self {
        self.events = Events::new(Arc::new(listener));
        self
    }

    /// Seals the values of [sealed slots](crate::Slot::sealed); default none.
    pub fn sealer(mut self, sealer: impl Sealer) -> Self {
        self.sealer = Some(Arc::new(sealer));
        self
    }

    /// How often the sweeper looks for expired sessions: 1 ms and more, default every second, on a
    /// thread of its own. `None` starts no thread; then [`SessionManager::sweep`] is the application's to call.
    /// Expired sessions are dead in either case.
    pub fn sweep_every(mut self, interval: Option<Duration>) -> Self {
        self.sweep_interval = interval;
        self
    }

    /// Checks the settings and starts the sweeper.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], naming the setting and its range.
    pub fn build(self) -> Result<SessionManager, ConfigError> {
        self.config.check()?;
        check_timeout("sweep_every", self.sweep_interval, SHORTEST_SWEEP)?;
        let server_time = self.store.server_time().filter(|_| self.follow_store_clock);
        let corrected = server_time.map(|now| Arc::new(CorrectedClock::new(self.clock.clone(), now)));
        let engine = Arc::new(Engine {
            store: self.store,
            clock: corrected.clone().map_or(self.clock, |clock| clock),
            corrected,
            config: self.config,
            events: self.events,
            sealer: self.sealer,
            #[cfg(feature = "tower")]
            web: self.web.check()?,
        });
        let sweeper = self.sweep_interval.map(|interval| Sweeper::start(&engine, interval)).transpose()?;
        Ok(SessionManager { shared: Arc::new(Shared { engine, _sweeper: sweeper }) })
    }
}
