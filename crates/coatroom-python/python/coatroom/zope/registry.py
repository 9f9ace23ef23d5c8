"""Which containers and managers of ours there are, so that all can be taken out without a look at the
site's content.

Plain data in the root of the ZODB, as the keys.
"""

from Acquisition import aq_base
from Acquisition import aq_parent
from persistent.mapping import PersistentMapping

ROOT_NAME = "coatroom.containers"


def note(item):
    """A container, or a manager, has come to its place."""
    jar = _site_jar(item)
    if jar is not None:
        paths = jar.root().setdefault(ROOT_NAME, PersistentMapping())
        path = "/".join(item.getPhysicalPath())
        if path not in paths:
            paths[path] = True


def containers(app, places=()):
    """Those that are there, by path: the noted ones and any at further places."""
    return _those_with("_endSession", app, places)


def managers(app):
    """The copies of managers that are there, by path."""
    for attribute in ("renewBrowserId", "_renews_sessions"):
        yield from _those_with(attribute, app, ())


def forget(app):
    """Nothing of ours is left."""
    app._p_jar.root().pop(ROOT_NAME, None)


def _site_jar(item):
    """The connection of the database that the site's root lies in: a folder of it may be mounted."""
    root = getattr(item, "getPhysicalRoot", None)
    # Outside a site it is a text.
    jar = getattr(aq_base(root()), "_p_jar", None) if callable(root) else None
    return jar or aq_base(item)._p_jar or getattr(aq_base(aq_parent(item)), "_p_jar", None)


def _those_with(attribute, app, places):
    for path in sorted({*app._p_jar.root().get(ROOT_NAME, ()), *filter(None, places)}):
        found = app.unrestrictedTraverse(path, None)
        # Not one that was acquired.
        if hasattr(aq_base(found), attribute) and "/".join(found.getPhysicalPath()) == path:
            yield path, found
