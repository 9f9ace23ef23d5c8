"""Every example of Plone's documentation on sessions, as printed, in a real Plone."""

import pytest


def step(browser, name, **arguments):
    return browser.get("/sess-documentation", step=name, **arguments).json


def test_a_parameter_that_was_set_is_there_in_the_next_request(browser):
    assert step(browser, "get") is None
    step(browser, "set", value="tea")
    assert step(browser, "get") == "tea"


def test_the_session_id_is_none_until_there_is_a_session(browser):
    assert step(browser, "id") is None
    step(browser, "set")
    assert step(browser, "id") == browser.cookies["_ZopeId"]


def test_a_persistent_object_in_a_session_saves_itself(browser):
    assert step(browser, "look") is None
    assert [step(browser, "checkout") for _ in range(3)] == [1, 2, 3]
    assert step(browser, "look") == 3


def test_another_browsers_session_is_found_by_its_id(browser):
    step(browser, "checkout")
    other = browser.copy()
    other.cookies.clear()
    assert step(other, "checkout-of", browser_id=browser.cookies["_ZopeId"]) == 1
    assert step(other, "checkout-of", browser_id="12345678A0C3EHnUi90w") is None


def test_session_data_is_deleted(browser):
    assert step(browser, "destroy") == 0
    step(browser, "cart")
    assert step(browser, "destroy") == 0


def test_sessions_are_browser_specific(browser):
    step(browser, "set", value="mine")
    other = browser.copy()
    other.cookies.clear()
    assert step(other, "get") is None


@pytest.mark.parametrize("page", ["python", "template", "dtml"])
def test_sessions_are_there_for_code_in_the_zodb(browser, page):
    admin = browser.copy()
    admin.site = ""
    assert admin.get(f"/through/{page}").body.strip() == "1"
    assert admin.get(f"/through/{page}").body.strip() == "2"
