"""Values as bytes: pickles, authenticated, with their persistent objects beside them.

A persistent object inside a value is kept as an attribute of its own, named by its object id; the
pickle that refers to it names it, and says so in front, so that what is no longer referred to is
found without unpickling anything.
"""

import importlib
import io
import operator
import os
import pickle
import struct
from types import FunctionType

from Acquisition import ExplicitAcquisitionWrapper
from Acquisition import ImplicitAcquisitionWrapper
from persistent import Persistent
from transaction.interfaces import TransientError
from ZODB import broken
from ZODB.POSException import InvalidObjectReference

from coatroom.zope import names
from coatroom.zope.errors import UnpicklableValueError

PROTOCOL = 4
_WRAPPERS = (ImplicitAcquisitionWrapper, ExplicitAcquisitionWrapper)
_COUNT = struct.Struct(">I")
_OID_BYTES = 8
_UNCHANGING = frozenset((str, int, float, bool, bytes, complex, type(None)))
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


def rewritten(body):
    """Other bytes of the same meaning: nothing that lies behind a pickle's end counts."""
    return body[:-1] if body.endswith(b"\0") else body + b"\0"


def is_unchanging(value):
    """Whether a value cannot be changed in place, or says so itself."""
    # Not their subclasses, which have attributes.
    if type(value) in _UNCHANGING or isinstance(value, Persistent):
        return True
    return type(value) in (tuple, frozenset) and all(is_unchanging(item) for item in value)


def dump(value, jar, name):
    """The pickle of a value, which is to be kept under a name. New persistent objects in it become ``jar``'s.

    Raises UnpicklableValueError, a TypeError, and InvalidObjectReference for an object that belongs
    to another database.
    """
    return _dump(value, jar.adopt if jar is not None else None, name)


def look(value, jar, name):
    """What a value looks like now, to be compared with its pickle later. It adopts nothing."""
    try:
        return _dump(value, jar.oid_of, name).data
    except (UnpicklableValueError, InvalidObjectReference):
        return fingerprint(value)


def _dump(value, oid_of, name):
    try:
        try:
            return _pickled(_Pickler, value, oid_of)
        except pickle.PicklingError:
            # Perhaps for a class that is gone: then what is broken stays as it is.
            return _pickled(_BrokenPickler, value, oid_of)
    except (InvalidObjectReference, TransientError):
        raise
    except Exception as error:
        raise UnpicklableValueError(f"keeping {names.described(name)} failed: {error}") from error


def dump_object(obj, jar, name):
    """The pickle of a persistent object's class, arguments and state."""
    arguments = getattr(obj, "__getnewargs__", tuple)()
    return dump((type(obj), arguments, obj.__getstate__()), jar, name)


def _pickled(cls, value, oid_of):
    out = io.BytesIO()
    pickler = cls(out, oid_of)
    pickler.dump(value)
    return Pickle(out.getvalue(), pickler.references)


def load(pickled, jar):
    """The value of a pickle; an object whose class is gone comes back broken.

    Of a persistent object's own pickle that is its class, arguments and state.
    """
    return _Unpickler(io.BytesIO(pickled.data), jar).load()


class _Pickler(pickle.Pickler):
    def __init__(self, out, oid_of):
        super().__init__(out, PROTOCOL)
        self._oid_of = oid_of
        self.references = []

    def persistent_id(self, obj):
        if type(obj) in _WRAPPERS:
            raise TypeError("an object in an acquisition wrapper cannot be kept; keep aq_base(object)")
        if not isinstance(obj, Persistent):
            return None
        oid = self._oid_of(obj)
        self.references.append(oid)
        return oid, type(obj)


class _BrokenPickler(_Pickler):
    """Names classes that are gone as they were named."""

    def reducer_override(self, obj):
        if isinstance(obj, type) and issubclass(obj, broken.Broken):
            return broken.find_global, (obj.__module__, obj.__name__)
        return NotImplemented


class Fingerprint(bytes):
    """What a value that does not pickle looks like: enough to see whether it was changed."""


def fingerprint(value):
    """A value's fingerprint; one that is like no other where it cannot be told."""
    out = io.BytesIO()
    try:
        _Looker(out, PROTOCOL).dump(value)
    except Exception:
        return Fingerprint(os.urandom(16))
    return Fingerprint(out.getvalue())


class _Looker(pickle.Pickler):
    """Writes down what does not pickle as which object it is, and what its attributes hold."""

    def persistent_id(self, obj):
        return id(obj) if isinstance(obj, Persistent) else None

    def reducer_override(self, obj):
        if obj is _the_same:
            return NotImplemented
        if not isinstance(obj, (type, FunctionType)):
            try:
                reduced = obj.__reduce_ex__(PROTOCOL)
            except Exception:
                return _the_same, (id(obj),), getattr(obj, "__dict__", None)
            if isinstance(reduced, tuple):
                return reduced
        return _the_same, (id(obj),)


def _the_same(_id):
    """Stands for an object in a fingerprint, which is never loaded."""


def find_global(module, name):
    """What a pickle names, be it within another class too; something broken where it is gone."""
    if "." in name:
        try:
            return operator.attrgetter(name)(importlib.import_module(module))
        except (AttributeError, ImportError):
            pass
    return broken.find_global(module, name)


def _rebuild(module, name, *arguments):
    cls = find_global(module, name)
    return cls.__new__(cls, *arguments)


#: What a pickle calls to name what was broken, and what is called instead.
_OURS = {broken.find_global: find_global, broken.rebuild: _rebuild}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, jar):
        super().__init__(file)
        self._jar = jar

    def find_class(self, module, name):
        found = find_global(module, name)
        return _OURS.get(found, found) if isinstance(found, FunctionType) else found

    def persistent_load(self, reference):
        oid, cls = reference
        return self._jar.reference(oid, cls)
