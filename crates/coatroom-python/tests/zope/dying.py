"""Processes that are killed while they write sessions, and a site that outlives them."""

import os
import signal

import transaction
import ZODB
from conftest import Site
from OFS.Application import Application
from ZODB.FileStorage import FileStorage

from coatroom import ManualClock
from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.states import SessionState

BEFORE, ONE, ALL, COMMITTED = POINTS = (
    "before any is written",
    "when one is written",
    "when all is written",
    "when all is committed",
)


class FiledSite(Site):
    """A site in a directory, which another process opens after this one."""

    def __init__(self, directory, now, **settings):
        self.db = ZODB.DB(FileStorage(str(directory / "Data.fs")))
        self.clock = TransientObjectContainer._clock = ManualClock(now)
        connection = self.db.open()
        if "Application" not in connection.root():
            app = connection.root()["Application"] = Application()
            transaction.commit()
            app._setObject("sessions", TransientObjectContainer("sessions", **settings))
            transaction.commit()
        connection.close()


class _Last:
    """A party of the transaction that is asked after all others, and kills the process."""

    def __init__(self, at):
        self._at = at

    def sortKey(self):
        return "~~~~"

    def tpc_vote(self, txn):
        if self._at == ALL:
            _die()

    def tpc_finish(self, txn):
        if self._at == COMMITTED:
            _die()

    def nothing(self, txn):
        pass

    tpc_begin = commit = tpc_abort = abort = nothing


def killed(site, at, work):
    """Does something in a process that is killed on the way: ``site()`` opens the site there."""
    child = os.fork()
    if child == 0:
        try:
            _arm(at)
            with site().visit() as container:
                work(container)
                transaction.get().join(_Last(at))
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _arm(at):
    """Has this process die around the first session that it writes."""

    def around(method):
        def wrapped(state):
            if at == BEFORE:
                _die()
            done = method(state)
            if at == ONE:
                _die()
            return done

        return wrapped

    for name in ("write", "remove", "write_tombstone"):
        setattr(SessionState, name, around(getattr(SessionState, name)))


def _die():
    os.kill(os.getpid(), signal.SIGKILL)
