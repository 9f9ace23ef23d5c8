"""Going back to a savepoint: everything is as it was, and what is changed afterwards is kept."""

import pytest
import things
import transaction
from helpers import in_thread
from test_transactions import VISITOR
from test_transactions import begin
from test_transactions import read
from test_transactions import session
from test_transactions import write

from coatroom.zope.errors import SessionConflictError


def test_a_session_opened_since_is_the_same_afterwards(site):
    begin(site, n=1)
    with site.visit() as container:
        container.new_or_existing("other")["n"] = 1
        point = transaction.savepoint()
        held = container[VISITOR]
        held["a"] = 1
        point.rollback()
        held["b"] = 2
        assert dict(held.items()) == dict(container[VISITOR].items()) == {"n": 1, "b": 2}
    assert read(site) == {"n": 1, "b": 2}


@pytest.mark.parametrize("joined", [True, False])
def test_a_session_begun_since_is_begun_anew_where_it_is_used_again(site, joined):
    with site.visit() as container:
        if joined:
            container.get("other")
        point = transaction.savepoint()
        held = container.new_or_existing(VISITOR)
        held["a"] = 1
        before = held.getId()
        point.rollback()
        assert VISITOR not in container
        held["b"] = 2
        assert held.getId() != before
        assert container[VISITOR].keys() == ["b"]
    assert read(site) == {"b": 2}


@pytest.mark.parametrize("joined", [True, False])
def test_what_was_read_before_going_back_meets_another_change_with_a_conflict(site, joined):
    begin(site, n=1)
    with pytest.raises(SessionConflictError), site.visit() as container:
        if joined:
            container.get("other")
        point = transaction.savepoint()
        n = container[VISITOR]["n"]
        point.rollback()
        write(site, n=2)
        container[VISITOR]["n"] = n + 1
    assert read(site) == {"n": 2}


@pytest.mark.parametrize("looked", ["before", "since", "not joined"])
def test_another_requests_new_session_is_not_ended(site, looked):
    with pytest.raises(SessionConflictError), site.visit() as container:
        if looked == "since":
            container.get("other")
        if looked == "before":
            container.get(VISITOR)
        point = transaction.savepoint()
        container.new_or_existing(VISITOR)["a"] = 1
        point.rollback()
        in_thread(lambda: begin(site, cart=1))
        container.new_or_existing(VISITOR)["b"] = 1
    assert read(site) == {"cart": 1}


def test_another_requests_session_is_not_ended_by_beginning_twice(site):
    with pytest.raises(SessionConflictError), site.visit() as container:
        container.new_or_existing(VISITOR)["a"] = 1
        container[VISITOR].invalidate()
        in_thread(lambda: begin(site, cart=1))
        container.new_or_existing(VISITOR)["b"] = 1
    assert read(site) == {"cart": 1}


def test_another_requests_session_is_not_ended_where_the_old_one_timed_out(make_site):
    site = make_site(timeout_mins=1)
    begin(site, n=1)
    with pytest.raises(SessionConflictError), site.visit() as container:
        container.get(VISITOR)
        site.clock.advance(100)
        in_thread(lambda: begin(site, cart=1))
        container.new_or_existing(VISITOR)["b"] = 1
    assert read(site) == {"cart": 1}


@pytest.mark.parametrize("joined", [True, False])
def test_a_login_since_is_undone(site, joined):
    begin(site, n=1, basket=things.Basket())
    undone = []
    with site.visit() as container:
        held = container[VISITOR] if joined else None
        point = transaction.savepoint()
        held = held or container[VISITOR]
        basket = held["basket"]
        container._renewSession(VISITOR, lambda: "renewed", "alice")
        container._sessions().take_back_later(lambda: undone.append(True))
        held["lost"] = 1
        basket.things = 7
        assert held.getContainerKey() == "renewed"
        point.rollback()
        assert undone == [True]
        assert held.getContainerKey() == VISITOR and basket.things == 0
        held["after"] = 1
        basket.things = 3
    with site.visit() as container:
        assert container.keys() == [VISITOR]
        assert container[VISITOR]["basket"].things == 3
        assert container[VISITOR].keys() == ["after", "basket", "n"]
        assert container.sessionOverview("alice")["sessions"] == []


def test_a_login_with_an_abort_is_undone_for_whoever_holds_the_session(site):
    begin(site, n=1, basket=things.Basket())
    transaction.begin()
    connection = site.db.open()
    container = connection.root()["Application"].sessions
    held = container[VISITOR]
    basket = held["basket"]
    container._renewSession(VISITOR, lambda: "renewed", "alice")
    transaction.abort()
    held["n"], basket.things = 2, 3
    transaction.commit()
    connection.close()
    with site.visit() as container:
        assert container[VISITOR]["n"] == 2 and container[VISITOR]["basket"].things == 3


def test_a_login_after_an_undone_one_is_done(site):
    begin(site, n=1)
    with site.visit() as container:
        point = transaction.savepoint()
        container._renewSession(VISITOR, lambda: "first", "alice")
        point.rollback()
        container._renewSession(VISITOR, lambda: "second", "alice")
    with site.visit() as container:
        assert container.keys() == ["second"] and container["second"]["n"] == 1


def test_a_straggler_stays_one(site):
    begin(site, n=1)
    with site.visit() as container:
        container._renewSession(VISITOR, lambda: "renewed", "alice")
    with site.visit() as container:
        container.get("other")
        point = transaction.savepoint()
        container.new_or_existing(VISITOR)["a"] = 1
        point.rollback()
        container.new_or_existing(VISITOR)["b"] = 1
    assert read(site) is None


def test_an_object_that_was_given_to_a_container_is_loose_again(site):
    given = session(VISITOR, a=1)
    with site.visit() as container:
        container.get("other")
        point = transaction.savepoint()
        container[VISITOR] = given
        given["b"] = 2
        point.rollback()
        assert VISITOR not in container
        assert given.items() == [("a", 1)]
        container[VISITOR] = given
    assert read(site) == {"a": 1}


def test_an_end_since_is_undone(site):
    begin(site, n=1)
    with site.visit() as container:
        held = container[VISITOR]
        point = transaction.savepoint()
        held.invalidate()
        container.new_or_existing(VISITOR)["new"] = 1
        point.rollback()
        assert held.isValid() and held["n"] == 1
        held["n"] = 2
    assert read(site) == {"n": 2}


def test_nested_savepoints_go_back_step_by_step(site):
    begin(site, n=0)
    with site.visit() as container:
        held = container[VISITOR]
        points = []
        for n in range(1, 4):
            held["n"] = n
            points.append(transaction.savepoint())
            held["list"] = [n]
        points[2].rollback()
        assert (held["n"], held["list"]) == (3, [2])
        points[0].rollback()
        assert dict(held.items()) == {"n": 1}
    assert read(site) == {"n": 1}
