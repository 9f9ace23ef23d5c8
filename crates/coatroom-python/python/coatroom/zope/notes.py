"""The outbox: notes of what is still to be told of sessions, in the store beside them.

A note is posted before its session is written, and open until the whole transaction has committed:
only then it falls due at once. A process keeps its open notes from falling due; where it has died,
they do, and whoever finds one looks at what became of the session (``telling.py``).
"""

import os

from coatroom.zope import names
from coatroom.zope import records

#: How long an open note waits for a process that does not prolong it, in seconds. Less than what a
#: login leaves behind lasts, by which a session is followed.
GRACE = 30.0
#: The shortest time of the engine, in seconds.
AT_ONCE = 1.0


class Note:
    """What is to be told of a session, in the store's outbox. Raises the engine's errors when it is posted."""

    def __init__(self, backend, kind, session, attributes, is_open=False, due_in=AT_ONCE, stored=None):
        self._backend = backend
        self._what = kind, session, attributes
        self._key = _of_beginning(session.id) if is_open and kind == names.ADD else os.urandom(16)
        self._native = backend.outbox.keyed(self._key, passive=True)
        times = f"{session.created!r} {session.last_accessed!r}".encode()
        own = {names.NOTE_KIND: kind.encode(), names.NOTE_LOCATOR: session.locator.encode(), names.NOTE_TIMES: times}
        if stored is not None:
            own[names.NOTE_STORED_AT] = stored.locator.encode() + b" " + stored.native.get_raw(names.CONTAINER_KEY)[1]
        if is_open:
            own[names.NOTE_OPEN] = b""
            due_in = GRACE
            backend.open_notes[self._key] = self
        for name, data in {**own, **attributes}.items():
            self._native.set_raw(name, records.OPAQUE, data)
        if due_in != AT_ONCE:
            self._native.set_idle_timeout(due_in)
        self._undo = self._native.save_undoable()

    def prolong(self):
        """It is still in question, and its process alive."""
        self._backend.outbox.keyed(self._key)

    def settle(self):
        """It is to be told, and at once. Raises Gone where somebody has dealt with it."""
        self._close()
        _settle(self._native)

    def post_again(self):
        """Somebody has dealt with it, and may have taken it for untrue."""
        Note(self._backend, *self._what)

    def take_out(self):
        """It was told."""
        self._close()
        self._native.logout()

    def drop(self):
        """It is not to be told, or not on its account."""
        self._close()
        self._backend.outbox.undo(self._undo)

    def _close(self):
        self._backend.open_notes.pop(self._key, None)


def vouch(backend, id):
    """Somebody has a session at hand: it has begun, whatever became of the process that was to tell."""
    native = backend.outbox.keyed(_of_beginning(id), passive=True)
    if native.contains(names.NOTE_OPEN):
        _settle(native)


def _settle(native):
    native.remove(names.NOTE_OPEN)
    native.set_idle_timeout(AT_ONCE)
    native.save()


def _of_beginning(id):
    """The key of the note of a session that begins, by which others find it."""
    return f"begun {id}".encode()


class Kept:
    """The attributes of a session that is no more, in the place of the engine's session."""

    exists = True

    def __init__(self, locator, attributes, created, last_accessed):
        self.locator = locator
        self.attributes = attributes
        self.created = created
        self.last_accessed = last_accessed
        #: Whether it is to be looked at what became of the session.
        self.is_open = attributes.pop(names.NOTE_OPEN, None) is not None
        stored_at = attributes.pop(names.NOTE_STORED_AT, None)
        #: Where it was to be written, or was to end: its locator there, and its sealed key.
        self.stored_at = locator, attributes.get(names.CONTAINER_KEY)
        if stored_at is not None:
            at, _, key = stored_at.partition(b" ")
            self.stored_at = at.decode(), key

    def names(self):
        return list(self.attributes)

    def contains(self, name):
        return name in self.attributes

    def get_raw(self, name):
        return (records.OPAQUE, self.attributes[name]) if name in self.attributes else None

    def read(self, ring, namespace, name):
        data = self.attributes.get(name)
        return ring.authentic(records.context(namespace, self.locator, name), data) if data is not None else None


def happened(snapshot):
    """What is to be told, and what is left of the session; None where it was none of a container."""
    info = snapshot.info
    attributes = {name: raw[1] for name, raw in snapshot.attributes.items()}
    kind = attributes.pop(names.NOTE_KIND, names.DELETE.encode()).decode()
    locator = attributes.pop(names.NOTE_LOCATOR, info.locator.encode()).decode()
    times = attributes.pop(names.NOTE_TIMES, f"{info.created!r} {info.last_accessed!r}".encode())
    if names.CONTAINER_KEY not in attributes:
        return kind, None
    return kind, Kept(locator, attributes, *map(float, times.split()))
