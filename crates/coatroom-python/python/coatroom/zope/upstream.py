"""Runs Products.Sessions' and Products.Transience's own tests against our classes.

    python -m coatroom.zope.upstream [arguments of zope.testrunner]

The subclasses below map private names that those tests poke at onto public verbs, and put the
tests' accelerated clock in the place of ours. They store nothing.
"""

import os
import pathlib
import sys
import unittest

os.environ.setdefault("COATROOM_STORE", "memory:")

import Products.Sessions.BrowserIdManager as stock_ids
import Products.Sessions.SessionDataManager
import Products.Transience.Transience as transience
import Products.Transience.TransientObject as transient_object
import zope.testrunner

from coatroom import ManualClock
from coatroom.zope import browserids
from coatroom.zope import container
from coatroom.zope import session
from coatroom.zope import sessiondata

_reached = set()
_running = [None]


class TransientObject(session.TransientObject):
    def _now(self, state):
        return transient_object.time.time()

    def _p_resolveConflict(self, saved, state1, state2):
        return state2


class TransientObjectContainer(container.TransientObjectContainer):
    _session_class = TransientObject
    _inband_housekeeping = True
    _clock = ManualClock()

    def _backend(self):
        self._clock.set(transience.time.time())
        _reached.add(_running[0])
        return super()._backend()

    def _reset(self):
        for key in self.keys():
            del self[key]

    def _invoke_finalize_and_gc(self):
        self.housekeep()

    def _last_finalized_timeslice(self):
        return -self._period

    @property
    def _data(self):
        return dict.fromkeys([0]) if len(self) else {}


class BrowserIdManager(browserids.BrowserIdManager):
    """The tests know no HttpOnly by default, and their browsers come with unsigned ids."""

    def __init__(self, id, *args, **settings):
        if len(args) < 7:
            settings.setdefault("cookiehttponly", 0)
        super().__init__(id, *args, **settings)

    def isIssuedHere(self, bid):
        return stock_ids.isAWellFormedBrowserId(bid) is not None


def swap():
    """Puts our classes where the tests import theirs from."""
    transience.TransientObjectContainer = TransientObjectContainer
    transience.TransientObject = transient_object.TransientObject = TransientObject
    sessions = Products.Sessions
    sessions.SessionDataManager.TransientObjectContainer = TransientObjectContainer
    sessions.SessionDataManager.SessionDataManager = sessiondata.SessionDataManager
    sessions.BrowserIdManager.BrowserIdManager = BrowserIdManager
    unittest.TestCase.run = _counting(unittest.TestCase.run)


def _counting(run):
    def counted(test, *args, **kwargs):
        _running[0] = test.id()
        return run(test, *args, **kwargs)

    return counted


def main():
    swap()
    packages = ["-s", "Products.Sessions", "-s", "Products.Transience"]
    places = ["--test-path", str(pathlib.Path(Products.Sessions.__file__).parents[2])]
    failed = zope.testrunner.run_internal([*places, *packages, "--tests-pattern", "^tests$", *sys.argv[1:]])
    print(f"{len(_reached)} tests reached the engine")
    sys.exit(failed)


if __name__ == "__main__":
    main()
