"""The management interface: what its pages show, and what their forms may do."""

import io
import re
import urllib.parse

import pytest
import transaction

from coatroom.zope import backends
from coatroom.zope import console
from coatroom.zope import settings
from coatroom.zope.principals import Principal

TAB = "/session_data/manage_sessions"
END, END_ALL = "/session_data/manage_endSession", "/session_data/manage_endSessionsOf"
CHANGE = "/session_data/manage_changeTransientObjectContainer"
ADD = "/manage_addProduct/Coatroom/constructTransientObjectContainer"
ODD = "<script>alert(1)</script>"


@pytest.fixture
def manager(app):
    """A user who may do everything, and one who may look."""
    app.acl_users._doAddUser("boss", "pw", ["Manager"], [])
    app.acl_users._doAddUser("looker", "pw", ["Looker"], [])
    app.__ac_roles__ = (*app.__ac_roles__, "Looker")
    app.session_data.manage_permission("View management screens", ["Manager", "Looker"])
    transaction.commit()
    yield "boss"
    transaction.begin()
    app.acl_users._doDelUsers(["boss", "looker"])
    del app.__ac_roles__
    transaction.commit()


def begin(app, count, user=None):
    for number in range(count):
        session = app.session_data.new_or_existing(f"{user}{number}")
        session["n"] = number
        session.aq_base._state().principal = Principal(user) if user else None
    transaction.commit()


def post(zope, path, auth="boss", **form):
    body = urllib.parse.urlencode(form).encode()
    return zope.get(
        path,
        auth=auth,
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/x-www-form-urlencoded",
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body)},
    )


def shown(zope, query="", auth="boss"):
    answer = zope.get(TAB, query, auth=auth)
    assert answer.status == 200, answer.body
    return answer.body


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page)[1]


def locators(page):
    return re.findall(r'name="locator" value="([0-9a-f]{32})"', page)


def test_all_sessions_are_listed_page_by_page(zope, app, manager):
    begin(app, console._ON_A_PAGE + 3)
    first = shown(zope)
    assert ">53</dd>" in first and len(locators(first)) == console._ON_A_PAGE
    second = shown(zope, re.search(r'manage_sessions\?(after=\w+)"', first)[1])
    assert len(locators(second)) == 3 and "First page" in second and "after=" not in second.split("First page")[1]
    assert len({*locators(first), *locators(second)}) == 53


def test_a_users_sessions_are_shown_up_to_a_number(zope, app, manager, monkeypatch):
    monkeypatch.setattr(console, "_OF_A_USER", 2)
    begin(app, 5, "alice")
    page = shown(zope, "user=alice")
    assert len(locators(page)) == 2 and "And 3 more" in page
    ended = post(zope, END_ALL, user="alice", token=token_of(page))
    assert "5 sessions of alice ended." in ended.body and len(app.session_data) == 0


def test_ending_one_session_keeps_the_list_of_its_user(zope, app, manager):
    begin(app, 2, "alice")
    begin(app, 1, "bob")
    page = shown(zope, "user=alice")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.split("manage_endSession\"")[1]))
    after = post(zope, END, **form).body
    assert "Session ended." in after and len(locators(after)) == 1 and "End all sessions of alice" in after
    assert post(zope, END, **form).body.count("ended already") == 1


def test_a_users_id_is_text_and_leads_to_the_users_sessions(zope, app, manager):
    begin(app, 1, ODD)
    page = shown(zope)
    assert ODD not in page and "&lt;script&gt;" in page
    (query,) = re.findall(r'manage_sessions\?(user=[^"]+)"', page)
    assert len(locators(shown(zope, query))) == 1


def test_who_may_only_look_gets_no_buttons(zope, app, manager):
    begin(app, 1, "alice")
    page = shown(zope, "user=alice", auth="looker")
    assert "alice" in page and locators(page) == [] and "End all" not in page and "token" not in page
    # Who may not gets the same answer with a good token.
    token = token_of(shown(zope))
    assert post(zope, END_ALL, auth="looker", user="alice", token=token).status == 401
    assert len(app.session_data) == 1


@pytest.mark.parametrize("query", ["user:list=a", "user=a&user=b", "user:int=1", "user.x:record=a", "after:list=a", "after=x"])
def test_a_list_of_what_is_no_text_is_a_bad_request(zope, app, manager, query):
    answer = zope.get(TAB, query, auth="boss")
    assert answer.status == 400, answer.body


@pytest.mark.parametrize(
    "path, form, status",
    [
        (END, {"locator:list": "0" * 32}, 400),
        (END_ALL, {"user": ""}, 400),
        (END_ALL, {"user:list": "alice"}, 400),
        (END_ALL, {"user": "\0superseded"}, 400),
        (END, {"locator": "0" * 32, "token:list": "x"}, 403),
        (END, {"locator": "0" * 32, "token:int": "1"}, 403),
        (CHANGE, {"timeout_mins:int": "1", "period_secs:int": "45"}, 400),
        (CHANGE, {"timeout_mins": "1"}, 400),
        (CHANGE, {"limit:int": "-1"}, 400),
        (ADD, {"id": "more", "timeout_mins:int": "-1"}, 400),
    ],
)
def test_a_form_that_cannot_hold_changes_nothing(zope, app, manager, path, form, status):
    begin(app, 1, "alice")
    token = {} if any(name.startswith("token") for name in form) else {"token": token_of(shown(zope))}
    answer = post(zope, path, title="changed", **form, **token)
    assert answer.status == status, answer.body
    transaction.begin()
    assert len(app.session_data) == 1 and "more" not in app.objectIds()
    assert (app.session_data.title, app.session_data.getTimeoutMinutes()) == ("Sessions", 20)


@pytest.mark.parametrize("path, query", [(CHANGE, "timeout_mins:int=5"), (ADD, "id=more")])
def test_settings_are_changed_by_post_alone(zope, app, manager, path, query):
    assert zope.get(path, query, auth="boss").status == 403
    transaction.begin()
    assert app.session_data.getTimeoutMinutes() == 20 and "more" not in app.objectIds()


def test_the_tab_says_what_is_wrong_with_the_store(zope, app, manager, monkeypatch):
    monkeypatch.setenv("COATROOM_STORE", "redis://:d0ntShowThis@127.0.0.1:1")
    backends.close()
    settings.forget()
    page, settings_page = shown(zope), zope.get("/session_data/manage_container", auth="boss")
    monkeypatch.undo()
    backends.close()
    settings.forget()
    assert "The store cannot be used" in page and "127.0.0.1:1 failed" in page and "20 minutes" in page
    assert settings_page.status == 200 and "timeout_mins" in settings_page.body
    assert "d0ntShowThis" not in page and "End all" not in page
