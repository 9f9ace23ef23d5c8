"""A store on a server: what happens while it is away, and that nobody learns its password."""

import contextlib
import os
import threading
import time
import traceback
import urllib.parse

import pytest
import servers
from conftest import Site
from helpers import VISITOR
from helpers import begin
from helpers import read
from transaction.interfaces import TransientError

from coatroom.zope import backends
from coatroom.zope import settings
from coatroom.zope.errors import SessionStoreUnavailable

SECRET = "d0ntShowThis"


@pytest.fixture(params=servers.KINDS)
def server(request):
    """The URL of a server."""
    return servers.server_url(request.param)


@pytest.fixture
def on(monkeypatch, no_sweeping_thread):
    """Has this process use a store: ``on(url)`` is a site on it."""
    made = []

    def use(url):
        monkeypatch.setenv("COATROOM_STORE", url)
        settings.forget()
        made.append(Site())
        return made[-1]

    monkeypatch.setattr(backends.availability, "SAY_EVERY", 0.0)
    yield use
    for site in made:
        site.close()


@pytest.fixture
def road(server):
    """A way to the server that can be cut."""
    way = servers.Road(server)
    yield way
    with contextlib.suppress(OSError):
        way.cut()


def fresh(road):
    return servers.fresh_url(road.url.split(":")[0], road.url)


def eventually(work, seconds=20.0):
    """What ``work`` gives once the store can be used again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except SessionStoreUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def assert_unavailable(error):
    assert error.getStatus() == 503 and error.headers["Retry-After"]
    assert not isinstance(error, TransientError)


def test_a_server_that_is_away_at_the_start_is_a_503_until_it_is_there(on, road, caplog):
    url = fresh(road)
    road.cut()
    site = on(url)
    with pytest.raises(SessionStoreUnavailable) as raised:
        begin(site, n=1)
    assert_unavailable(raised.value)
    assert "cannot be reached" in str(raised.value) and "127.0.0.1" in str(raised.value)
    road.mend()
    eventually(lambda: begin(site, n=1))
    assert read(site) == {"n": 1}
    assert "pages that use sessions answer 503" in caplog.text
    assert "can be used again" in caplog.text


def test_a_server_that_goes_away_is_a_503_and_nothing_acknowledged_is_lost(on, road):
    site = on(fresh(road))
    begin(site, n=1)
    road.cut()
    for _ in range(3):
        with pytest.raises(SessionStoreUnavailable) as raised:
            read(site)
        assert_unavailable(raised.value)
    road.mend()
    assert eventually(lambda: read(site)) == {"n": 1}
    begin(site, n=2)
    assert read(site) == {"n": 2}


def test_a_server_that_goes_away_before_the_commit_keeps_nothing_of_it(on, road):
    site = on(fresh(road))
    begin(site, n=1)
    with pytest.raises(SessionStoreUnavailable) as raised, site.visit() as container:
        container[VISITOR]["n"] = 2
        road.cut()
    assert_unavailable(raised.value)
    road.mend()
    assert eventually(lambda: read(site)) == {"n": 1}


def test_connections_cut_in_the_middle_lose_nothing_acknowledged(on, road):
    site = on(fresh(road))
    begin(site, begun=True)
    kept, failed = [0] * 4, [0] * 4

    def run(number):
        key = f"k{number}"
        while kept[number] < 30:
            try:
                with site.visit() as container:
                    session = container[VISITOR]
                    session[key] = session.get(key, 0) + 1
                kept[number] += 1
            except (SessionStoreUnavailable, TransientError):
                failed[number] += 1
                time.sleep(0.01)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for times in range(1, 6):
        deadline = time.monotonic() + 30
        while sum(kept) < 20 * times and time.monotonic() < deadline:
            time.sleep(0.001)
        road.cut()
        road.mend()
    for thread in threads:
        thread.join(60)
    found = eventually(lambda: read(site))
    for number in range(4):
        assert 30 == kept[number] <= found[f"k{number}"] <= kept[number] + failed[number]


def test_requests_that_wait_for_a_server_that_is_away_fail_together(on, road, monkeypatch):
    site = on(fresh(road))
    opened, first = [], threading.Event()

    def slow(url):
        opened.append(url)
        first.set()
        time.sleep(0.5)
        raise backends._native.StoreUnavailable("nobody answers")

    monkeypatch.setattr(backends._native, "Store", slow)
    failed = []

    def run():
        try:
            read(site)
        except SessionStoreUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    threads[0].start()
    first.wait(10)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 4 and len(opened) < 4


@pytest.mark.parametrize("what", ["password", "database"])
def test_a_wrong_password_or_database_is_told_at_the_first_use(on, server, what):
    wrong = {"password": SECRET} if what == "password" else {"database": "7777"}
    site = on(servers.credentials(server, **wrong))
    with pytest.raises(SessionStoreUnavailable) as raised:
        read(site)
    assert_unavailable(raised.value)
    remedy = "check the user and password" if what == "password" else "there is no database"
    assert remedy in str(raised.value)


@pytest.mark.parametrize("url", ["redis://:{}@h:port", "postgres://u:{}@h/d?sch=x", "mysql://u:{}@h/d"])
def test_a_url_that_is_none_is_told_at_the_first_use(on, url):
    site = on(url.format(SECRET))
    with pytest.raises(SessionStoreUnavailable) as raised:
        read(site)
    assert_unavailable(raised.value)
    assert "opening the session store failed" in str(raised.value)
    assert_hidden(told(raised))


def told(raised):
    """What of an error gets into a log."""
    return "".join(traceback.format_exception(raised.value)) + repr(raised.value)


def assert_hidden(*texts):
    for text in texts:
        assert text and SECRET not in text


def test_a_password_is_in_no_log_representation_traceback_or_tab(on, server, caplog, capsys):
    caplog.set_level("DEBUG")
    site = on(servers.credentials(server, password=SECRET))
    with pytest.raises(SessionStoreUnavailable) as raised:
        read(site)
    assert_hidden(told(raised), caplog.text, settings.shown_store())
    assert "***" in settings.shown_store()


def test_a_password_that_opens_is_not_shown_either(on, caplog, monkeypatch, capsys):
    from coatroom.zope import commands
    from coatroom.zope import overview

    server = servers.server_url("postgres")
    password = urllib.parse.urlsplit(server).password
    caplog.set_level("DEBUG")
    site = on(servers.fresh_url("postgres", server))
    begin(site, n=1)
    with site.visit() as container:
        state = container[VISITOR].aq_base._state()
        shown = container.sessionOverview()["store"]
        texts = [shown, repr(state), repr(state.backend), repr(vars(state.backend)), repr(state.native), repr(state.jar)]
        monkeypatch.setattr(overview, "status", lambda app: [])
        commands._status(container.aq_parent, None)
    texts += [capsys.readouterr().out, caplog.text or "nothing"]
    assert "***" in shown
    for text in texts:
        assert f":{password}@" not in text


def test_a_forked_child_opens_its_own_and_leaves_the_parents_alone(on, road):
    site = on(fresh(road))
    begin(site, n=1)
    held = backends.all_backends()[0].manager
    before = road.connections()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert backends.all_backends() == []
            with pytest.raises(backends._native.ForkedError):
                held.count()
            begin(site, n=read(site)["n"] + 1)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            del held
            backends._backends.clear()
            backends._stores.clear()
            os._exit(code)
    assert ended(child) == 0
    assert read(site) == {"n": 2}
    assert road.connections() >= before, "the parent's are open still"


def ended(child, seconds=30.0):
    """The status of a child that ends by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")
