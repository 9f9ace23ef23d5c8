"""Putting a site's sessions on Coatroom, and taking them back.

Only settings are changed: the managers' classes, where the session data manager looks for its
container, and the container itself. What was there is noted as plain data in the ZODB's root.
"""

from persistent.mapping import PersistentMapping
from Products.Sessions.BrowserIdManager import BrowserIdManager as StockBrowserIdManager
from Products.Sessions.SessionDataManager import SessionDataManager as StockSessionDataManager
from Products.Sessions import install_browser_id_manager
from Products.Sessions import install_session_data_manager

from coatroom.zope import keyring
from coatroom.zope import registry
from coatroom.zope.browserids import BrowserIdManager
from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.sessiondata import SessionDataManager

ROOT_NAME = "coatroom.installed"
CONTAINER = "session_data"
IDS = "browser_id_manager"
DATA = "session_data_manager"


def install(app, timeout=None, keep_managers=False):
    """Puts the site's sessions on Coatroom; what was done, in lines. Repeatable."""
    done = []
    root = app._p_jar.root()
    if keyring.ROOT_NAME not in root:
        keyring.ensure(app._p_jar)
        done.append("made the instance's key ring")
    install_browser_id_manager(app)
    install_session_data_manager(app)
    ids, data = app._getOb(IDS), app._getOb(DATA)
    if ROOT_NAME not in root:
        root[ROOT_NAME] = PersistentMapping(path=data.getContainerPath(), http_only=bool(ids.cookie_http_only))
    done += _add_container(app, data, timeout)
    if data.getContainerPath() != f"/{CONTAINER}":
        data.setContainerPath(f"/{CONTAINER}")
        done.append(f"{DATA} keeps its sessions in /{CONTAINER}")
    if keep_managers:
        return done + _put_back_managers(app)
    if _replace(app, IDS, BrowserIdManager):
        app._getOb(IDS).setCookieHTTPOnly(True)
        done.append(f"{IDS} issues signed ids, HttpOnly, and renews them at login")
    if _replace(app, DATA, SessionDataManager):
        done.append(f"{DATA} renews sessions at login")
    return done


def uninstall(app):
    """Puts the site's sessions back where they were; what was done, in lines. Repeatable."""
    root = app._p_jar.root()
    noted = root.get(ROOT_NAME)
    done = _put_back_managers(app)
    if noted is not None:
        app._getOb(DATA).setContainerPath(noted["path"] or None)
        app._getOb(IDS).setCookieHTTPOnly(noted["http_only"])
        done.append(f"{DATA} keeps its sessions in {noted['path'] or 'no container'}")
        del root[ROOT_NAME]
    for path, container in list(registry.containers(app, _places(app))):
        if container._jar() is not app._p_jar:
            container._jar().root().pop(keyring.ROOT_NAME, None)
        container.aq_parent._delObject(container.getId())
        done.append(f"removed {path}")
    registry.forget(app)
    if keyring.ROOT_NAME in root:
        del root[keyring.ROOT_NAME]
        done.append("removed the instance's key ring; sessions that are still stored cannot be read any more")
    return done


def status(app):
    """How the site's sessions are kept, as (what, how) pairs."""
    root = app._p_jar.root()
    ids, data = app._getOb(IDS, None), app._getOb(DATA, None)
    yield "installed", "yes" if ROOT_NAME in root else "no"
    yield "keys", str(len(root[keyring.ROOT_NAME]["keys"])) if keyring.ROOT_NAME in root else "none"
    yield IDS, _class(ids)
    yield DATA, _class(data)
    yield "container", data.getContainerPath() if data is not None else "none"
    for path, container in registry.containers(app, _places(app)):
        timeout = container.getTimeoutMinutes()
        yield path, f"timeout {timeout} minutes" if timeout else "no timeout"


def _add_container(app, data, timeout):
    if CONTAINER in app.objectIds():
        container = app._getOb(CONTAINER)
        if not isinstance(container, TransientObjectContainer):
            raise ValueError(f"/{CONTAINER} is there already, a {container.meta_type}; rename or delete it first")
        if timeout is None or timeout == container.getTimeoutMinutes():
            return []
        container.setTimeoutMinutes(timeout)
        return [f"/{CONTAINER} has a timeout of {timeout} minutes"]
    settings = _settings_before(data)
    if timeout is not None:
        settings["timeout_mins"] = timeout
    app._setObject(CONTAINER, TransientObjectContainer(CONTAINER, **settings))
    return [f"added /{CONTAINER} with a timeout of {app._getOb(CONTAINER).getTimeoutMinutes()} minutes"]


def _settings_before(data):
    """The settings of the container that was there; without one, those of the site's configuration."""
    path = data.getContainerPath()
    there = data.unrestrictedTraverse(path, None) if path else None
    if not hasattr(there, "getTimeoutMinutes"):
        configured = getattr(data, "getDefaultSessionDataContainerSettings", dict)()
        return {"title": "Sessions", **{name: value for name, value in configured.items() if value}}
    return {
        "title": there.title or "Sessions",
        "timeout_mins": there.getTimeoutMinutes(),
        "period_secs": there.getPeriodSeconds(),
        "addNotification": there.getAddNotificationTarget() or None,
        "delNotification": there.getDelNotificationTarget() or None,
        "limit": there.getSubobjectLimit(),
    }


def _put_back_managers(app):
    replaced = [_replace(app, IDS, StockBrowserIdManager), _replace(app, DATA, StockSessionDataManager)]
    return ["put the stock managers in place"] if any(replaced) else []


def _replace(app, id, cls):
    """The same object, settings, roles and all, with another class; whether it had another one."""
    old = app._getOb(id, None)
    if old is None or old.__class__ is cls:
        return False
    old._p_activate()
    new = cls.__new__(cls)
    new.__setstate__(old.aq_base.__getstate__())
    app._delOb(id)
    app._setOb(id, new)
    return True


def _places(app):
    """Where a container may lie that was put there before they were registered."""
    data = app._getOb(DATA, None)
    return [f"/{CONTAINER}", data.getContainerPath() if data is not None else None]


def _class(manager):
    if manager is None:
        return "none"
    return "Coatroom's" if type(manager.aq_base).__module__.startswith("coatroom.") else "stock"
