"""The session data object: what ``request.SESSION`` is."""

import time
from functools import partial
from threading import get_ident

from AccessControl.SecurityInfo import ClassSecurityInfo
from Acquisition import Implicit
from Acquisition import aq_base
from zope.interface import implementer

from coatroom.zope import names
from coatroom.zope import publishing
from coatroom.zope import transactions
from coatroom.zope.errors import InvalidKeyError
from coatroom.zope.interfaces import IDictionaryLike
from coatroom.zope.interfaces import IImmutablyValuedMappingOfPickleableObjects
from coatroom.zope.interfaces import IItemWithId
from coatroom.zope.interfaces import ITransient
from coatroom.zope.interfaces import ITTWDictionary
from coatroom.zope.states import new_id

_missing = object()


class _Loose:
    """The state of a session object that no container holds: nothing keeps it."""

    is_ended = is_dropped = False
    moved_to = None

    def home(self):
        return self

    def __init__(self, key):
        self.key = key
        self.created = self.last_accessed = self.now = time.time()
        self.id = new_id(self.created)
        self.modified = None
        self._values = {}

    def time(self):
        return time.time()

    def keys(self):
        return list(self._values)

    def has(self, name):
        return name in self._values

    def get(self, name):
        return self._values[name]

    def set(self, name, value):
        self._values[name] = value

    def delete(self, name):
        del self._values[name]

    def clear(self):
        self._values.clear()

    def last_modified(self):
        return self.modified

    def touch(self, now, granularity=30):
        if now - self.last_accessed > granularity:
            self.last_accessed = now


@implementer(
    ITransient,
    IDictionaryLike,
    IItemWithId,
    ITTWDictionary,
    IImmutablyValuedMappingOfPickleableObjects,
)
class TransientObject(Implicit):
    """A visitor's data, kept by a container until its timeout.

    A mapping of keys (text, or whole numbers) to anything that pickles. Changes are kept with the
    Zope transaction: those of other requests to other keys stay, and of two to the same key the
    second raises a ConflictError, so that the publisher runs it again. It is true also when empty.

    Source: Products.Transience.interfaces.
    """

    security = ClassSecurityInfo()
    security.setDefaultAccess("allow")
    security.declareObjectPublic()

    def __init__(self, containerkey):
        self._bind(_Loose(containerkey), None)

    @classmethod
    def _of(cls, state, sessions):
        """The object of a session that a container holds; one for each state."""
        if state.item is None:
            state.item = cls.__new__(cls)
            state.item._bind(state, sessions)
        return state.item

    def _bind(self, state, sessions):
        mine = aq_base(self).__dict__
        if sessions is not None and "_v_state" in mine:
            before = {name: mine[name] for name in ("_v_state", "_v_sessions")}
            sessions.take_back_later(partial(mine.update, before))
        mine.update(_v_state=state, _v_sessions=sessions)

    def __reduce_ex__(self, protocol):
        raise TypeError("a session cannot be kept anywhere else; keep its values")

    def __setattr__(self, name, value):
        if not name.startswith("_"):
            raise AttributeError(f"attributes of a session are not kept; set session[{name!r}]")
        # _p_changed above all, which some set to have a change kept.
        super().__setattr__(name, value)

    def __bool__(self):
        return True

    def __repr__(self):
        state = self._state()
        keys = names.in_order(names.decode(name) for name in state.keys())
        # The key is the visitor's ticket.
        return f"<{self.__class__.__name__} id={state.id} keys={keys!r}>"

    # IItemWithId, ITransient

    @property
    def id(self):
        """As getId. Not that of the container, which it would acquire."""
        return self._state().id

    @property
    def token(self):
        """As getContainerKey."""
        return self._state().key

    def getId(self):
        """The session's id: another one whenever a session is begun, also under the same key."""
        return self._state().id

    def getName(self):
        """As getId."""
        return self._state().id

    def getContainerKey(self):
        """The key under which the container holds it: the browser id."""
        return self._state().key

    def invalidate(self):
        """Ends the session when the transaction commits, and notifies. Idempotent."""
        state = self._state()
        if state.is_ended:
            return
        container = self._container()
        if container is not None:
            container._endSession(state)
        state.is_ended = True

    def isValid(self):
        """1, or None once it was ended."""
        return None if self._state().is_ended else 1

    def getCreated(self):
        """When it was begun, in seconds since 1970."""
        return self._state().created

    def getLastAccessed(self):
        """Its last access, to within half a minute or a twentieth of the timeout."""
        return self._state().last_accessed

    def setLastAccessed(self):
        """Notes an access."""
        state = self._state()
        state.touch(self._now(state))

    def getLastModified(self):
        """Its last change; None while it never had one."""
        return self._state().last_modified()

    def setLastModified(self):
        """Notes a change."""
        state = self._state()
        state.modified = self._now(state)

    # IDictionaryLike and what people expect of a mapping

    def keys(self):
        """The keys, in order."""
        return names.in_order(names.decode(name) for name in self._state().keys())

    def values(self):
        """The values, in the order of the keys."""
        return [self[key] for key in self.keys()]

    def items(self):
        """The pairs, in the order of the keys."""
        return [(key, self[key]) for key in self.keys()]

    def get(self, k, default=None):
        """The value of a key, or the default."""
        try:
            return self._state().get(names.encode(k))
        except (KeyError, TypeError, InvalidKeyError):
            return default

    def has_key(self, k):
        """1 where the key is there, else 0."""
        try:
            return int(self._state().has(names.encode(k)))
        except (TypeError, InvalidKeyError):
            return 0

    def __contains__(self, k):
        return bool(self.has_key(k))

    def __iter__(self):
        return iter(self.keys())

    def clear(self):
        """Removes every key."""
        state = self._state()
        state.clear()
        state.modified = self._now(state)

    def update(self, d):
        """Sets every key of a mapping."""
        for k in d.keys():
            self[k] = d[k]

    def pop(self, k, default=_missing):
        """The value of a key, which is removed."""
        value = self.get(k, _missing)
        if value is _missing:
            if default is _missing:
                raise KeyError(k)
            return default
        del self[k]
        return value

    def setdefault(self, k, default=None):
        """The value of a key; where it has none, the default, which is set."""
        if not self.has_key(k):
            self[k] = default
        return self[k]

    # ITTWDictionary and item access

    def __setitem__(self, k, v):
        state = self._state()
        state.set(names.encode(k), v)
        state.modified = self._now(state)

    def __getitem__(self, k):
        try:
            return self._state().get(names.encode(k))
        except (KeyError, TypeError, InvalidKeyError):
            raise KeyError(k) from None

    def __delitem__(self, k):
        state = self._state()
        try:
            state.delete(names.encode(k))
        except (KeyError, TypeError, InvalidKeyError):
            raise KeyError(k) from None
        state.modified = self._now(state)

    set = __guarded_setitem__ = __setitem__
    delete = __guarded_delitem__ = __delitem__

    # The state

    def _now(self, state):
        return state.time()

    def _container(self):
        container = getattr(self, "aq_parent", None)
        while container is not None and not hasattr(aq_base(container), "_endSession"):
            container = getattr(container, "aq_parent", None)
        return container

    def _state(self):
        """What this transaction sees of the session. Held over from an earlier one, the session is
        looked up again; where it has ended, what was last seen of it is all there is. One whose
        beginning was undone is begun anew."""
        mine = aq_base(self).__dict__
        state, sessions = mine["_v_state"], mine["_v_sessions"]
        if sessions is None or (not sessions.is_over and not state.is_dropped and sessions.thread == get_ident()):
            return state if state.moved_to is None else state.home()
        state = state.home()
        present = transactions.current(sessions.transaction_manager)
        backend = state.backend.latest()
        found = present.find(backend, state.key, state.record.ring) or present.moved(state.id)
        if found is None and state.is_dropped and self._container() is not None:
            found = self._container()._begin(state.key)
        if found is not None and (found.id == state.id or state.is_dropped):
            self._bind(found, present)
            found.item = found.item or aq_base(self)
            return found
        state.is_ended = True
        self._bind(state, present)
        return state


publishing.initialize(TransientObject)
