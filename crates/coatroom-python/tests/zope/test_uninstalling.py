"""`coatroom-zope uninstall` leaves nothing of the site in the store, or says where it lies."""

import contextlib
import os
import subprocess
import sys

import pytest
import servers
import transaction
from conftest import Site
from helpers import begin
from test_remains import DAY
from test_remains import MINUTE
from test_remains import delete
from test_remains import namespace_of
from test_remains import noted
from test_remains import stored
from test_remains import tend
from test_remains import told
from ZODB.POSException import ConflictError

from coatroom.zope import backends
from coatroom.zope import commands
from coatroom.zope import install
from coatroom.zope import remains
from coatroom.zope import settings
from coatroom.zope.container import TransientObjectContainer

pytestmark = pytest.mark.usefixtures("no_sweeping_thread")


def uninstall(site):
    """Runs the command; its exit status."""
    transaction.begin()
    connection = site.db.open()
    try:
        return commands._uninstall(connection.root()["Application"], None)
    finally:
        transaction.abort()
        connection.close()


def names_in_root(site):
    connection = site.db.open()
    try:
        return list(connection.root())
    finally:
        connection.close()


def test_uninstalling_removes_what_is_stored_and_says_how_much(make_site, store, capsys):
    site = make_site(timeout_mins=20, addNotification=told)
    namespace = namespace_of(site)
    begin(site, "timed out")
    site.clock.advance(30 * MINUTE)
    begin(site, "a")
    begin(site, "b")
    assert stored(namespace) == (3, 3)
    assert uninstall(site) == 0
    assert capsys.readouterr().out.splitlines() == [
        "removed /sessions",
        "removed the instance's key ring; sessions that are still stored cannot be read any more",
        f"removed 3 sessions from {settings.shown_store()}",
    ]
    assert stored(namespace) == (0, 0)
    assert names_in_root(site) == ["Application"]
    assert uninstall(site) == 0
    assert capsys.readouterr().out == "nothing to do\n"


def test_what_a_container_has_left_that_was_deleted_before_is_removed_too(make_site, capsys):
    site = make_site(timeout_mins=20)
    namespace = namespace_of(site)
    begin(site)
    delete(site)
    assert uninstall(site) == 0
    assert "removed 1 session from" in capsys.readouterr().out
    assert stored(namespace) == (0, 0)


def test_what_a_container_has_left_that_went_unseen_is_removed_too(make_site):
    site = make_site(timeout_mins=0)
    namespace = namespace_of(site)
    begin(site)
    with site.visit() as container:
        container.aq_parent._delOb("sessions")
    assert uninstall(site) == 0
    assert stored(namespace) == (0, 0)


def test_nothing_is_removed_where_the_database_does_not_take_the_change(make_site, monkeypatch):
    def conflicts(app):
        done(app)
        raise ConflictError

    site, done = make_site(timeout_mins=20), install.uninstall
    namespace = namespace_of(site)
    begin(site)
    monkeypatch.setattr(install, "uninstall", conflicts)
    with pytest.raises(ConflictError):
        uninstall(site)
    assert stored(namespace) == (1, 0)


def test_where_it_takes_long_it_is_said_how_far_it_is(make_site, monkeypatch, capsys):
    site = make_site(timeout_mins=20)
    with site.visit() as container:
        for number in range(5):
            container.new_or_existing(f"visitor {number}")["n"] = 1
    monkeypatch.setattr(remains, "_ON_A_PAGE", 1)
    monkeypatch.setattr(commands, "_SAY_EVERY", 2)
    uninstall(site)
    store = settings.shown_store()
    assert capsys.readouterr().out.splitlines()[-3:] == [
        f"removed 2 sessions from {store} so far",
        f"removed 4 sessions from {store} so far",
        f"removed 5 sessions from {store}",
    ]


@pytest.fixture
def on(monkeypatch):
    """Has this process use a store: ``on(url)`` is a site on it."""
    made = []

    def use(url, **options):
        monkeypatch.setenv("COATROOM_STORE", url)
        settings.forget()
        made.append(Site(**options))
        return made[-1]

    monkeypatch.setattr(backends.availability, "SAY_EVERY", 0.0)
    yield use
    for site in made:
        site.close()


@pytest.mark.parametrize("kind", servers.KINDS)
def test_while_the_server_is_away_it_is_said_where_it_lies_and_a_second_run_removes_it(on, kind, capsys):
    road = servers.Road(servers.server_url(kind))
    try:
        site = on(servers.fresh_url(kind, road.url))
        namespace = namespace_of(site)
        begin(site)
        backends.close()
        road.cut()
        assert uninstall(site) == 1
        said = capsys.readouterr().out.splitlines()
        assert f"what /sessions has left still lies in {settings.shown_store()}: " in said[-2]
        assert said[-1] == "run this again when the store can be used, and it removes that"
        assert noted(site) == [namespace]
        road.mend()
        assert uninstall(site) == 0
        assert capsys.readouterr().out == f"removed 1 session from {settings.shown_store()}\n"
        assert stored(namespace) == (0, 0) and names_in_root(site) == ["Application"]
    finally:
        with contextlib.suppress(OSError):
            road.cut()


@contextlib.contextmanager
def held(directory):
    """Another process has a directory of sessions open."""
    code = "import sys, coatroom._native as n; s = n.Store(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, f"embedded:{directory}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield
        process.stdin.close()


def test_a_directory_that_another_process_holds_is_named(on, tmp_path, capsys):
    site = on(f"embedded:{tmp_path}/coatroom")
    namespace = namespace_of(site)
    begin(site)
    backends.close()
    with held(tmp_path / "coatroom"):
        assert uninstall(site) == 1
        assert f"still lies in embedded:{tmp_path}/coatroom: opening" in capsys.readouterr().out
    assert uninstall(site) == 0
    assert stored(namespace) == (0, 0)


def test_what_could_not_be_removed_goes_later_where_the_site_is_installed_again(on, tmp_path):
    site = on(f"embedded:{tmp_path}/coatroom", timeout_mins=0)
    namespace = namespace_of(site)
    begin(site)
    backends.close()
    with held(tmp_path / "coatroom"):
        uninstall(site)
    transaction.begin()
    connection = site.db.open()
    connection.root()["Application"]._setObject("sessions", TransientObjectContainer("sessions"))
    transaction.commit()
    connection.close()
    tend(site, 2 * DAY)
    assert stored(namespace) == (0, 0)


def test_a_directory_that_was_never_made_is_not_made(on, tmp_path, capsys):
    site = on(f"embedded:{tmp_path}/coatroom?durability=every-commit")
    assert uninstall(site) == 0
    assert "removed 0 sessions" in capsys.readouterr().out
    assert not os.path.exists(tmp_path / "coatroom")
