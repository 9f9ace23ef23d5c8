"""An add-on's own tests, with what coatroom.zope.testing gives them."""

import unittest

import transaction

from coatroom.zope.testing import COATROOM_FUNCTIONAL_TESTING
from coatroom.zope.testing import COATROOM_INTEGRATION_TESTING
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
