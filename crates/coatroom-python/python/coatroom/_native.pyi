"""The library, as Rust offers it. Use the package ``coatroom``."""

from collections.abc import Callable
from typing import Literal
from typing import final

from typing_extensions import disjoint_base

OnConflict = Literal["later-wins", "reject"]
AtLimit = Literal["end-oldest", "refuse"]
Raw = tuple[int, bytes]
Listener = Callable[[str, str | None, str | None, "Snapshot | None"], object]

class Error(Exception):
    """Whatever went wrong in Coatroom."""

class ConfigurationError(Error):
    """A setting that cannot hold."""

class ForkedError(Error):
    """The store was opened before this process was forked."""

class StoreError(Error):
    """The store could not do what it was asked."""

class StoreUnavailable(StoreError):
    """Nothing was done; it may work later."""

class StoreFull(StoreError):
    """There is no room left."""

class StoreCorrupt(StoreError):
    """What the store holds is damaged."""

class OutcomeUnknown(StoreError):
    """It was done or not; the answer was lost."""

class SessionError(Error):
    """The session could not do what it was asked."""

class Conflict(SessionError):
    """Another request changed the same attribute: ``name``, or None where it was any."""

    name: str | None

class Gone(SessionError):
    """The session was ended meanwhile, and stays dead."""

class LimitExceeded(SessionError):
    """A value, name or session is too large."""

class PrincipalEnded(SessionError):
    """All sessions of the principal were ended while this one signed in."""

class Superseded(SessionError):
    """A login replaced the session id meanwhile."""

class TooManySessions(SessionError):
    """The principal is at its cap."""

@final
class ManualClock:
    """A clock moved by hand, in seconds since 1970."""

    def __new__(cls, now: float = ...) -> ManualClock: ...
    def advance(self, seconds: float) -> None: ...
    def set(self, now: float) -> None: ...
    def now(self) -> float: ...

@final
class Store:
    """A store: ``embedded:DIRECTORY``, ``memory:``, ``redis://HOST:PORT``, ``redis+cluster://A,B,C``,
    ``postgres://USER:PASSWORD@HOST/DATABASE``; docs/scale.md lists all options.

    It belongs to the process that opened it; a directory has one process at a time. Raises
    ConfigurationError for another URL and StoreUnavailable, naming the path and the remedy, where
    it cannot be opened.
    """

    def __new__(cls, url: str) -> Store: ...
    @property
    def url(self) -> str:
        """The URL, with ``***`` in the place of a password."""
    def close(self) -> None:
        """Brings everything to the disk and lets go of the directory, or of the connections."""

@final
class SessionInfo:
    """What may be shown of a session. Times are seconds since 1970, None for never."""

    @property
    def locator(self) -> str: ...
    @property
    def principal(self) -> str | None: ...
    @property
    def client_label(self) -> str | None: ...
    @property
    def created(self) -> float: ...
    @property
    def authenticated(self) -> float | None: ...
    @property
    def last_accessed(self) -> float: ...
    @property
    def idle_deadline(self) -> float | None: ...
    @property
    def deadline(self) -> float | None: ...
    @property
    def confirmed(self) -> bool: ...
    @property
    def attributes(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def revision(self) -> int: ...

@final
class Snapshot:
    """A session as it was at one moment, with its attributes as (format, bytes)."""

    @property
    def info(self) -> SessionInfo: ...
    @property
    def attributes(self) -> dict[str, Raw]: ...

@final
class Undo:
    """What takes a save or an end back; see ``SessionManager.undo``."""

@disjoint_base
class KeyRing:
    """Keys that authenticate and sign, the newest first: id, key of values and key of signatures.

    What one key authenticated or signed, every ring with that key knows.
    """

    def __new__(cls, keys: list[tuple[bytes, bytes, bytes]]) -> KeyRing: ...
    def authenticate(self, context: bytes, body: bytes) -> bytes:
        """The body with its key's id and tag before it."""
    def authentic(self, context: bytes, data: bytes) -> bytes | None:
        """The body, or None where it is not what was authenticated in this context."""
    def sign(self, text: str) -> str:
        """The tail that makes a text one of this site."""
    def is_signed(self, text: str, signature: str) -> bool:
        """Whether one of the keys signed the text."""

@final
class Session:
    @property
    def exists(self) -> bool: ...
    @property
    def locator(self) -> str | None: ...
    @property
    def revision(self) -> int | None: ...
    @property
    def principal(self) -> str | None: ...
    @property
    def client_label(self) -> str | None: ...
    @property
    def created(self) -> float | None: ...
    @property
    def authenticated(self) -> float | None: ...
    @property
    def last_accessed(self) -> float | None: ...
    @property
    def idle_deadline(self) -> float | None: ...
    @property
    def deadline(self) -> float | None: ...
    @property
    def idle_timeout(self) -> float | None: ...
    def names(self) -> list[str]: ...
    def contains(self, name: str) -> bool: ...
    def get_raw(self, name: str) -> Raw | None: ...
    def set_raw(
        self, name: str, format: int, value: bytes, on_conflict: OnConflict = ...
    ) -> None: ...
    def read(self, keys: KeyRing, namespace: str, name: str) -> bytes | None:
        """The body of an attribute; None where it is missing, or not authentic in its place."""
    def write(
        self,
        keys: KeyRing,
        namespace: str,
        changes: dict[str, bytes | None],
        later_wins: dict[str, bytes | None],
    ) -> Undo | None:
        """Authenticates bodies for their places and commits them; None removes an attribute."""
    def remove(self, name: str, on_conflict: OnConflict = ...) -> None: ...
    def clear(self) -> None: ...
    def edit_raw(self, name: str, edit: Callable[[Raw | None], Raw | None]) -> None: ...
    def login(self, principal: str) -> None: ...
    def renew(self) -> None: ...
    def set_client_label(self, label: str) -> None: ...
    def set_idle_timeout(self, timeout: float | None) -> None: ...
    def set_lifetime(self, lifetime: float | None) -> None: ...
    def touch(self) -> None:
        """Counts as an access now, however it was opened; written once a touch interval."""
    def discard(self) -> None: ...
    def save(self) -> None: ...
    def save_undoable(self) -> Undo | None: ...
    def logout(self) -> None: ...
    def end_undoable(self) -> Undo | None: ...

@final
class SessionManager:
    def __new__(
        cls,
        store: Store,
        *,
        namespace: str = ...,
        idle_timeout: float | None = ...,
        lifetime: float | None = ...,
        unconfirmed_timeout: float | None = ...,
        on_conflict: OnConflict = ...,
        max_sessions_per_principal: int | None = ...,
        at_limit: AtLimit = ...,
        max_attributes: int = ...,
        max_value_bytes: int = ...,
        max_record_bytes: int = ...,
        clock: ManualClock | None = ...,
        on_event: Listener | None = ...,
    ) -> SessionManager: ...
    def create(self) -> tuple[str, Session]: ...
    def open(self, id: str) -> Session | None: ...
    def open_locator(self, locator: str) -> Session | None: ...
    def keyed(self, key: bytes, *, passive: bool = ...) -> Session: ...
    def create_keyed(self, key: bytes) -> Session:
        """The session of a key that was drawn a moment ago; the store is not asked."""
    def commit(self, session: Session) -> str | None: ...
    def undo(self, undo: Undo) -> None: ...
    def end(self, locator: str) -> bool: ...
    def end_all(self, principal: str) -> int: ...
    def end_others(self, principal: str, keep: str) -> int: ...
    def of(self, principal: str) -> list[SessionInfo]: ...
    def count(self) -> int: ...
    def list(
        self, after: str | None = ..., limit: int = ...
    ) -> tuple[list[SessionInfo], str | None]: ...
    def sweep(self) -> tuple[int, bool]: ...
    def check(self) -> None: ...
    def flush(self) -> None: ...
    def now(self) -> float: ...
    def locator_of(self, key: bytes) -> str: ...

def plain_value(body: bytes) -> object:
    """The value of an authentic body that is one text, bytes, number, bool or None; else NotImplemented."""

def random_bytes(count: int) -> bytes:
    """As os.urandom, without letting another thread have the interpreter meanwhile."""

def seal(key: bytes, nonce: bytes, context: bytes, plain: bytes) -> bytes: ...
def open(key: bytes, nonce: bytes, context: bytes, sealed: bytes) -> bytes | None: ...
def shown_url(url: str) -> str:
    """A store's URL with ``***`` in the place of a password. Raises ConfigurationError for another one."""
