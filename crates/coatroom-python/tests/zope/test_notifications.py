"""Add-ons are told of sessions that were begun and have ended."""

import pytest
import transaction

from coatroom.zope import housekeeping
from coatroom.zope import telling
from coatroom.zope.container import TransientObjectContainer

VISITOR = "visitor"
heard = []


def added(item, container):
    heard.append(("add", item.getContainerKey(), dict(item.items())))
    item["greeted"] = True


def deleted(item, container):
    heard.append(("delete", item.getContainerKey(), dict(item.items())))


def fails(item, container):
    heard.append(("failed", item.getContainerKey(), None))
    raise RuntimeError("a notifier that raises")


@pytest.fixture(autouse=True)
def nothing_heard(monkeypatch):
    heard.clear()
    monkeypatch.setattr(housekeeping, "_start_thread", lambda: None)


@pytest.fixture
def told(make_site):
    return make_site(timeout_mins=1, addNotification=added, delNotification=deleted)


def begin(site, **values):
    with site.visit() as container:
        container.new_or_existing(VISITOR).update(values)


def housekeep(site, seconds):
    """Time passes, and what is due is dealt with, in no visitor's request."""
    transaction.begin()
    site.clock.advance(seconds)
    connection = site.db.open()
    container = connection.root()["Application"].sessions
    transaction.begin()
    container.housekeep()
    transaction.abort()
    connection.close()


def test_a_new_session_is_told_outside_the_visitors_request(told):
    begin(told, n=1)
    assert heard == []
    housekeep(told, 6)
    assert heard == [("add", VISITOR, {"n": 1})]
    with told.visit() as container:
        assert container[VISITOR]["greeted"] is True
    housekeep(told, 6)
    assert len(heard) == 1


def test_an_empty_session_that_is_not_stored_is_not_told(told):
    with told.visit() as container:
        container.new(VISITOR)
    housekeep(told, 6)
    assert heard == []


def test_an_expired_session_is_told_once_with_its_data(told):
    begin(told, n=1)
    housekeep(told, 6)
    heard.clear()
    housekeep(told, 100)
    housekeep(told, 100)
    assert heard == [("delete", VISITOR, {"greeted": True, "n": 1})]


def test_an_invalidated_session_is_told_with_its_data(told):
    begin(told, n=1)
    housekeep(told, 6)
    heard.clear()
    with told.visit() as container:
        container[VISITOR].invalidate()
    housekeep(told, 6)
    assert heard == [("delete", VISITOR, {"greeted": True, "n": 1})]


def test_what_was_aborted_is_not_told(told):
    with pytest.raises(ZeroDivisionError), told.visit() as container:
        container.new_or_existing(VISITOR)["n"] = 1 / 0
    begin(told, n=1)
    housekeep(told, 6)
    heard.clear()
    with pytest.raises(ZeroDivisionError), told.visit() as container:
        container[VISITOR].invalidate()
        raise ZeroDivisionError
    housekeep(told, 6)
    assert heard == []


def test_a_notifier_that_raises_is_logged_and_hurts_nobody(make_site, caplog):
    site = make_site(timeout_mins=1, addNotification=fails, delNotification=fails)
    begin(site, n=1)
    housekeep(site, 6)
    housekeep(site, 100)
    housekeep(site, 100)
    assert heard == [("failed", VISITOR, None)] * 2
    assert "a notifier that raises" in caplog.text


def test_a_target_that_is_missing_is_logged(make_site, caplog):
    site = make_site(timeout_mins=1, addNotification="/no/such/script")
    begin(site, n=1)
    housekeep(site, 6)
    assert "/no/such/script" in caplog.text


def test_a_notifier_whose_transaction_fails_is_called_again(told, monkeypatch):
    begin(told, n=1)
    housekeep(told, 6)
    heard.clear()
    commit, failures = transaction.commit, [1]

    def failing():
        if failures:
            failures.pop()
            raise OSError("the database is away")
        commit()

    monkeypatch.setattr(telling.transaction, "commit", failing)
    housekeep(told, 100)
    assert [kind for kind, _, _ in heard] == ["delete"]
    housekeep(told, 61)
    assert [kind for kind, _, _ in heard] == ["delete", "delete"]
    housekeep(told, 100)
    assert len(heard) == 2


def test_in_band_a_notifier_runs_within_the_request(told, monkeypatch):
    monkeypatch.setattr(TransientObjectContainer, "_inband_housekeeping", True)
    with told.visit() as container:
        session = container.new_or_existing(VISITOR)
        assert session["greeted"] is True
        session.invalidate()
    assert [kind for kind, _, _ in heard] == ["add", "delete"]


def test_a_session_that_timed_out_is_told_by_the_request_that_begins_it_anew(told):
    begin(told, n=1)
    told.clock.advance(100)
    begin(told, n=2)
    assert heard == [("delete", VISITOR, {"n": 1})]
    with told.visit() as container:
        assert container[VISITOR]["n"] == 2
