"""What may lie in a session, and how it is kept."""

import threading

import pytest
import things
import transaction
from Acquisition import Implicit
from BTrees.OOBTree import OOBTree
from helpers import VISITOR
from helpers import in_thread
from ZODB import broken
from ZODB.POSException import InvalidObjectReference

from coatroom.zope.errors import SessionLimitError
from coatroom.zope.errors import UnpicklableValueError


def put(site, **values):
    with site.visit() as container:
        container.new_or_existing(VISITOR).update(values)


def get(site, key):
    with site.visit() as container:
        return container[VISITOR].get(key)


def revision(site):
    with site.visit() as container:
        return container[VISITOR].aq_base._state().native.revision


@pytest.mark.parametrize("value", [{"a": [1]}, [1, [2]], {1, 2}, things.Plain])
def test_a_value_changed_in_place_is_kept(site, value):
    put(site, value=value() if isinstance(value, type) else value)
    with site.visit() as container:
        found = container[VISITOR]["value"]
        if isinstance(found, dict):
            found["a"].append(2)
        elif isinstance(found, list):
            found[1].append(3)
        elif isinstance(found, set):
            found.add(3)
        else:
            found.things = 5
    after = get(site, "value")
    assert getattr(after, "things", after) in ({"a": [1, 2]}, [1, [2, 3]], {1, 2, 3}, 5)


def test_every_thread_sees_the_same(site):
    put(site, value=[1])
    seen = []

    def change():
        with site.visit() as container:
            container[VISITOR]["value"].append(2)

    def look():
        seen.append(get(site, "value"))

    for work in (change, look):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [[1, 2]]


def test_a_persistent_object_saves_itself_and_nothing_else(site):
    put(site, basket=things.Basket(), other=[1])
    with site.visit() as container:
        session = container[VISITOR]
        session["basket"].things += 1
        names = set(session.aq_base._state().record.staged())
    assert not names
    assert get_things(site) == 1
    with site.visit() as container:
        session = container[VISITOR]
        session["basket"].things += 1
        session.aq_base._state().stage()
        assert len(session.aq_base._state().record.staged()) == 1
    assert get_things(site) == 2


def get_things(site):
    with site.visit() as container:
        return container[VISITOR]["basket"].things


def test_a_tree_is_kept_bucket_by_bucket_and_goes_with_its_key(site):
    put(site, tree=OOBTree({number: str(number) for number in range(20_000)}))
    with site.visit() as container:
        tree = container[VISITOR]["tree"]
        assert len(tree) == 20_000 and tree[19_999] == "19999"
        tree[20_000] = "more"
        state = container[VISITOR].aq_base._state()
        state.stage()
        assert len(state.record.staged()) < 5
        assert len(state.native.names()) > 500
    with site.visit() as container:
        del container[VISITOR]["tree"]
    with site.visit() as container:
        assert len(container[VISITOR].aq_base._state().native.names()) < 5


def test_an_object_that_is_no_longer_referred_to_is_dropped(site):
    first = things.Basket()
    first.inner = things.Basket()
    put(site, basket=first)

    def objects():
        with site.visit() as container:
            names = container[VISITOR].aq_base._state().native.names()
            return sum(name.startswith("\1") for name in names)

    assert objects() == 2
    with site.visit() as container:
        container[VISITOR]["basket"].inner = None
    assert objects() == 1


def test_an_object_is_held_over_transactions(site):
    transaction.begin()
    connection = site.db.open()
    session = connection.root()["Application"].sessions.new_or_existing(VISITOR)
    basket = session["basket"] = things.Basket()
    transaction.commit()
    basket.things = 3
    transaction.commit()
    connection.close()
    assert get_things(site) == 3


def test_an_object_that_was_never_kept_belongs_to_nobody_again(site):
    basket = things.Basket()
    visit = site.visit()
    container = visit.__enter__()
    container.new_or_existing(VISITOR)["basket"] = basket
    transaction.savepoint()
    assert basket._p_jar is not None
    visit.__exit__(ValueError, None, None)
    assert basket._p_jar is None and basket._p_oid is None
    put(site, basket=basket)
    assert get_things(site) == 0


def test_a_sessions_object_cannot_be_put_into_content(site):
    put(site, basket=things.Basket())
    with pytest.raises(InvalidObjectReference), site.visit() as container:
        container.aq_parent.stolen = container[VISITOR]["basket"]
        container.aq_parent._p_changed = True


def test_contents_objects_cannot_be_put_into_a_session(site):
    with pytest.raises(InvalidObjectReference), site.visit() as container:
        container.new_or_existing(VISITOR)["content"] = container.aq_base


def test_an_acquisition_wrapper_cannot_be_kept(site):
    class Wrapped(Implicit):
        pass

    with pytest.raises(TypeError, match="acquisition wrapper"), site.visit() as container:
        container.new_or_existing(VISITOR)["wrapped"] = Wrapped().__of__(container)


def test_what_does_not_pickle_is_told_with_its_key(site):
    with pytest.raises(UnpicklableValueError, match="'lock'"), site.visit() as container:
        container.new_or_existing(VISITOR)["lock"] = threading.Lock()


def test_a_value_over_the_limit_is_told_with_key_and_limit(site):
    with pytest.raises(SessionLimitError, match="'big'.*max-value-bytes"), site.visit() as container:
        container.new_or_existing(VISITOR)["big"] = b"x" * (17 * 1024 * 1024)


def test_keys_are_text_or_whole_numbers(site):
    with site.visit() as container:
        session = container.new_or_existing(VISITOR)
        session[1], session["1"], session["ä €"] = "number", "text", "more"
        for bad in (None, 1.5, (1,), b"bytes", True):
            with pytest.raises(TypeError):
                session[bad] = 1
            assert session.get(bad) is None and not session.has_key(bad)
        with pytest.raises(SessionLimitError):
            session["k" * 300] = 1
    with site.visit() as container:
        assert container[VISITOR].items() == [(1, "number"), ("1", "text"), ("ä €", "more")]


def test_a_value_whose_class_is_gone_is_broken_and_keeps_its_bytes(site, monkeypatch):
    put(site, plain=things.Plain(), basket=things.Basket(), deep=[things.Basket()], other=1)
    before = revision(site)
    with monkeypatch.context() as patch:
        patch.delattr(things, "Plain")
        patch.delattr(things, "Basket")
        in_thread(lambda: look_at_broken(site))
        assert revision(site) == before
        with site.visit() as container:
            container[VISITOR]["other"] = 2
    broken.broken_cache.clear()
    assert isinstance(get(site, "plain"), things.Plain)
    assert get_things(site) == 0


def look_at_broken(site):
    with site.visit() as container:
        session = container[VISITOR]
        assert session["other"] == 1
        assert isinstance(session["plain"], broken.Broken)
        assert isinstance(session["basket"], broken.PersistentBroken)
        assert isinstance(session["deep"][0], broken.PersistentBroken)


def test_a_value_that_was_tampered_with_is_missing_and_logged(site, caplog):
    put(site, good=1, bad=2, moved=3)
    with site.visit() as container:
        state = container[VISITOR].aq_base._state()
        native = state.backend.manager.open_locator(state.native.locator)
        data = bytearray(native.get_raw("sbad")[1])
        data[-2] ^= 1
        native.set_raw("sbad", 2, bytes(data))
        native.set_raw("smoved", 2, native.get_raw("sgood")[1])
        native.save()
    caplog.clear()
    with site.visit() as container:
        session = container[VISITOR]
        assert session.keys() == ["good"]
        assert session.get("bad") is None and "moved" not in session
    assert "was not written by this site" in caplog.text
    assert "session key 'bad'" in caplog.text


def test_an_object_held_over_transactions_sees_each_of_them(site):
    put(site, basket=things.Basket())
    transaction.begin()
    connection = site.db.open()
    held = connection.root()["Application"].sessions[VISITOR]["basket"]
    assert held.things == 0
    for things_in_it in (1, 2, 3):
        transaction.commit()
        in_thread(lambda: add_thing(site))
        # Nobody asks for the session itself.
        assert held.things == things_in_it
    held.things = 7
    transaction.commit()
    connection.close()
    assert get_things(site) == 7


def add_thing(site):
    with site.visit() as container:
        container[VISITOR]["basket"].things += 1


def test_values_stay_readable_after_a_new_key_was_added(site):
    from coatroom.zope import keyring

    put(site, value=1)
    with site.visit() as container:
        keyring.rotate(container._p_jar)
    with site.visit() as container:
        assert container[VISITOR]["value"] == 1
        container[VISITOR]["value"] = 2
    assert get(site, "value") == 2


def test_a_session_is_true_has_no_length_and_shows_no_values(site):
    with site.visit() as container:
        session = container.new_or_existing(VISITOR)
        assert session
        with pytest.raises(TypeError):
            len(session)
        session["password"] = "secret"
        assert "password" in repr(session) and "secret" not in repr(session)
        assert list(session) == ["password"]
        assert session.setdefault("password", 1) == "secret" and session.setdefault("n", 1) == 1
        assert session.pop("n") == 1 and session.pop("n", 7) == 7
        with pytest.raises(KeyError):
            session.pop("n")


def test_a_session_itself_cannot_be_kept_elsewhere(site):
    with pytest.raises(TypeError), site.visit() as container:
        container.aq_parent.kept = container.new_or_existing(VISITOR).aq_base


