"""Runs the examples of docs/plone.md, in their order."""

import pathlib
import re
import sys
import types
import unittest

import transaction
from Products.PageTemplates.ZopePageTemplate import ZopePageTemplate

from coatroom.zope.testing import COATROOM_INTEGRATION_TESTING

GUIDE = pathlib.Path(__file__).parents[4] / "docs/plone.md"


class TestGuide(unittest.TestCase):
    layer = COATROOM_INTEGRATION_TESTING

    def tearDown(self):
        transaction.abort()

    def test_every_example_of_the_developers_chapter_runs(self):
        examples = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
        self.assertGreater(len(examples), 10)
        # What pickles must be found by its name.
        module = sys.modules["guide"] = types.ModuleType("guide")
        self.addCleanup(sys.modules.pop, "guide")
        names = vars(module)
        names.update(context=self.layer["portal"], transaction=transaction)
        for number, example in enumerate(examples, 1):
            with self.subTest(example=number):
                exec(compile(example, f"docs/plone.md, example {number}", "exec"), names)
        self.run_case(names["TestCheckout"])

    def test_every_page_template_of_the_chapter_renders(self):
        pages = re.findall(r"^```html\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(pages), 1)
        portal = self.layer["portal"]
        portal.session_data_manager.getSessionData()["visits"] = 17
        self.assertIn("<b>17</b>", ZopePageTemplate("page", pages[0]).__of__(portal)())

    def run_case(self, case):
        outcome = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(case).run(outcome)
        self.assertEqual((outcome.errors, outcome.failures, outcome.testsRun), ([], [], 1))
