"""Which containers there are, so that all can be taken out without a look at the site's content.

Plain data in the root of the ZODB, as the keys.
"""

from Acquisition import aq_base
from persistent.mapping import PersistentMapping

ROOT_NAME = "coatroom.containers"


def note(container):
    """A container has come to its place."""
    jar = container._site_jar()
    if jar is not None:
        paths = jar.root().setdefault(ROOT_NAME, PersistentMapping())
        path = "/".join(container.getPhysicalPath())
        if path not in paths:
            paths[path] = True


def containers(app, places=()):
    """Those that are there, by path: the noted ones and any at further places."""
    for path in sorted({*app._p_jar.root().get(ROOT_NAME, ()), *filter(None, places)}):
        container = app.unrestrictedTraverse(path, None)
        # Not one that was acquired.
        if hasattr(aq_base(container), "_endSession") and "/".join(container.getPhysicalPath()) == path:
            yield path, container


def forget(app):
    """No container is left."""
    app._p_jar.root().pop(ROOT_NAME, None)
