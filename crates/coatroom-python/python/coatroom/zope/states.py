"""One session as one transaction sees it."""

import logging
import os
import random
import time

from coatroom import _native
from coatroom.zope import names
from coatroom.zope import values
from coatroom.zope.errors import SessionLimitError

logger = logging.getLogger("coatroom.zope")

OPAQUE = 2
#: How long a request with the browser id from before a login is told apart, in seconds.
STRAGGLERS_FOR = 60.0
_random = random.SystemRandom()


class SessionState:
    """The record this transaction began with and what it changed.

    Values are live objects; ``stage`` pickles what changed, and ``write`` hands that to the engine.
    """

    def __init__(self, house, key, native, ring, id=None, now=None):
        self.house = house
        self.key = key
        self.ring = ring
        self.native = native
        self.is_new = id is not None
        #: Told apart from whatever is begun under the same key before or after.
        self.id = id
        self.now = now or house.manager.now()
        self.created = native.created if not self.is_new else self.now
        self.last_accessed = native.last_accessed if not self.is_new else self.now
        #: Ended, or expired, in this transaction.
        self.is_ended = False
        #: Whether nothing that the record holds is to be seen any more.
        self.is_cleared = self.is_new and native.exists
        self.principal = None
        #: Whether the commit keeps it.
        self.is_kept = True
        #: The session that a login made of it.
        self.moved_to = None
        self._live = {}
        self._dumps = {}
        self._staged = {}
        self._assigned = set()
        self.changed_objects = {}
        self.new_objects = []
        #: Whether a persistent object may no longer be referred to.
        self._drops_references = False
        self.modified = None
        self.jar = None
        self.item = None

    @classmethod
    def opened(cls, house, key, native, ring):
        """The session of a record; None where the record is not readable as one."""
        state = cls(house, key, native, ring)
        id = state._read(names.ID)
        state.id = id.decode() if id is not None else None
        return state if state.id is not None else None

    @classmethod
    def begun(cls, house, key, native, ring, now):
        """A session that is not stored yet."""
        state = cls(house, key, native, ring, id=new_id(now), now=now)
        state._write(names.ID, state.id.encode())
        sealed = ring.seal(state.context(names.CONTAINER_KEY), names.encode(key, "key").encode())
        state._staged[names.CONTAINER_KEY] = sealed
        return state

    def __repr__(self):
        return f"<SessionState {self.native.locator}>"

    # Keys and values.

    def keys(self):
        kept = [] if self.is_cleared else filter(names.is_key, self.native.names())
        found = {name for name in kept if self._staged.get(name, b"") is not None}
        found.update(name for name, data in self._staged.items() if data is not None and names.is_key(name))
        found.update(filter(names.is_key, self._assigned))
        # What cannot be read counts as missing.
        return [name for name in found if name in self._live or self._pickle(name) is not None]

    def has(self, name):
        return name in self._live or self._pickle(name) is not None

    def get(self, name):
        """The live value; KeyError where there is none."""
        if name in self._live:
            return self._live[name]
        pickled = self._pickle(name)
        if pickled is None:
            raise KeyError(name)
        value = self._live[name] = values.load(pickled, self.jar)
        if not values.is_unchanging(value):
            self._dumps[name] = values.dump(value, self.jar, _what(name)).data
        return value

    def set(self, name, value):
        if len(name.encode()) > names.MAX_NAME_BYTES:
            raise SessionLimitError(f"a session key has at most {names.MAX_NAME_BYTES - 1} bytes")
        self._live[name] = value
        self._dumps.pop(name, None)
        self._assigned.add(name)

    def delete(self, name):
        if not self.has(name):
            raise KeyError(name)
        pickled = self._pickle(name)
        if pickled is not None and pickled.references:
            self._drops_references = True
        self._live.pop(name, None)
        self._dumps.pop(name, None)
        self._assigned.discard(name)
        self._staged[name] = None

    def clear(self):
        self._live.clear()
        self._dumps.clear()
        self._assigned.clear()
        reserved = {name: data for name, data in self._staged.items() if name[0] == names.RESERVED}
        self._staged = reserved
        for name in (names.ID, names.CONTAINER_KEY):
            raw = self.native.get_raw(name)
            if raw is not None:
                self._staged.setdefault(name, raw[1])
        self.changed_objects.clear()
        self.is_cleared = True

    def time(self):
        return self.house.manager.now()

    def last_modified(self):
        if self.modified is not None:
            return self.modified
        kept = self._read(names.MODIFIED)
        return float(kept) if kept is not None else None

    def touch(self, now, granularity=30):
        if now - self.last_accessed > granularity:
            self.last_accessed = now

    def is_live(self, now):
        timeout = self.house.timeout
        return not self.is_ended and (timeout is None or now < self.last_accessed + timeout)

    # Pickling.

    def stage(self):
        """Pickles what changed since the last time; raises where something cannot be kept."""
        for name in sorted(self._assigned):
            self._put(name, values.dump(self._live[name], self.jar, _what(name)), track=True)
        self._assigned.clear()
        for name, before in list(self._dumps.items()):
            pickled = values.dump(self._live[name], self.jar, _what(name))
            if pickled.data != before:
                self._put(name, pickled, track=True)
        self._stage_objects()

    def _stage_objects(self):
        while self.changed_objects:
            oid, obj = self.changed_objects.popitem()
            what = f"a {type(obj).__name__} in a session's value"
            self._put(_object_name(oid), values.dump_object(obj, self.jar, what))
            obj._p_changed = False
        if self._drops_references:
            self._drops_references = False
            self._collect()

    def _put(self, name, pickled, track=False):
        body = pickled.to_bytes()
        if len(body) > self.house.max_value_bytes:
            limit = self.house.max_value_bytes
            raise SessionLimitError(f"keeping {_what(name)} failed: {len(body)} bytes, max-value-bytes is {limit}")
        before = self._pickle(name)
        if before is not None and not set(before.references) <= set(pickled.references):
            self._drops_references = True
        self._write(name, body)
        if track and not values.is_unchanging(self._live[name]):
            self._dumps[name] = pickled.data

    def _collect(self):
        """Drops the persistent objects that no value refers to any more."""
        objects = {name for name in self._names() if name[0] == names.PERSISTENT}
        if not objects:
            return
        reached, todo = set(), [name for name in self._names() if names.is_key(name)]
        while todo:
            pickled = self._pickle(todo.pop())
            for oid in pickled.references if pickled is not None else ():
                name = _object_name(oid)
                if name not in reached:
                    reached.add(name)
                    todo.append(name)
        for name in objects - reached:
            self._staged[name] = None

    def object_pickle(self, oid):
        return self._pickle(_object_name(oid))

    def new_oid(self):
        return os.urandom(8)

    # Savepoints.

    def snapshot(self):
        self.stage()
        return dict(self._staged), self.is_cleared, self.is_ended, self.modified, self.principal

    def restore(self, snapshot):
        staged, self.is_cleared, self.is_ended, self.modified, self.principal = snapshot
        self._staged = dict(staged)
        self._drop_live()

    def forget(self):
        """The transaction is over. Its objects load anew; those that were never kept are loose again."""
        self._drop_live()
        for obj in self.new_objects:
            if obj._p_jar is self.jar and self.object_pickle(obj._p_oid) is None:
                obj._p_changed = False
                del obj._p_oid
                del obj._p_jar

    def _drop_live(self):
        self._live.clear()
        self._dumps.clear()
        self._assigned.clear()
        self.changed_objects.clear()
        if self.jar is not None:
            self.jar.forget_states()

    # The engine.

    def is_changed(self):
        if self.is_new:
            return any(name not in (names.ID, names.CONTAINER_KEY) for name in self._staged)
        return bool(self._staged) or self.is_cleared or self.principal is not None

    def write(self):
        """Commits to the store by compare-and-set; what takes it back, or None where nothing changed.

        Raises the engine's errors.
        """
        if not self.is_changed():
            return None
        native = self.native
        if self.is_cleared:
            native.clear()
        for name, data in self._staged.items():
            if data is not None:
                native.set_raw(name, OPAQUE, data, "reject")
            elif native.contains(name):
                native.remove(name, "reject")
        if self.modified is not None:
            native.set_raw(names.MODIFIED, OPAQUE, self._sealed(names.MODIFIED, repr(self.modified).encode()))
        if self.principal is not None:
            native.login(self.principal)
        return native.save_undoable()

    # Login.

    def is_superseded(self):
        """Whether a login has moved it to another key."""
        return self._read(names.SUPERSEDED) is not None

    def take_over(self, other):
        """Takes the data of another session, and its id: it is the same session."""
        for name in other._names():
            body = other._read(name) if name != names.CONTAINER_KEY else None
            if body is not None:
                self._write(name, body)
        self.id, self.created = other.id, other.created
        self.modified = other.modified
        other._drop_live()
        self.jar = other.jar

    def write_tombstone(self):
        """Leaves nothing but what tells a straggler, for a minute; what takes it back."""
        native = self.native
        native.clear()
        native.set_raw(names.ID, OPAQUE, self._sealed(names.ID, self.id.encode()), "reject")
        native.set_raw(names.SUPERSEDED, OPAQUE, self._sealed(names.SUPERSEDED, b""), "reject")
        age = max(0.0, self.house.manager.now() - native.created)
        native.set_lifetime(age + STRAGGLERS_FOR)
        return native.save_undoable()

    # Attributes.

    def attributes(self):
        """Everything it holds now, as it is kept: name to bytes."""
        found = {}
        for name in self._names():
            found[name] = self._staged[name] if name in self._staged else self.native.get_raw(name)[1]
        return found

    def context(self, name):
        """What a pickle is bound to."""
        return f"{self.house.namespace}|{self.native.locator}|{name}".encode()

    def _names(self):
        kept = set() if self.is_cleared else set(self.native.names())
        kept.update(self._staged)
        return {name for name in kept if self._staged.get(name, b"") is not None}

    def _pickle(self, name):
        body = self._read(name)
        return values.Pickle.from_bytes(body) if body is not None else None

    def _read(self, name):
        """The authentic body of an attribute; None where it is missing or was tampered with."""
        if name in self._staged:
            data = self._staged[name]
        else:
            raw = None if self.is_cleared else self.native.get_raw(name)
            data = raw[1] if raw is not None else None
        if data is None:
            return None
        body = self.ring.authentic(self.context(name), data) if self.ring is not None else None
        if body is None:
            logger.error("refused %s of session %s: it was not written by this site", _what(name), self.native.locator)
        return body

    def _sealed(self, name, body):
        return self.ring.authenticate(self.context(name), body)

    def _write(self, name, body):
        self._staged[name] = self._sealed(name, body)


def container_key(house, ring, native_locator, data):
    """The key under which a container knows a session, from its record; None where it is not ours."""
    context = f"{house.namespace}|{native_locator}|{names.CONTAINER_KEY}".encode()
    plain = ring.unseal(context, data) if ring is not None else None
    return names.decode(plain.decode()) if plain is not None else None


def new_id(now=None):
    """A session's id, in the form that Transience gives them: a time and random digits."""
    return f"{int(now or time.time())}{_random.randint(0, 10**20 - 1):020d}"


def _object_name(oid):
    return names.PERSISTENT + oid.hex()


def _what(name):
    if names.is_key(name):
        return f"session key {names.decode(name)!r}"
    return "a persistent object" if name[0] == names.PERSISTENT else "a session's own data"
