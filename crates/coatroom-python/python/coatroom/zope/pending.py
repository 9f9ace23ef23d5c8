"""Notifications that depend on a transaction: noted before it commits, delivered if it did."""

import logging

from coatroom import _native
from coatroom.zope import names
from coatroom.zope.guards import guarded
from coatroom.zope.notes import Note
from coatroom.zope.notes import vouch
from coatroom.zope.seldom import seldom
from coatroom.zope.states import SessionState

logger = logging.getLogger("coatroom.zope")


def prepare_all(pending, sessions, undos, txn):
    """Posts the notes before any session is written, so that a process that dies loses none of them, and
    settles them when the transaction has committed. What takes them back goes to ``undos``."""
    for each in pending:
        if guarded(each.prepare, sessions) is not None:
            undos.append(each.cancel)
    txn.addAfterCommitHook(_settle_all, (tuple(pending),))


def _settle_all(is_committed, pending):
    for each in pending if is_committed else ():
        try:
            each.settle()
        except _native.Error:
            seldom.warning(logger, None, "a session will be told of late, or twice")


def close(note, has_happened):
    """Ends the question that a note leaves open. Raises the engine's errors."""
    if not has_happened:
        note.drop()
        return
    try:
        note.settle()
    except _native.Gone:
        note.post_again()


class Pending:
    """What happens to a session if the transaction commits."""

    _note = None

    def __init__(self, state):
        self._state = state

    def prepare(self, sessions):
        """Posts an open note before anything is written; None where there is nothing to tell."""

    def has_happened(self):
        """Whether it did happen: another request may have been first."""

    def settle(self):
        """The transaction has committed."""
        if self._note is not None:
            close(self._note, self.has_happened())

    def cancel(self):
        """The transaction is aborted, and what was written has been taken back."""
        self._note.drop()

    def _post(self, kind, state, attributes, stored=None):
        self._note = Note(state.backend, kind, state, attributes, is_open=True, stored=stored)
        return self._note


class Begun(Pending):
    """A session begins."""

    def prepare(self, sessions):
        # A login in the same transaction may have moved it.
        self._state = self._state.home()
        if sessions.will_write(self._state):
            return self._post(names.ADD, self._state, self._state.attributes())
        return None

    def has_happened(self):
        return self._state.was_written


class Ended(Pending):
    """A session ends, which the store has as another one if a login of the same transaction moved it."""

    def __init__(self, state, stored):
        super().__init__(state)
        self._stored = stored
        self._attributes = state.attributes()

    def prepare(self, sessions):
        stored = self._stored if self._stored is not self._state else None
        return self._post(names.DELETE, self._state, self._attributes, stored)

    def has_happened(self):
        return self._stored.was_removed


class Vouched(Pending):
    """A session moves or ends, and so will not be found by who looks whether it had begun."""

    def prepare(self, sessions):
        vouch(self._state.backend, self._state.id)


class MadeRoom(Pending):
    """A session begins where another one may lie that has timed out, and that nobody will sweep then."""

    _has_made_room = False

    def prepare(self, sessions):
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

    def has_happened(self):
        return self._has_made_room

    def cancel(self):
        # That is not taken back.
        self.settle()
