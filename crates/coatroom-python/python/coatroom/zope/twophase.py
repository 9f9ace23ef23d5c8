"""What Zope's transaction asks of the sessions that take part in it."""

import logging
from functools import partial

from coatroom import _native
from coatroom.zope import retries
from coatroom.zope.errors import SessionConflictError
from coatroom.zope.guards import guarded
from coatroom.zope.pending import prepare_all
from coatroom.zope.turns import turns

logger = logging.getLogger("coatroom.zope")


class TwoPhaseCommit:
    """Mixed into the sessions of a transaction: writes them when it votes, and takes that back when it aborts."""

    #: Whether the transaction has ended. The next one has sessions of its own.
    is_over = False
    #: Whether the publisher runs the request again.
    _is_retried = False
    _has_written = False

    def __init__(self):
        self._states = {}
        self._turns = []
        self._undos = []
        self._ended = []
        #: Notifications that depend on its commit.
        self.pending = []

    def sortKey(self):
        """Behind every storage of ZODB."""
        return "~~coatroom"

    def abort(self, txn):
        self._finish(is_committed=False)

    def tpc_begin(self, txn):
        pass

    def commit(self, txn):
        for state in self._living():
            state.stage()
            state.drop_unreferenced()

    def tpc_vote(self, txn):
        if self.pending:
            prepare_all(self.pending, self, self._undos, txn)
        for state in self._ended:
            self._undo_later(state, state.remove)
        for state in self._tombstones:
            self._undo_later(state, state.write_tombstone)
        for state in self._living():
            self._undo_later(state, state.write)

    def tpc_finish(self, txn):
        self._undos = []
        self._finish(is_committed=True)

    def tpc_abort(self, txn):
        while self._undos:
            undo = self._undos.pop()
            try:
                undo()
            except _native.Error:
                logger.critical("taking back a session's commit failed; it stays", exc_info=True)
        self._finish(is_committed=False)

    # Within.

    def will_write(self, state):
        """Whether the commit keeps what it has staged of a session."""
        return any(state is living for living in self._living()) and state.is_changed()

    def _living(self):
        return [state for state in self._states.values() if state is not None and state.is_kept]

    def _undo_later(self, state, write):
        try:
            undo = guarded(write)
        except SessionConflictError:
            turns.contest(state.native.locator, state.backend.is_shared, was_alone=bool(self._turns))
            self._is_retried = retries.is_coming()
            raise
        if undo is not None:
            self._has_written = True
            if turns.is_any_contested():
                turns.wrote(state.native.locator, state.native.revision)
            self._undos.append(partial(state.backend.manager.undo, undo))

    def _finish(self, is_committed):
        try:
            self._part(is_committed)
        finally:
            self.is_over = True
        if self._turns:
            self._end_turns(is_committed and self._has_written)
        self._states = {}
        self._ended = []
        self._tombstones = []
        self._turns = []
        self.pending = []

    def _end_turns(self, has_written):
        kept = self._turns.pop(0) if self._is_retried and self._turns else None
        for turn in self._turns:
            turn.end(has_written)
        if kept is not None:
            turns.keep(kept)
