"""Another timeout holds for the sessions that are there, too."""

import pytest
import servers
import things
import transaction
from conftest import MountedSite
from helpers import VISITOR
from helpers import begin
from helpers import housekeep
from helpers import in_thread
from helpers import read

from coatroom.zope import backends
from coatroom.zope import housekeeping
from coatroom.zope import retiming
from coatroom.zope import settings
from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.testing import memory_container

#: The work of the thread, which is not to do it in a test by itself.
sweeps_now = housekeeping._sweep

heard = []


def deleted(item, container):
    heard.append((item.getContainerKey(), dict(item.items())))


@pytest.fixture(autouse=True)
def nothing_heard(no_sweeping_thread):
    heard.clear()


@pytest.fixture(params=["memory", "embedded", *servers.KINDS])
def empty(request, tmp_path):
    """One in files, too: how a deadline moves is another matter in each."""
    urls = {"memory": lambda: "memory:", "embedded": lambda: f"embedded:{tmp_path / 'sessions'}"}
    return urls[request.param]() if request.param in urls else servers.fresh_url(request.param)


@pytest.fixture
def told(make_site):
    """Makes a site whose container tells of what ends."""
    return lambda timeout_mins: make_site(timeout_mins=timeout_mins, delNotification=deleted)


def retime(site, timeout_mins):
    with site.visit() as container:
        container.setTimeoutMinutes(timeout_mins)


def small_steps(monkeypatch, sessions):
    """Each step goes over so many."""
    monkeypatch.setattr(retiming, "STEP", 0.0)
    monkeypatch.setattr(retiming, "_PAGE", sessions)


# A session that somebody asks for


@pytest.mark.parametrize("before", [0, 1440])
def test_a_session_that_a_shorter_timeout_has_ended_opens_no_more(told, before):
    site = told(before)
    begin(site)
    retime(site, 1)
    site.clock.advance(600)
    with site.visit() as container:
        assert VISITOR not in container and container.get(VISITOR) is None
    with site.visit() as container:
        assert VISITOR not in container
    housekeep(site, 6)
    housekeep(site, 100)
    assert heard == [(VISITOR, {"n": 1})]


def test_its_visitor_gets_a_new_session_under_the_same_key(told):
    site = told(1440)
    begin(site)
    with site.visit() as container:
        before = container[VISITOR].getId()
    retime(site, 1)
    site.clock.advance(600)
    begin(site, m=2)
    assert read(site) == {"m": 2}
    with site.visit() as container:
        assert container[VISITOR].getId() != before and len(container) == 1
    housekeep(site, 6)
    assert heard == [(VISITOR, {"n": 1})]


def test_a_session_object_that_was_held_has_ended_too(told):
    site = told(1440)
    with site.visit() as container:
        held = container.new_or_existing(VISITOR)
        held["n"] = 1
    retime(site, 1)
    site.clock.advance(600)
    with site.visit() as container:
        assert "another" not in container and held.isValid() is None
    begin(site, m=2)
    housekeep(site, 6)
    assert read(site) == {"m": 2} and heard == [(VISITOR, {"n": 1})]


def test_what_was_to_end_it_and_is_aborted_is_told_once_all_the_same(told):
    site = told(1440)
    begin(site)
    retime(site, 1)
    site.clock.advance(600)
    with pytest.raises(ZeroDivisionError), site.visit() as container:
        assert VISITOR not in container
        raise ZeroDivisionError
    with site.visit() as container:
        savepoint = transaction.savepoint()
        assert VISITOR not in container
        savepoint.rollback()
        assert VISITOR not in container
    housekeep(site, 6)
    housekeep(site, 100)
    assert read(site) is None and heard == [(VISITOR, {"n": 1})]


def test_in_band_it_is_told_once_too(told, monkeypatch):
    monkeypatch.setattr(TransientObjectContainer, "_inband_housekeeping", True)
    site = told(1440)
    begin(site)
    retime(site, 1)
    site.clock.advance(600)
    with site.visit() as container:
        assert VISITOR not in container and heard == [(VISITOR, {"n": 1})]
    housekeep(site, 6)
    housekeep(site, 100)
    assert read(site) is None and len(heard) == 1


def test_a_transaction_that_takes_no_changes_does_not_see_it_and_leaves_it(told):
    site = told(1440)
    begin(site)
    retime(site, 1)
    site.clock.advance(600)
    seen = []
    with site.visit() as container:
        transaction.get().addAfterCommitHook(lambda _is_committed: seen.append(container.get(VISITOR)))
    assert seen == [None] and heard == []
    with site.visit() as container:
        assert VISITOR not in container
    housekeep(site, 6)
    assert heard == [(VISITOR, {"n": 1})]


def test_a_look_at_all_sessions_shows_none_that_has_ended_and_is_no_access(told):
    site = told(1440)
    begin(site, "old")
    site.clock.advance(90)
    begin(site, "new")
    retime(site, 1)
    with site.visit() as container:
        assert [session.getContainerKey() for session in container.values()] == ["new"]
    site.clock.advance(61)
    with site.visit() as container:
        assert container.values() == []


@pytest.mark.parametrize("after", [0, 10])
def test_a_session_that_is_asked_for_lives_on_by_a_longer_timeout(told, after):
    site = told(1)
    begin(site)
    retime(site, after)
    with site.visit() as container:
        assert [session["n"] for session in container.values()] == [1]
        assert container[VISITOR]["n"] == 1
    site.clock.advance(300)
    assert read(site) == {"n": 1} and heard == []


def timeouts(site):
    """The timeouts that the store has sessions by, in seconds."""
    with site.visit() as container:
        manager = container._backend().manager
        infos, _cursor = manager.list()
        return [manager.open_locator(info.locator).idle_timeout for info in infos]


def test_what_was_held_over_the_change_does_not_bring_the_old_timeout_back(told):
    site = told(10)
    with site.visit() as container:
        held = container.new_or_existing(VISITOR)
        basket = held["basket"] = things.Basket()
    retime(site, 20)
    for look in (lambda: held.get("basket"), lambda: basket.things):
        with site.visit() as container:
            assert VISITOR in container
        assert timeouts(site) == [1200]
        with site.visit():
            look()
        assert timeouts(site) == [1200]


class Counting:
    """A manager whose calls are counted."""

    def __init__(self, manager):
        self.manager = manager
        self.calls = []

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self.manager, name)


@pytest.mark.parametrize("seconds", [0, 100])
def test_a_request_opens_its_session_once_also_after_a_look_at_all(told, seconds):
    site = told(20)
    begin(site)
    site.clock.advance(seconds)
    with site.visit() as container:
        backend = container._backend()
        manager = backend.manager = Counting(backend.manager)
        try:
            assert container[VISITOR]["n"] == container.get(VISITOR)["n"] == 1
            # Others' conflicts have it asked for the locator, for its turn.
            assert [call for call in manager.calls if call != "locator_of"] == ["keyed", "now", "now"]
            transaction.commit()
            transaction.begin()
            manager.calls.clear()
            assert len(container.values()) == 1
            assert container[VISITOR].getLastAccessed() == site.clock.now()
            assert manager.calls.count("keyed") == 1
        finally:
            backend.manager = manager.manager


# Sessions that nobody asks for

YEAR = 365 * 86_400


def restart(site):
    """Another process takes over, which knows only what the database and the store hold."""
    backends._backends.clear()
    site.db.cacheMinimize()
    settings.forget()


def housekeep_again(site):
    """All sessions are gone over a second time, and that is noted."""
    housekeep(site, 0)
    housekeep(site, 61)


CHANGES = [(1440, 1), (1, 1440), (1440, 0), (0, 1)]


@pytest.mark.parametrize(("before", "after"), CHANGES)
@pytest.mark.parametrize("is_restarted", [False, True])
def test_sessions_that_nobody_asks_for_live_by_another_timeout(told, before, after, is_restarted):
    site = told(before)
    housekeep_again(site)
    for n in range(3):
        begin(site, f"visitor {n}", n=n)
    retime(site, after)
    if is_restarted:
        restart(site)
    housekeep(site, 0)
    assert timeouts(site) == [after * 60 or None] * 3


@pytest.mark.parametrize("before", [1440, 0])
def test_a_shorter_timeout_has_sessions_end_and_told(told, before):
    site = told(before)
    begin(site)
    retime(site, 1)
    housekeep(site, 50)
    assert heard == []
    housekeep(site, 30)
    assert heard == [(VISITOR, {"n": 1})]
    housekeep(site, 100)
    with site.visit() as container:
        assert len(container) == 0 and len(heard) == 1


def test_a_session_that_has_long_been_idle_is_told_at_once(told):
    site = told(0)
    begin(site)
    housekeep(site, YEAR)
    retime(site, 1)
    housekeep(site, 20)
    with site.visit() as container:
        assert len(container) == 0
    assert heard == [(VISITOR, {"n": 1})]


@pytest.mark.parametrize(("after", "lives"), [(20, 15 * 60), (0, YEAR)])
def test_a_longer_timeout_has_sessions_live_longer(told, after, lives):
    site = told(1)
    begin(site)
    retime(site, after)
    housekeep(site, 30)
    housekeep(site, lives)
    assert heard == [] and read(site) == {"n": 1}
    housekeep(site, YEAR)
    assert len(heard) == (1 if after else 0)


def test_going_over_sessions_is_no_access(told):
    site = told(10)
    begin(site)
    with site.visit() as container:
        accessed = container[VISITOR].getLastAccessed()
    for timeout in (9, 11, 0, 12):
        retime(site, timeout)
        housekeep(site, 100)
    with site.visit() as container:
        assert [session.getLastAccessed() for session in container.values()] == [accessed]


def listings(site, monkeypatch):
    """Counts how often sessions are listed."""
    with site.visit() as container:
        backend = container._backend()
    counting = Counting(backend.manager)
    monkeypatch.setattr(backend, "manager", counting)
    return lambda: counting.calls.count("list")


@pytest.mark.parametrize("is_restarted", [False, True])
def test_sessions_are_gone_over_after_a_change_only(told, monkeypatch, is_restarted):
    site = told(10)
    begin(site)
    housekeep_again(site)
    if is_restarted:
        restart(site)
    listed = listings(site, monkeypatch)
    housekeep(site, 1)
    housekeep(site, 100)
    assert listed() == 0
    retime(site, 20)
    listed = listings(site, monkeypatch)
    housekeep_again(site)
    assert listed() == 2
    housekeep(site, 100)
    assert listed() == 2 and timeouts(site) == [1200]


def test_what_a_request_stores_by_the_old_timeout_meanwhile_is_gone_over_too(told):
    site = told(0)
    housekeep_again(site)
    begin(site)
    with site.visit() as container:
        container.new_or_existing("late")["n"] = 2
        in_thread(lambda: retime(site, 1))
        in_thread(lambda: housekeep(site, 0))
    assert sorted(timeouts(site), key=str) == [60.0, None]
    housekeep(site, 61)
    housekeep(site, 61)
    assert sorted(heard) == [("late", {"n": 2}), (VISITOR, {"n": 1})]


def test_a_process_finds_a_change_that_no_request_of_it_has_seen(told, monkeypatch):
    monkeypatch.setattr(retiming, "LOOKS_EVERY", 0.0)
    site = told(0)
    begin(site)
    with site.visit() as container:
        manager = container._backend().manager
    sweeps_now()
    site.clock.advance(61)
    sweeps_now()
    retime(site, 10)
    sweeps_now()
    (info,), _cursor = manager.list()
    assert info.idle_deadline == info.last_accessed + 600


def test_a_change_back_while_sessions_are_gone_over_holds_for_all(told, monkeypatch):
    small_steps(monkeypatch, 1)
    site = told(10)
    for n in range(4):
        begin(site, f"visitor {n}")
    housekeep_again(site)
    retime(site, 20)
    with site.visit() as container:
        backend = container._backend()
    assert backend.retiming.step(backend) and backend.retiming.step(backend)
    assert sorted(timeouts(site)) == [600, 600, 1200, 1200]
    retime(site, 10)
    restart(site)
    housekeep(site, 0)
    assert timeouts(site) == [600] * 4


def test_several_processes_go_over_the_same_sessions(told, monkeypatch):
    small_steps(monkeypatch, 2)
    site = told(10)
    for n in range(5):
        begin(site, f"visitor {n}")
    retime(site, 20)
    with site.visit() as container:
        backend = container._backend()
        processes = [retiming.Retiming(container) for _ in range(3)]
    for _ in range(2):
        while any([process.step(backend) for process in processes]):
            pass
        site.clock.advance(61)
    assert timeouts(site) == [1200] * 5
    assert [retiming._note_of(backend)[1]] == [b"1200.0 done"]


def test_what_cannot_be_given_another_timeout_hinders_no_other(told, monkeypatch):
    site = told(10)
    for n in range(3):
        begin(site, f"visitor {n}")
    retime(site, 20)
    with site.visit() as container:
        backend = container._backend()
        gone = backend.manager.list()[0][0].locator
    opened = backend.manager.open_locator

    class Ending(Counting):
        def open_locator(self, locator):
            found = opened(locator)
            if locator == gone:
                self.manager.end(locator)
            return found

    monkeypatch.setattr(backend, "manager", Ending(backend.manager))
    housekeep(site, 0)
    assert timeouts(site) == [1200] * 2


def test_what_a_login_leaves_behind_keeps_its_minute(told):
    site = told(10)
    begin(site)
    with site.visit() as container:
        container._renewSession(VISITOR, lambda: "renewed", "alice")
    retime(site, 20)
    housekeep(site, 59)
    with site.visit() as container:
        assert container._isSuperseded(VISITOR) and container["renewed"]["n"] == 1


def test_a_container_that_was_deleted_is_left_alone(told):
    site = told(10)
    begin(site)
    with site.visit() as container:
        backend = container._backend()
        container.aq_parent._delObject("sessions")
    site.db.pack()
    assert not backend.retiming.step(backend)


def test_a_container_in_a_mounted_database_has_its_timeout_changed(store):
    site = MountedSite(timeout_mins=0, delNotification=deleted)
    try:
        begin(site)
        retime(site, 1)
        housekeep(site, 100)
        assert heard == [(VISITOR, {"n": 1})]
    finally:
        site.close()


def test_a_database_that_is_away_hinders_no_sweep(told, monkeypatch, caplog):
    def fails():
        raise OSError("the database is away")

    site = told(1)
    begin(site)
    with site.visit() as container:
        backend = container._backend()
    monkeypatch.setattr(backend.retiming, "_look", fails)
    site.clock.advance(100)
    backend.attend(lambda kind, snapshot: heard.append(kind), backend.retiming)
    assert not sweeps_now()
    assert heard == ["expired"] and "the database is away" in caplog.text


def test_a_container_in_no_database_has_its_timeout_changed():
    container, clock = memory_container(timeout_mins=0, delNotification=deleted)
    container.new_or_existing(VISITOR)["n"] = 1
    transaction.commit()
    container.setTimeoutMinutes(1)
    clock.advance(100)
    container.housekeep()
    assert heard == [(VISITOR, {"n": 1})] and len(container) == 0
    transaction.abort()
