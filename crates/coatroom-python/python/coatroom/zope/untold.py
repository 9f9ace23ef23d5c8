"""What becomes of sessions if the transaction commits: noted before it is done, and told if it came true."""

import logging

from coatroom import _native
from coatroom.zope import names
from coatroom.zope.guards import guarded
from coatroom.zope.notes import Note
from coatroom.zope.notes import vouch
from coatroom.zope.states import SessionState

logger = logging.getLogger("coatroom.zope")


def intend_all(untold, sessions, undos, txn):
    """Before anything is written notes what is to be told of it, so that no process takes that along when it
    dies; the notes are closed when the transaction has committed. What takes them back goes to ``undos``."""
    for each in untold:
        if guarded(each.intend, sessions) is not None:
            undos.append(each.give_up)
    txn.addAfterCommitHook(_settle_all, (tuple(untold),))


def _settle_all(is_committed, untold):
    for each in untold if is_committed else ():
        try:
            each.settle()
        except _native.Error:
            logger.warning("a session will be told of late, or twice", exc_info=True)


def close(note, has_come_true):
    """Closes a note: what was in question is no more. Raises the engine's errors."""
    if not has_come_true:
        note.drop()
        return
    try:
        note.settle()
    except _native.Gone:
        note.post_again()


class Untold:
    """What becomes of a session if the transaction commits."""

    _note = None

    def __init__(self, state):
        self._state = state

    def intend(self, sessions):
        """Posts an open note before anything is written; None where there is nothing to tell."""

    def has_come_true(self):
        """Whether it was done; another request may have been first."""

    def settle(self):
        """The transaction has committed."""
        if self._note is not None:
            close(self._note, self.has_come_true())

    def give_up(self):
        """The transaction has not committed; what was written is taken back before."""
        self._note.drop()

    def _post(self, kind, state, attributes, stored=None):
        self._note = Note(state.backend, kind, state, attributes, is_open=True, stored=stored)
        return self._note


class Begun(Untold):
    """A session begins."""

    def intend(self, sessions):
        # A login in the same transaction may have moved it.
        self._state = self._state.home()
        if sessions.will_write(self._state):
            return self._post(names.ADD, self._state, self._state.attributes())
        return None

    def has_come_true(self):
        return self._state.was_written


class Ended(Untold):
    """A session ends, which the store has as another one if a login of the same transaction moved it."""

    def __init__(self, state, stored):
        super().__init__(state)
        self._stored = stored
        self._attributes = state.attributes()

    def intend(self, sessions):
        stored = self._stored if self._stored is not self._state else None
        return self._post(names.DELETE, self._state, self._attributes, stored)

    def has_come_true(self):
        return self._stored.was_removed


class Vouched(Untold):
    """A session moves or ends, and so will not be found by who looks whether it had begun."""

    def intend(self, sessions):
        vouch(self._state.backend, self._state.id)


class MadeRoom(Untold):
    """A session begins where another one may lie that has timed out, and that nobody will sweep then."""

    _has_made_room = False

    def intend(self, sessions):
        state = self._state
        if not sessions.will_write(state) or state.native.exists:
            return None
        past = state.backend.past.keyed(names.of_session(state.key), passive=True)
        if not past.contains(names.CONTAINER_KEY):
            return None
        kept = {name: past.get_raw(name)[1] for name in past.names()}
        dead = SessionState(state.backend, state.key, past, None)
        state.backend.makes_room(past.locator, self)
        return self._post(names.DELETE, dead, kept)

    def made_room(self):
        """It lay there, and is no more."""
        self._has_made_room = True

    def has_come_true(self):
        return self._has_made_room

    def give_up(self):
        # That is not taken back.
        self.settle()
