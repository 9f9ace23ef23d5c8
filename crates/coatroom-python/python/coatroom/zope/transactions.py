"""All sessions of a Zope transaction, committed and aborted together with it.

Every session is written by compare-and-set when the transaction votes, after ZODB's storages have
voted; if a later party refuses, what was written is taken back. A process that dies between our
vote and the end of the others' commits leaves sessions written whose content is not.
"""

import logging
import os
import threading
import weakref
from functools import partial
from threading import get_ident

import transaction
from transaction.interfaces import ISavepointDataManager
from transaction.interfaces import NoTransaction
from transaction.interfaces import TransactionFailedError
from zope.interface import implementer

from coatroom.zope import jars
from coatroom.zope import names
from coatroom.zope import settings
from coatroom.zope.errors import SessionConflictError
from coatroom.zope.errors import SessionLimitError
from coatroom.zope.guards import guarded
from coatroom.zope.moves import Moves
from coatroom.zope.readonly import ReadOnly
from coatroom.zope.rollback import Rollback
from coatroom.zope.states import SessionState
from coatroom.zope.turns import turns
from coatroom.zope.twophase import TwoPhaseCommit

logger = logging.getLogger("coatroom.zope")

_mine = threading.local()
#: With a transaction: the browser ids that were drawn in it.
_ISSUED = object()


def current(manager=None):
    """The sessions of a transaction manager's transaction; of this thread's without one."""
    if manager is None:
        manager = transaction.manager.manager
    found = getattr(_mine, "sessions", None)
    if found is None or found.is_over or found.transaction_manager is not manager:
        found = _mine.sessions = _sessions_of(manager)
    return found


def _sessions_of(manager):
    present = manager.get()
    try:
        found = present.data(_mine)
    except KeyError:
        found = None
    if found is not None and not found.is_over:
        return found
    found = TransactionSessions(manager, found)
    try:
        present.join(found)
    except (TransactionFailedError, ValueError):
        # It takes nobody any more.
        return ReadOnlySessions(manager, present, _mine)
    present.set_data(_mine, found)
    return found


def note_issued(bid):
    """A browser id was drawn in this thread's transaction: until it ends, nobody else has it."""
    try:
        present = transaction.manager.manager.get()
        present.data(_ISSUED).add(bid)
    except KeyError:
        present.set_data(_ISSUED, {bid})
    except NoTransaction:
        pass


@implementer(ISavepointDataManager)
class TransactionSessions(TwoPhaseCommit, Rollback, Moves):
    """Reads each session once, so that a transaction sees one state of it."""

    #: Whether the transaction takes no changes any more.
    is_read_only = False

    def __init__(self, manager, before=None):
        self.transaction_manager = manager
        #: The thread whose transaction it is.
        self.thread = get_ident()
        TwoPhaseCommit.__init__(self)
        Moves.__init__(self)
        Rollback.__init__(self, before)

    # What containers ask for.

    def find(self, backend, key, ring):
        """The live session of a key, or None; an access."""
        state, now = self.look_up(backend, key, ring), backend.manager.now()
        if state is None or not state.is_live(now):
            return None
        self.access(state, now)
        return state

    def look_up(self, backend, key, ring, passive=False):
        """The session of a key, or None; perhaps one that has timed out. No access yet; waits for its turn at
        one that had a conflict, unless ``passive``."""
        place = backend.place_of(key)
        if place not in self._states:
            self._states[place] = self._bases[place] = self._open(backend, key, ring, place, passive)
        return self._states[place]

    def access(self, state, now):
        """Somebody asks for a live session, and does not only look at it."""
        if not state.is_accessed:
            state.is_accessed = True
            if state.has_another_timeout():
                _keep_timeout(state.native, state.backend.timeout)
            guarded(state.native.touch)
            state.last_accessed = state.native.last_accessed
        state.touch(now)

    def begin(self, backend, key, ring, now):
        """A new session under a key that has none."""
        place = backend.place_of(key)
        if place in self._superseded:
            return self._begin_unkept(backend, key, ring, now)
        return self._begin(backend, key, ring, now, self._handle(backend, key, ring, place))

    def _begin_unkept(self, backend, key, ring, now):
        state = self._begin(backend, key, ring, now, _nothing(backend))
        state.is_kept = False
        return state

    def _begin(self, backend, key, ring, now, native):
        state = SessionState.begun(backend, key, native, ring, now)
        self._states[backend.place_of(key)] = self._joined(state)
        return state

    def will_change(self):
        """Called before a session is changed."""

    def _handle(self, backend, key, ring, place):
        """The engine's handle for a new session. Where there is an old one it is ended by the same
        handle, which then writes the new one."""
        for old in self._ended:
            if old.backend is backend and old.key == key:
                return old.native
        native = self._vacant.get(place) or self._opened_again(backend, key, ring, place)
        if native.exists:
            self._ended.append(SessionState(backend, key, native, ring))
        return native

    def _opened_again(self, backend, key, ring, place):
        """The handle of a key whose session, which this transaction saw, is no longer live."""
        native = guarded(backend.manager.keyed, names.of_session(key))
        if native.exists and place in self._bases:
            found, seen = SessionState.opened(backend, key, native, ring), self._bases[place]
            if found is None or seen is None or found.id != seen.id:
                raise SessionConflictError("another request has begun the session anew")
        if not native.exists:
            self._vacant[place] = native
            self._bases.setdefault(place, None)
        return native

    def end(self, state):
        """Ends a session when the transaction commits."""
        place = state.backend.place_of(state.key)
        state.is_ended = True
        if self._states.get(place) is state:
            self._states[place] = None
        if not state.is_new:
            self._ended.append(state)

    def forget_dead(self, state):
        """A session timed out while this transaction held it; the store sees to its end."""
        state.is_ended = True
        self._states[state.backend.place_of(state.key)] = None

    def all(self, backend):
        """The sessions of a container that this transaction has touched: key to state or None."""
        mine = {}
        for (url, namespace, key), state in self._states.items():
            if (url, namespace) == (backend.url, backend.namespace):
                mine[key] = state
        return mine

    def balance(self, backend, now):
        """How many more sessions of a container there will be than the store holds now."""
        mine = [state for state in self.all(backend).values() if state is not None]
        begun = sum(state.is_new and state.is_live(now) for state in mine)
        gone = sum(state.backend is backend for state in (*self._ended, *self._tombstones))
        return begun - gone

    def _open(self, backend, key, ring, place, passive):
        if self._is_issued(key):
            # Nothing can be stored under it, and the store need not be asked.
            self._vacant[place] = guarded(backend.manager.create_keyed, names.of_session(key))
            return None
        name, turn = names.of_session(key), None
        if not passive and turns.is_any_contested():
            turn = self._take_turn(backend.manager.locator_of(name))
        # Not an access: by its container's timeout, which may have been changed, it may have ended.
        native = guarded(partial(backend.manager.keyed, name, passive=True))
        if turn is not None and backend.is_shared:
            turns.seen(turn, native.revision)
        state = SessionState.opened(backend, key, native, ring) if native.exists else None
        if state is None:
            self._vacant[place] = native
            return None
        if state.is_superseded():
            self._superseded.add(place)
            self._stragglers.add(place)
            return None
        return self._joined(state)

    def _is_issued(self, key):
        """Whether the key is a browser id that was drawn in this transaction."""
        try:
            return key in self.transaction_manager.get().data(_ISSUED)
        except KeyError:
            return False

    def is_on(self):
        """Whether it is the transaction of this thread."""
        return not self.is_over and self.thread == get_ident()

    def jar_of(self, state):
        """The jar of a session, which it keeps over a login."""
        return jars.jar_of((self.transaction_manager, state.backend.url, state.backend.namespace, state.id))

    def finder_of(self, state):
        """What finds a state's session, in this transaction and in later ones; it does not hold the state."""
        return partial(_find, weakref.ref(state), state.id, self.transaction_manager, state.backend, state.key, state.record.ring)

    def _take_turn(self, locator):
        turn = turns.take(locator, settings.current().conflict_wait)
        if turn is not None:
            self._turns.append(turn)
        return turn


class ReadOnlySessions(ReadOnly, TransactionSessions):
    """Those of a transaction that takes no changes any more."""

    def _is_issued(self, key):
        # It may have stored a session under it.
        return False


def _find(last, id, manager, backend, key, ring):
    state = last()
    if state is not None and state.is_present():
        return state
    found = current(manager).find(backend.latest(), key, ring)
    # Whoever asks is to load anew when the transaction is over, of which the jar tells.
    return found if found is not None and found.id == id and found.jar is not None else None


def _nothing(backend):
    """A handle that nothing lies behind, for a session that is not kept."""
    return guarded(partial(backend.manager.keyed, os.urandom(16), passive=True))


def _keep_timeout(native, timeout):
    """A session goes by its container's timeout, also where that was changed since."""
    try:
        native.set_idle_timeout(timeout)
        guarded(native.save)
    except (SessionConflictError, SessionLimitError):
        logger.debug("another request changed the session first; its timeout follows later")
        native.discard()
