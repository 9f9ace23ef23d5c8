"""The backends of containers: opened at first use, shared by all threads of the process."""

import logging
import os
import threading
import time
import weakref

from coatroom import _native
from coatroom.zope import names
from coatroom.zope import settings
from coatroom.zope.availability import availability
from coatroom.zope.errors import SessionStoreUnavailable
from coatroom.zope.notes import AT_ONCE
from coatroom.zope.notes import Note
from coatroom.zope.seldom import seldom

logger = logging.getLogger("coatroom.zope")

_stores = {}
_failures = {}
_backends = {}


def _new_lock():
    """A child has the locks of its parent as they were, and nobody in it to release them."""
    global _lock
    _lock = threading.RLock()


_new_lock()
os.register_at_fork(after_in_child=_new_lock)


class Backend:
    """One container's part of the store, and the rules of its sessions."""

    def __init__(self, url, namespace, timeout, clock=None):
        store = open_store(url)
        #: That of the same sessions with the timeout that the container was seen to have later.
        self._successor = None
        #: Without its password.
        self.url = store.url
        #: Whether other processes may use it too.
        self.is_shared = not url.startswith(("embedded:", "memory:"))
        self.namespace = namespace
        #: In seconds; None never expires.
        self.timeout = timeout
        self.max_value_bytes = settings.current().max_value_bytes
        self._listener = None
        #: Has the stored sessions go by the container's timeout.
        self.retiming = None
        #: Who listens to the sweep that this thread is in; and what it is about to make room for.
        self._mine = threading.local()
        #: Held by the request that sweeps; others do not wait for it.
        self.inband_lock = threading.Lock()
        self.swept_at = 0.0
        self.clock = clock
        self.manager = self._manager(store, namespace, timeout, self._expired)
        #: What is still to be notified: records that are due at once.
        self.outbox = self._manager(store, names.outbox_of(namespace), AT_ONCE, self._posted)
        #: Sees the sessions that have timed out too, until they are swept.
        self.past = self._manager(store, namespace, timeout, lambda *_: None, clock=_native.ManualClock(0.0))
        #: The notes of this process that are still in question.
        self.open_notes = weakref.WeakValueDictionary()

    def _manager(self, store, namespace, timeout, listener, clock=None):
        return _native.SessionManager(
            store,
            namespace=namespace,
            idle_timeout=timeout,
            lifetime=None,
            unconfirmed_timeout=None,
            on_conflict="reject",
            max_attributes=65_535,
            max_value_bytes=min(self.max_value_bytes + 65_536, 64 * 1024 * 1024),
            max_record_bytes=settings.current().max_session_bytes,
            clock=clock or self.clock,
            on_event=lambda kind, _locator, _principal, snapshot: listener(kind, snapshot),
        )

    def place_of(self, key):
        """What tells a container's key apart from those of all other containers."""
        return self.url, self.namespace, key

    def latest(self):
        """That of the same sessions with the timeout that the container was last seen to have."""
        found = self
        while found._successor is not None:
            found = found._successor
        return found

    def attend(self, listener, retiming):
        """Has ``listener(kind, snapshot)`` told of what expires and of what was posted, and ``retiming`` asked
        whether the sessions have another timeout."""
        self._listener = listener
        self.retiming = retiming

    def _expired(self, kind, snapshot):
        if kind == "expired":
            self._tell(getattr(self._mine, "listener", None) or self._post_expired, "expired", snapshot)

    def _post_expired(self, kind, snapshot):
        # It made room for a new session under its key, in the midst of a visitor's commit.
        known = self._making_room().pop(snapshot.info.locator, None)
        if known is not None:
            known.made_room()
        elif names.CONTAINER_KEY in snapshot.attributes:
            Note(self, names.DELETE, snapshot.info, {name: raw[1] for name, raw in snapshot.attributes.items()})

    def makes_room(self, locator, pending):
        """Calls ``pending.made_room()`` if this thread's commit puts a session in the place of one that has
        timed out."""
        self._making_room()[locator] = pending

    def _making_room(self):
        return self._mine.__dict__.setdefault("making_room", weakref.WeakValueDictionary())

    def _posted(self, kind, snapshot):
        if kind == "expired":
            self._tell(self._mine.listener, "posted", snapshot)

    def _tell(self, listener, kind, snapshot):
        try:
            listener(kind, snapshot)
        except Exception:
            seldom.warning(logger, self.namespace, "telling of a session failed")
            raise

    def sweep(self, listener=None):
        """Has everything that is due told, to ``listener`` or whoever listens, and taken out; how many
        sessions that were."""
        before, listener = getattr(self._mine, "listener", None), listener or self._listener
        if listener is None:
            return 0
        self._mine.listener = listener
        try:
            self._prolong_open_notes()
            # What is in question may rest on sessions that have timed out since.
            return sum(self._sweep_all(manager) for manager in (self.outbox, self.manager))
        finally:
            self._mine.listener = before

    def _prolong_open_notes(self):
        for reference in self.open_notes.valuerefs():
            note = reference()
            if note is not None:
                note.prolong()

    def _sweep_all(self, manager):
        swept, more = 0, True
        while more:
            settled, more = manager.sweep()
            swept += settled
        return swept


def open_store(url):
    """The store of a URL, one for each process.

    Raises SessionStoreUnavailable. Who waited while another thread failed fails with it, so that a
    server that does not answer is not waited for by one request after the other.
    """
    asked, place = time.monotonic(), (os.getpid(), url)
    found = _stores.get(place)
    if found is not None:
        return found
    with _lock:
        if place in _stores:
            return _stores[place]
        failed_at, text = _failures.get(place, (asked - 1, ""))
        if failed_at < asked:
            try:
                _stores[place] = _native.Store(url)
                availability.found()
                return _stores[place]
            except (_native.StoreError, _native.ConfigurationError) as error:
                text = _explained(url, error)
                _failures[place] = time.monotonic(), text
        availability.lost(text)
        raise SessionStoreUnavailable(text)


def backend(namespace, timeout, clock=None, url=None):
    """The backend of a container. Another timeout has another one, of the same sessions."""
    url = url or settings.current().store
    place = (os.getpid(), url, namespace)
    found = _backends.get(place)
    if found is None or found.timeout != timeout or found.clock is not clock:
        open_store(url)
        with _lock:
            before = _backends.get(place)
            found = _backend(url, namespace, timeout, clock)
            if before is not None:
                found.attend(before._listener, before.retiming)
                before._successor = found
            _backends[place] = found
    return found


def all_backends():
    """The backends of this process."""
    process = os.getpid()
    return [backend for (pid, *_), backend in list(_backends.items()) if pid == process]


def close():
    """Forgets everything that is open in this process: for tests, and before a store is moved."""
    with _lock:
        process = os.getpid()
        for place in [place for place in _backends if place[0] == process]:
            del _backends[place]
        for place in [place for place in _stores if place[0] == process]:
            _stores.pop(place).close()
        settings.forget()


def _backend(*what):
    try:
        return Backend(*what)
    except _native.ConfigurationError as error:
        availability.lost(error)
        raise SessionStoreUnavailable(f"a setting of sessions is wrong: {error}") from error


def _explained(url, error):
    text = str(error)
    if not text.startswith("opening"):
        text = f"opening the session store failed: {text}"
    # The library has no class of its own for it.
    if "another process has it open" in text:
        text += (
            "; a directory serves one process at a time: for several processes of one site, name a redis: or"
            " postgres: store in <product-config coatroom>"
        )
    return text
