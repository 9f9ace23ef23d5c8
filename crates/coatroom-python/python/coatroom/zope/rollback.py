"""Rolling back: to a savepoint, or to before the transaction."""

import logging

from transaction.interfaces import IDataManagerSavepoint
from zope.interface import implementer

logger = logging.getLogger("coatroom.zope")


class Rollback:
    """Mixed into the sessions of a transaction: undoes what it did, and keeps what it read.

    What was read from the store stays as it was read, also after a rollback, so that a change that
    rests on it conflicts with another request's.
    """

    def __init__(self, before):
        #: The sessions as they were found in the store; None where there was none.
        self._bases = {}
        #: The engine's handles of keys that had no readable session.
        self._vacant = {}
        #: Keys that a login had moved before.
        self._stragglers = set()
        #: Every session that it opened or began.
        self._all = []
        #: Run in a rollback, the last first; see ``take_back_later``.
        self._rollback_hooks = []
        if before is not None:
            self._go_on_from(before)

    def _go_on_from(self, before):
        """The transaction was put back to a savepoint from before the first use of a session."""
        self._bases, self._vacant, self._stragglers = before._bases, before._vacant, before._stragglers
        self._states, self._superseded = dict(self._bases), set(self._stragglers)
        for state in filter(None, self._bases.values()):
            self._joined(state).restore(None)

    def _joined(self, state):
        state.sessions = self
        self._all.append(state)
        return state

    def take_back_later(self, undo, unless_stored=None):
        """Calls ``undo()`` when the transaction is rolled back, or to a savepoint from before this; and when it
        commits without a session at the place ``unless_stored``."""
        self._rollback_hooks.append((undo, unless_stored))

    def savepoint(self):
        return _Savepoint(self)

    def _snapshot(self):
        lists = self._ended, self._tombstones, self.pending
        kept = [(state, state.snapshot()) for state in self._living()]
        marks = len(self._all), len(self._rollback_hooks)
        return dict(self._states), kept, set(self._superseded), [list(each) for each in lists], marks

    def _restore(self, snapshot):
        states, kept, superseded, lists, (opened, undone) = snapshot
        self._run_rollback_hooks(after=undone)
        for state, data in [*((state, None) for state in self._all[opened:]), *kept]:
            state.give_back(data)
        self._restore_later(opened)
        for state, data in kept:
            state.restore(data)
        self._states, self._superseded = {**self._bases, **states}, superseded | self._stragglers
        self._ended, self._tombstones, self.pending = (list(each) for each in lists)

    def _restore_later(self, opened):
        """What was begun since is gone; what was opened since is as it was opened."""
        later, bases = self._all[opened:], list(self._bases.values())
        found = [state for state in later if any(state is base for base in bases)]
        for state in later:
            if state not in found:
                state.restore(None)
                state.is_dropped = True
        for state in found:
            state.restore(None)
        self._all[opened:] = found

    def _run_rollback_hooks(self, is_committed=False, after=0):
        while len(self._rollback_hooks) > after:
            undo, place = self._rollback_hooks.pop()
            if is_committed and (place is None or self._is_stored(place)):
                continue
            try:
                undo()
            except Exception:
                logger.error("undoing what belongs to a session failed", exc_info=True)

    def _is_stored(self, place):
        state = self._states.get(place)
        return state is not None and state.native.exists

    def _part(self, is_committed):
        """The transaction is over: its sessions are let go of."""
        self._run_rollback_hooks(is_committed)
        for state in self._all:
            state.let_go(is_committed)
        for state in self._all:
            state.forget(is_committed)
        self._all = []
        if is_committed:
            self._bases, self._vacant = {}, {}


@implementer(IDataManagerSavepoint)
class _Savepoint:
    def __init__(self, sessions):
        self._sessions = sessions
        self._snapshot = sessions._snapshot()

    def rollback(self):
        self._sessions._restore(self._snapshot)
