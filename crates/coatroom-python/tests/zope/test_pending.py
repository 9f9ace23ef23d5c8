"""A process that dies while sessions begin and end takes no word of them along: another one tells."""

import pytest
import servers
from dying import ALL
from dying import BEFORE
from dying import ONE
from dying import POINTS
from dying import FiledSite
from dying import killed
from helpers import VISITOR
from helpers import housekeep

from coatroom.zope import backends
from coatroom.zope import names
from coatroom.zope import settings

NOW = 1_800_000_000.0
heard = []


def added(item, container):
    heard.append(("add", item.getContainerKey(), dict(item.items())))


def deleted(item, container):
    heard.append(("delete", item.getContainerKey(), dict(item.items())))


@pytest.fixture(params=["embedded", *servers.KINDS])
def directory(request, tmp_path, monkeypatch, no_sweeping_thread):
    """Where a site is, two of whose sessions have begun and were told."""
    url = f"embedded:{tmp_path / 'sessions'}" if request.param == "embedded" else servers.fresh_url(request.param)
    monkeypatch.setenv("COATROOM_STORE", url)
    settings.forget()
    site = FiledSite(tmp_path, NOW, timeout_mins=20, addNotification=added, delNotification=deleted)
    with site.visit() as container:
        container.new_or_existing("old")["n"] = 1
        container.new_or_existing("alice's")["n"] = 2
    with site.visit() as container:
        container._renewSession("alice's", lambda: "hers", "alice")
    housekeep(site, 6)
    site.close()
    heard.clear()
    yield tmp_path
    backends.close()


def dies(directory, at, work, after=10):
    """A process is killed while it does something, so many seconds later."""
    killed(lambda: FiledSite(directory, NOW + after), at, work)


def told(directory, after=10, then=None):
    """What the next process tells in three minutes, if it comes so many seconds later; and the keys it
    finds. ``then`` is what a visitor does at once."""
    site = FiledSite(directory, NOW + after)
    try:
        if then is not None:
            with site.visit() as container:
                then(container)
        for seconds in (6, 61, 61, 61):
            housekeep(site, seconds)
        with site.visit() as container:
            return heard, container.keys()
    finally:
        site.close()


# What it is doing.


def begins(container):
    container.new_or_existing(VISITOR)["n"] = 3


def begins_and_signs_in(container):
    container.new_or_existing(VISITOR)["n"] = 3
    container._renewSession(VISITOR, lambda: "renewed", "bob")


def ends(container):
    container["old"].invalidate()


def begins_anew(container):
    container["old"].invalidate()
    container.new_or_existing("old")["n"] = 3


def comes_with_hers(container):
    container._renewSession("hers", lambda: "his", "bob")
    container["his"]["n"] = 3


def signs_in_and_ends(container):
    container._renewSession("old", lambda: "renewed", "bob")
    container["renewed"].invalidate()


def begins_two(container):
    begins(container)
    container.new_or_existing("another")["n"] = 4


def changes(container):
    container["old"]["n"] = 5


ADDED = ("add", VISITOR, {"n": 3})
RENEWED = ("add", "renewed", {"n": 3})
DELETED = ("delete", "old", {"n": 1})
HERS = ("delete", "hers", {"n": 2})
#: What is told when one session was written, and when all are; and the keys then.
CASES = {
    begins: ([ADDED], [ADDED], ["hers", "old", VISITOR]),
    begins_and_signs_in: ([RENEWED], [RENEWED], ["hers", "old", "renewed"]),
    begins_two: ([ADDED], [("add", "another", {"n": 4}), ADDED], ["another", "hers", "old", VISITOR]),
    ends: ([DELETED], [DELETED], ["hers"]),
    begins_anew: ([DELETED], [("add", "old", {"n": 3}), DELETED], ["hers", "old"]),
    comes_with_hers: ([HERS], [("add", "his", {"n": 3}), HERS], ["his", "old"]),
    signs_in_and_ends: ([("delete", "renewed", {"n": 1})],) * 2 + (["hers"],),
    changes: ([], [], ["hers", "old"]),
}


@pytest.mark.parametrize("at", POINTS)
@pytest.mark.parametrize("work", CASES)
def test_what_a_killed_process_wrote_is_told_by_the_next_one_and_nothing_else(directory, work, at):
    after_one, after_all, keys = CASES[work]
    dies(directory, at, work)
    happened, found = told(directory)
    assert sorted(happened) == {BEFORE: [], ONE: after_one}.get(at, after_all)
    assert found == {BEFORE: ["hers", "old"], ONE: found}.get(at, keys)


def ends_at_once(container, key="old"):
    container.manage_endSession(container._backend().manager.locator_of(names.of_session(key)))


@pytest.mark.parametrize("at", POINTS)
def test_what_a_killed_process_ended_at_once_is_told(directory, at):
    dies(directory, at, ends_at_once)
    assert told(directory)[0] == ([] if at == BEFORE else [DELETED])


# What became of the session before anybody looked.


def signs_in(container):
    container._renewSession(VISITOR, lambda: "renewed", "bob")


def test_a_session_that_has_moved_on_meanwhile_is_told_as_it_is(directory):
    dies(directory, ALL, begins)
    assert told(directory, then=signs_in)[0] == [RENEWED]


def ends_it(container):
    container[VISITOR].invalidate()


def has_it_ended(container):
    """By a manager."""
    ends_at_once(container, VISITOR)


@pytest.mark.parametrize("then", [ends_it, has_it_ended])
def test_a_session_that_has_ended_meanwhile_is_told_of_all_the_same(directory, then):
    dies(directory, ALL, begins)
    happened, _keys = told(directory, then=then)
    assert sorted(happened) == [ADDED, ("delete", VISITOR, {"n": 3})]


def test_a_session_that_has_timed_out_meanwhile_is_told_of_in_order(directory):
    dies(directory, ALL, begins)
    happened, _keys = told(directory, after=3600)
    assert happened[0] == ADDED
    assert sorted(happened[1:]) == [HERS, DELETED, ("delete", VISITOR, {"n": 3})]


def test_an_end_that_did_not_come_about_is_not_told_though_the_session_moved_on(directory):
    dies(directory, BEFORE, ends)
    happened, keys = told(directory, then=lambda container: container._renewSession("old", lambda: "moved", "bob"))
    assert happened == [] and keys == ["hers", "moved"]


def test_an_end_that_did_not_come_about_is_told_when_it_does(directory):
    dies(directory, BEFORE, ends)
    assert sorted(told(directory, after=3600)[0]) == [HERS, DELETED]


@pytest.mark.parametrize("at", POINTS)
def test_a_timed_out_session_is_told_whoever_takes_its_place(directory, at):
    """Nobody had swept it yet. Where its place was not taken after all, it may be told twice."""

    def comes_back(container):
        container.new_or_existing("old")["n"] = 3

    dies(directory, at, comes_back, after=3600)
    expected = [HERS, DELETED] if at == BEFORE else [("add", "old", {"n": 3}), HERS, DELETED]
    happened = told(directory, after=3600)[0]
    assert sorted(happened) == expected or (at == BEFORE and sorted(happened) == [HERS, DELETED, DELETED])
