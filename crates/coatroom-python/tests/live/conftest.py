import pathlib
import shutil

import pytest
import servers
from instance import SITE
from instance import Browser
from instance import Instance
from xdist.scheduler import LoadScopeScheduling


class SharedSites(LoadScopeScheduling):
    """Tests that share running sites go one after the other: those of a file, and of a kind of server."""

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        return file, next((kind for kind in servers.KINDS if kind in test), "")


def pytest_xdist_make_scheduler(config, log):
    return SharedSites(config, log)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """An instance with a Plone site in it, to be copied: making one takes half a minute."""
    made = Instance(tmp_path_factory.mktemp("made") / "instance").make()
    made.zconsole(SITE / "make_site.py")
    return made


def copy_of(made, place, installed=True, timeout=20, **settings):
    shutil.copytree(made.place, place)
    copied = Instance(place, **settings)
    copied.configure()
    if installed:
        copied.coatroom_zope("install", "--timeout", str(timeout))
    return copied


@pytest.fixture(scope="module")
def instance(made, tmp_path_factory):
    """A running instance on Coatroom, one for each file of tests."""
    running = copy_of(made, tmp_path_factory.mktemp("running") / "instance").start()
    yield running
    running.stop()


@pytest.fixture
def fresh(made, tmp_path):
    """Makes instances of a test's own, stopped at its end."""
    running = []

    def make(**settings):
        one = copy_of(made, pathlib.Path(tmp_path) / f"instance{len(running)}", **settings)
        running.append(one)
        return one

    yield make
    for one in running:
        one.stop()


@pytest.fixture
def browser(instance):
    return Browser(instance, site="/Plone")
