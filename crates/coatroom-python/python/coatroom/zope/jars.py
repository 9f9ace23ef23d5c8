"""What persistent objects in sessions call their database connection."""

import logging
import threading
import weakref

from persistent import PickleCache
from ZODB import broken
from ZODB.blob import Blob
from ZODB.POSException import InvalidObjectReference
from ZODB.POSException import POSKeyError

from coatroom.zope import values

logger = logging.getLogger("coatroom.zope")

#: How many loaded objects of a session are kept beyond the transaction.
_CACHED = 100_000


class SessionJar:
    """The jar of the persistent objects of one session in one thread.

    It outlives a transaction as long as somebody holds one of its objects, which then loads its
    state from the session as the next transaction sees it: ``find_state()`` returns that, or None.
    """

    def __init__(self, find_state):
        self.find_state = find_state
        self._cache = None

    @property
    def _objects(self):
        # Holds what is loaded, and of the rest what others hold.
        if self._cache is None:
            self._cache = PickleCache(self, _CACHED, 0)
        return self._cache

    def adopt(self, obj):
        """The object id of an object that is part of a value."""
        if isinstance(obj, Blob):
            raise TypeError("a blob, whose data lies in files, cannot be kept; keep its bytes")
        if obj._p_jar is None:
            self._take(obj)
        elif obj._p_jar is not self:
            text = "Attempt to store an object from a foreign database connection"
            raise InvalidObjectReference(text, self, obj)
        else:
            self._keep(obj)
        return obj._p_oid

    def _take(self, obj):
        state = self._state()
        obj._p_oid = state.new_oid()
        obj._p_jar = self
        self._objects[obj._p_oid] = obj
        state.changed_objects[obj._p_oid] = obj
        state.new_objects.append(obj)

    def _keep(self, obj):
        """One that went with its value, and is part of another one now, is kept anew."""
        state = self._state()
        if obj._p_oid in state.changed_objects or state.has_object(obj._p_oid):
            return
        if obj._p_changed is None:
            raise POSKeyError(obj._p_oid)
        state.changed_objects[obj._p_oid] = obj

    def oid_of(self, obj):
        """What tells an object apart that is part of a value."""
        return obj._p_oid if obj._p_jar is self else b"loose %d" % id(obj)

    def disown(self, objects):
        """Objects that were adopted are loose again, with what they hold."""
        mine = {id(obj): obj for obj in objects if obj._p_jar is self}.values()
        for obj in mine:
            _fill(obj)
        for obj in mine:
            if self._objects.get(obj._p_oid) is obj:
                del self._objects[obj._p_oid]
            obj._p_changed = False
            del obj._p_jar
            del obj._p_oid

    def load_held(self, oids, references):
        """Loads what somebody holds of these objects, with those they refer to among them; returns it."""
        for oid in oids:
            if self._objects.get(oid) is not None:
                self._objects[oid]._p_deactivate()
        # What nobody holds is out of the cache now.
        todo = [oid for oid in oids if self._objects.get(oid) is not None]
        loaded = {}
        while todo:
            oid = todo.pop()
            obj = self._objects.get(oid) if oid in oids and oid not in loaded else None
            if obj is not None:
                _fill(obj)
                loaded[oid] = obj
                todo.extend(references(oid))
        return list(loaded.values())

    def reference(self, oid, cls):
        """The object of an id, its state not yet loaded."""
        found = self._objects.get(oid)
        if found is not None:
            return found
        pickled = self._state().object_pickle(oid)
        if pickled is None:
            raise POSKeyError(oid)
        arguments = ()
        if issubclass(cls, broken.Broken):
            cls = broken.persistentBroken(cls)
        elif hasattr(cls, "__getnewargs__"):
            _cls, arguments, _state = values.load(pickled, self)
        obj = cls.__new__(cls, *arguments)
        self._objects.new_ghost(oid, obj)
        return obj

    def forget_states(self):
        """The transaction is over: whatever is held loads its state anew."""
        if self._cache is None:
            return
        self._cache.invalidate([oid for oid, _obj in self._cache.lru_items()])
        if not len(self._cache):
            # It refers to us.
            self._cache = None

    # What persistent objects call.

    def setstate(self, obj):
        pickled = self._state().object_pickle(obj._p_oid)
        if pickled is None:
            raise POSKeyError(obj._p_oid)
        obj.__setstate__(values.load(pickled, self)[2])

    def register(self, obj):
        state = self._state()
        state.will_change()
        state.changed_objects[obj._p_oid] = obj

    def readCurrent(self, obj):
        """Every key of a session is guarded by its own compare-and-set."""

    def _state(self):
        state = self.find_state()
        if state is None:
            raise POSKeyError(b"the session of this object has ended")
        return state


def _fill(obj):
    """Loads an object before the session loses it."""
    try:
        obj._p_activate()
    except Exception:
        logger.warning("a persistent object that a session gives back is empty", exc_info=True)


class _Jars(threading.local):
    def __init__(self):
        self.known = weakref.WeakValueDictionary()


_jars = _Jars()


def jar_of(place):
    """The jar of a session, in this thread. Whoever asks says where its state is."""
    jar = _jars.known.get(place)
    if jar is None:
        jar = _jars.known[place] = SessionJar(None)
    return jar
