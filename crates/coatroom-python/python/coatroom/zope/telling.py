"""Telling a container's notifiers what was posted and what timed out."""

import threading
import weakref
from concurrent.futures import Future
from functools import partial

import transaction
from AccessControl.SecurityManagement import noSecurityManager
from Acquisition import aq_base
from Testing.makerequest import makerequest
from transaction.interfaces import TransientError

from coatroom.zope import jars
from coatroom.zope import keyring
from coatroom.zope import names
from coatroom.zope import notifications
from coatroom.zope import records
from coatroom.zope import states
from coatroom.zope import transactions

_ATTEMPTS = 3


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


def happened(kind, snapshot):
    """What is to be told, and what is left of the session; None where it was none of a container."""
    attributes = dict(snapshot.attributes)
    locator = snapshot.info.locator
    if kind == "posted":
        kind = attributes.pop(notifications.KIND, (0, b""))[1].decode()
        locator = attributes.pop(notifications.LOCATOR, (0, b""))[1].decode()
    kept = _Kept(locator, attributes, snapshot.info) if names.CONTAINER_KEY in attributes else None
    return notifications.ADD if kind == notifications.ADD else notifications.DELETE, kept


class Teller:
    """Tells of one container's sessions, from the housekeeping thread.

    A request that writes where an expired session still lay tells of that first: in a thread, for its
    own transaction is under way.
    """

    def __init__(self, database, path):
        self._database = database
        self._path = path

    def __call__(self, kind, snapshot):
        kind, kept = happened(kind, snapshot)
        if kept is None:
            return
        if transactions.is_any_on():
            _aside(partial(self._tell_at_last, kind, kept))
        else:
            self._tell_at_last(kind, kept)

    def _tell_at_last(self, kind, kept):
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


def _aside(work):
    """Runs something in a thread, which has transactions and a user of its own; raises what it raises."""
    done = Future()

    def run():
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="coatroom-telling", daemon=True).start()
    done.result()


def tell(container, kind, kept):
    """Calls a container's notifier about a session, in the current transaction."""
    target = container._addCallback if kind == notifications.ADD else container._delCallback
    if not target:
        return
    house, ring = container._house(), keyring.find(container._jar())
    key = records.container_key(house, ring, kept.locator, kept.get_raw(names.CONTAINER_KEY)[1])
    if key is None:
        return
    if kind == notifications.ADD:
        item = container.get(key)
        if item is not None:
            container.notifyAdd(item)
        return
    state = states.SessionState.opened(house, key, kept, ring)
    if state is None:
        return
    state.jar = jars.SessionJar(weakref.ref(state))
    state.is_ended = True
    item = container._session_class._of(state, None)
    container.notifyDel(item.__of__(container))
