"""Values that cannot be read, or that no longer pickle: nothing of them is lost silently."""

import threading

import pytest
import things
from persistent.list import PersistentList
from test_values import VISITOR
from test_values import get
from test_values import put
from test_values import revision
from ZODB import broken
from ZODB.blob import Blob
from ZODB.POSException import ReadConflictError

from coatroom.zope import names
from coatroom.zope.errors import UnpicklableValueError
from coatroom.zope.errors import UnreadableValueError


class Tagged(str):
    """A text with attributes."""


@pytest.fixture
def broken_site(site):
    """A site whose session has a value that refers to an object whose record is gone."""
    put(site, basket=things.Basket(), list=[things.Basket()], other=1)
    with site.visit() as container:
        state = container[VISITOR].aq_base._state()
        native = state.backend.manager.open_locator(state.native.locator)
        for name in state.native.names():
            if name.startswith(names.PERSISTENT):
                native.remove(name)
        native.save()
    return site


@pytest.mark.parametrize("key", ["basket", "list"])
def test_a_value_whose_object_is_gone_is_an_error_and_no_missing_key(broken_site, key):
    with broken_site.visit() as container:
        session = container[VISITOR]
        assert key in session and session["other"] == 1
        for ask in (session.get, session.__getitem__, session.pop):
            with pytest.raises(UnreadableValueError, match=f"session key '{key}'") as raised:
                ask(key)
            assert not isinstance(raised.value, (KeyError, TypeError))


def test_a_value_whose_class_refuses_its_old_state_is_an_error(site, monkeypatch):
    put(site, plain=things.Plain())
    monkeypatch.setattr(things.Plain, "__setstate__", _raise_type_error, raising=False)
    with site.visit() as container, pytest.raises(UnreadableValueError, match="session key 'plain'"):
        container[VISITOR].get("plain")


def _raise_type_error(*_arguments):
    raise TypeError("takes two arguments")


def test_attributes_of_a_text_are_kept(site):
    tagged = Tagged("text")
    tagged.tags = [1]
    put(site, tagged=tagged)
    with site.visit() as container:
        container[VISITOR]["tagged"].tags.append(2)
    assert get(site, "tagged").tags == [1, 2]


def test_an_attribute_with_a_name_that_is_none_of_ours_is_missing_and_logged(site, caplog):
    put(site, n=1, basket=things.Basket())
    with site.visit() as container:
        state = container[VISITOR].aq_base._state()
        native = state.backend.manager.open_locator(state.native.locator)
        for name in ("i", "ix", "z", names.PERSISTENT, names.PERSISTENT + "x", names.RESERVED + "x"):
            native.set_raw(name, 2, b"planted")
        native.save()
    with site.visit() as container:
        assert container[VISITOR].keys() == ["basket", "n"]
        del container[VISITOR]["basket"]
    assert get(site, "n") == 1 and "refused session key 'x'" in caplog.text
    with site.visit() as container:
        container[VISITOR].clear()
    assert get(site, "n") is None


@pytest.mark.parametrize("value", [Blob(), [Blob()], PersistentList([Blob()])])
def test_a_blob_is_refused_since_its_data_would_be_lost(site, value):
    with pytest.raises(UnpicklableValueError, match="a blob"):
        put(site, upload=value)
    put(site, n=1)
    assert get(site, "upload") is None


class Tells:
    """What notes in the session that it was pickled."""

    sessions = []

    def __getstate__(self):
        self.sessions[0]["pickled"] = True
        return {"n": 1}


def test_a_change_that_pickling_makes_is_kept(site, monkeypatch):
    with site.visit() as container:
        session = container.new_or_existing(VISITOR)
        monkeypatch.setattr(Tells, "sessions", [session])
        session["z"] = Tells()
    assert get(site, "pickled")


class ReadsWhatChanged:
    def __getstate__(self):
        raise ReadConflictError("somebody else changed it")


def test_a_conflict_while_a_value_is_pickled_stays_one(site):
    with pytest.raises(ReadConflictError):
        put(site, value=ReadsWhatChanged())


@pytest.mark.parametrize("make", [things.Order.Line, things.Order.Part, lambda: [things.Order.Part()]])
def test_a_class_may_lie_in_another_one(site, make):
    put(site, inner=make(), state=things.Order.State.OPEN)
    assert get(site, "state") is things.Order.State.OPEN
    with site.visit() as container:
        found = container[VISITOR]["inner"]
        found = found[0] if isinstance(found, list) else found
        assert type(found) in (things.Order.Line, things.Order.Part)
        found.things = 2
    with site.visit() as container:
        found = container[VISITOR]["inner"]
        assert (found[0] if isinstance(found, list) else found).things == 2


def test_a_class_in_another_one_comes_back_after_it_was_gone(site, monkeypatch):
    put(site, lines=[things.Order.Line()])
    with monkeypatch.context() as patch:
        patch.delattr(things.Order, "Line")
        with site.visit() as container:
            lines = container[VISITOR]["lines"]
            assert isinstance(lines[0], broken.Broken)
            lines.append(1)
    broken.broken_cache.clear()
    assert type(get(site, "lines")[0]) is things.Order.Line


@pytest.fixture
def odd(site):
    """What makes a value of the site's session not pickle any more: its class was changed."""
    plain = things.Plain()
    plain.inner = []
    put(site, plain=plain, other=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(things.Plain, "__reduce_ex__", _raise_type_error)
        yield patch


def test_a_value_that_no_longer_pickles_can_be_read(site, odd):
    before = revision(site)
    with site.visit() as container:
        assert container[VISITOR]["plain"].inner == []
        container[VISITOR]["plain"].things += 0
    assert revision(site) == before
    with site.visit() as container:
        container[VISITOR]["plain"]
        container[VISITOR]["other"] = 2
    assert get(site, "other") == 2


@pytest.mark.parametrize("change", [lambda plain: plain.inner.append(1), lambda plain: vars(plain).update(new=1)])
def test_a_change_of_a_value_that_no_longer_pickles_is_told(site, odd, change):
    with pytest.raises(UnpicklableValueError, match="session key 'plain'"), site.visit() as container:
        change(container[VISITOR]["plain"])


def test_a_change_that_makes_a_value_pickle_again_is_kept(site, odd):
    with site.visit() as container:
        container[VISITOR]["plain"].things = 3
        odd.undo()
    assert get(site, "plain").things == 3


told = []


def tell(item, container):
    told.append(dict(item.items()))


def test_a_session_with_a_value_that_cannot_be_kept_can_be_ended(make_site, no_sweeping_thread):
    told.clear()
    site = make_site(delNotification=tell)
    put(site, kept=1, changed=1, basket=things.Basket())
    with site.visit() as container:
        session = container[VISITOR]
        session["lock"] = threading.Lock()
        session["changed"] = 2
        session["basket"].lock = threading.Lock()
        session.invalidate()
    with site.visit() as container:
        assert VISITOR not in container
    site.clock.advance(6)
    with site.visit() as container:
        container.housekeep()
    (items,) = told
    assert items["kept"] == 1 and items["changed"] == 2 and "lock" not in items
