"""What PAS itself keeps in the session."""

import base64

from instance import Browser

BASIC = {"Authorization": "Basic " + base64.b64encode(b"guest:secret12345").decode()}


def test_the_session_auth_helper_keeps_a_visitor_signed_in(instance):
    browser = Browser(instance, site="/pas")
    assert browser.get("/sess-read").json["user"] is None
    assert browser.request("GET", "/pas/sess-read", headers=BASIC).json["user"] == "guest"
    assert browser.get("/sess-read").json["user"] == "guest"
    browser.get("/sess-sign-out")
    assert browser.get("/sess-read").json["user"] is None


def test_the_token_against_forged_requests_lasts_as_long_as_the_session(instance):
    browser = Browser(instance)
    token = browser.get("/sess-token").json
    assert browser.get("/sess-token").json == token
    assert browser.post("/sess-token", csrf_token=token).json is True
    assert browser.post("/sess-token", csrf_token="forged").status == 403
    stranger = Browser(instance)
    assert stranger.post("/sess-token", csrf_token=token).status == 403
