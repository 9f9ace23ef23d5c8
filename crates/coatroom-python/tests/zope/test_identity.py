"""Whose a session is, and who can know its id: over the publisher, as browsers and attackers come."""

import contextlib
import logging
import types

import pytest
import transaction
from helpers import shown_for_errors
from OFS.SimpleItem import SimpleItem
from Products.Sessions import BrowserIdManager as stock
from Products.Sessions.interfaces import SessionDataManagerErr
from Products.Sessions.SessionDataManager import SessionDataManager as StockSessionDataManager

from coatroom.zope.browserids import BrowserIdManager
from coatroom.zope.principals import Principal
from coatroom.zope.sessiondata import SessionDataManager

NAME = "_ZopeId"


class ErrorView:
    """What a site has for errors."""

    def __init__(self, error, request):
        self.error = error

    def __call__(self):
        return f"sorry: {self.error}"


@pytest.fixture
def errors_are_shown(app):
    with shown_for_errors(ErrorView):
        yield


def visitor(web, **values):
    """The id of an anonymous visitor who has stored something."""
    return web.get("/pages/write", "k=mark&v=mine").browser_id


# An id that somebody else knows.


@pytest.mark.parametrize("by", ["cookie", "link"])
def test_a_users_session_never_begins_under_an_id_that_the_request_brought(zope, app, by):
    planted = zope.get("/pages/read").browser_id
    brought = {"browser_id": planted} if by == "cookie" else {}
    query = "k=secret&v=hers" + (f"&{NAME}={planted}" if by == "link" else "")

    written = zope.get("/pages/write", query, auth="alice", **brought)

    assert written.browser_id not in (None, planted)
    assert "hers" in zope.get("/pages/show", browser_id=written.browser_id, auth="alice").body
    assert "hers" not in zope.get("/pages/show", browser_id=planted).body


def test_a_users_next_session_begins_under_another_id_than_the_one_that_ended(zope, app):
    first = zope.get("/pages/write", "k=a&v=1", auth="alice").browser_id
    transaction.begin()
    app.session_data[first].invalidate()
    transaction.commit()

    second = zope.get("/pages/write", "k=secret&v=hers", browser_id=first, auth="alice").browser_id

    assert second not in (None, first)
    assert zope.get("/pages/show", browser_id=first).body == "{}"


def test_a_user_who_only_reads_gets_no_new_id_each_time(zope, app):
    known = zope.get("/pages/read").browser_id
    assert zope.get("/pages/read", browser_id=known, auth="alice").browser_id is None


def test_a_session_that_was_used_on_the_way_is_secured_once_the_user_is_known(zope, app):
    planted = visitor(zope)
    renewed = zope.get("/pages/show", "early=1", browser_id=planted, auth="alice")
    assert renewed.browser_id not in (None, planted) and "mine" in renewed.body
    assert "mine" not in zope.get("/pages/show", browser_id=planted).body
    hers = renewed.browser_id
    assert zope.get("/pages/show", "early=1", browser_id=hers, auth="alice").browser_id is None
    others = zope.get("/pages/write", "early=1&k=his&v=1", browser_id=hers, auth="bob")
    assert others.browser_id not in (None, hers)
    assert zope.get("/pages/show", "early=1", browser_id=others.browser_id, auth="bob").body == "{'his': '1'}"


def test_a_user_whose_empty_session_was_looked_at_on_the_way_gets_no_new_id_each_time(zope, app):
    unused = zope.get("/pages/read").browser_id
    assert zope.get("/pages/read", "early=1", browser_id=unused, auth="alice").browser_id is None
    hers = zope.get("/pages/write", "early=1&k=a&v=1", browser_id=unused, auth="alice").browser_id
    assert hers not in (None, unused)
    assert zope.get("/pages/show", browser_id=hers, auth="alice").body == "{'a': '1'}"
    assert zope.get("/pages/show", browser_id=unused).body == "{}"


def test_a_session_begun_on_the_way_is_its_users(zope, app):
    hers = zope.get("/pages/write", "early=1&k=a&v=1", auth="alice").browser_id
    assert zope.get("/pages/show", browser_id=hers, auth="alice").browser_id is None
    assert zope.get("/pages/show", browser_id=hers, auth="bob").body == "{}"


def test_a_users_own_session_keeps_its_id(zope, app):
    known = zope.get("/pages/write", "k=a&v=1", auth="alice").browser_id
    again = zope.get("/pages/write", "k=b&v=2", browser_id=known, auth="alice")
    assert again.browser_id is None
    assert zope.get("/pages/show", browser_id=known, auth="alice").body == "{'a': '1', 'b': '2'}"


def test_a_user_with_the_cookie_from_before_a_login_sets_none(zope, app):
    old = visitor(zope)
    new = zope.get("/pages/sign_in", browser_id=old).browser_id
    straggler = zope.get("/pages/write", "k=late&v=1", browser_id=old, auth="alice")
    assert straggler.browser_id is None
    assert zope.get("/pages/show", browser_id=new, auth="alice").body == "{'mark': 'mine'}"


# A renewal that is not kept.


@pytest.mark.parametrize("how", ["fail", "refuse"])
def test_a_login_that_fails_leaves_the_visitor_the_old_id(zope, app, errors_are_shown, how):
    old = visitor(zope)
    failed = zope.get("/pages/sign_in", f"how={how}", browser_id=old)
    assert failed.status == 500 and failed.body.startswith("sorry")
    assert failed.browser_id is None
    assert "mine" in zope.get("/pages/show", browser_id=old).body


def test_a_login_that_is_rolled_back_leaves_request_and_session_as_they_were(zope, app):
    old = visitor(zope)
    assert zope.get("/pages/sign_in", "how=roll back", browser_id=old).browser_id is None
    assert zope.get("/pages/show", browser_id=old).body == "{'mark': 'mine', 'rolled back': 'yes'}"


def test_a_first_page_that_fails_leaves_a_user_the_session_begun_before(zope, app, errors_are_shown):
    old = visitor(zope)
    failed = zope.get("/pages/write", "k=only one argument", browser_id=old, auth="alice")
    assert failed.browser_id is None
    failed = zope.get("/pages/fail", browser_id=old, auth="alice")
    assert failed.status == 500 and failed.browser_id is None
    assert "mine" in zope.get("/pages/show", browser_id=old, auth="alice").body


# Caches, URLs.


def test_an_answer_that_sets_an_id_is_private_whatever_the_page_says_later(zope, app):
    answer = zope.get("/pages/cached")
    assert answer.browser_id is not None
    assert answer.header("Cache-Control") == "private, max-age=3600"


def test_a_page_that_sets_no_id_may_be_cached(zope, app):
    known = visitor(zope)
    assert zope.get("/pages/cached", browser_id=known).header("Cache-Control") == "public, max-age=3600"


@contextlib.contextmanager
def ids_in(app, *namespaces, encoding):
    """A site whose browser ids come in other ways than in cookies and forms."""
    ids = app.browser_id_manager
    ids.setBrowserIdNamespaces(namespaces)
    ids.setAutoUrlEncoding(encoding)
    ids.updateTraversalData()
    transaction.commit()
    try:
        yield
    finally:
        transaction.begin()
        ids.setBrowserIdNamespaces(("cookies", "form"))
        ids.setAutoUrlEncoding(0)
        ids.updateTraversalData()
        transaction.commit()


@pytest.mark.parametrize("encoding", [0, 1])
def test_a_login_renews_the_id_in_the_urls_too(zope, app, encoding):
    with ids_in(app, "url", encoding=encoding):
        check_login_by_url(zope, app, encoding)


@pytest.mark.parametrize("encoding", [0, 1])
@pytest.mark.parametrize("path", ["", f"/{NAME}/{stock.getNewBrowserId()}"], ids=["none", "another site's"])
def test_a_url_without_an_id_of_this_site_leaves_the_cookie_its_session(zope, app, encoding, path):
    with ids_in(app, "url", "cookies", encoding=encoding):
        known = visitor(zope)
        shown = zope.get(f"{path}/pages/show", browser_id=known)
        assert "mine" in shown.body and shown.browser_id is None
        there = zope.get(f"{path}/pages/url", browser_id=known).body
        assert there == ("http://localhost/" + (f"{NAME}/{known}/" if encoding else "") + "pages")


def check_login_by_url(zope, app, encoding):
    transaction.begin()
    old = app.browser_id_manager.newBrowserId()
    zope.get(f"/{NAME}/{old}/pages/write", "k=mark&v=mine")
    url = zope.get(f"/{NAME}/{old}/pages/sign_in").body
    assert old not in url
    transaction.begin()
    (new,) = app.session_data.keys()
    assert new != old
    if encoding:
        assert url == f"http://localhost/{NAME}/{new}/pages"
    assert "mine" in zope.get(f"/{NAME}/{new}/pages/show", auth="alice").body


# Whose it is.


def test_code_with_another_users_rights_leaves_the_visitor_the_session(zope, app):
    known = zope.get("/pages/write", "k=cart&v=tea", auth="alice").browser_id
    assert zope.get("/pages/as_bob", browser_id=known, auth="alice").browser_id is None
    shown = zope.get("/pages/show", browser_id=known, auth="alice").body
    assert "tea" in shown and "bob's rights" in shown


def test_the_same_id_in_two_user_folders_is_two_users(zope, app):
    app.manage_addFolder("branch")
    app.branch.manage_addUserFolder()
    app.branch.acl_users._doAddUser("eve", "pw", ["Member"], [])
    app.acl_users._doAddUser("eve", "pw", ["Member"], [])
    transaction.commit()
    try:
        known = zope.get("/pages/write", "k=secret&v=hers", auth="eve").browser_id
        assert "hers" in zope.get("/pages/show", browser_id=known, auth="eve").body
        assert "hers" not in zope.get("/branch/pages/show", browser_id=known, auth="eve").body
    finally:
        transaction.begin()
        app.acl_users._doDelUsers(["eve"])
        app._delObject("branch")
        transaction.commit()


@pytest.mark.parametrize(("id", "recorded"), [(7, "7"), (b"eve", "b'eve'"), (0, "0")])
def test_a_user_folder_may_have_ids_that_are_no_text(id, recorded):
    assert Principal.of(types.SimpleNamespace(getId=lambda: id)) == Principal(recorded)


def test_a_user_whose_id_is_empty_is_somebody(site):
    nobody = Principal.of(types.SimpleNamespace(getId=str))
    with site.visit() as container:
        container.new_or_existing("visitor")["n"] = 1
    with site.visit() as container:
        container._renewSession("visitor", lambda: "renewed", nobody.id)
    with site.visit() as container:
        assert container["renewed"]["n"] == 1 and container._find("renewed").owner.is_same(nobody)


def test_a_user_with_a_long_id_has_sessions_and_they_can_be_ended(zope, app):
    long = "uid=" + "x" * 300
    app.acl_users._doAddUser(long, "pw", ["Member"], [])
    transaction.commit()
    try:
        known = zope.get("/pages/write", "k=a&v=1", auth=long).browser_id
        assert zope.get("/pages/show", browser_id=known, auth=long).body == "{'a': '1'}"
        transaction.begin()
        (row,) = app.session_data.sessionOverview(user=long)["sessions"]
        assert row["principal"].startswith("uid=x")
        app.session_data.manage_endSessionsOf(row["principal"])
        transaction.begin()
        assert app.session_data.sessionOverview(user=long)["sessions"] == []
    finally:
        transaction.begin()
        app.acl_users._doDelUsers([long])
        transaction.commit()


# Bad input.


def test_an_id_that_is_no_text_is_not_adopted(zope, app):
    for bad in ("35170634BA0x3NnvJDM%ff", "%ff"):
        answer = zope.get("/pages/write", f"k=a&v=1&{NAME}={bad}")
        assert (answer.status, answer.browser_id is not None) == (200, True)


def test_an_id_that_is_no_text_is_an_id_like_others_to_stock_managers(zope, app):
    from coatroom.zope import install

    install.install(app, keep_managers=True)
    transaction.commit()
    answer = zope.get("/pages/write", f"k=a&v=1&{NAME}=35170634BA0x3NnvJDM%ff")
    assert (answer.status, answer.body) == (200, "kept")


@pytest.mark.parametrize(
    "setting, value",
    [
        ("max-value-bytes", "16MB"),
        ("max-value-bytes", "0"),
        ("max-session-bytes", "0"),
        ("max-session-bytes", "100000000000"),
        ("conflict-wait", "soon"),
        ("conflict-wait", "nan"),
    ],
)
def test_a_bad_setting_is_a_503_and_the_log_names_it(zope, app, monkeypatch, caplog, setting, value):
    from coatroom.zope import backends
    from coatroom.zope import settings

    monkeypatch.setenv("COATROOM_" + setting.upper().replace("-", "_"), value)
    backends.close()
    settings.forget()
    with caplog.at_level(logging.WARNING, "coatroom.zope"):
        answer = zope.get("/pages/write", "k=a&v=1")
    monkeypatch.undo()
    backends.close()
    settings.forget()
    assert answer.status == 503
    assert setting in caplog.text and value in caplog.text


def test_a_list_that_goes_on_after_nothing_is_a_bad_request(zope, app):
    from zExceptions import BadRequest

    with pytest.raises(BadRequest, match="after"):
        app.session_data.sessionOverview(after="x")


class AnotherKind(SimpleItem):
    """A session data manager that knows of no browser ids, as other session packages have them."""

    def getSessionData(self, create=1):
        return {}

    def getBrowserIdManager(self):
        raise SessionDataManagerErr("does not support browser ids")


@pytest.mark.parametrize(
    "arguments, http_only",
    [((), True), (("", NAME, ("cookies",), "/", "", 0, 0), True), (("", NAME, ("cookies",), "/", "", 0, 0, 0), False)],
)
def test_the_cookie_is_http_only_unless_somebody_says_otherwise(arguments, http_only):
    assert BrowserIdManager("browser_id_manager", *arguments).getCookieHTTPOnly() == http_only


@pytest.mark.parametrize(
    "attributes",
    [
        {"session_data_manager": AnotherKind()},
        {"session_data_manager": SimpleItem()},
        {"session_data_manager": StockSessionDataManager("session_data_manager", "/session_data"), "browser_id_manager": None},
        {"session_data_manager": StockSessionDataManager("session_data_manager")},
        {"session_data_manager": SessionDataManager("session_data_manager", "/nowhere")},
    ],
)
def test_a_login_works_where_there_are_no_sessions_of_ours(zope, app, attributes):
    known = visitor(zope)
    for name, value in attributes.items():
        setattr(app.pages, name, value)
    transaction.commit()
    assert zope.get("/pages/sign_in", "how=only", browser_id=known).body == "signed in"
