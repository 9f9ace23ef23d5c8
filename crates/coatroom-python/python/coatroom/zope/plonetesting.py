"""The testing layers for Plone; see coatroom.zope.testing."""

import contextlib

from plone.app.testing import PLONE_FIXTURE
from plone.app.testing import FunctionalTesting
from plone.app.testing import IntegrationTesting
from plone.app.testing import PloneSandboxLayer
from plone.testing import zope

from coatroom.zope import testing


class CoatroomLayer(PloneSandboxLayer):
    """A Plone site whose sessions are Coatroom's, in memory."""

    defaultBases = (PLONE_FIXTURE,)

    def setUpZope(self, app, configurationContext):
        import Products.Coatroom

        self.loadZCML(package=Products.Coatroom)
        zope.installProduct(app, "Products.Sessions")
        self._stack = contextlib.ExitStack()
        self["clock"] = self._stack.enter_context(testing.sessions_in_memory(app))

    def tearDownZope(self, app):
        self._stack.close()
        del self["clock"]

    def testTearDown(self):
        testing.backends.close()


class CoatroomIntegrationTesting(IntegrationTesting):
    """Gives the test's request its session, as traversal does for requests that come from outside.

    For layers of add-ons, whose bases have COATROOM_FIXTURE.
    """

    def testSetUp(self):
        super().testSetUp()
        _equip(self)


class CoatroomFunctionalTesting(FunctionalTesting):
    """The same for tests that commit."""

    def testSetUp(self):
        super().testSetUp()
        _equip(self)


def _equip(layer):
    layer["request"].set_lazy("SESSION", layer["portal"].session_data_manager.getSessionData)


COATROOM_FIXTURE = CoatroomLayer()
COATROOM_INTEGRATION_TESTING = CoatroomIntegrationTesting(bases=(COATROOM_FIXTURE,), name="Coatroom:Integration")
COATROOM_FUNCTIONAL_TESTING = CoatroomFunctionalTesting(bases=(COATROOM_FIXTURE,), name="Coatroom:Functional")
