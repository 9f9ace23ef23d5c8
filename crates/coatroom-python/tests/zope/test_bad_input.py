"""Whatever a browser sends as its id: it is no error, opens nobody's session, and is never the new id."""

import io
import urllib.parse

import pytest
from test_identity import ids_in

NAME = "_ZopeId"
#: As the WSGI server hands bytes over: one character for each.
BYTES = b"\xff\xfe\x80\xed\xa0\x80".decode("latin-1")
VALUES = ["", " ", "x", BYTES, "ä" * 20, "0" * 19, "12345678BA00pPnzCAA", "12345678BA00pPnzCAA<script>", "a" * 100 * 1024]
FORMS = ["{}:list=x", "{}=x&{}=y", "{}:int=5", "{}:float=nan", "{}.a:record=x", "{}.a:records=x", "{}:tokens=x y", "{}:bytes=x"]


def gets_a_session(zope, known, answer):
    """Somebody's new session, which keeps what was written; the one that was there keeps what it had."""
    assert answer.status == 200 and answer.body == "kept", answer.body
    assert answer.browser_id not in (None, known)
    assert zope.get("/pages/show", browser_id=answer.browser_id).body == "{'a': '1'}"
    assert zope.get("/pages/show", browser_id=known).body == "{'mark': 'mine'}"


@pytest.fixture
def known(zope, app):
    """The id of a visitor who has a session."""
    return zope.get("/pages/write", "k=mark&v=mine").browser_id


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("by", ["cookie", "form", "post"])
def test_an_id_of_no_form(zope, known, by, value):
    query = "k=a&v=1"
    if by == "cookie":
        answer = zope.get("/pages/write", query, browser_id=value)
    elif by == "form":
        answer = zope.get("/pages/write", f"{query}&{NAME}={urllib.parse.quote(value, encoding='latin-1', errors='replace')}")
    else:
        answer = posted(zope, query, urllib.parse.urlencode({NAME: value}))
    gets_a_session(zope, known, answer)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_id_that_is_no_text(zope, known, method, form):
    form = urllib.parse.quote(form.replace("{}", NAME), safe="=&")
    if method == "GET":
        answer = zope.get("/pages/write", f"k=a&v=1&{form}")
    else:
        answer = posted(zope, "k=a&v=1", form)
    gets_a_session(zope, known, answer)


@pytest.mark.parametrize("change", [lambda id: id[:-1], lambda id: id + "x", lambda id: id.swapcase(), lambda id: id[19:]])
@pytest.mark.parametrize("by", ["cookie", "form"])
def test_an_id_that_is_nearly_one_of_ours(zope, known, by, change):
    if by == "cookie":
        answer = zope.get("/pages/write", "k=a&v=1", browser_id=change(known))
    else:
        answer = zope.get("/pages/write", f"k=a&v=1&{NAME}={change(known)}")
    gets_a_session(zope, known, answer)


def test_an_id_sent_twice_is_none(zope, known):
    gets_a_session(zope, known, zope.get("/pages/write", f"k=a&v=1&{NAME}={known}&{NAME}={known}"))


@pytest.mark.parametrize("value", ["x", "12345678BA00pPnzCAA", "12345678BA00pPnzCAA<x>", "a" * 100 * 1024], ids=range(4))
def test_an_id_in_the_url(zope, app, known, value):
    with ids_in(app, "cookies", "url", encoding=0):
        answer = zope.get(f"/{NAME}/{value}/pages/write", "k=a&v=1")
        if answer.status == 404:
            # What has not the form of an id is a part of the path, of nothing.
            assert zope.get("/pages/show", browser_id=known).body == "{'mark': 'mine'}"
        else:
            gets_a_session(zope, known, answer)


def posted(zope, query, body):
    return zope.get(
        "/pages/write",
        query,
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/x-www-form-urlencoded",
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body.encode())},
    )
