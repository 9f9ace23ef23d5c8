"""Who sweeps, and in whose transaction notifiers run."""

import threading

import pytest
import transaction
from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import noSecurityManager
from AccessControl.users import SimpleUser
from conftest import MountedSite
from helpers import VISITOR
from helpers import begin
from helpers import housekeep

from coatroom.zope import housekeeping
from coatroom.zope import notifications
from coatroom.zope import telling
from coatroom.zope.container import TransientObjectContainer

heard = []


def deleted(item, container):
    heard.append((item.getContainerKey(), dict(item.items())))


def renames(item, container):
    container.aq_parent.title = f"{container.aq_parent.title}, {item.getContainerKey()} is gone"


def renames_half_way(item, container):
    renames(item, container)
    raise RuntimeError("a notifier that raises")


@pytest.fixture(autouse=True)
def nothing_heard(no_sweeping_thread):
    heard.clear()


@pytest.fixture
def in_band(monkeypatch):
    monkeypatch.setattr(TransientObjectContainer, "_inband_housekeeping", True)
    monkeypatch.setattr(housekeeping, "INBAND_EVERY", 0.0)


def title(site):
    with site.visit() as container:
        return container.aq_parent.title


def test_housekeeping_leaves_its_callers_transaction_and_user_alone(make_site):
    site = make_site(timeout_mins=1, delNotification=deleted)
    begin(site)
    site.clock.advance(100)
    newSecurityManager(None, SimpleUser("manager", "", ("Manager",), ()))
    try:
        with site.visit() as container:
            container.aq_parent.title = "changed by the request"
            container.new_or_existing("other")["k"] = 1
            container.housekeep()
            assert getSecurityManager().getUser().getId() == "manager"
        assert heard == [(VISITOR, {"n": 1})]
    finally:
        noSecurityManager()
    with site.visit() as container:
        assert container.aq_parent.title == "changed by the request"
        assert container["other"]["k"] == 1


def test_who_asks_for_housekeeping_does_not_wait_for_ever(make_site, monkeypatch):
    go_on, done = threading.Event(), threading.Event()

    def slow(container, target, item, what):
        go_on.wait(30)
        done.set()

    monkeypatch.setattr(housekeeping, "WAITS_FOR", 0.01)
    monkeypatch.setattr("coatroom.zope.notifications.call", slow)
    site = make_site(timeout_mins=1, delNotification=deleted)
    begin(site)
    housekeep(site, 100)
    assert not done.is_set()
    go_on.set()
    assert done.wait(30)


@pytest.mark.parametrize("in_a_request", [False, True])
def test_what_a_notifier_did_before_it_raised_is_not_kept(make_site, monkeypatch, in_a_request):
    monkeypatch.setattr(TransientObjectContainer, "_inband_housekeeping", in_a_request)
    site = make_site(timeout_mins=1, delNotification=renames_half_way)
    begin(site)
    site.clock.advance(100)
    with site.visit() as container:
        container.aq_parent.title = "Site"
        container.get("nobody")
    housekeep(site, 100)
    assert title(site) == "Site"


def test_in_band_what_an_aborted_request_told_is_told_again(make_site, in_band):
    site = make_site(timeout_mins=1, delNotification=renames)
    begin(site)
    site.clock.advance(100)
    with pytest.raises(ZeroDivisionError), site.visit() as container:
        container.get("nobody")
        assert container.aq_parent.title == "Zope, visitor is gone"
        raise ZeroDivisionError
    site.clock.advance(6)
    with site.visit() as container:
        container.get("nobody")
    site.clock.advance(100)
    with site.visit() as container:
        container.get("nobody")
    assert title(site) == "Zope, visitor is gone"


def test_in_band_what_a_savepoint_rolled_back_is_told_again(make_site, in_band):
    site = make_site(timeout_mins=1, delNotification=renames)
    begin(site)
    site.clock.advance(100)
    with site.visit() as container:
        savepoint = transaction.savepoint()
        container.get("nobody")
        savepoint.rollback()
    assert title(site) == "Zope"
    housekeep(site, 6)
    assert title(site) == "Zope, visitor is gone"


def test_in_band_nobody_else_tells_while_the_request_runs(make_site, in_band):
    site = make_site(timeout_mins=1, delNotification=renames)
    begin(site)
    site.clock.advance(100)
    with site.visit() as container:
        container.get("nobody")
        housekeeping._aside(container._backend().sweep)
        site.clock.advance(30)
        housekeeping._aside(container._backend().sweep)
    housekeep(site, 100)
    assert title(site) == "Zope, visitor is gone"


def test_in_band_sweeps_that_overlap_leave_the_listener_alone(make_site, in_band, monkeypatch):
    """The second one comes while the first one's notifier runs, and is over only after it."""
    site = make_site(timeout_mins=1, delNotification=deleted)
    begin(site, "a")
    with site.visit() as container:
        backend = container._backend()
    before = backend._listener
    assert isinstance(before, telling.Teller)
    at_work, second_has_begun = threading.Event(), threading.Event()
    call = notifications.call

    def slow(container, target, item, what):
        at_work.set()
        second_has_begun.wait(30)
        call(container, target, item, what)

    monkeypatch.setattr("coatroom.zope.notifications.call", slow)
    listeners = []

    def look():
        with site.visit() as container:
            container.get("nobody")
            listeners.append(backend._listener)

    site.clock.advance(100)
    first = threading.Thread(target=look)
    first.start()
    assert at_work.wait(30)
    second = threading.Thread(target=lambda: (look(), second_has_begun.set()))
    second.start()
    second.join(30)
    first.join(30)
    assert listeners == [before, before] and backend._listener is before
    assert heard == [("a", {"n": 1})]


def test_a_container_in_a_mounted_database_is_told_of_its_sessions(store):
    site = MountedSite(timeout_mins=1, delNotification=deleted)
    try:
        begin(site)
        housekeep(site, 100)
        assert heard == [(VISITOR, {"n": 1})]
        with site.visit() as container:
            assert "coatroom.keyring" in container.getPhysicalRoot()._p_jar.root()
            assert "coatroom.keyring" not in container._p_jar.root()
    finally:
        site.close()


def test_keys_that_lie_in_a_mounted_database_still_read(store):
    from coatroom.zope import keyring

    site = MountedSite(timeout_mins=1)
    try:
        begin(site)
        with site.visit() as container:
            root = container.getPhysicalRoot()._p_jar.root()
            container._p_jar.root()[keyring.ROOT_NAME] = root[keyring.ROOT_NAME].__class__(root[keyring.ROOT_NAME])
            del root[keyring.ROOT_NAME]
        begin(site, "another")
        with site.visit() as container:
            assert container[VISITOR]["n"] == container["another"]["n"] == 1
            assert container.keys() == ["another", VISITOR]
            assert len(container.getPhysicalRoot()._p_jar.root()[keyring.ROOT_NAME]["keys"]) == 1
    finally:
        site.close()


def test_what_fails_while_telling_is_in_the_log(make_site, monkeypatch, caplog):
    def fails():
        raise OSError("the database is away")

    site = make_site(timeout_mins=1, delNotification=deleted)
    begin(site)
    monkeypatch.setattr(telling.transaction, "begin", fails)
    site.clock.advance(100)
    connection = site.db.open()
    site.container(connection).housekeep()
    connection.close()
    assert heard == []
    assert "the database is away" in caplog.text
    assert [record.name for record in caplog.records if record.exc_info] == ["coatroom.zope"]
