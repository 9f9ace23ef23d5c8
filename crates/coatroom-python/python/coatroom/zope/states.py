"""One session as one transaction sees it, and what becomes of it at the commit."""

import time

from coatroom._native import random_bytes
from coatroom.zope import names
from coatroom.zope.livevalues import LiveValues
from coatroom.zope.principals import Principal
from coatroom.zope.records import Record

#: How long a request with the browser id from before a login is told apart, in seconds.
STRAGGLERS_FOR = 60.0
#: The snapshot of a session that the transaction has not touched.
_AS_STORED = ({}, {}, False), 0, False, None, None


class SessionState(LiveValues):
    """A session and what this transaction changed of it.

    ``stage`` pickles what changed into the record, and ``write`` hands that to the engine.
    """

    #: Ended, or expired, in this transaction.
    is_ended = False
    principal = None
    #: Whether the commit keeps it.
    is_kept = True
    #: The session that a login made of it.
    moved_to = None
    #: What the commit came to: something was written, or taken out of the store.
    was_written = was_removed = False
    modified = None
    item = None
    #: Those of the transaction that it belongs to.
    sessions = None
    #: Begun and never stored: the transaction or savepoint was undone, or nothing was put into it.
    is_dropped = False
    #: Whether its transaction has asked for it, and not only looked at it.
    is_accessed = True
    _jar = None

    def __init__(self, backend, key, native, ring, id=None, now=None):
        self.backend = backend
        self.key = key
        self.native = native
        self.record = Record(backend, native, ring)
        self.is_new = id is not None
        #: Told apart from whatever is begun under the same key before or after.
        self.id = id
        self.created = now if self.is_new else native.created
        self.last_accessed = now if self.is_new else native.last_accessed
        super().__init__()

    @classmethod
    def opened(cls, backend, key, native, ring):
        """The session of a record; None where the record is not readable as one."""
        state = cls(backend, key, native, ring)
        state.id = state.record.read_id()
        state.is_accessed = False
        return state if state.id is not None else None

    @classmethod
    def begun(cls, backend, key, native, ring, now):
        """A session that is not stored yet."""
        state = cls(backend, key, native, ring, id=new_id(now), now=now)
        state.record.is_cleared = native.exists
        state.record.write_id(state.id)
        state.record.write_key(key)
        return state

    @property
    def locator(self):
        return self.native.locator

    def __repr__(self):
        return f"<SessionState {self.native.locator}>"

    @property
    def jar(self):
        """What its persistent objects call their database connection."""
        if self._jar is None and self.sessions is not None:
            self._jar = self.sessions.jar_of(self)
            self.attach()
        return self._jar

    @jar.setter
    def jar(self, jar):
        self._jar = jar

    def attach(self):
        """Has the objects of its jar load from this state, and tell it what changed."""
        if self._jar is not None and self.sessions is not None:
            self._jar.find_state = self.sessions.finder_of(self)

    def home(self):
        """What logins of its transaction made of it; mostly itself."""
        state = self
        while state.moved_to is not None:
            state = state.moved_to
        return state

    def is_present(self):
        """Whether the transaction that is on in this thread is its own."""
        return self.sessions is not None and not self.is_dropped and self.sessions.is_on()

    @property
    def owner(self):
        """Whose it is, or None."""
        if self.principal is not None:
            return self.principal
        id = self.native.principal
        folder = self.record.read(names.FOLDER) if id is not None else None
        return Principal(id, folder.decode() if folder else None) if id is not None else None

    def will_change(self):
        """Raises where the transaction takes no changes any more."""
        if self.sessions is not None:
            self.sessions.will_change()

    # Times.

    def time(self):
        return self.backend.manager.now()

    def last_modified(self):
        if self.modified is not None:
            return self.modified
        kept = self.record.read(names.MODIFIED)
        return float(kept) if kept is not None else None

    def touch(self, now, granularity=30):
        if now - self.last_accessed > granularity:
            self.last_accessed = now

    def is_live(self, now):
        timeout = self.backend.timeout
        return not self.is_ended and (timeout is None or now < self.last_accessed + timeout)

    def has_another_timeout(self):
        """Whether it is stored with another timeout than its container has now."""
        return not self.is_new and self.native.idle_timeout != self.backend.timeout

    # Savepoints.

    def snapshot(self):
        self.stage()
        return self.record.snapshot(), len(self.new_objects), self.is_ended, self.modified, self.principal

    def give_back(self, snapshot):
        """Before ``restore``: objects that were adopted since are loose again, with what they hold."""
        adopted = (snapshot or _AS_STORED)[1]
        self.attach()
        self._disown(self.new_objects[adopted:])
        del self.new_objects[adopted:]

    def restore(self, snapshot):
        """Goes back to a snapshot; without one, to what the store holds."""
        record, _adopted, is_ended, modified, principal = snapshot or _AS_STORED
        self.attach()
        self.is_ended, self.modified, self.principal, self.moved_to = is_ended, modified, principal, None
        self.record.restore(record)
        self._drop_live()

    def let_go(self, is_committed):
        """The transaction is over: objects that are not kept are loose again, with what they hold."""
        self.attach()
        home = self.home()
        is_stored = is_committed and home.is_kept and not home.is_ended
        mine = self.new_objects + self._held_objects if is_stored else self.new_objects
        self._disown([obj for obj in mine if obj._p_oid and not (is_stored and home.has_object(obj._p_oid))])

    def forget(self, is_committed):
        """After all states were told to let go. Whoever holds it, or an object of it, looks it up again."""
        self._drop_live()
        if self.is_new and not (is_committed and (self.is_ended or self.native.exists)):
            self.is_dropped = True
        elif self.moved_to is None or not is_committed:
            self.attach()
        if not is_committed:
            self.moved_to = None
        self.item = self.sessions = None

    def _disown(self, objects):
        if self._jar is not None:
            self._jar.disown(objects)

    # The engine.

    def is_changed(self):
        staged = self.record.staged()
        if self.is_new:
            return bool(staged)
        noted = self.principal is not None or self.modified is not None
        return bool(staged) or self.record.is_cleared or noted

    def write(self):
        """Commits to the store by compare-and-set; what takes it back, or None where nothing changed.

        Raises the engine's errors.
        """
        if not self.is_changed():
            return None
        if self.principal is not None:
            id, folder = self.principal
            self.native.login(id)
            self.record.write(names.FOLDER, (folder or "").encode())
        undo = self.record.commit(self._later_wins())
        self.was_written = undo is not None
        return undo

    def attributes(self):
        """Everything that it will hold when it is written, as it is kept."""
        return self.record.attributes(self._later_wins())

    def _later_wins(self):
        # Of one length, so that it can be put in the place of the one before.
        return {} if self.modified is None else {names.MODIFIED: f"{self.modified:.6f}".encode()}

    def remove(self):
        """Ends it in the store; what takes that back, or None where it had ended before."""
        undo = self.native.end_undoable()
        self.was_removed = undo is not None
        return undo

    # Login.

    def is_superseded(self):
        """Whether a login has moved it to another key."""
        return self.native.contains(names.SUPERSEDED) and self.record.has(names.SUPERSEDED)

    def take_over(self, other):
        """Takes the data of another session, and its id: it is the same session."""
        for name in other.record.names() - {names.ID, names.CONTAINER_KEY}:
            body = other.record.read(name)
            if body is not None:
                self.record.write(name, body)
        self.record.write_id(other.id)
        self.id, self.created = other.id, other.created
        self.modified = other.modified
        self._take_live(other)
        self.jar = other.jar
        self.attach()

    def write_tombstone(self):
        """Leaves nothing but what tells a straggler, for a minute; what takes it back.

        It is nobody's session any more, and tells only us which one it has become.
        """
        # From now on, as it goes over to another principal.
        self.native.set_lifetime(STRAGGLERS_FOR)
        became = self.record.seal_key(names.SUPERSEDED, self.moved_to.key)
        undo = self.record.commit_only({names.SUPERSEDED: became}, names.SUPERSEDED)
        self.was_removed = undo is not None
        return undo

    def became(self):
        """The key to which a login has moved it."""
        sealed = self.record.read(names.SUPERSEDED)
        return self.record.unseal_key(names.SUPERSEDED, sealed) if sealed else None


def new_id(now=None):
    """A session's id, in the form that Transience gives them: a time and random digits."""
    digits = int.from_bytes(random_bytes(32), "big") % 10**20
    return f"{int(now or time.time())}{digits:020d}"
