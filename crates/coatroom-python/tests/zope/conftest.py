import os

os.environ["COATROOM_STORE"] = "memory:"

import pytest
import servers
import transaction
import ZODB
from OFS.Application import Application
from OFS.Folder import Folder
from ZODB.DemoStorage import DemoStorage

from coatroom import ManualClock
from coatroom.zope import backends
from coatroom.zope import housekeeping
from coatroom.zope import settings
from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.seldom import seldom


class Site:
    """A database with a container in it; each ``visit`` is a transaction on a connection of its own."""

    def __init__(self, **settings):
        self.db = ZODB.DB(DemoStorage())
        self.clock = ManualClock()
        TransientObjectContainer._clock = self.clock
        self.connections = []
        app = Application()
        connection = self.db.open()
        connection.root()["Application"] = app
        transaction.commit()
        app._setObject("sessions", TransientObjectContainer("sessions", **settings))
        transaction.commit()
        connection.close()

    def container(self, connection):
        return connection.root()["Application"].sessions

    def visit(self, manager=None):
        return Visit(self, manager)

    def close(self):
        transaction.abort()
        TransientObjectContainer._clock = None
        self.db.close()
        backends.close()


class MountedSite(Site):
    """The container lies in a database of its own, which is mounted at /temp_folder."""

    def __init__(self, **settings):
        databases = {}
        self.db = ZODB.DB(DemoStorage(), databases=databases, database_name="main")
        self.mounted = ZODB.DB(DemoStorage(), databases=databases, database_name="temporary")
        self.clock = TransientObjectContainer._clock = ManualClock()
        connection = self.db.open()
        app = connection.root()["Application"] = Application()
        folder = connection.get_connection("temporary").root()["folder"] = Folder("temp_folder")
        transaction.commit()
        app._setOb("temp_folder", folder)
        app.temp_folder._setObject("sessions", TransientObjectContainer("sessions", **settings))
        transaction.commit()
        connection.close()

    def container(self, connection):
        return connection.root()["Application"].temp_folder.sessions

    def close(self):
        super().close()
        self.mounted.close()


class Visit:
    """``with site.visit() as container``: commits at the end, aborts when it raises."""

    def __init__(self, site, manager):
        self.site = site

    def __enter__(self):
        transaction.begin()
        self.connection = self.site.db.open()
        return self.site.container(self.connection)

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                transaction.commit()
            else:
                transaction.abort()
        except BaseException:
            transaction.abort()
            raise
        finally:
            self.connection.close()


@pytest.fixture(autouse=True)
def said_anew():
    """The log has what a test before has had logged, too."""
    seldom.forget_all()
    backends.availability.forget()


@pytest.fixture(params=["memory", *servers.KINDS])
def empty(request):
    """The URL of an empty store of each kind."""
    return "memory:" if request.param == "memory" else servers.fresh_url(request.param)


@pytest.fixture
def store(empty, monkeypatch):
    """The URL of the empty store which the sites of a test are on."""
    monkeypatch.setenv("COATROOM_STORE", empty)
    settings.forget()
    yield empty
    backends.close()


@pytest.fixture
def site(store):
    made = Site()
    yield made
    made.close()


@pytest.fixture
def make_site(store):
    made = []

    def make(**settings):
        made.append(Site(**settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def zope(tmp_path_factory):
    """A Zope that is asked over its publisher; see served.py."""
    import served

    served.start(tmp_path_factory.mktemp("instance"))
    return served


@pytest.fixture
def app(zope):
    """Its application, with sessions on Coatroom, two users, and pages to ask for."""
    with zope.application() as app:
        yield app
    backends.close()


@pytest.fixture
def no_sweeping_thread(monkeypatch):
    """Nobody sweeps but the test; neither does the thread that another test has started."""
    monkeypatch.setattr(housekeeping, "_start_thread", lambda: None)
    monkeypatch.setattr(housekeeping, "_sweep", lambda: None)
