"""For the tests of add-ons that use sessions.

A session, or a container, in one line, kept in memory and on a clock that the test moves::

    from coatroom.zope.testing import memory_session

    session = memory_session(cart=["tea"])
    session["visits"] = 1

    container, clock = memory_container(timeout_mins=20)
    visitor = container.new_or_existing("visitor")
    clock.advance(21 * 60)
    assert "visitor" not in container

and a layer for Plone's integration tests, whose ``session_data_manager`` works, is empty in each
test, and lasts as long as the test's clock says::

    class TestCheckout(unittest.TestCase):
        layer = COATROOM_INTEGRATION_TESTING

        def test_a_cart_ends_with_its_session(self):
            sdm = self.layer["portal"].session_data_manager
            sdm.getSessionData()["cart"] = ["tea"]
            self.layer["clock"].advance(21 * 60)
            self.assertNotIn("cart", sdm.getSessionData())

An add-on's own layer is made on COATROOM_FIXTURE with CoatroomIntegrationTesting or
CoatroomFunctionalTesting, so that its requests have a session, too.
"""

import contextlib
import os

import transaction

from coatroom import ManualClock
from coatroom.zope import backends
from coatroom.zope import housekeeping
from coatroom.zope import settings
from coatroom.zope.container import TransientObjectContainer

MEMORY = "memory:"


class MemoryContainer(TransientObjectContainer):
    """A container whose sessions lie in memory, whatever the configuration says."""

    _store = MEMORY


def memory_container(clock=None, **options):
    """A container whose sessions lie in this process' memory, and its clock.

    ``options`` are those of TransientObjectContainer.
    """
    container = MemoryContainer("session_data", **options)
    container._clock = clock or ManualClock()
    return container, container._clock


def memory_session(**values):
    """A session that holds ``values``, in a container of its own: for a unit test."""
    container, _clock = memory_container()
    session = container.new_or_existing("visitor")
    for key, value in values.items():
        session[key] = value
    return session


@contextlib.contextmanager
def sessions_in_memory(app, **options):
    """The sessions of an application object in memory, from here to the end of the block: its clock.

    Leaves the application as coatroom-zope install does, for a test that throws it away. Within the
    block nothing is swept or told unless the container's ``housekeep()`` is called.
    """
    from coatroom.zope import install

    before = os.environ.get("COATROOM_STORE")
    os.environ["COATROOM_STORE"] = MEMORY
    settings.forget()
    clock = TransientObjectContainer._clock = ManualClock()
    swept, housekeeping.sweeps_by_itself = housekeeping.sweeps_by_itself, False
    try:
        install.install(app, **options)
        yield clock
    finally:
        transaction.abort()
        TransientObjectContainer._clock = None
        housekeeping.sweeps_by_itself = swept
        if before is None:
            del os.environ["COATROOM_STORE"]
        else:
            os.environ["COATROOM_STORE"] = before
        backends.close()


_LAYERS = (
    "COATROOM_FIXTURE",
    "COATROOM_INTEGRATION_TESTING",
    "COATROOM_FUNCTIONAL_TESTING",
    "CoatroomIntegrationTesting",
    "CoatroomFunctionalTesting",
)


def __getattr__(name):
    """The Plone layers need plone.app.testing, which only they are to ask for."""
    if name in _LAYERS:
        from coatroom.zope import plonetesting

        return getattr(plonetesting, name)
    raise AttributeError(name)
