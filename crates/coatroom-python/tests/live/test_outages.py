"""What visitors see when something is missing: a class, room, or the store itself."""

import contextlib
import subprocess
import time
import urllib.parse

import pytest
import servers
from instance import Browser


def data(browser):
    return browser.get("/sess-read").json["data"]


def test_an_object_whose_class_is_gone_hurts_no_page_and_stays_as_it_was(fresh):
    instance = fresh()
    instance.start()
    browser = Browser(instance)
    browser.get("/sess-keepsake")
    browser.get("/sess-increment")
    instance.stop()
    instance.environment["COATROOMSITE_WITHOUT_KEEPSAKE"] = "1"
    instance.start()
    assert "broken" in data(browser)["keepsake"]
    assert browser.get("/sess-increment").json == 2
    instance.stop()
    del instance.environment["COATROOMSITE_WITHOUT_KEEPSAKE"]
    instance.start()
    assert data(browser) == {"keepsake": "Keepsake('tea')", "n": "2"}


def test_a_value_over_the_limit_is_refused_and_the_session_stays(instance):
    browser = Browser(instance)
    browser.get("/sess-increment")
    assert browser.get("/sess-size", bytes=17_000_000).status == 500
    assert "keeping session key 'big' failed: 17000" in instance.log()
    assert "max-value-bytes is 16777216" in instance.log()
    assert data(browser) == {"n": "1"}
    assert browser.get("/sess-size", bytes=16_000_000).status == 200
    assert browser.get("/sess-set", key="big", value="small").status == 200


def test_a_store_that_cannot_be_opened_costs_only_the_pages_that_use_sessions(fresh):
    instance = fresh()
    (instance.place / "var/coatroom").write_text("a file where the directory should be")
    instance.start()
    browser = Browser(instance)
    assert browser.get("/sess-plain").status == 200
    answer = browser.get("/sess-increment")
    assert answer.status == 503
    (instance.place / "var/coatroom").unlink()
    assert browser.get("/sess-increment").json == 1


@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_server_that_is_away_costs_only_the_pages_that_use_sessions(fresh, kind):
    road = servers.Road(servers.server_url(kind))
    instance = fresh()
    instance.environment["COATROOM_STORE"] = servers.fresh_url(kind, road.url)
    road.cut()
    instance.start()
    visitors = [Browser(instance, site=site) for site in ("", "/Plone")]
    expect_away(visitors)
    road.mend()
    for visitor in visitors:
        until_served(visitor)
    before = [int(data(visitor)["n"]) for visitor in visitors]
    road.cut()
    expect_away(visitors)
    road.mend()
    for visitor, kept in zip(visitors, before):
        assert until_served(visitor) == kept + 1
    assert "can be used again" in instance.log()
    password = urllib.parse.urlsplit(road.url).password
    assert password is None or f":{password}@" not in instance.log()


def expect_away(visitors):
    for visitor in visitors:
        for _ in range(3):
            answer = visitor.get("/sess-increment")
            assert answer.status == 503 and dict(answer.headers)["Retry-After"]
        assert visitor.get("/sess-plain").status == 200


def until_served(visitor, seconds=30.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = visitor.get("/sess-increment")
        if answer.status == 200:
            return answer.json
        assert answer.status == 503
        time.sleep(0.1)
    raise AssertionError("the server is not used again")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=220m", "tmpfs", place]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_refuses_writers_and_loses_nothing(fresh, small_disk):
    instance = fresh()
    instance.environment["COATROOM_STORE"] = f"embedded:{small_disk / 'sessions'}"
    instance.start()
    browser, hoarder = Browser(instance), Browser(instance)
    counted = [browser.get("/sess-increment").json for _ in range(3)]
    assert counted == [1, 2, 3]
    ballast = small_disk / "ballast"
    fill(ballast)
    statuses = [hoarder.get("/sess-size", bytes=4_000_000).status for _ in range(40)]
    assert statuses[-1] == 503 and set(statuses) <= {200, 503}
    assert data(browser)["n"] == "3"
    ballast.unlink()
    after = [browser.get("/sess-increment").status for _ in range(20)]
    assert after[-1] == 200
    instance.stop(kill=True)
    instance.start()
    assert data(browser)["n"] == str(3 + after.count(200))


def fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
