"""Values as bytes: pickles, authenticated, with their persistent objects beside them.

A persistent object inside a value is kept as an attribute of its own, named by its object id; the
pickle that refers to it names it, and says so in front, so that what is no longer referred to is
found without unpickling anything.
"""

import io
import pickle
import struct
import threading
import weakref

from Acquisition import ExplicitAcquisitionWrapper
from Acquisition import ImplicitAcquisitionWrapper
from persistent import Persistent
from persistent import PickleCache
from ZODB import broken
from ZODB.POSException import InvalidObjectReference
from ZODB.POSException import POSKeyError

from coatroom.zope import names
from coatroom.zope.errors import UnpicklableValueError

PROTOCOL = 4
_WRAPPERS = (ImplicitAcquisitionWrapper, ExplicitAcquisitionWrapper)
_COUNT = struct.Struct(">I")
_OID_BYTES = 8
#: How many loaded objects of a session are kept beyond the transaction.
_CACHED = 100_000
_UNCHANGING = (str, int, float, bool, bytes, complex, type(None))
#: Values that hold nothing else, so that no pickler has to look into them.
PLAIN = frozenset((str, int, float, bool, bytes, type(None)))
_NO_REFERENCES = b"\0" * 4


class Pickle:
    """A pickle and the object ids it refers to."""

    __slots__ = ("data", "references")

    def __init__(self, data, references=()):
        self.data = data
        self.references = tuple(references)

    def to_bytes(self):
        return _COUNT.pack(len(self.references)) + b"".join(self.references) + self.data

    @classmethod
    def from_bytes(cls, body):
        (count,) = _COUNT.unpack_from(body)
        end = _COUNT.size + count * _OID_BYTES
        oids = [body[at : at + _OID_BYTES] for at in range(_COUNT.size, end, _OID_BYTES)]
        return cls(body[end:], oids)


def plain_body(value):
    """The body of a value that is one of PLAIN."""
    return _NO_REFERENCES + pickle.dumps(value, PROTOCOL)


def is_unchanging(value):
    """Whether a value cannot be changed in place, or says so itself."""
    if isinstance(value, _UNCHANGING) or isinstance(value, Persistent):
        return True
    return type(value) in (tuple, frozenset) and all(is_unchanging(item) for item in value)


def dump(value, jar, name):
    """The pickle of a value, which is to be kept under a name. New persistent objects in it become ``jar``'s.

    Raises UnpicklableValueError, a TypeError, and InvalidObjectReference for an object that belongs
    to another database.
    """
    try:
        try:
            return _dump(_Pickler, value, jar)
        except pickle.PicklingError:
            # Perhaps for a class that is gone: then what is broken stays as it is.
            return _dump(_BrokenPickler, value, jar)
    except InvalidObjectReference:
        raise
    except Exception as error:
        raise UnpicklableValueError(f"keeping {names.described(name)} failed: {error}") from error


def dump_object(obj, jar, name):
    """The pickle of a persistent object's class, arguments and state."""
    arguments = getattr(obj, "__getnewargs__", tuple)()
    return dump((type(obj), arguments, obj.__getstate__()), jar, name)


def _dump(cls, value, jar):
    out = io.BytesIO()
    pickler = cls(out, jar)
    pickler.dump(value)
    return Pickle(out.getvalue(), pickler.references)


def load(pickled, jar):
    """The value of a pickle; an object whose class is gone comes back broken."""
    return _Unpickler(io.BytesIO(pickled.data), jar).load()


def load_object(pickled, jar):
    """Class, arguments and state of a persistent object."""
    return _Unpickler(io.BytesIO(pickled.data), jar).load()


class _Pickler(pickle.Pickler):
    def __init__(self, out, jar):
        super().__init__(out, PROTOCOL)
        self._jar = jar
        self.references = []

    def persistent_id(self, obj):
        if type(obj) in _WRAPPERS:
            raise TypeError("an object in an acquisition wrapper cannot be kept; keep aq_base(object)")
        if not isinstance(obj, Persistent):
            return None
        oid = self._jar.adopt(obj)
        self.references.append(oid)
        return oid, type(obj)


class _BrokenPickler(_Pickler):
    """Names classes that are gone as they were named."""

    def reducer_override(self, obj):
        if isinstance(obj, type) and issubclass(obj, broken.Broken):
            return broken.find_global, (obj.__module__, obj.__name__)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, jar):
        super().__init__(file)
        self._jar = jar

    def find_class(self, module, name):
        return broken.find_global(module, name)

    def persistent_load(self, reference):
        oid, cls = reference
        return self._jar.reference(oid, cls)


class SessionJar:
    """What the persistent objects of one session in one thread call their database connection.

    It outlives a transaction as long as somebody holds one of its objects, which then loads its
    state from the session as the next transaction sees it.
    """

    def __init__(self, find_state):
        self._find_state = find_state
        # Holds what is loaded, and of the rest what others hold.
        self._objects = PickleCache(self, _CACHED, 0)

    def adopt(self, obj):
        """The object id of an object that is part of a value."""
        if obj._p_jar is None:
            state = self._state()
            obj._p_oid = state.new_oid()
            obj._p_jar = self
            self._objects[obj._p_oid] = obj
            state.changed_objects[obj._p_oid] = obj
            state.new_objects.append(obj)
        elif obj._p_jar is not self:
            text = "Attempt to store an object from a foreign database connection"
            raise InvalidObjectReference(text, self, obj)
        return obj._p_oid

    def disown(self, obj):
        """An object that was adopted is loose again."""
        if self._objects.get(obj._p_oid) is obj:
            del self._objects[obj._p_oid]
        obj._p_changed = False
        del obj._p_jar
        del obj._p_oid

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
            _cls, arguments, _state = load_object(pickled, self)
        obj = cls.__new__(cls, *arguments)
        self._objects.new_ghost(oid, obj)
        return obj

    def forget_states(self):
        """The transaction is over: whatever is held loads its state anew."""
        self._objects.invalidate([oid for oid, _obj in self._objects.lru_items()])

    # What persistent objects call.

    def setstate(self, obj):
        pickled = self._state().object_pickle(obj._p_oid)
        if pickled is None:
            raise POSKeyError(obj._p_oid)
        obj.__setstate__(load_object(pickled, self)[2])

    def register(self, obj):
        self._state().changed_objects[obj._p_oid] = obj

    def readCurrent(self, obj):
        """Every key of a session is guarded by its own compare-and-set."""

    def _state(self):
        state = self._find_state()
        if state is None:
            raise POSKeyError(b"the session of this object has ended")
        return state


class _Jars(threading.local):
    def __init__(self):
        self.known = weakref.WeakValueDictionary()


_jars = _Jars()


def jar_of(place, find_state):
    """The jar of a session, in this thread."""
    jar = _jars.known.get(place)
    if jar is None:
        jar = _jars.known[place] = SessionJar(find_state)
    return jar
