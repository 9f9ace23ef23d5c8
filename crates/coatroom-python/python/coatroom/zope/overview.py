"""How a site's sessions are kept: its managers and containers, ours and others."""

from Acquisition import aq_base
from Products.Sessions.BrowserIdManager import BrowserIdManager as StockBrowserIdManager
from Products.Sessions.SessionDataManager import SessionDataManager as StockSessionDataManager

from coatroom.zope import keyring
from coatroom.zope import registry
from coatroom.zope import remains

#: In the ZODB's root: what was there before an installation.
INSTALLED = "coatroom.installed"
CONTAINER = "session_data"
IDS = "browser_id_manager"
DATA = "session_data_manager"
STOCK = {IDS: StockBrowserIdManager, DATA: StockSessionDataManager}


def status(app):
    """How the site's sessions are kept, as (what, how) pairs."""
    root = app._p_jar.root()
    ids, data = app._getOb(IDS, None), data_manager(app)
    yield "installed", "yes" if INSTALLED in root else "no"
    yield "keys", str(len(root[keyring.ROOT_NAME]["keys"])) if keyring.ROOT_NAME in root else "none"
    yield IDS, _class(ids)
    yield DATA, _class(app._getOb(DATA, None))
    yield "container", _container_of(app, data)
    for path, container in registry.containers(app, places(app)):
        timeout = container.getTimeoutMinutes()
        yield path, f"timeout {timeout} minutes" if timeout else "no timeout"
    left = sorted(set(remains.of_removed(root).values()))
    if left:
        yield "removed", f"{', '.join(left)}, with sessions that may still be stored"
    for path, manager in registry.managers(app):
        yield path, _class(manager)
    for path, manager in _other_managers(app):
        yield path, f"{_class(manager)}, keeps its sessions in {manager.getContainerPath() or 'no container'}"


def elsewhere(app):
    """The other session data managers whose sessions are not in our containers: (path, container's path)."""
    found = [(path, manager.getContainerPath()) for path, manager in _other_managers(app)]
    ours = dict(registry.containers(app, [container for _path, container in found]))
    return [(path, container) for path, container in found if container not in ours]


def data_manager(app):
    """The session data manager, if it is one."""
    manager = app._getOb(DATA, None)
    return manager if is_of(manager, StockSessionDataManager) else None


def places(app):
    """Where a container may lie that was put there before they were registered."""
    data = data_manager(app)
    return [f"/{CONTAINER}", data.getContainerPath() if data is not None else None]


def is_of(manager, cls):
    """Whether it is a manager of this stock class, or of one that builds on it."""
    return isinstance(aq_base(manager), cls)


def is_ours(manager):
    """Whether it is one of Coatroom's."""
    return type(aq_base(manager)).__module__.startswith("coatroom.")


def is_there(app, path):
    """Whether a path leads to anything."""
    return app.unrestrictedTraverse(path, None) is not None


def _other_managers(app):
    """Those in the root and in what lies in it, sites above all, but for ours; nothing else is loaded."""
    for holder in (app, *_folders(app)):
        for id in holder.objectIds(StockSessionDataManager.meta_type):
            manager = holder._getOb(id)
            if (holder, id) != (app, DATA) and is_of(manager, StockSessionDataManager) and not is_ours(manager):
                yield "/".join(manager.getPhysicalPath()), manager


def _folders(app):
    """What lies in the root and holds objects. Not what is mounted: its database may be gone."""
    for id in app.objectIds():
        # Unwrapped: wrapping a mount point opens its database.
        if hasattr(aq_base(app).__dict__.get(id), "_getOb"):
            yield app._getOb(id)


def _container_of(app, data):
    path = data.getContainerPath() if data is not None else ""
    if not path:
        return "none"
    return path if is_there(app, path) else f"{path}, where nothing is"


def _class(manager):
    if manager is None:
        return "none"
    if is_ours(manager):
        return "Coatroom's"
    cls = type(aq_base(manager))
    return "stock" if cls in STOCK.values() else f"{cls.__module__}.{cls.__qualname__}"
