"""Sessions commit and abort with the Zope transaction."""

import pytest
import transaction
from helpers import VISITOR
from helpers import begin
from helpers import in_thread
from helpers import read
from ZODB.POSException import ConflictError
from zope.globalrequest import clearRequest
from zope.globalrequest import getRequest
from zope.globalrequest import setRequest

from coatroom import _native
from coatroom.zope import transactions
from coatroom.zope.errors import SessionConflictError
from coatroom.zope.guards import guarded
from coatroom.zope.turns import turns



def write(site, **values):
    def run():
        with site.visit() as container:
            container[VISITOR].update(values)

    in_thread(run)


def test_what_is_committed_is_there_and_what_is_aborted_is_not(site):
    begin(site, kept=1)
    with pytest.raises(ZeroDivisionError), site.visit() as container:
        container[VISITOR]["lost"] = 1 / 0
    assert read(site) == {"kept": 1}


def test_an_empty_session_is_visible_in_its_transaction_and_not_stored(site):
    with site.visit() as container:
        container.new(VISITOR)
        assert VISITOR in container and len(container) == 1
    assert read(site) is None


def test_different_keys_changed_by_two_requests_both_survive(site):
    begin(site, a=1, b=1)
    with site.visit() as container:
        container[VISITOR]["a"] = 2
        write(site, b=2, c=3)
    assert read(site) == {"a": 2, "b": 2, "c": 3}


def test_the_same_key_changed_by_two_requests_is_a_conflict(site):
    begin(site, n=1)
    with pytest.raises(ConflictError) as raised, site.visit() as container:
        container[VISITOR]["n"] = container[VISITOR]["n"] + 1
        write(site, n=2)
    assert isinstance(raised.value, SessionConflictError)
    assert read(site) == {"n": 2}


class Request:
    """What the publisher runs, and runs again."""

    retry_count = 0

    def supports_retry(self):
        return True

    def delay_retry(self):
        raise AssertionError("slept for seconds")


def test_a_request_that_lost_is_run_again_at_once_before_others(site):
    begin(site, n=1)
    setRequest(Request())
    try:
        for n in (2, 3):
            with pytest.raises(SessionConflictError), site.visit() as container:
                state = container[VISITOR].aq_base._state()
                container[VISITOR]["n"] = n
                write_without_a_turn(state, n)
            getRequest().delay_retry()
        with site.visit() as container:
            (turn,) = turns._queues[state.native.locator].waiting
            container[VISITOR]["n"] = 4
            assert transactions.current()._turns == [turn]
    finally:
        clearRequest()
    assert read(site) == {"n": 4}
    assert not turns._queues[state.native.locator].waiting


def write_without_a_turn(state, n):
    """As another process does."""
    other = state.backend.manager.open_locator(state.native.locator)
    other.set_raw("sn", 2, f"{n}".encode())
    other.save()


def test_clear_and_a_set_meanwhile_are_a_conflict(site):
    begin(site, a=1)
    with pytest.raises(SessionConflictError), site.visit() as container:
        container[VISITOR].clear()
        write(site, b=1)
    assert read(site) == {"a": 1, "b": 1}


def test_two_first_requests_of_one_visitor_are_a_conflict(site):
    with pytest.raises(SessionConflictError), site.visit() as container:
        container.new_or_existing(VISITOR)["a"] = 1
        in_thread(lambda: begin(site, b=1))
    assert read(site) == {"b": 1}


def test_invalidate_beats_a_writer_at_the_vote(site):
    begin(site, a=1)
    with pytest.raises(SessionConflictError), site.visit() as container:
        container[VISITOR]["a"] = 2
        in_thread(lambda: invalidate(site))
    assert read(site) is None


def invalidate(site):
    with site.visit() as container:
        container[VISITOR].invalidate()


def test_a_writer_before_it_does_not_save_a_session_from_invalidate(site):
    begin(site, a=1)
    with site.visit() as container:
        container[VISITOR].invalidate()
        write(site, a=2)
    assert read(site) is None


def test_invalidate_is_undone_with_its_transaction(site):
    begin(site, a=1)
    with pytest.raises(ZeroDivisionError), site.visit() as container:
        container[VISITOR].invalidate()
        assert VISITOR not in container
        raise ZeroDivisionError
    assert read(site) == {"a": 1}


def test_a_session_begun_again_in_the_same_transaction_is_another_one(site):
    begin(site, old=1)
    with site.visit() as container:
        old = container[VISITOR]
        before = old.getId()
        old.invalidate()
        new = container.new_or_existing(VISITOR)
        assert new.keys() == [] and new.getId() != before
        new["new"] = 1
    assert read(site) == {"new": 1}


def test_a_stale_request_never_writes_into_a_session_begun_again(site):
    begin(site, a=1)

    def begin_again():
        invalidate(site)
        begin(site, b=1)

    with pytest.raises(SessionConflictError), site.visit() as container:
        container[VISITOR]["stale"] = 1
        in_thread(begin_again)
    assert read(site) == {"b": 1}


def test_two_sessions_in_one_transaction_are_kept_or_lost_together(site):
    begin(site, n=1)
    with site.visit() as container:
        container["one"] = session("one", a=1)
        container.new_or_existing("two")["b"] = 2
    with pytest.raises(SessionConflictError), site.visit() as container:
        container["one"]["a"] = 9
        container[VISITOR]["n"] = 9
        write(site, n=5)
    with site.visit() as container:
        assert (container["one"]["a"], container["two"]["b"]) == (1, 2)


def session(key, **values):
    from coatroom.zope.session import TransientObject

    made = TransientObject(key)
    made.update(values)
    return made


class Refuser:
    transaction_manager = transaction.manager

    def sortKey(self):
        return "~~~~"

    def tpc_vote(self, txn):
        raise ValueError("refused")

    def nothing(self, txn):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort = nothing


@pytest.mark.parametrize("what", ["change", "create", "end", "end and create"])
def test_what_was_written_is_taken_back_when_a_later_party_refuses(site, what):
    if what != "create":
        begin(site, a=1, b=1)
    before = read(site)
    with pytest.raises(ValueError), site.visit() as container:
        found = container.new_or_existing(VISITOR)
        if "end" in what:
            found.invalidate()
        if what != "end":
            container.new_or_existing(VISITOR)["a"] = 2
        transaction.get().join(Refuser())
    assert read(site) == before


def renew(site, user, *parties):
    with site.visit() as container:
        container._renewSession(VISITOR, lambda: "renewed", user)
        for party in parties:
            transaction.get().join(party)


def test_a_login_moves_a_session_and_tells_stragglers_apart_for_a_minute(site):
    begin(site, n=1)
    renew(site, "alice")
    with site.visit() as container:
        assert dict(container["renewed"].items()) == {"n": 1} and container.keys() == ["renewed"]
        assert [row["principal"] for row in container.sessionOverview("alice")["sessions"]] == ["alice"]
        container.new_or_existing(VISITOR)["n"] = 9
    assert read(site) is None
    site.clock.advance(61)
    begin(site, n=2)
    assert read(site) == {"n": 2}


def test_a_login_is_taken_back_when_a_later_party_refuses(site):
    begin(site, n=1)
    with pytest.raises(ValueError):
        renew(site, "alice", Refuser())
    with site.visit() as container:
        assert container.keys() == [VISITOR] and container.sessionOverview("alice")["sessions"] == []
    assert read(site) == {"n": 1}


def test_a_writer_never_changes_a_session_that_a_login_moved_meanwhile(site):
    begin(site, n=1)
    with pytest.raises(SessionConflictError), site.visit() as container:
        container[VISITOR]["n"] = 2
        in_thread(lambda: renew(site, "alice"))
    with site.visit() as container:
        assert container["renewed"]["n"] == 1


def test_savepoints_roll_back(site):
    begin(site, kept=[1], other=1)
    with site.visit() as container:
        found = container[VISITOR]
        found["kept"].append(2)
        point = transaction.savepoint()
        found["kept"].append(3)
        found["new"] = 1
        del found["other"]
        point.rollback()
        assert dict(found.items()) == {"kept": [1, 2], "other": 1}
    assert read(site) == {"kept": [1, 2], "other": 1}


def test_a_savepoint_before_the_session_was_touched_rolls_back_too(site):
    begin(site, a=1)
    with site.visit() as container:
        point = transaction.savepoint()
        container[VISITOR]["a"] = 2
        point.rollback()
        assert container[VISITOR]["a"] == 1
    assert read(site) == {"a": 1}


def test_a_session_held_over_transactions_sees_each_of_them(site):
    begin(site, n=1)
    transaction.begin()
    connection = site.db.open()
    held = connection.root()["Application"].sessions[VISITOR]
    assert held["n"] == 1
    transaction.commit()
    write(site, n=2)
    assert held["n"] == 2
    held["n"] = 3
    transaction.commit()
    connection.close()
    assert read(site) == {"n": 3}


def test_reading_writes_nothing(site):
    begin(site, value={"a": {1, 2, 3}, "b": [object]}, text="x")
    with site.visit() as container:
        revision = container[VISITOR].aq_base._state().native.revision
    assert read(site)["text"] == "x"
    with site.visit() as container:
        assert container[VISITOR].aq_base._state().native.revision == revision
        assert not container._p_jar._registered_objects


class Counting:
    """An engine's manager that counts how often it loads."""

    def __init__(self, manager):
        self._manager = manager
        self.loads = 0

    def keyed(self, *arguments, **keywords):
        self.loads += 1
        return self._manager.keyed(*arguments, **keywords)

    def __getattr__(self, name):
        return getattr(self._manager, name)


@pytest.mark.parametrize("what", ["first", "next", "end"])
def test_a_transaction_loads_a_session_once(site, what):
    if what != "first":
        begin(site, n=1)
    with site.visit() as container:
        backend = container._backend()
        counting = backend.manager = Counting(backend.manager)
    with site.visit() as container:
        found = container.new_or_existing(VISITOR)
        found["n"] = found.get("n", 0) + 1
        if what == "end":
            found.invalidate()
            container.new_or_existing(VISITOR)["n"] = 7
    assert counting.loads == 1
    assert read(site) == {"n": {"first": 1, "next": 2, "end": 7}[what]}


def test_a_store_that_fails_is_a_503_and_no_conflict(site):
    from coatroom.zope import backends
    from coatroom.zope.errors import SessionStoreUnavailable

    begin(site, a=1)
    with pytest.raises(SessionStoreUnavailable) as raised, site.visit() as container:
        found = container[VISITOR]
        found["a"] = 2
        state = found.aq_base._state()
        state.write = _raise_unavailable
    assert raised.value.getStatus() == 503
    assert not isinstance(raised.value, ConflictError)
    assert backends.all_backends()


def _raise_unavailable():
    from coatroom import StoreUnavailable

    raise StoreUnavailable("the store is away")


@pytest.mark.parametrize("error", [_native.Conflict, _native.Gone, _native.PrincipalEnded, _native.Superseded])
def test_what_another_request_was_first_at_is_tried_again(error):
    def work():
        raise error("another request was first")

    with pytest.raises(ConflictError):
        guarded(work)
