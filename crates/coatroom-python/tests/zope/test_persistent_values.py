"""Persistent objects in sessions: wherever they go, they are kept, given back, or refused aloud."""

import gc
import weakref

import pytest
import things
import transaction
from BTrees.OOBTree import OOBTree
from helpers import in_thread
from test_transactions import Refuser
from test_transactions import renew
from test_values import VISITOR
from test_values import get_things
from test_values import put
from ZODB.POSException import InvalidObjectReference

from coatroom.zope import jars
from coatroom.zope.errors import SessionConflictError
from coatroom.zope.errors import UnpicklableValueError


def basket_of(number):
    made = things.Basket()
    made.things = number
    return made


def look(site, key):
    with site.visit() as container:
        return container[VISITOR][key].things


class Held:
    """A site's session over several transactions on one connection."""

    def __init__(self, site):
        transaction.begin()
        self._connection = site.db.open()
        self.container = self._connection.root()["Application"].sessions
        self.session = self.container.new_or_existing(VISITOR)

    def close(self):
        transaction.abort()
        self._connection.close()


@pytest.fixture
def held(site):
    made = Held(site)
    yield made
    made.close()


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("between", ["nothing", "savepoint", "commit"])
@pytest.mark.parametrize("way", ["delete", "clear", "replace"])
def test_an_object_moves_to_another_key(site, way, between, loaded):
    inner = basket_of(7)
    inner.inner = basket_of(8)
    put(site, basket=inner)
    held = Held(site)
    session, basket = held.session, held.session["basket"]
    if loaded:
        assert basket.inner.things == 8
    if way == "delete":
        del session["basket"]
    elif way == "clear":
        session.clear()
    else:
        session["basket"] = 1
    if between == "savepoint":
        transaction.savepoint()
    if between == "commit":
        transaction.commit()
    session["moved"] = basket
    transaction.commit()
    held.close()
    in_thread(lambda: _expect_moved(site))


def _expect_moved(site):
    with site.visit() as container:
        moved = container[VISITOR]["moved"]
        assert (moved.things, moved.inner.things) == (7, 8)


def test_an_object_is_whole_after_clearing_and_going_back(site):
    put(site, basket=basket_of(7))
    with site.visit() as container:
        session = container[VISITOR]
        old, new = session["basket"], session.setdefault("new", basket_of(8))
        transaction.savepoint()
        old.things = 9
        session.clear()
        point = transaction.savepoint()
        session["other"] = 1
        point.rollback()
        assert (old.things, new.things) == (9, 8)
        session["moved"] = [old, new]
    with site.visit() as container:
        assert container[VISITOR].keys() == ["moved"]
        assert [basket.things for basket in container[VISITOR]["moved"]] == [9, 8]


def test_a_tree_that_went_is_whole_for_whoever_holds_it(site):
    put(site, tree=OOBTree({number: number for number in range(500)}))
    held = Held(site)
    tree = held.session["tree"]
    del held.session["tree"]
    transaction.commit()
    assert tree._p_jar is None and list(tree) == list(range(500))
    held.session["again"] = tree
    transaction.commit()
    held.close()
    with site.visit() as container:
        assert list(container[VISITOR]["again"].values()) == list(range(500))


def test_an_object_that_another_request_dropped_is_refused(site, held):
    held.session["basket"] = basket_of(1)
    transaction.commit()
    basket = held.session["basket"]
    transaction.commit()
    in_thread(lambda: drop(site))
    held.session["moved"] = basket
    with pytest.raises(UnpicklableValueError, match="'moved'"):
        transaction.commit()


def drop(site):
    with site.visit() as container:
        del container[VISITOR]["basket"]


@pytest.mark.parametrize("into", ["key", "object"])
def test_an_object_is_not_dropped_while_another_request_refers_to_it(site, into):
    put(site, basket=basket_of(7), other=things.Basket())
    with pytest.raises(SessionConflictError), site.visit() as container:
        session = container[VISITOR]
        if into == "key":
            session["moved"] = [session["basket"]]
        else:
            session["other"].inner = session["basket"]
        in_thread(lambda: drop(site))
    with site.visit() as container:
        assert container[VISITOR].keys() == ["other"]
        assert not hasattr(container[VISITOR]["other"], "inner")


def test_an_object_kept_since_a_savepoint_is_loose_again(site):
    put(site, x=1)
    with site.visit() as container:
        session = container[VISITOR]
        first = transaction.savepoint()
        basket = session["basket"] = basket_of(5)
        basket.inner = basket_of(6)
        second = transaction.savepoint()
        basket.things = 9
        second.rollback()
        first.rollback()
        assert basket._p_jar is None and basket.inner._p_jar is None
        assert (basket.things, basket.inner.things) == (5, 6)
        session["again"] = basket
    assert look(site, "again") == 5


def test_an_object_is_given_back_with_what_it_holds_when_all_is_aborted(site, held):
    basket = held.session["basket"] = basket_of(5)
    point = transaction.savepoint()
    basket.things = 6
    point.rollback()
    transaction.abort()
    assert basket._p_jar is None and basket.things == 5


@pytest.mark.parametrize("what", ["commit", "vote"])
def test_an_object_is_given_back_when_a_later_party_refuses(site, held, what):
    basket = held.session["basket"] = basket_of(5)
    if what == "vote":
        transaction.get().join(Refuser())
    else:
        held.container.new_or_existing("second")["bad"] = lambda: None
    with pytest.raises((ValueError, UnpicklableValueError)):
        transaction.commit()
    transaction.abort()
    assert basket._p_jar is None and basket.things == 5
    held.session["basket"] = basket
    transaction.commit()
    assert get_things(site) == 5


def test_an_object_that_went_comes_back_when_its_transaction_is_aborted(site, held):
    basket = held.session["basket"] = basket_of(5)
    transaction.commit()
    del held.session["basket"]
    transaction.get().join(Refuser())
    with pytest.raises(ValueError):
        transaction.commit()
    transaction.abort()
    assert basket.things == 5 and held.session["basket"] is basket
    basket.things = 6
    transaction.commit()
    assert get_things(site) == 6


def test_a_change_is_undone_with_the_end_of_its_session(site, held):
    held.session["basket"] = basket_of(1)
    transaction.commit()
    basket = held.session["basket"]
    basket.things = 2
    held.session.invalidate()
    transaction.abort()
    assert basket.things == 1 and held.session["basket"] is basket
    basket.things = 3
    transaction.commit()
    assert get_things(site) == 3


def test_an_object_of_a_session_that_was_ended_can_be_read_to_the_end(site):
    put(site, basket=basket_of(4))
    with site.visit() as container:
        session = container[VISITOR]
        session.invalidate()
        assert session["basket"].things == 4
        session["basket"].things = 5


def test_an_object_of_a_session_that_is_not_kept_stays_loose(site):
    put(site, n=1)
    renew(site, "alice")
    basket = basket_of(5)
    with site.visit() as container:
        container.new_or_existing(VISITOR)["basket"] = [basket]
        transaction.savepoint()
    assert basket._p_jar is None
    with site.visit() as container:
        container["renewed"]["basket"] = basket
    with site.visit() as container:
        assert container["renewed"]["basket"].things == 5


def test_an_object_belongs_to_one_session(site):
    put(site, basket=basket_of(1))
    with pytest.raises(InvalidObjectReference), site.visit() as container:
        basket = container[VISITOR]["basket"]
        del container[VISITOR]["basket"]
        container.new_or_existing("other")["basket"] = basket
    assert get_things(site) == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_request_holds_stays_live_over_a_login(site, is_known):
    put(site, basket=basket_of(1), list=[1], number=1)
    in_use = Held(site)
    known = in_use.session["basket"] if is_known else None
    transaction.commit()
    with site.visit() as container:
        session = container[VISITOR]
        basket, found, new = session["basket"], session["list"], session.setdefault("new", [])
        basket.things = 2
        container._renewSession(VISITOR, lambda: "renewed", "alice")
        basket.things = 4
        found.append(2)
        new.append(3)
        session["number"] += 1
        assert session["basket"] is basket and session["list"] is found
        session["loose"] = [basket]
    with site.visit() as container:
        after = container["renewed"]
        assert (after["basket"].things, after["list"], after["new"], after["number"]) == (4, [1, 2], [3], 2)
        assert after["loose"][0] is after["basket"]
    if known is not None:
        known.things = 6
        transaction.commit()
        in_use.close()
        with site.visit() as container:
            assert container["renewed"]["basket"].things == 6
    in_use.close()


def test_nothing_of_a_session_stays_when_its_transaction_is_over(site):
    put(site, basket=basket_of(1))
    gc.collect()
    gc.disable()
    try:
        with site.visit() as container:
            session = container[VISITOR]
            session["basket"].things += 1
            container._renewSession(VISITOR, lambda: "renewed", "alice")
            state, jar = (weakref.ref(each) for each in (session._state(), session._state().jar))
            del session
        assert state() is None and jar() is None
        assert not jars._jars.known
    finally:
        gc.enable()


def test_a_value_of_a_session_that_ended_is_not_taken_for_one_of_the_next(site, caplog):
    put(site, role="admin")
    with site.visit() as container:
        state = container[VISITOR].aq_base._state()
        manager, locator, kept = state.backend.manager, state.native.locator, state.native.get_raw("srole")
    with site.visit() as container:
        container[VISITOR].invalidate()
    put(site, other=1)
    native = manager.open_locator(locator)
    native.set_raw("srole", *kept)
    native.save()
    with site.visit() as container:
        assert container[VISITOR].items() == [("other", 1)]
    assert "was not written by this site" in caplog.text
