"""The manager, and the thread that sweeps for it."""

from __future__ import annotations

import logging
import os
import threading
import weakref

from coatroom import _native
from coatroom._session import Session

logger = logging.getLogger("coatroom")


class SessionManager:
    """Opens, lists and ends the sessions of one application in one store.

    :param namespace: the application's part of the store; applications that share one need one each
    :param idle_timeout: seconds without activity, 1 and more; None for no limit
    :param lifetime: seconds from creation or login, 1 and more; None for no limit
    :param unconfirmed_timeout: seconds for a session whose id never came back; None as any other
    :param on_conflict: what ``set``, ``remove`` and ``clear`` do when another request changed the
        same attribute: ``"later-wins"`` or ``"reject"``, which raises Conflict at the commit
    :param max_sessions_per_principal: 1 and more; None for no cap
    :param at_limit: what a login at the cap does: ``"end-oldest"`` ends the principal's oldest logins,
        ``"refuse"`` raises TooManySessions
    :param max_attributes: 1 to 65,535
    :param max_value_bytes: 64 bytes to 64 MiB
    :param max_record_bytes: 1 KiB to 256 MiB
    :param clock: a ManualClock, for tests; without one the time is that of the store's server, if it
        has one, so that machines agree on every deadline
    :param on_event: ``callable(kind, locator, principal, snapshot)``; ``"expired"`` and ``"evicted"``
        carry a Snapshot, and an exception on ``"expired"`` has it told again after a minute
    :param sweep_every: seconds between looks for expired sessions, on a daemon thread, 0.001 and more; None
        for no thread, and then :meth:`sweep` is the application's to call

    Raises ConfigurationError for a setting out of its range. For any number of threads.

    Example: a session that ends when nobody comes, by a clock moved by hand:

        >>> from coatroom import ManualClock, Store
        >>> clock = ManualClock()
        >>> sessions = SessionManager(Store("memory:"), idle_timeout=60, clock=clock, sweep_every=None)
        >>> id, session = sessions.create()
        >>> session.login("alice")
        >>> id = sessions.commit(session) or id
        >>> [info.principal for info in sessions.of("alice")]
        ['alice']
        >>> clock.advance(61)
        >>> sessions.open(id) is None
        True
    """

    def __init__(
        self,
        store: _native.Store,
        *,
        namespace: str = "",
        idle_timeout: float | None = 1200.0,
        lifetime: float | None = 43200.0,
        unconfirmed_timeout: float | None = 600.0,
        on_conflict: _native.OnConflict = "later-wins",
        max_sessions_per_principal: int | None = None,
        at_limit: _native.AtLimit = "end-oldest",
        max_attributes: int = 1024,
        max_value_bytes: int = 262_144,
        max_record_bytes: int = 1_048_576,
        clock: _native.ManualClock | None = None,
        on_event: _native.Listener | None = None,
        sweep_every: float | None = 1.0,
    ) -> None:
        _check(on_event, sweep_every)
        self._on_conflict: _native.OnConflict = on_conflict
        try:
            self._native = _native.SessionManager(
                store,
                namespace=namespace,
                idle_timeout=idle_timeout,
                lifetime=lifetime,
                unconfirmed_timeout=unconfirmed_timeout,
                on_conflict=on_conflict,
                max_sessions_per_principal=max_sessions_per_principal,
                at_limit=at_limit,
                max_attributes=max_attributes,
                max_value_bytes=max_value_bytes,
                max_record_bytes=max_record_bytes,
                clock=clock,
                on_event=on_event,
            )
        except (OverflowError, ValueError) as error:
            # No duration, no size, no rule.
            raise _native.ConfigurationError(str(error)) from error
        self._stop = threading.Event()
        if sweep_every is not None:
            _start_sweeper(self, sweep_every)

    def create(self) -> tuple[str, Session]:
        """A new session and the id that opens it; stored by its first commit."""
        id, native = self._native.create()
        return id, self._session(native)

    def open(self, id: str) -> Session | None:
        """The session that an id opens; None where it is unknown, ended, expired or malformed."""
        native = self._native.open(_text(id))
        return None if native is None else self._session(native)

    def open_locator(self, locator: str) -> Session | None:
        """The session of a locator, for the server's own code; no activity."""
        native = self._native.open_locator(_text(locator))
        return None if native is None else self._session(native)

    def keyed(self, key: str | bytes, *, passive: bool = False) -> Session:
        """The session of a key, for callers that identify visitors themselves; perhaps not stored.

        Activity unless ``passive``.
        """
        return self._session(self._native.keyed(_bytes(key), passive=passive))

    def commit(self, session: Session) -> str | None:
        """Commits a session; its id where the client must now use it: of a new session, or after a
        login or renewal; else None."""
        if not isinstance(session, Session):
            raise TypeError(f"what is committed is a Session, not {type(session).__name__}")
        return self._native.commit(session._native)

    def undo(self, undo: _native.Undo) -> None:
        """Takes a ``save_undoable`` or ``end_undoable`` back; what others wrote since stays."""
        self._native.undo(undo)

    def end(self, locator: str) -> bool:
        """Ends the session of a locator, everywhere, at the next load; whether there was one."""
        return self._native.end(_text(locator))

    def end_all(self, principal: str) -> int:
        """Ends all sessions of a principal; how many. A login at the same time loses."""
        return self._native.end_all(principal)

    def end_others(self, principal: str, keep: str) -> int:
        """As :meth:`end_all`, but for the session of the locator ``keep``."""
        return self._native.end_others(principal, keep)

    def of(self, principal: str) -> list[_native.SessionInfo]:
        """The live sessions of a principal, the latest login first."""
        return self._native.of(principal)

    def count(self) -> int:
        """The number of live sessions. Looks at each."""
        return self._native.count()

    def list(
        self, after: str | None = None, limit: int = 100
    ) -> tuple[list[_native.SessionInfo], str | None]:
        """A page of live sessions behind the cursor ``after``, and the cursor of the next one."""
        return self._native.list(after, limit)

    def sweep(self) -> tuple[int, bool]:
        """One step of sweeping: how many expired sessions went, and whether more are due."""
        return self._native.sweep()

    def check(self) -> None:
        """Raises StoreError where the store cannot answer."""
        self._native.check()

    def flush(self) -> None:
        """Returns when all that was acknowledged is as durable as the store makes it."""
        self._native.flush()

    def now(self) -> float:
        """The time by this manager's clock, in seconds since 1970."""
        return self._native.now()

    def close(self) -> None:
        """Stops the sweeper's thread. Sessions stay usable; the store is closed by itself."""
        self._stop.set()

    def _session(self, native: _native.Session) -> Session:
        return Session(native, self._native, self._on_conflict)


def _bytes(key: str | bytes) -> bytes:
    # Keys may come from visitors, with half characters.
    return key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key


def _text(id: str) -> str:
    """An id as it came with a request; nothing where it has half characters, which no id has."""
    return id if not isinstance(id, str) or id.isascii() else ""


def _check(on_event: object, sweep_every: float | None) -> None:
    if on_event is not None and not callable(on_event):
        raise TypeError(f"on_event is callable, and {type(on_event).__name__} is not")
    if sweep_every is not None and not 0.001 <= sweep_every <= threading.TIMEOUT_MAX:
        raise _native.ConfigurationError(f"sweep_every is {sweep_every} s, outside its range of 0.001 s and more")


def _start_sweeper(manager: SessionManager, interval: float) -> None:
    native, stop, process = manager._native, manager._stop, os.getpid()
    weakref.finalize(manager, stop.set).atexit = False
    name = "coatroom-sweeper"
    threading.Thread(target=_sweep, args=(native, stop, interval, process), name=name, daemon=True).start()


def _sweep(native: _native.SessionManager, stop: threading.Event, interval: float, process: int) -> None:
    failing = False
    while not stop.wait(interval) and os.getpid() == process:
        try:
            while native.sweep()[1] and not stop.is_set():
                pass
        except _native.Error as error:
            if not failing:
                logger.warning("%s; trying again every %g s", error, interval)
            failing = True
        else:
            if failing:
                logger.warning("sweeping works again")
            failing = False
