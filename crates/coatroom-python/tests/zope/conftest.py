import os

os.environ["COATROOM_STORE"] = "memory:"

import pytest
import transaction
import ZODB
from OFS.Application import Application
from ZODB.DemoStorage import DemoStorage

from coatroom import ManualClock
from coatroom.zope import houses
from coatroom.zope.container import TransientObjectContainer


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

    def visit(self, manager=None):
        return Visit(self, manager)

    def close(self):
        transaction.abort()
        TransientObjectContainer._clock = None
        self.db.close()
        houses.close()


class Visit:
    """``with site.visit() as container``: commits at the end, aborts when it raises."""

    def __init__(self, site, manager):
        self.site = site

    def __enter__(self):
        transaction.begin()
        self.connection = self.site.db.open()
        return self.connection.root()["Application"].sessions

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


@pytest.fixture
def site():
    made = Site()
    yield made
    made.close()


@pytest.fixture
def make_site():
    made = []

    def make(**settings):
        made.append(Site(**settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
