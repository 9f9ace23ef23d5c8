"""Telling add-ons that sessions were begun and have ended.

By default in a transaction of its own, outside visitors' requests: what is to be told is posted in
the store together with the session itself, claimed by one process under a lease, and taken out
when the notifier's transaction has committed. So it may be told twice after a crash, and is never
lost. In-band, a notifier runs within the request that caused it or came across it.
"""

import logging
import os
import threading
import time

import transaction
from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import noSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from Acquisition import aq_base
from Testing.makerequest import makerequest
from transaction.interfaces import TransientError

from coatroom import _native
from coatroom.zope import houses
from coatroom.zope import keyring
from coatroom.zope import names
from coatroom.zope import records
from coatroom.zope import states
from coatroom.zope import transactions
from coatroom.zope import values
from coatroom.zope.guards import guarded

logger = logging.getLogger("coatroom.zope")

ADD = "add"
DELETE = "delete"
_KIND = names.RESERVED + "kind"
_LOCATOR = names.RESERVED + "locator"
_ATTEMPTS = 3


# What containers tell


def begun(container, state):
    """A session was begun."""
    if container._inband_housekeeping:
        container.notifyAdd(container._wrap(state))
    elif container._addCallback:
        _post_with_commit(ADD, state, lambda: {names.CONTAINER_KEY: state.record.attributes()[names.CONTAINER_KEY]})


def ended(container, state):
    """A session was ended at its own wish."""
    if container._inband_housekeeping:
        container.notifyDel(container._wrap(state))
    elif container._delCallback and not state.is_new:
        state.stage()
        kept = state.record.attributes()
        _post_with_commit(DELETE, state, lambda: kept)


def expired(container, state):
    """A session timed out while this transaction held it. The sweeper tells of those that are stored."""
    if state.is_new or container._inband_housekeeping:
        container.notifyDel(container._wrap(state))


def resolve(container, target):
    """The callable of a target; None, and a line in the log, where there is none."""
    if not target or not isinstance(target, str):
        return target or None
    try:
        return container.unrestrictedTraverse(target)
    except (KeyError, AttributeError):
        path = "/".join(container.getPhysicalPath())
        logger.warning("no such notification target %s, named by %s", target, path, exc_info=True)
        return None


def call(container, target, item, what):
    """Calls a target as nobody. Whatever it raises is logged, but a conflict, which is retried."""
    method = resolve(container, target)
    if method is None:
        return
    path = "/".join(container.getPhysicalPath())
    if not callable(method):
        logger.warning("%s of %s failed: %r is not callable", what, path, method)
        return
    manager = getSecurityManager()
    try:
        newSecurityManager(None, nobody)
        method(item, container)
    except TransientError:
        raise
    except Exception:
        logger.warning("%s of %s failed when calling %r", what, path, method, exc_info=True)
    finally:
        setSecurityManager(manager)


# Posting


def _post_with_commit(kind, state, attributes):
    sessions = transactions.current()

    def write(undos):
        if kind == DELETE or state.native.exists:
            undo = guarded(lambda: _post(kind, state, attributes()))
            undos.append((state.house.outbox, undo))

    sessions.after_write.append(write)


def _post(kind, state, attributes):
    note = state.house.outbox.keyed(os.urandom(16))
    note.set_raw(_KIND, records.OPAQUE, kind.encode())
    note.set_raw(_LOCATOR, records.OPAQUE, state.native.locator.encode())
    for name, data in attributes.items():
        note.set_raw(name, records.OPAQUE, data)
    return note.save_undoable()


# Telling


class _Kept:
    """The attributes of a session that is no more, in the place of the engine's session."""

    exists = True

    def __init__(self, locator, attributes, info):
        self.locator = locator
        self._attributes = attributes
        self.created = info.created
        self.last_accessed = info.last_accessed

    def names(self):
        return list(self._attributes)

    def contains(self, name):
        return name in self._attributes

    def get_raw(self, name):
        return self._attributes.get(name)

    def read(self, ring, namespace, name):
        raw = self._attributes.get(name)
        return ring.authentic(records.context(namespace, self.locator, name), raw[1]) if raw is not None else None


def _happened(kind, snapshot):
    """What is to be told, and what is left of the session; None where it was none of a container."""
    attributes = dict(snapshot.attributes)
    locator = snapshot.info.locator
    if kind == "posted":
        kind = attributes.pop(_KIND, (0, b""))[1].decode()
        locator = attributes.pop(_LOCATOR, (0, b""))[1].decode()
    kept = _Kept(locator, attributes, snapshot.info) if names.CONTAINER_KEY in attributes else None
    return ADD if kind == ADD else DELETE, kept


class Teller:
    """Tells of one container's sessions, from the housekeeping thread."""

    def __init__(self, database, path):
        self._database = database
        self._path = path

    def __call__(self, kind, snapshot):
        kind, kept = _happened(kind, snapshot)
        if kept is None:
            return
        for attempt in range(_ATTEMPTS):
            try:
                return self._tell(kind, kept)
            except TransientError:
                if attempt == _ATTEMPTS - 1:
                    raise

    def _tell(self, kind, kept):
        transaction.begin()
        connection = self._database.open()
        try:
            container = makerequest(connection.root()["Application"]).unrestrictedTraverse(self._path, None)
            if container is not None and hasattr(aq_base(container), "_endSession"):
                tell(container, kind, kept)
            transaction.commit()
        except BaseException:
            transaction.abort()
            raise
        finally:
            noSecurityManager()
            connection.close()


def tell(container, kind, kept):
    """Calls a container's notifier about a session, in the current transaction."""
    target = container._addCallback if kind == ADD else container._delCallback
    if not target:
        return
    house, ring = container._house(), keyring.find(container._jar())
    key = records.container_key(house, ring, kept.locator, kept.get_raw(names.CONTAINER_KEY)[1])
    if key is None:
        return
    if kind == ADD:
        item = container.get(key)
        if item is not None:
            container.notifyAdd(item)
        return
    state = states.SessionState.opened(house, key, kept, ring)
    if state is None:
        return
    state.jar = values.SessionJar(lambda: state)
    state.is_ended = True
    item = container._session_class._of(state, None)
    container.notifyDel(item.__of__(container))


# Housekeeping


def attend(container, house):
    """Sees to it that what happens in a house is told, and that it is swept."""
    if house._listener is not None:
        return
    jar = container._jar()
    if jar is None:
        house.listen(_Inband(container))
        return
    house.listen(Teller(jar.db(), "/".join(container.getPhysicalPath())))
    _start_thread()


class _Inband:
    """Tells within the thread that sweeps, for a container that lies in no database."""

    def __init__(self, container):
        self._container = container

    def __call__(self, kind, snapshot):
        kind, kept = _happened(kind, snapshot)
        if kept is not None:
            tell(self._container, kind, kept)


def housekeep(container):
    """Takes out what is due now, and tells of it."""
    guarded(container._house().sweep)


def housekeep_inband(container, house):
    """Takes out what is due, at most once a second, and tells of it in this transaction."""
    now = time.monotonic()
    if now - getattr(house, "swept_at", 0.0) < 1.0:
        return
    house.swept_at = now
    before, house._listener = house._listener, _Inband(container)
    try:
        guarded(house.sweep)
    finally:
        house._listener = before


_thread_lock = threading.Lock()
_thread_of = None


def _start_thread():
    global _thread_of
    with _thread_lock:
        if _thread_of != os.getpid():
            _thread_of = os.getpid()
            threading.Thread(target=_run, name="coatroom-housekeeping", daemon=True).start()


def _run():
    process = os.getpid()
    while os.getpid() == process:
        time.sleep(1.0)
        try:
            for house in houses.all_houses():
                house.sweep()
        except _native.StoreError as error:
            houses.reach.lost(error)
        except Exception:
            logger.warning("sweeping sessions failed; trying again every second", exc_info=True)
        else:
            houses.reach.found()
