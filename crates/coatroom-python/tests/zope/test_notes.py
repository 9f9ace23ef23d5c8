"""What is still to be told is noted before it is done, and in question until all has committed."""

from functools import partial

import pytest
import transaction
from helpers import VISITOR
from helpers import begin
from helpers import housekeep
from helpers import in_thread

from coatroom import _native
from coatroom.zope import backends
from coatroom.zope import notes
from coatroom.zope.states import SessionState

heard = []


def added(item, container):
    heard.append(("add", item.getContainerKey(), dict(item.items())))


def deleted(item, container):
    heard.append(("delete", item.getContainerKey(), dict(item.items())))


@pytest.fixture
def told(make_site, no_sweeping_thread):
    heard.clear()
    return make_site(timeout_mins=20, addNotification=added, delNotification=deleted)


def begin_told(site):
    begin(site)
    housekeep(site, 6)
    heard.clear()


ADDED = ("add", VISITOR, {"n": 1})
DELETED = ("delete", VISITOR, {"n": 1})
#: What a transaction does, and what is told of it.
WORK = {
    "begins": (lambda container: container.new_or_existing("another").update({"n": 1}), ("add", "another", {"n": 1})),
    "ends": (lambda container: container[VISITOR].invalidate(), DELETED),
}


class Slow:
    """A party of the transaction that is asked last and takes two minutes, in which others sweep."""

    def __init__(self, site, refuses=False):
        self._site = site
        self._refuses = refuses

    def sortKey(self):
        return "~~~~"

    def tpc_vote(self, txn):
        for _ in range(12):
            in_thread(lambda: housekeep(self._site, 10))
        if self._refuses:
            raise ValueError("refused")

    def nothing(self, txn):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort = nothing


def waits(site, seconds):
    """Housekeeping, for so long."""
    for _ in range(0, seconds, 6):
        housekeep(site, 6)


@pytest.mark.parametrize("what", WORK)
def test_nothing_is_told_while_a_slow_transaction_may_still_fail(told, what):
    work, expected = WORK[what]
    begin_told(told)
    with told.visit() as container:
        work(container)
        transaction.get().join(Slow(told))
        assert heard == []
    assert heard == []
    waits(told, 120)
    assert heard == [expected]


@pytest.mark.parametrize("what", WORK)
def test_nothing_is_told_of_a_slow_transaction_that_fails(told, what):
    work, _expected = WORK[what]
    begin_told(told)
    with pytest.raises(ValueError), told.visit() as container:
        work(container)
        transaction.get().join(Slow(told, refuses=True))
    waits(told, 120)
    assert heard == []


@pytest.mark.parametrize("what", WORK)
def test_what_a_process_does_after_a_long_stop_is_told(told, monkeypatch, what):
    """It stops between noting and writing, and whoever looks meanwhile finds nothing to tell."""
    work, expected = WORK[what]
    begin_told(told)
    to_come = [100]

    def stops(method):
        def stopped(state):
            if to_come:
                in_thread(partial(housekeep, told, to_come.pop()))
                assert heard == []
            return method(state)

        return stopped

    # Another process would have notes of its own.
    monkeypatch.setattr(backends.Backend, "_prolong_open_notes", lambda backend: None)
    for name in ("write", "remove"):
        monkeypatch.setattr(SessionState, name, stops(getattr(SessionState, name)))
    with told.visit() as container:
        work(container)
    waits(told, 60)
    assert heard == [expected]


def test_what_cannot_be_settled_is_told_when_its_time_has_come(told, monkeypatch, caplog):
    def away(native):
        raise _native.StoreUnavailable("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr(notes, "_settle", away)
        begin(told)
    assert "the store is away" in caplog.text
    housekeep(told, 6)
    assert heard == []
    waits(told, 60)
    assert heard == [ADDED]


def test_what_a_savepoint_rolled_back_is_not_told(told):
    begin_told(told)
    with told.visit() as container:
        savepoint = transaction.savepoint()
        container[VISITOR].invalidate()
        container.new_or_existing("another")["n"] = 1
        savepoint.rollback()
        container.new_or_existing("third")["n"] = 1
    waits(told, 60)
    assert heard == [("add", "third", {"n": 1})]


seen = []


def looks(item, container):
    seen.append(item.getLastModified())


def test_what_is_told_has_all_that_was_written(make_site, no_sweeping_thread):
    site = make_site(timeout_mins=20, addNotification=looks)
    seen.clear()
    with site.visit() as container:
        session = container.new_or_existing(VISITOR)
        session["n"] = 1
        modified = session.getLastModified()
    with site.visit() as container:
        container[VISITOR].invalidate()
    housekeep(site, 6)
    assert seen == [modified]


@pytest.mark.parametrize("what", WORK)
def test_a_container_that_tells_nobody_posts_nothing(make_site, no_sweeping_thread, what):
    site = make_site(timeout_mins=20)
    begin(site)
    work, _expected = WORK[what]
    with site.visit() as container:
        backend = container._backend()
        work(container)
        container._renewSession("another", lambda: "hers", "alice")
        outbox, past, backend.outbox, backend.past = backend.outbox, backend.past, None, None
    backend.outbox, backend.past = outbox, past
