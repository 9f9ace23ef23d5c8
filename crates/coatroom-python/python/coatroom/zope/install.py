"""Putting a site's sessions on Coatroom, and taking them back.

Only settings are changed: the managers' classes, where the session data manager looks for its
container, and the container itself. What was there is noted as plain data in the ZODB's root.
"""

import importlib
import time

from Acquisition import aq_base
from persistent.mapping import PersistentMapping
from Products.Sessions import install_browser_id_manager
from Products.Sessions import install_session_data_manager

from coatroom.zope import keyring
from coatroom.zope import overview
from coatroom.zope import registry
from coatroom.zope import remains
from coatroom.zope.browserids import BrowserIdManager
from coatroom.zope.container import TransientObjectContainer
from coatroom.zope.overview import CONTAINER
from coatroom.zope.overview import DATA
from coatroom.zope.overview import IDS
from coatroom.zope.overview import INSTALLED
from coatroom.zope.sessiondata import SessionDataManager

#: Where the stock session data manager looks.
STOCK_PATH = "/temp_folder/session_data"
#: The period of a new container, in seconds.
PERIOD = 20


def install(app, timeout=None, keep_managers=False):
    """Puts the site's sessions on Coatroom; what was done, in lines. Repeatable."""
    done = []
    root = app._p_jar.root()
    if keyring.ROOT_NAME not in root:
        keyring.ensure(app._p_jar)
        done.append("made the instance's key ring")
    install_browser_id_manager(app)
    install_session_data_manager(app)
    ids, data = _checked(app, IDS), _checked(app, DATA)
    if INSTALLED not in root:
        root[INSTALLED] = _note(ids, data)
    path = _path_of_ours(app, data) or f"/{CONTAINER}"
    done += _give_container(app, data, path, timeout)
    if data.getContainerPath() != path:
        data.setContainerPath(path)
        done.append(f"{DATA} keeps its sessions in {path}")
    if keep_managers:
        return done + _put_back_managers(app, root[INSTALLED])
    if _replace(app, IDS, BrowserIdManager):
        app._getOb(IDS).setCookieHTTPOnly(True)
        done.append(f"{IDS} issues signed ids, HttpOnly, and renews them at login")
    if _replace(app, DATA, SessionDataManager):
        done.append(f"{DATA} renews sessions at login")
    return done


def uninstall(app):
    """Puts the site's sessions back where they were; what was done, in lines. Repeatable.

    What the store holds is noted, and to be taken out when the transaction has committed.
    """
    root = app._p_jar.root()
    noted = root.pop(INSTALLED, None)
    done = _put_back_managers(app, noted or {})
    if noted is not None:
        done += _put_back_path(app, noted["path"])
    for path, container in list(registry.containers(app, overview.places(app))):
        if container._jar() is not app._p_jar:
            container._jar().root().pop(keyring.ROOT_NAME, None)
        container.aq_parent._delObject(container.getId())
        done.append(f"removed {path}")
    done += [
        f"{path} is still led to {container}, which is gone: set another path there"
        for path, container in overview.elsewhere(app)
        if f"removed {container}" in done
    ]
    registry.forget(app)
    remains.all_go(root, time.time())
    if keyring.ROOT_NAME in root:
        del root[keyring.ROOT_NAME]
        done.append("removed the instance's key ring; sessions that are still stored cannot be read any more")
    return done


def _checked(app, id):
    """A manager, if it is one: other session packages put theirs in its place."""
    manager, cls = app._getOb(id), overview.STOCK[id]
    if not overview.is_of(manager, cls):
        raise ValueError(f"/{id} is a {manager.meta_type} and no {cls.meta_type}; rename or delete it first")
    return manager


def _note(ids, data):
    """What there is before an installation."""
    classes = {id: (type(ob.aq_base).__module__, type(ob.aq_base).__name__) for id, ob in ((IDS, ids), (DATA, data))}
    return PersistentMapping(path=data.getContainerPath(), http_only=bool(ids.cookie_http_only), classes=classes)


def _path_of_ours(app, data):
    """Where the container lies that is used already, if it is ours. One in a mounted database, which may
    be in memory, is none to stay with."""
    path = data.getContainerPath()
    found = dict(registry.containers(app, [path])).get(path)
    return path if found is not None and found._jar() is app._p_jar else None


def _give_container(app, data, path, timeout):
    container = dict(registry.containers(app, [path])).get(path)
    if container is None:
        return _add_container(app, data, timeout)
    if timeout is None or timeout == container.getTimeoutMinutes():
        return []
    container.setTimeoutMinutes(timeout, _period(timeout, container.getPeriodSeconds()))
    return [f"{path} has a timeout of {timeout} minutes"]


def _add_container(app, data, timeout):
    if CONTAINER in app.objectIds():
        there = app._getOb(CONTAINER).meta_type
        raise ValueError(f"/{CONTAINER} is there already, a {there}; rename or delete it first")
    settings = _settings_before(data)
    if timeout is not None:
        settings["timeout_mins"] = timeout
        settings["period_secs"] = _period(timeout, settings.get("period_secs", PERIOD))
    app._setObject(CONTAINER, TransientObjectContainer(CONTAINER, **settings))
    container = app._getOb(CONTAINER)
    done = [f"added /{CONTAINER} with a timeout of {container.getTimeoutMinutes()} minutes"]
    if container.getAddNotificationTarget():
        # It may give sessions their first values, and was called before anybody else had set any.
        container.enableInbandHousekeeping()
        done.append(f"/{CONTAINER} calls {container.getAddNotificationTarget()} within the requests, as before")
    return done


def _period(timeout, seconds):
    """A period that divides a timeout in minutes: the one there was, or else the usual one."""
    return seconds if timeout * 60 % seconds == 0 else PERIOD


def _settings_before(data):
    """The settings of the container that was there; without one, those of the site's configuration."""
    path = data.getContainerPath()
    there = data.unrestrictedTraverse(path, None) if path else None
    if not hasattr(there, "getTimeoutMinutes"):
        configured = getattr(data, "getDefaultSessionDataContainerSettings", dict)()
        return {"title": "Sessions", **{name: value for name, value in configured.items() if value not in ("", None)}}
    return {
        "title": there.title or "Sessions",
        "timeout_mins": there.getTimeoutMinutes(),
        "period_secs": there.getPeriodSeconds(),
        "addNotification": there.getAddNotificationTarget() or None,
        "delNotification": there.getDelNotificationTarget() or None,
        "limit": there.getSubobjectLimit(),
    }


def _put_back_managers(app, noted):
    """Those that were there; copies elsewhere in the site become stock ones."""
    classes = noted.get("classes", {})
    replaced = [
        overview.is_ours(app._getOb(id, None)) and _replace(app, id, _named(*classes.get(id, ()), otherwise=cls))
        for id, cls in overview.STOCK.items()
    ]
    for _path, manager in list(registry.managers(app)):
        cls = overview.STOCK[IDS] if isinstance(manager, BrowserIdManager) else overview.STOCK[DATA]
        replaced.append(_replace(manager.aq_parent, manager.getId(), cls))
    if replaced[0] and "http_only" in noted:
        app._getOb(IDS).setCookieHTTPOnly(noted["http_only"])
    return ["put the stock managers in place"] if any(replaced) else []


def _named(module=None, name=None, otherwise=None):
    """A class by its name. One of ours, or one that is gone, is no class to go back to."""
    if module is None or module.startswith("coatroom."):
        return otherwise
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return otherwise


def _put_back_path(app, path):
    """Leads the session data manager back, unless somebody has led it elsewhere meanwhile."""
    data = overview.data_manager(app)
    ours = dict(registry.containers(app, [*overview.places(app), path]))
    if data is None or data.getContainerPath() not in (*ours, "") and overview.is_there(app, data.getContainerPath()):
        return []
    path = STOCK_PATH if path in ours else path
    data.setContainerPath(path or None)
    return [f"{DATA} keeps its sessions in {path or 'no container'}"]


def _replace(holder, id, cls):
    """The same object, settings, roles and all, with another class; whether it had another one."""
    old = holder._getOb(id, None)
    if old is None or old.__class__ is cls:
        return False
    old._p_activate()
    new = cls.__new__(cls)
    new.__setstate__(old.aq_base.__getstate__())
    holder._delOb(id)
    holder._setOb(id, new)
    return True


