"""The container: its methods, limits, settings and place in the store."""

import pytest
import things
from helpers import VISITOR
from helpers import begin
from Products.Transience.Transience import MaxTransientObjectsExceeded
from zope.interface.verify import verifyObject

from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.errors import InvalidKeyError
from coatroom.zope.interfaces import IItemWithId
from coatroom.zope.interfaces import ITransientItemContainer
from coatroom.zope.principals import Principal
from coatroom.zope.session import TransientObject


def test_it_provides_the_interface(site):
    with site.visit() as container:
        assert verifyObject(ITransientItemContainer, container)


def test_it_is_a_mapping_of_keys_to_sessions(site):
    for key in ("b", "a"):
        begin(site, key)
    with site.visit() as container:
        assert container.keys() == ["a", "b"] and len(container) == container.getLen() == 2
        assert container.has_key("a") and "a" in container and "c" not in container
        assert [session.getContainerKey() for session in container.values()] == ["a", "b"]
        del container["a"]
        assert container.keys() == ["b"] and container.get("a", 5) == 5
        with pytest.raises(KeyError):
            container["a"]
        with pytest.raises(KeyError):
            container.new("b")
        with pytest.raises(TypeError):
            container.new(5)
    with site.visit() as container:
        assert container.keys() == ["b"] and len(container) == 1


def test_a_session_ends_after_its_timeout_and_not_while_it_is_used(make_site):
    site = make_site(timeout_mins=2)
    begin(site)
    for _ in range(5):
        site.clock.advance(100)
        with site.visit() as container:
            assert VISITOR in container
    site.clock.advance(121)
    with site.visit() as container:
        assert VISITOR not in container and len(container) == 0


def test_timeout_0_never_ends_a_session(make_site):
    site = make_site(timeout_mins=0)
    begin(site)
    site.clock.advance(20 * 365 * 86_400)
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1


def test_another_timeout_loses_nothing_and_holds_for_what_is_there(make_site):
    site = make_site(timeout_mins=1)
    begin(site)
    with site.visit() as container:
        container.setTimeoutMinutes(10)
        assert container.getTimeoutMinutes() == 10
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1
    site.clock.advance(300)
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1


def test_a_session_keeps_no_attributes_and_says_so(site):
    begin(site)
    with site.visit() as container:
        for session in (container[VISITOR], container[VISITOR].aq_base, TransientObject("loose")):
            with pytest.raises(AttributeError, match="session\\['cart'\\]"):
                session.cart = ["tea"]
            session._p_changed = True


def test_a_change_is_noted_also_where_nothing_else_changed(site):
    begin(site)
    site.clock.advance(100)
    with site.visit() as container:
        container[VISITOR].setLastModified()
        then = container[VISITOR].getLastModified()
    site.clock.advance(1)
    with site.visit() as container:
        assert container[VISITOR].getLastModified() == then == site.clock.now() - 1
        assert container[VISITOR]["n"] == 1


def test_a_container_iterates_over_its_keys(make_site):
    site = make_site()
    begin(site, "b")
    begin(site, "a")
    with site.visit() as container:
        assert list(container) == container.keys() == ["a", "b"]


def test_a_limit_holds(make_site):
    site = make_site(limit=2)
    begin(site, "a")
    begin(site, "b")
    with pytest.raises(MaxTransientObjectsExceeded):
        begin(site, "c")
    begin(site, "a", n=2)


def test_a_limit_costs_no_look_at_every_session(make_site, monkeypatch):
    site = make_site(limit=3)
    for key in ("a", "b", "renewed before"):
        begin(site, key)
    with site.visit() as container:
        container._renewSession("renewed before", lambda: "renewed", "alice")
        monkeypatch.setattr(TransientObjectContainer, "_stored_keys", None)
    with site.visit() as container:
        del container["a"]
        container.new("c")["n"] = 1
        assert len(container) == 3
        with pytest.raises(MaxTransientObjectsExceeded):
            container.new("d")
        container._renewSession("renewed", lambda: "renewed again", "alice")
        assert len(container) == 3
    with site.visit() as container:
        assert len(container) == 3
        container["b"].invalidate()
        assert len(container) == 2


def test_what_a_login_leaves_behind_is_no_session(site):
    begin(site)
    for old, new in [(VISITOR, "renewed"), ("renewed", "again")]:
        with site.visit() as container:
            container._renewSession(old, lambda: new, "alice")
            assert len(container) == len(container.keys()) == 1
    with site.visit() as container:
        assert len(container) == len(container.keys()) == 1
        for user in (None, "alice"):
            overview = container.sessionOverview(user)
            assert overview["count"] == len(overview["sessions"]) == 1
        assert container.sessionOverview("\0superseded")["sessions"] == []
        assert container["again"]["n"] == 1


def test_a_look_at_all_sessions_is_no_access(make_site):
    site = make_site(timeout_mins=1)
    begin(site)
    for _ in range(2):
        site.clock.advance(25)
        with site.visit() as container:
            assert [session["n"] for session in container.values()] == [1]
            assert container.items()[0][0] == VISITOR
    site.clock.advance(25)
    with site.visit() as container:
        assert container.values() == []


def test_an_access_after_a_look_at_all_sessions_counts(make_site):
    site = make_site(timeout_mins=1)
    begin(site)
    for _ in range(3):
        site.clock.advance(40)
        with site.visit() as container:
            assert len(container.values()) == 1
            assert container[VISITOR].getLastAccessed() == site.clock.now()
    with site.visit() as container:
        assert VISITOR in container


def test_a_copy_of_the_container_has_sessions_of_its_own(site):
    begin(site)
    with site.visit() as container:
        app = container.aq_parent
        app._setObject("copied", container._getCopy(app))
    with site.visit() as container:
        assert VISITOR not in container.aq_parent.copied
        assert VISITOR in container


def test_an_export_carries_no_keys(site, tmp_path):
    begin(site)
    with site.visit() as container:
        exported = tmp_path / "container.zexp"
        container._p_jar.exportFile(container._p_oid, str(exported))
        (key,) = container._p_jar.root()["coatroom.keyring"]["keys"]
        assert key not in exported.read_bytes()


@pytest.mark.parametrize(
    "settings, error",
    [
        ({"timeout_mins": "20"}, TypeError),
        ({"timeout_mins": 1.5}, TypeError),
        ({"period_secs": "20"}, TypeError),
        ({"limit": "5"}, TypeError),
        ({"timeout_mins": -1}, ValueError),
        ({"period_secs": 0}, ValueError),
        ({"timeout_mins": 1, "period_secs": 61}, ValueError),
        ({"timeout_mins": 1, "period_secs": 7}, ValueError),
    ],
)
def test_settings_that_cannot_hold_are_refused(settings, error):
    with pytest.raises(error):
        TransientObjectContainer("bad", **settings)


def test_sessions_of_a_user_are_ended_from_the_zmi(site):
    begin(site)
    with site.visit() as container:
        session = container[VISITOR]
        session.aq_base._state().principal = Principal("alice")
        session["n"] = 2
    with site.visit() as container:
        overview = container.sessionOverview("alice")
        assert overview["count"] == 1 and len(overview["sessions"]) == 1
        container.manage_endSessionsOf("alice")
    with site.visit() as container:
        assert VISITOR not in container


def test_the_zmi_takes_only_its_own_forms(site):
    from zExceptions import Forbidden

    begin(site)
    with site.visit() as container:
        (info,) = container.sessionOverview()["sessions"]
        request = {"REQUEST_METHOD": "GET"}
        with pytest.raises(Forbidden):
            container.manage_endSession(info["locator"], container.csrfToken(), REQUEST=request)
        request = {"REQUEST_METHOD": "POST"}
        for bad in ("", "x", "ä"):
            with pytest.raises(Forbidden):
                container.manage_endSession(info["locator"], bad, REQUEST=request)
        container._check_form(request, container.csrfToken())
        assert VISITOR in container


def test_a_key_that_utf_8_cannot_encode_is_a_key_like_others(site):
    odd = "id\udcff"
    with site.visit() as container:
        assert container.get(odd) is None and odd not in container
        container.new_or_existing(odd)["n"] = 1
    with site.visit() as container:
        assert container.keys() == [odd] and container[odd]["n"] == 1


def test_a_session_key_that_utf_8_cannot_encode_is_missing_and_refused(site):
    with site.visit() as container:
        session = container.new_or_existing("visitor")
        assert session.get("\udcff") is None and not session.has_key("\udcff") and "\udcff" not in session
        for work in (lambda: session["\udcff"], lambda: session.pop("\udcff"), lambda: session.delete("\udcff")):
            with pytest.raises(KeyError):
                work()
        with pytest.raises(InvalidKeyError, match="udcff"):
            session["\udcff"] = 1


@pytest.mark.parametrize("key", [None, 1.5, (1, 2), [1], b"bytes", True, 10**5000], ids=lambda key: type(key).__name__)
def test_what_is_no_key_is_missing(site, key):
    with site.visit() as container:
        session = container.new_or_existing("visitor")
        assert session.get(key) is None and not session.has_key(key) and key not in session
        for work in (lambda: session[key], lambda: session.pop(key), lambda: session.delete(key)):
            with pytest.raises(KeyError):
                work()
        assert container.get(key) is None and not container.has_key(key)
        with pytest.raises((TypeError, InvalidKeyError)):
            session[key] = 1


def test_a_session_that_is_set_under_its_own_key_stays_as_it_is(site):
    begin(site)
    with site.visit() as container:
        session, id = container[VISITOR], container[VISITOR].getId()
        session["thing"] = things.Basket()
        container[VISITOR] = session
        assert container[VISITOR].getId() == id
    with site.visit() as container:
        session = container[VISITOR]
        container[VISITOR] = session
        assert session["n"] == 1 and isinstance(session["thing"], things.Basket)
    with site.visit() as container:
        assert container[VISITOR].getId() == id and container[VISITOR]["n"] == 1


def test_a_session_has_the_attributes_of_upstreams(site):
    with site.visit() as container:
        session = container.new_or_existing("visitor")
        assert (session.id, session.token) == (session.getId(), "visitor")
        assert [session.id for session in container.raw(0).values()] == [session.id]
        assert IItemWithId.providedBy(container) and verifyObject(IItemWithId, container)


def test_no_error_and_no_repr_carries_the_ticket(site):
    ticket = "35170634BA0x3NnvJDM-and-the-secret"
    with site.visit() as container:
        session = container.new_or_existing(ticket)
        shown = [repr(session), repr(type(session.aq_base)(ticket))]
        for work in (lambda: container["x" + ticket], lambda: container.new(ticket), lambda: container.__delitem__("x" + ticket)):
            with pytest.raises(KeyError) as raised:
                work()
            shown.append(str(raised.value))
        assert session.id in shown[0]
        assert not any(ticket in each or "35170634" in each for each in shown)
