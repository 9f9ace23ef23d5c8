"""Another timeout holds for the sessions that are there, too."""

import pytest
import servers
import things
import transaction
from helpers import VISITOR
from helpers import begin
from helpers import housekeep
from helpers import read

from coatroom.zope import backends
from coatroom.zope import settings
from coatroom.zope.container import TransientObjectContainer

heard = []


def deleted(item, container):
    heard.append((item.getContainerKey(), dict(item.items())))


@pytest.fixture(autouse=True)
def nothing_heard(no_sweeping_thread):
    heard.clear()


@pytest.fixture(params=["memory", "embedded", *servers.KINDS])
def store(request, tmp_path, monkeypatch):
    """The URL of an empty store of each kind: how a deadline moves is another matter in each."""
    urls = {"memory": lambda: "memory:", "embedded": lambda: f"embedded:{tmp_path / 'sessions'}"}
    url = urls[request.param]() if request.param in urls else servers.fresh_url(request.param)
    monkeypatch.setenv("COATROOM_STORE", url)
    settings.forget()
    yield url
    backends.close()


@pytest.fixture
def told(make_site):
    """Makes a site whose container tells of what ends."""
    return lambda timeout_mins: make_site(timeout_mins=timeout_mins, delNotification=deleted)


def retime(site, timeout_mins):
    with site.visit() as container:
        container.setTimeoutMinutes(timeout_mins)


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
