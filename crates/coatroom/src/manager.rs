//! What an application holds: opens, lists and ends sessions.

mod builder;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use self::builder::SessionManagerBuilder;
use crate::clock::Timestamp;
use crate::engine::{Engine, Loaded, Opening, Swept, Undo};
use crate::error::{SessionError, StoreError};
use crate::id::{EntropyError, Locator, Namespace, SessionId};
use crate::session::{Session, State};
use crate::snapshot::SessionInfo;
use crate::store::{Page, Store};
use crate::sweeper::Sweeper;

/// Opens, lists and ends the sessions of one application.
///
/// Cloning is cheap and shares everything; the sweeper stops with the last clone. All futures work
/// on any runtime or, through [`Wait`](crate::Wait), on none; dropping one leaves every record as
/// before or as after.
///
/// # Example
///
/// ```
/// use coatroom::{MemoryStore, SessionManager, Slot, Wait};
///
/// const TASK: Slot<String> = Slot::new("task");
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = SessionManager::builder(MemoryStore::new()).build()?;
/// let (id, session) = sessions.create()?;
/// session.set(TASK, &"fold the coats".to_owned())?;
/// sessions.commit(&session).wait()?;
///
/// let again = sessions.open(&id).wait()?.ok_or("gone")?;
/// assert_eq!(again.get(TASK)?.as_deref(), Some("fold the coats"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SessionManager {
    shared: Arc<Shared>,
}

/// What the clones of a manager share, behind one count.
struct Shared {
    engine: Arc<Engine>,
    /// Held for its drop.
    _sweeper: Option<Sweeper>,
}

impl SessionManager {
    /// A manager of the sessions in `store`, to be configured.
    pub fn builder(store: impl Store) -> SessionManagerBuilder {
        SessionManagerBuilder::new(Arc::new(store))
    }

    /// As [`builder`](Self::builder), with a store that is shared.
    pub fn builder_shared(store: Arc<dyn Store>) -> SessionManagerBuilder {
        SessionManagerBuilder::new(store)
    }

    /// The session that `id` opens; `None` where it is unknown, ended, expired or superseded.
    /// Counts as activity.
    ///
    /// # Errors
    ///
    /// When the store fails.
    #[inline]
    pub async fn open(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        match self.open_at_once(id) {
            Ok(session) => Ok(session),
            Err(opening) => self.finish_open(opening, id).await,
        }
    }

    #[inline]
    fn open_at_once(&self, id: &SessionId) -> Result<Option<Session>, Box<Opening>> {
        self.shared.engine.load_at_once(id, false).map(|loaded| self.opened(id, loaded))
    }

    /// Boxed without a type, so that neither the futures of handlers nor what is opened at once
    /// carry any of it.
    #[cold]
    fn finish_open<'a>(
        &'a self,
        opening: Box<Opening>,
        id: &'a SessionId,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Session>, StoreError>> + Send + 'a>> {
        Box::pin(
            async move { Ok(self.opened(id, self.shared.engine.finish_load(opening, id, false).await?)) },
        )
    }

    #[inline]
    fn opened(&self, id: &SessionId, loaded: Loaded) -> Option<Session> {
        match loaded {
            Loaded::Live(record) => Some(self.session(State::opened(id.clone(), record))),
            Loaded::Superseded | Loaded::Nothing => None,
        }
    }

    /// The session of this locator, without its secret: for the server's own code, such as a
    /// background job. Not activity. Whoever may call this holds every session.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn open_locator(&self, locator: &Locator) -> Result<Option<Session>, StoreError> {
        let record = self.shared.engine.load_trusted(*locator, true).await?;
        Ok(record.map(|record| self.session(State::trusted(*record.key(), Some(record)))))
    }

    /// The keyed session of `key`, for callers that identify visitors themselves; there need not
    /// be one yet ([`Session::exists`]). It has no secret, so no cookie opens it; its first write
    /// creates it. Counts as activity.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn keyed(&self, key: impl AsRef<[u8]>) -> Result<Session, StoreError> {
        self.open_keyed(key.as_ref(), false).await
    }

    /// As [`keyed`](Self::keyed), and not activity.
    ///
    /// # Errors
    ///
    /// As [`keyed`](Self::keyed).
    pub async fn keyed_passively(&self, key: impl AsRef<[u8]>) -> Result<Session, StoreError> {
        self.open_keyed(key.as_ref(), true).await
    }

    /// As [`keyed_passively`](Self::keyed_passively), where the session is stored and its record at
    /// hand: nothing is waited for, no lock that another thread holds and no file. `None` leaves it to
    /// `keyed_passively`. For callers that hold others up while they wait, such as a binding that
    /// holds its interpreter's lock. [`Session::touch`] makes it activity.
    pub fn keyed_at_hand(&self, key: impl AsRef<[u8]>) -> Option<Session> {
        let record = self.shared.engine.load_at_hand(Locator::keyed(self.namespace(), key.as_ref()))?;
        Some(self.session(State::trusted(*record.key(), Some(record))))
    }

    /// The keyed session of a `key` that was drawn a moment ago, so that none can be stored under it: the
    /// store is not asked. Its first write creates it; where there is one all the same, that meets it
    /// as it meets what another request wrote.
    pub fn create_keyed(&self, key: impl AsRef<[u8]>) -> Session {
        let locator = Locator::keyed(self.namespace(), key.as_ref());
        self.session(State::trusted(self.shared.engine.key(locator), None))
    }

    async fn open_keyed(&self, key: &[u8], passive: bool) -> Result<Session, StoreError> {
        let locator = Locator::keyed(self.namespace(), key);
        let record = self.shared.engine.load_trusted(locator, passive).await?;
        Ok(self.session(State::trusted(self.shared.engine.key(locator), record)))
    }

    /// A new session and the id that opens it. It is stored by its first
    /// [`commit`](Self::commit), also when it holds nothing.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn create(&self) -> Result<(SessionId, Session), EntropyError> {
        let id = SessionId::generate()?;
        let mut state = State::trusted(self.shared.engine.key(id.locator()), None);
        state.id = Some(id.clone());
        state.settings.create = true;
        state.settings.confirmed = true;
        Ok((id, self.session(state)))
    }

    /// Commits a session's deferred changes. After a login or a renewal it returns the new id, which
    /// replaces the one the client holds.
    ///
    /// # Errors
    ///
    /// As [`Session::save`].
    #[inline]
    pub async fn commit(&self, session: &Session) -> Result<Option<SessionId>, SessionError> {
        match session.save_for_client() {
            Ok(None) => Ok(None),
            Ok(Some(id)) => Ok(Some(*id)),
            Err(rest) => Ok(rest.finish().await?.map(|id| *id)),
        }
    }

    /// Takes a commit or an ending back. Where others committed on top, what they wrote stays, and
    /// each attribute that is still as the commit left it becomes what it was before. A session that
    /// the commit created is dead, and will be reported as expired, without attributes; one that
    /// it ended lives again, unless another was begun under its key. Undoing twice does no more.
    ///
    /// # Errors
    ///
    /// When the store fails; undo it again then.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the commit as it was or taken back.
    pub async fn undo(&self, undo: &Undo) -> Result<(), SessionError> {
        self.shared.engine.undo(undo).await
    }

    /// Ends the session of this locator; whether there was one. It is dead at once: at the next
    /// load, on every node, whatever a slow request still holds.
    ///
    /// # Errors
    ///
    /// When the store fails; then it may still be alive.
    pub async fn end(&self, locator: &Locator) -> Result<bool, StoreError> {
        self.shared.engine.end(*locator).await
    }

    /// Ends all sessions of a principal; how many. A login under way at the same time loses: it is
    /// ended too, or fails with [`SessionError::PrincipalEnded`].
    ///
    /// # Errors
    ///
    /// When the store fails; then some may still be alive, and calling again ends the rest.
    pub async fn end_all(&self, principal: &str) -> Result<usize, StoreError> {
        self.shared.engine.end_all(principal, None).await
    }

    /// As [`end_all`](Self::end_all), but for the session `keep`.
    ///
    /// # Errors
    ///
    /// As [`end_all`](Self::end_all).
    pub async fn end_others(&self, principal: &str, keep: &Locator) -> Result<usize, StoreError> {
        self.shared.engine.end_all(principal, Some(*keep)).await
    }

    /// The live sessions of a principal, the latest login first.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn of(&self, principal: &str) -> Result<Vec<SessionInfo>, StoreError> {
        let records = self.shared.engine.of_principal(principal).await?;
        let mut sessions: Vec<_> = records.iter().map(SessionInfo::from).collect();
        sessions.sort_by_key(|info| std::cmp::Reverse((info.authenticated, info.locator)));
        Ok(sessions)
    }

    /// The number of live sessions. Looks at every one, so it is a matter of a second at a million:
    /// for operators, not for requests.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn count(&self) -> Result<u64, StoreError> {
        self.shared.engine.store.count(self.namespace(), self.shared.engine.now()).await
    }

    /// Up to `limit` (at least 1) live sessions in the order of their locators, behind the cursor
    /// `after`, and the cursor of the next page. A session that lives through the listing is on
    /// exactly one page.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn list(
        &self,
        after: Option<Locator>,
        limit: usize,
    ) -> Result<(Vec<SessionInfo>, Option<Locator>), StoreError> {
        let page =
            self.shared.engine.store.page(self.namespace(), after, limit.max(1), self.shared.engine.now());
        let Page { records, next } = page.await?;
        Ok((records.iter().map(SessionInfo::from).collect(), next))
    }

    /// One bounded step of sweeping: for managers built without a sweeper of their own. Where
    /// [`Swept::more`] is set, more may be due at once.
    ///
    /// # Errors
    ///
    /// When the store fails; what was delivered may be delivered again.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        self.shared.engine.sweep().await
    }

    /// Whether the store can answer.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.shared.engine.store.check().await
    }

    /// Completes when all that was acknowledged is as durable as the store makes it.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.shared.engine.store.flush().await
    }

    /// The time by this manager's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.engine.now()
    }

    /// The part of the store that is this manager's.
    #[must_use]
    pub fn namespace(&self) -> Namespace {
        self.shared.engine.config.namespace
    }

    #[cfg(feature = "tower")]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.shared.engine
    }

    #[inline]
    fn session(&self, state: State) -> Session {
        Session::new(self.shared.engine.clone(), state)
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager")
            .field("store", &self.shared.engine.store)
            .field("config", &self.shared.engine.config)
            .finish_non_exhaustive()
    }
}
