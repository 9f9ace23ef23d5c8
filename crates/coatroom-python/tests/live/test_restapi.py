"""Sessions in services of plone.restapi, as a frontend such as Volto asks for them."""

import json

import pytest
from conftest import copy_of
from instance import Browser

JSON = {"Accept": "application/json", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def instance(made, tmp_path_factory):
    """With plone.restapi's plugin for tokens, as in a site made for Volto."""
    running = copy_of(made, tmp_path_factory.mktemp("restapi") / "instance")
    script = running.place / "restapi.py"
    script.write_text(
        "import transaction\n"
        "from zope.component.hooks import setSite\n"
        "setSite(app.Plone)\n"
        "app.Plone.portal_setup.runAllImportStepsFromProfile('profile-plone.restapi:default')\n"
        "transaction.commit()\n"
    )
    running.zconsole(script)
    yield running.start()
    running.stop()


def ask(browser, method, path, body=None, **headers):
    sent = json.dumps(body) if body is not None else None
    return browser.request(method, f"/Plone/{path}", sent, {**JSON, **headers})


def test_a_service_has_the_visitors_session(browser):
    assert ask(browser, "GET", "@session").json == {"has": False}
    assert browser.cookies == {}
    assert ask(browser, "POST", "@session", {"cart": ["tea"]}).json == {"cart": ["tea"]}
    assert ask(browser, "GET", "@session").json == {"has": True, "cart": ["tea"]}


def test_login_keeps_the_session_under_another_id_and_logout_ends_it(browser):
    ask(browser, "POST", "@session", {"cart": ["tea"]})
    before = browser.copy()
    token = ask(browser, "POST", "@login", {"login": "member", "password": "secret12345"}).json["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert ask(browser, "GET", "@session", **bearer).json["cart"] == ["tea"]
    assert browser.cookies["_ZopeId"] != before.cookies["_ZopeId"]
    assert ask(before, "GET", "@session").json == {"has": False}
    stolen = browser.copy()
    assert ask(browser, "POST", "@logout", **bearer).status == 204
    assert ask(stolen, "GET", "@session").json == {"has": False}


def test_a_token_without_the_cookie_begins_a_session_of_its_own(browser):
    ask(browser, "POST", "@session", {"cart": ["tea"]})
    token = ask(browser, "POST", "@login", {"login": "member", "password": "secret12345"}).json["token"]
    bare, bearer = Browser(browser.instance), {"Authorization": f"Bearer {token}"}
    assert ask(bare, "GET", "@session", **bearer).json == {"has": False}
    assert ask(bare, "POST", "@session", {"n": 1}, **bearer).json == {"n": 1}
    assert ask(bare, "GET", "@session", **bearer).json == {"has": True, "n": 1}


def test_a_preflight_makes_no_session(browser):
    origin = {"Origin": "http://front.example", "Access-Control-Request-Method": "POST"}
    answer = ask(browser, "OPTIONS", "@session", **origin)
    assert ("Access-Control-Allow-Origin", "http://front.example") in answer.headers
    assert answer.status == 200 and browser.cookies == {}


def test_a_service_that_fails_leaves_the_session_as_it_was(browser):
    ask(browser, "POST", "@session", {"n": 1})
    assert ask(browser, "POST", "@session", {"n": 2, "fail": True}).status == 400
    assert ask(browser, "GET", "@session").json == {"has": True, "n": 1}
