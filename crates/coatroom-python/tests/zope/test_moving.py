"""A site's sessions move from its directory to a server, as the guide says: `coatroom copy`."""

import time

import program
import pytest
import servers
from BTrees.OOBTree import OOBTree
from dying import FiledSite
from helpers import housekeep
from things import Basket

from coatroom.zope import backends
from coatroom.zope import settings

heard = []


def added(item, container):
    heard.append(("add", item.getContainerKey()))


def deleted(item, container):
    heard.append(("delete", item.getContainerKey(), item["n"]))


class Moving:
    """A site in a directory, on one store after the other."""

    def __init__(self, directory, monkeypatch):
        self._directory = directory
        self._monkeypatch = monkeypatch
        self.began = time.time() - 20
        self._site = None

    def on(self, url, after=0.0):
        """The site, on a store, so many seconds after it began."""
        self.stop()
        self._monkeypatch.setenv("COATROOM_STORE", url)
        settings.forget()
        targets = {"addNotification": added, "delNotification": deleted}
        self._site = FiledSite(self._directory, self.began + after, timeout_mins=20, **targets)
        return self._site

    def stop(self):
        if self._site is not None:
            self._site.close()
        self._site = None
        backends.close()


@pytest.fixture
def moving(tmp_path, monkeypatch, no_sweeping_thread):
    heard.clear()
    site = Moving(tmp_path, monkeypatch)
    yield site
    site.stop()


def fill(container):
    """Sessions of all kinds."""
    session = container.new_or_existing("visitor")
    session.update({"n": 1, 7: "seven", "cart": ["tea", {"kind": "ol\xe9"}]})
    basket = session["basket"] = Basket()
    basket.things = 3
    session["baskets"] = [basket]
    session["tree"] = OOBTree({number: f"value {number}" for number in range(500)})
    container.new_or_existing("alice's")["n"] = 2
    container.new_or_existing("ends")["n"] = 3


def shown(container, key):
    """All that can be seen of a session."""
    session = container[key]
    return {
        "values": {name: value for name, value in session.items() if name not in ("basket", "baskets", "tree")},
        "basket": session["basket"].things if "basket" in session else None,
        "is one": session["basket"] is session["baskets"][0] if "basket" in session else None,
        "tree": dict(session["tree"]) if "tree" in session else None,
        "key": session.getContainerKey(),
        "id": session.getId(),
        "times": (session.getCreated(), session.getLastAccessed(), session.getLastModified()),
        "owner": session._state().owner,
    }


@pytest.mark.parametrize("kind", servers.KINDS)
def test_sessions_that_were_copied_are_the_same_on_the_server(moving, tmp_path, kind):
    directory, server = f"embedded:{tmp_path / 'coatroom'}", servers.fresh_url(kind)
    site = moving.on(directory)
    with site.visit() as container:
        fill(container)
    with site.visit() as container:
        container._renewSession("alice's", lambda: "hers", "alice", "/acl_users")
    housekeep(site, 10)
    assert sorted(heard) == [("add", "ends"), ("add", "hers"), ("add", "visitor")]
    keys = ["ends", "hers", "visitor"]
    with site.visit() as container:
        before = {key: shown(container, key) for key in keys}
        assert container.keys() == keys
    moving.stop()

    # With what tells of the login and of the timeout.
    assert "5 sessions copied" in program.copy(server, directory)

    site = moving.on(server, after=10)
    with site.visit() as container:
        assert {key: shown(container, key) for key in keys} == before
        assert container.keys() == keys and len(container) == 3
        assert len(container.sessionOverview("alice")["sessions"]) == 1
        assert before["hers"]["owner"] == ("alice", "/acl_users") and before["visitor"]["is one"]
        assert container._isSuperseded("alice's")

    # They go on there: what changes is kept, what ends is told, and each times out when it would have.
    with site.visit() as container:
        container["visitor"]["basket"].things += 1
        container["ends"].invalidate()
    heard.clear()
    housekeep(site, 19 * 60)
    with site.visit() as container:
        assert container["visitor"]["basket"].things == 4
    housekeep(site, 2 * 60)
    assert sorted(heard) == [("delete", "ends", 3), ("delete", "hers", 2)]


@pytest.mark.parametrize("kind", servers.KINDS)
def test_what_was_still_to_be_told_is_told_from_the_server(moving, tmp_path, kind):
    """The site was stopped before anybody told that a session began, that one ended and that one timed out."""
    directory, server = f"embedded:{tmp_path / 'coatroom'}", servers.fresh_url(kind)
    moving.began -= 30 * 60
    site = moving.on(directory)
    with site.visit() as container:
        container.new_or_existing("times out")["n"] = 1
    housekeep(site, 10)
    site.clock.advance(15 * 60)
    with site.visit() as container:
        container.new_or_existing("ends")["n"] = 2
    housekeep(site, 10)
    site.clock.advance(13 * 60)
    heard.clear()
    with site.visit() as container:
        container["ends"].invalidate()
        container.new_or_existing("begins")["n"] = 3
    moving.stop()

    said = program.copy(server, directory)
    assert "2 sessions copied" in said and "3 that had run out" in said
    assert "0 sessions copied, 2 were there already" in program.copy(server, directory)

    site = moving.on(server, after=31 * 60)
    housekeep(site, 10)
    housekeep(site, 61)
    assert sorted(heard) == [("add", "begins"), ("delete", "ends", 2), ("delete", "times out", 1)]
    with site.visit() as container:
        assert container.keys() == ["begins"]
