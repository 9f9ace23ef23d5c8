"""Add-ons are told of sessions that were begun and have ended."""

import pytest
import transaction
from helpers import VISITOR
from helpers import begin
from helpers import housekeep
from helpers import in_thread
from OFS.Folder import Folder
from ZODB.POSException import ConflictError

from coatroom import ManualClock
from coatroom.zope import notifications
from coatroom.zope import telling
from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.seldom import Seldom

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
def nothing_heard(no_sweeping_thread):
    heard.clear()


@pytest.fixture
def told(make_site):
    return make_site(timeout_mins=1, addNotification=added, delNotification=deleted)


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


def test_a_container_that_was_moved_meanwhile_is_told_of_its_sessions(told):
    begin(told, n=1)
    with told.visit() as container:
        app, moved = container.aq_parent, container.aq_base
        app._delObject("sessions")
        app._setObject("folder", Folder("folder"))
        app.folder._setObject("sessions", moved)
        # In the place of the one that was moved, another one is told of nothing.
        app._setObject("sessions", TransientObjectContainer("sessions", addNotification=fails))
    told.container = lambda connection: connection.root()["Application"].folder.sessions
    housekeep(told, 6)
    assert heard == [("add", VISITOR, {"n": 1})]


def test_a_container_in_a_folder_that_was_renamed_meanwhile_is_told_of_its_sessions(app, monkeypatch):
    monkeypatch.setattr(TransientObjectContainer, "_clock", ManualClock())
    app._setObject("folder", Folder("folder"))
    app.folder._setObject("sessions", TransientObjectContainer("sessions", addNotification=added))
    transaction.commit()
    app.folder.sessions.new_or_existing(VISITOR)["n"] = 1
    transaction.commit()
    folder = app.folder.aq_base
    app._delObject("folder")
    folder._setId("renamed")
    app._setObject("renamed", folder)
    transaction.commit()
    TransientObjectContainer._clock.advance(6)
    app.renamed.sessions.housekeep()
    app._delObject("renamed")
    transaction.commit()
    assert heard == [("add", VISITOR, {"n": 1})]


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


def test_a_notifier_that_always_raises_is_logged_once_a_minute_with_how_often(make_site, monkeypatch, caplog):
    clock = ManualClock()
    monkeypatch.setattr(notifications, "seldom", Seldom(clock.now))
    site = make_site(timeout_mins=1, addNotification=fails)
    for visitor in range(3):
        begin(site, f"visitor {visitor}")
    housekeep(site, 6)
    assert len(heard) == 3
    assert len(caplog.records) == 1 and "a notifier that raises" in caplog.text
    clock.advance(61)
    begin(site)
    housekeep(site, 6)
    assert len(caplog.records) == 2 and "2 times more since" in caplog.text


def test_what_cannot_be_told_is_logged_once_a_minute(told, monkeypatch, caplog):
    def failing():
        raise OSError("the disk is full")

    for visitor in range(3):
        begin(told, f"visitor {visitor}")
    monkeypatch.setattr(telling.transaction, "commit", failing)
    connection = told.db.open()
    told.clock.advance(6)
    told.container(connection).housekeep()
    connection.close()
    assert len(heard) == 3
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["telling of a session failed"]


def test_a_notifier_that_meets_conflicts_in_a_row_is_told_at_once(told, monkeypatch, caplog):
    conflicts = [ConflictError() for _ in range(5)]

    def meets_conflicts(item, container):
        if conflicts:
            raise conflicts.pop()
        added(item, container)

    begin(told, n=1)
    monkeypatch.setattr(notifications, "resolve", lambda container, target: meets_conflicts)
    housekeep(told, 6)
    assert heard == [("add", VISITOR, {"n": 1})] and not caplog.records


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


def renew(site, user, old=VISITOR, new="renewed"):
    with site.visit() as container:
        container._renewSession(old, lambda: new, user)


def test_a_login_before_it_was_told_hides_no_new_session(told):
    begin(told, n=1)
    renew(told, "alice")
    renew(told, "alice", "renewed", "again")
    housekeep(told, 6)
    assert heard == [("add", "again", {"n": 1})]
    with told.visit() as container:
        assert container["again"]["greeted"] is True


def test_a_login_in_the_same_request_hides_no_new_session(told):
    with told.visit() as container:
        container.new_or_existing(VISITOR)["n"] = 1
        container._renewSession(VISITOR, lambda: "renewed", "alice")
    housekeep(told, 6)
    assert heard == [("add", "renewed", {"n": 1})]


def test_a_session_that_ended_before_it_was_told_is_told_all_the_same(told):
    begin(told, n=1)
    with told.visit() as container:
        container[VISITOR].invalidate()
    housekeep(told, 6)
    assert sorted(heard) == [("add", VISITOR, {"n": 1}), ("delete", VISITOR, {"n": 1})]
    with told.visit() as container:
        assert VISITOR not in container


def test_what_is_begun_and_ended_in_one_request_is_not_told(told):
    with told.visit() as container:
        for n in range(3):
            container.new_or_existing(VISITOR)["n"] = n
            container[VISITOR].invalidate()
        container.new_or_existing(VISITOR)["n"] = 3
    housekeep(told, 6)
    assert heard == [("add", VISITOR, {"n": 3})]


def test_a_session_that_another_user_comes_with_is_told_and_theirs_too(told):
    begin(told, n=1)
    renew(told, "alice", VISITOR, "alice's")
    housekeep(told, 6)
    heard.clear()
    with told.visit() as container:
        container._renewSession("alice's", lambda: "bob's", "bob")
        container["bob's"]["m"] = 1
    housekeep(told, 6)
    assert sorted(heard) == [("add", "bob's", {"m": 1}), ("delete", "alice's", {"greeted": True, "n": 1})]


def test_sessions_that_a_manager_ends_are_told(told):
    begin(told, n=1)
    with told.visit() as container:
        container.new_or_existing("other")["n"] = 2
    renew(told, "alice", "other", "alice's")
    housekeep(told, 6)
    heard.clear()
    with told.visit() as container:
        (info,) = [info for info in container.sessionOverview()["sessions"] if not info["principal"]]
        container.manage_endSession(info["locator"])
        container.manage_endSession(info["locator"])
        container.manage_endSessionsOf("alice")
    housekeep(told, 6)
    housekeep(told, 100)
    assert sorted(heard) == [
        ("delete", "alice's", {"greeted": True, "n": 2}),
        ("delete", VISITOR, {"greeted": True, "n": 1}),
    ]


def test_two_requests_that_end_a_session_have_it_told_once(told):
    begin(told, n=1)
    housekeep(told, 6)
    heard.clear()

    def invalidate():
        with told.visit() as container:
            container[VISITOR].invalidate()

    with told.visit() as container:
        container[VISITOR].invalidate()
        in_thread(invalidate)
    housekeep(told, 6)
    assert [kind for kind, _, _ in heard] == ["delete"]


def test_a_session_that_timed_out_unswept_is_told_when_its_visitor_comes_back(told):
    begin(told, n=1)
    housekeep(told, 6)
    heard.clear()
    told.clock.advance(100)
    with told.visit() as container:
        container.aq_parent.title = "changed by the request"
        container.new_or_existing(VISITOR)["n"] = 2
    with told.visit() as container:
        assert container.aq_parent.title == "changed by the request" and container[VISITOR]["n"] == 2
    housekeep(told, 6)
    assert sorted(heard) == [("add", VISITOR, {"n": 2}), ("delete", VISITOR, {"greeted": True, "n": 1})]


times = []


def timed(item, container):
    times.append((item.getCreated(), item.getLastAccessed()))


def test_a_notifier_is_told_when_the_session_was_begun(make_site):
    site = make_site(timeout_mins=10, delNotification=timed)
    times.clear()
    begun = site.clock.now()
    begin(site, n=1)
    site.clock.advance(200)
    with site.visit() as container:
        container[VISITOR].invalidate()
    housekeep(site, 6)
    assert times == [(begun, begun + 200)]
