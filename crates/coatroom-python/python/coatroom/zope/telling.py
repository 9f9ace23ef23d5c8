"""Telling a container's notifiers what was posted and what timed out."""

import itertools
import logging
import weakref
from functools import partial

import transaction
from AccessControl.SecurityManagement import noSecurityManager
from Acquisition import aq_base
from Testing.makerequest import makerequest
from transaction.interfaces import TransientError

from coatroom import _native
from coatroom.zope import jars
from coatroom.zope import names
from coatroom.zope import records
from coatroom.zope import registry
from coatroom.zope.guards import guarded
from coatroom.zope.notes import Note
from coatroom.zope.notes import happened
from coatroom.zope.seldom import seldom
from coatroom.zope.states import SessionState

logger = logging.getLogger("coatroom.zope")

#: How long a request that tells may take until somebody else does, in seconds.
LEASE = 60.0
#: How often a notifier meets a conflict before the session waits for a minute: two processes that tell may keep
#: writing the same object, and nobody waits for them.
_ATTEMPTS = 8
#: How many logins a session is followed over.
_MOVES = 10


class Teller:
    """Tells of one container's sessions, each in a transaction of its own, from the thread that sweeps."""

    def __init__(self, database, path, namespace):
        self.database = database
        self._path = path
        self._namespace = namespace

    def __call__(self, kind, snapshot):
        kind, kept = happened(snapshot)
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
        connection = self.database.open()
        try:
            container = self._container(makerequest(connection.root()["Application"]))
            if container is not None:
                tell(container, kind, kept)
            transaction.commit()
        except BaseException:
            transaction.abort()
            raise
        finally:
            noSecurityManager()
            connection.close()

    def _container(self, app):
        """The container, wherever it was moved meanwhile; None where it was deleted."""
        found = app.unrestrictedTraverse(self._path, None)
        for path, each in itertools.chain([(self._path, found)], registry.containers(app)):
            if hasattr(aq_base(each), "_endSession") and each._namespace() == self._namespace:
                self._path = path
                return each


class TellerInRequest:
    """Tells in the transaction of the request that sweeps. Whether that commits is known later: until
    then there is a note, which has it told again where it does not, or where the process dies."""

    def __init__(self, container):
        self._container = container

    def __call__(self, kind, snapshot):
        kind, kept = happened(snapshot)
        state = to_be_told(self._container, kind, kept) if kept is not None else None
        if state is None:
            return
        telling = _Telling(self._container._backend(), kind, kept)
        try:
            _tell(self._container, kind, state)
        except BaseException:
            telling.drop()
            raise
        telling.end_with(self._container._sessions())


class _Telling:
    """What a request is telling, and the note of it."""

    def __init__(self, backend, kind, kept):
        self._note = Note(backend, kind, kept, kept.attributes, due_in=LEASE)
        self._is_told = False

    def drop(self):
        """Nothing was told; whoever noted it before still has it."""
        self._note.drop()

    def end_with(self, sessions):
        """Takes the note out when the transaction has committed, and has it due when that was aborted."""
        # Not after the rollback of a savepoint from before.
        sessions.pending.append(self)
        txn = sessions.transaction_manager.get()
        txn.addAfterCommitHook(self._end)
        txn.addAfterAbortHook(self._end, (False,))

    def prepare(self, sessions):
        """The transaction commits with what the notifier did."""
        self._is_told = True

    def settle(self):
        """See ``_end``."""

    def _end(self, is_committed):
        try:
            if is_committed and self._is_told:
                self._note.take_out()
            else:
                self._note.settle()
        except _native.Error:
            seldom.warning(logger, None, "a session that ended may be told twice")


def target_of(container, kind):
    """Who is to be told."""
    return container._addCallback if kind == names.ADD else container._delCallback


def tell(container, kind, kept):
    """Calls a container's notifier about a session, in the current transaction."""
    state = to_be_told(container, kind, kept)
    if state is not None:
        _tell(container, kind, state)


def to_be_told(container, kind, kept):
    """The session that is to be told of; None where nobody is to be told, or it is not true."""
    backend, ring = container._backend(), container._ring()
    if not target_of(container, kind):
        return None
    key = records.container_key(backend, ring, kept.locator, kept.attributes[names.CONTAINER_KEY])
    state = SessionState.opened(backend, key, kept, ring) if key is not None else None
    if state is None or not kept.is_open:
        return state
    # The process that was writing it has died.
    place = records.container_key(backend, ring, *kept.stored_at)
    return state if _is_stored(backend, ring, place, state.id) == (kind == names.ADD) else None


def _is_stored(backend, ring, key, id):
    """Whether the store has a session, wherever logins have moved it; be it timed out and yet to be told."""
    for _ in range(_MOVES):
        native = guarded(partial(backend.past.keyed, names.of_session(key), passive=True))
        found = SessionState.opened(backend, key, native, ring) if native.exists else None
        if found is None or found.id != id:
            return False
        if not found.is_superseded():
            return True
        key = found.became()
    return False


def _tell(container, kind, state):
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
        key = sessions.became(state.backend, key, state.record.ring)
        if key is None:
            return None


def _past(container, state):
    """The session as it was."""
    state.jar = jars.SessionJar(weakref.ref(state))
    state.is_ended = True
    if state.is_single_value():
        return state.get(names.PLAIN_VALUE)
    return container._session_class._of(state, None).__of__(container)
