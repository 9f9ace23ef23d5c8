"""An add-on's own tests, with what coatroom.zope.testing gives them."""

import threading
import unittest

import transaction
from plone.app.testing import PloneSandboxLayer
from Products.Five.browser import BrowserView
from zope.component import provideAdapter
from zope.component import queryMultiAdapter
from zope.interface import Interface

from coatroom.zope.testing import COATROOM_FIXTURE
from coatroom.zope.testing import COATROOM_FUNCTIONAL_TESTING
from coatroom.zope.testing import COATROOM_INTEGRATION_TESTING
from coatroom.zope.testing import CoatroomFunctionalTesting
from coatroom.zope.testing import CoatroomIntegrationTesting
from coatroom.zope.testing import memory_container
from coatroom.zope.testing import memory_session


def add_to_cart(session, thing):
    session["cart"] = session.get("cart", []) + [thing]


class TestUnit(unittest.TestCase):
    def tearDown(self):
        transaction.abort()

    def test_a_session_in_one_line(self):
        session = memory_session(cart=["tea"])
        add_to_cart(session, "milk")
        self.assertEqual(session["cart"], ["tea", "milk"])

    def test_a_container_and_its_clock(self):
        container, clock = memory_container(timeout_mins=20)
        add_to_cart(container.new_or_existing("visitor"), "tea")
        transaction.commit()
        self.assertEqual(container["visitor"]["cart"], ["tea"])
        transaction.commit()
        clock.advance(21 * 60)
        self.assertNotIn("visitor", container)


class TestIntegration(unittest.TestCase):
    layer = COATROOM_INTEGRATION_TESTING

    def test_the_request_has_a_session(self):
        sdm = self.layer["portal"].session_data_manager
        add_to_cart(sdm.getSessionData(create=True), "tea")
        self.assertEqual(sdm.getSessionData()["cart"], ["tea"])

    def test_it_is_empty_again_in_the_next_test(self):
        sdm = self.layer["portal"].session_data_manager
        self.assertEqual(sdm.getSessionData(create=True).keys(), [])

    def test_a_cart_ends_with_its_session(self):
        sdm = self.layer["portal"].session_data_manager
        add_to_cart(sdm.getSessionData(create=True), "tea")
        self.layer["clock"].advance(21 * 60)
        self.assertFalse(sdm.getSessionData().has_key("cart"))


class TestFunctional(unittest.TestCase):
    layer = COATROOM_FUNCTIONAL_TESTING

    def test_what_was_committed_is_there(self):
        sdm = self.layer["portal"].session_data_manager
        add_to_cart(sdm.getSessionData(create=True), "tea")
        transaction.commit()
        self.assertEqual(sdm.getSessionData()["cart"], ["tea"])

    def test_nothing_is_told_until_the_test_says_so(self):
        container = self.layer["app"].session_data
        container.setDelNotificationTarget(write_down)
        transaction.commit()
        add_to_cart(self.layer["portal"].session_data_manager.getSessionData(), "tea")
        transaction.commit()
        self.layer["clock"].advance(21 * 60)
        self.assertNotIn("coatroom-housekeeping", [thread.name for thread in threading.enumerate()])
        for _ in range(2):
            container.housekeep()
            self.assertEqual(TOLD, [["tea"]])


TOLD = []


def write_down(item, container):
    """An add-on's target of notifications."""
    TOLD.append(item["cart"])


class CartView(BrowserView):
    """An add-on's page, which takes its session from the request."""

    def __call__(self):
        add_to_cart(self.request.SESSION, self.request.form["thing"])
        return ",".join(self.request.SESSION["cart"])


class ShopLayer(PloneSandboxLayer):
    """An add-on's own fixture."""

    defaultBases = (COATROOM_FIXTURE,)

    def setUpZope(self, app, configurationContext):
        provideAdapter(CartView, (Interface, Interface), Interface, "cart")


SHOP = ShopLayer()


class TestOwnIntegrationLayer(unittest.TestCase):
    layer = CoatroomIntegrationTesting(bases=(SHOP,), name="Shop:Integration")

    def test_its_views_have_a_session(self):
        request = self.layer["request"]
        request.form["thing"] = "tea"
        self.assertEqual(queryMultiAdapter((self.layer["portal"], request), name="cart")(), "tea")

    def test_a_session_can_be_given_to_a_request(self):
        request = self.layer["request"]
        request.form["thing"] = "milk"
        request.set("SESSION", memory_session(cart=["tea"]))
        self.assertEqual(queryMultiAdapter((self.layer["portal"], request), name="cart")(), "tea,milk")


class TestOwnFunctionalLayer(unittest.TestCase):
    layer = CoatroomFunctionalTesting(bases=(SHOP,), name="Shop:Functional")

    def test_its_views_have_a_session(self):
        self.assertEqual(self.layer["request"].SESSION.keys(), [])
