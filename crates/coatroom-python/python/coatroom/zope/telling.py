"""Telling a container's notifiers what was posted and what timed out."""

import logging
import weakref

import transaction
from AccessControl.SecurityManagement import noSecurityManager
from Acquisition import aq_base
from Testing.makerequest import makerequest
from transaction.interfaces import TransientError

from coatroom import _native
from coatroom.zope import jars
from coatroom.zope import names
from coatroom.zope import records
from coatroom.zope.states import SessionState

logger = logging.getLogger("coatroom.zope")

#: How long a request that tells may take until somebody else does, in seconds.
LEASE = 60.0
_ATTEMPTS = 3
#: How many logins a session is followed over.
_MOVES = 10


class _Kept:
    """The attributes of a session that is no more, in the place of the engine's session."""

    exists = True

    def __init__(self, locator, attributes, created, last_accessed):
        self.locator = locator
        self.attributes = attributes
        self.created = created
        self.last_accessed = last_accessed

    def names(self):
        return list(self.attributes)

    def contains(self, name):
        return name in self.attributes

    def get_raw(self, name):
        return (records.OPAQUE, self.attributes[name]) if name in self.attributes else None

    def read(self, ring, namespace, name):
        data = self.attributes.get(name)
        return ring.authentic(records.context(namespace, self.locator, name), data) if data is not None else None


def happened(kind, snapshot):
    """What is to be told, and what is left of the session; None where it was none of a container."""
    info = snapshot.info
    attributes = {name: raw[1] for name, raw in snapshot.attributes.items()}
    kind = attributes.pop(names.NOTE_KIND, names.DELETE.encode()).decode()
    locator = attributes.pop(names.NOTE_LOCATOR, info.locator.encode()).decode()
    times = attributes.pop(names.NOTE_TIMES, f"{info.created!r} {info.last_accessed!r}".encode())
    if names.CONTAINER_KEY not in attributes:
        return kind, None
    return kind, _Kept(locator, attributes, *map(float, times.split()))


class Teller:
    """Tells of one container's sessions, each in a transaction of its own, from the thread that sweeps."""

    def __init__(self, database, path):
        self._database = database
        self._path = path

    def __call__(self, kind, snapshot):
        kind, kept = happened(kind, snapshot)
        if kept is None:
            return
        for attempt in range(_ATTEMPTS):
            try:
                return self._tell(kind, kept)
            except TransientError:
                if attempt == _ATTEMPTS - 1:
                    raise

    def _tell(self, kind, kept):
        transaction.begin()
        connection = self._database.open()
        try:
            container = makerequest(connection.root()["Application"]).unrestrictedTraverse(self._path, None)
            if container is not None and hasattr(aq_base(container), "_endSession"):
                tell(container, kind, kept)
            transaction.commit()
        except BaseException:
            transaction.abort()
            raise
        finally:
            noSecurityManager()
            connection.close()


class TellerInRequest:
    """Tells in the transaction of the request that sweeps. Whether that commits is known later: until
    then there is a note, which has it told again where it does not, or where the process dies."""

    def __init__(self, container):
        self._container = container

    def __call__(self, kind, snapshot):
        kind, kept = happened(kind, snapshot)
        if kept is None or not target_of(self._container, kind):
            return
        note = _Note(self._container._house(), kind, kept)
        try:
            tell(self._container, kind, kept)
        except BaseException:
            note.drop()
            raise
        note.settle_with(self._container._sessions())


class _Note:
    """What a request is telling."""

    def __init__(self, house, kind, kept):
        self._house = house
        self._native, self._undo = house.post(kind, kept, kept.attributes, LEASE)
        self._is_told = False

    def drop(self):
        """Nothing was told; whoever noted it before still has it."""
        self._house.outbox.undo(self._undo)

    def settle_with(self, sessions):
        """Takes it out when the transaction has committed, and has it due when that was aborted."""
        # Not after the rollback of a savepoint from before.
        sessions.after_write.append(lambda undos: self._tell())
        txn = sessions.transaction_manager.get()
        txn.addAfterCommitHook(self._settle)
        txn.addAfterAbortHook(self._settle, (False,))

    def _tell(self):
        self._is_told = True

    def _settle(self, is_committed):
        try:
            if is_committed and self._is_told:
                self._native.logout()
            else:
                self._native.set_idle_timeout(1.0)
                self._native.save()
        except _native.Error:
            logger.warning("a session that ended may be told twice", exc_info=True)


def target_of(container, kind):
    """Who is to be told."""
    return container._addCallback if kind == names.ADD else container._delCallback


def tell(container, kind, kept):
    """Calls a container's notifier about a session, in the current transaction."""
    house, ring = container._house(), container._ring()
    if not target_of(container, kind):
        return
    key = records.container_key(house, ring, kept.locator, kept.attributes[names.CONTAINER_KEY])
    state = SessionState.opened(house, key, kept, ring) if key is not None else None
    if state is None:
        return
    if kind == names.ADD:
        container.notifyAdd(_present(container, state) or _past(container, state))
    else:
        container.notifyDel(_past(container, state))


def _present(container, state):
    """The session, wherever logins have moved it; None where it has ended."""
    sessions, key = container._sessions(), state.key
    for _ in range(_MOVES):
        found = container._find(key)
        if found is not None:
            return container._wrap(found) if found.id == state.id else None
        key = sessions.became(state.house, key, state.record.ring)
        if key is None:
            return None


def _past(container, state):
    """The session as it was."""
    state.jar = jars.SessionJar(weakref.ref(state))
    state.is_ended = True
    if state.is_single_value():
        return state.get(names.PLAIN_VALUE)
    return container._session_class._of(state, None).__of__(container)
