"""Another timeout for all sessions that are stored, whether anybody asks for them or not.

A session is stored with the timeout that its container had. Where the container has another one now,
whoever changed it, the housekeeping of a process goes over all sessions in steps, and twice: requests that
were under way may have stored some by the timeout from before. The store keeps, beside the notes of what is
to be told, which timeout they all go by, so that a process that starts need not look at each. Several
processes may do it at once: each does what the others would.
"""

import logging
import threading
import time
from functools import partial

import transaction
from Acquisition import aq_base

from coatroom import _native
from coatroom.zope import names
from coatroom.zope import records

logger = logging.getLogger("coatroom.zope")

#: How often a process looks for another timeout, in seconds; as often as its period where that is shorter.
LOOKS_EVERY = 20.0
#: How long a step takes, in seconds; then other housekeeping has its turn.
STEP = 0.5
#: How long after all were gone over that is done again, in seconds.
AGAIN_AFTER = 60.0
#: How many sessions are listed at once.
_PAGE = 100
#: The key of the note in the outbox.
_KEY = b"timeout"
#: In the place of a timeout: there is none, and nothing to do.
_UNKNOWN = object()


class Retiming:
    """Has the sessions of one container go by its timeout of now."""

    def __init__(self, container):
        base = aq_base(container)
        if base._p_jar is None:
            self._look = partial(_settings_of, base)
        else:
            self._look = partial(_stored_settings, base._p_jar.db(), base._p_oid)
        self._lock = threading.Lock()
        #: What the last look found, for which backend; and when another one is due.
        self._seen, self._seen_for, self._look_at = _UNKNOWN, None, 0.0
        self._aim = _UNKNOWN
        #: How often all sessions are still to be gone over; from when on; and where that has got to.
        self._rounds = 0
        self._not_before = 0.0
        self._cursor = None

    def step(self, backend):
        """A part of what is to be done; whether more is to be done at once. Raises the engine's errors."""
        with self._lock:
            timeout = self._timeout(backend)
            if timeout is _UNKNOWN:
                return False
            try:
                return self._step(backend, timeout)
            except (_native.Conflict, _native.Gone):
                # Another process has noted something meanwhile.
                self._aim = _UNKNOWN
                return True

    def _timeout(self, backend):
        # A request that finds another timeout comes with another backend.
        if self._rounds or backend is not self._seen_for or time.monotonic() >= self._look_at:
            self._seen, period = self._look()
            self._seen_for, self._look_at = backend, time.monotonic() + min(period, LOOKS_EVERY)
        return self._seen

    def _step(self, backend, timeout):
        if timeout != self._aim:
            self._begin(backend, timeout)
        if not self._rounds or backend.manager.now() < self._not_before:
            return False
        if not self._go_on(backend.manager):
            return True
        if self._rounds == 1:
            self._finish(backend)
        self._rounds -= 1
        self._not_before = backend.manager.now() + AGAIN_AFTER
        return False

    def _begin(self, backend, timeout):
        note, noted = _note_of(backend)
        self._rounds = 0 if noted == _done(timeout) else 2
        self._not_before, self._cursor = 0.0, None
        if self._rounds and noted != _under_way(timeout):
            # First: should this process die, it is not taken for what was noted before.
            _write(note, _under_way(timeout))
        self._aim = timeout

    def _finish(self, backend):
        note, noted = _note_of(backend)
        if noted == _under_way(self._aim):
            _write(note, _done(self._aim))
        elif noted != _done(self._aim):
            # Another process has seen another timeout.
            self._aim = _UNKNOWN

    def _go_on(self, manager):
        """Whether all sessions have been gone over."""
        until = time.monotonic() + STEP
        while True:
            infos, self._cursor = manager.list(self._cursor, _PAGE)
            for info in infos:
                # What a login has left goes by a time of its own.
                if info.principal != names.SUPERSEDED and _differs(info, self._aim):
                    _retime(manager, info.locator, self._aim)
            if self._cursor is None:
                return True
            if time.monotonic() > until:
                return False


def _settings_of(base):
    return float(base._timeout_secs) or None, base._period


def _stored_settings(database, oid):
    """A container's timeout and period, as the database has them now."""
    connection = database.open(transaction.TransactionManager())
    try:
        return _settings_of(connection.get(oid))
    except KeyError:
        # It was deleted, or is not yet committed.
        return _UNKNOWN, LOOKS_EVERY
    finally:
        connection.close()


def _differs(info, timeout):
    if info.idle_deadline is None or timeout is None:
        return (info.idle_deadline is None) != (timeout is None)
    return abs(info.idle_deadline - info.last_accessed - timeout) > 0.001


def _retime(manager, locator, timeout):
    try:
        native = manager.open_locator(locator)
        if native is not None and native.idle_timeout != timeout:
            native.set_idle_timeout(timeout)
            native.save()
    except _native.SessionError as error:
        logger.debug("session %s keeps its timeout for now: %s", locator, error)


def _note_of(backend):
    note = backend.outbox.keyed(_KEY, passive=True)
    raw = note.get_raw(names.TIMEOUT)
    return note, raw[1] if raw is not None else None


def _write(note, text):
    note.set_raw(names.TIMEOUT, records.OPAQUE, text, "reject")
    note.set_idle_timeout(None)
    note.save()


def _under_way(timeout):
    return f"{timeout} under way".encode()


def _done(timeout):
    return f"{timeout} done".encode()
