"""What the store still holds of containers that were removed.

Each container's part of the store is noted in the root of the ZODB, as plain data, in a note of its own:
only that is changed when the container goes, in the same transaction. So it conflicts with nothing, and
Zope's Undo takes it back with the rest. The thread that sweeps goes on sweeping such a part, tells nobody,
and later ends what has no timeout.
"""

import contextlib
import itertools
import math
import os

from persistent.mapping import PersistentMapping
from Testing.makerequest import makerequest
from transaction import TransactionManager
from ZODB.POSException import ConflictError

from coatroom import _native
from coatroom.zope import names
from coatroom.zope import registry
from coatroom.zope import settings
from coatroom.zope.backends import open_store

ROOT_NAME = "coatroom.namespaces"
#: How long Undo finds sessions without a timeout, and requests may go on that still have the container, in
#: seconds.
KEPT_FOR = 86_400.0
#: In a note: until when sessions are left to time out, if the container was removed; and where it was.
_UNTIL = "until"
_PATH = "path"
_ON_A_PAGE = 1000


def came(container):
    """A container has come to its place, perhaps from another one."""
    note = _note(container)
    if note is not None:
        note.pop(_UNTIL, None)
        note[_PATH] = "/".join(container.getPhysicalPath())


def goes(container):
    """A container is about to be removed, or moved."""
    note = _note(container)
    if note is not None:
        note[_UNTIL] = container._time() + container._timeout_secs + KEPT_FOR
        note.setdefault(_PATH, "/".join(container.getPhysicalPath()))


def all_go(root, now):
    """No container is left, not even one whose removal nobody saw."""
    notes = root.get(ROOT_NAME, {})
    for note in notes.values():
        if _UNTIL not in note:
            note[_UNTIL] = now + KEPT_FOR
    _clear(root)


def of_removed(root):
    """What was noted of containers that were removed: their parts of the store, and where they were."""
    notes = root.get(ROOT_NAME, {})
    return {namespace: note.get(_PATH, "a container") for namespace, note in notes.items() if _UNTIL in note}


def forget(root, namespaces):
    """Nothing is stored in them any more."""
    notes = root.get(ROOT_NAME, {})
    for namespace in namespaces:
        # Unless its container has come back.
        if _UNTIL in notes.get(namespace, ()):
            del notes[namespace]


def forget_all(root, namespaces):
    """The same, and nothing of ours is left where that was all."""
    forget(root, namespaces)
    _clear(root)


def tend(database, clock=None):
    """Takes out what is due of what a database's containers have left."""
    empty = [namespace for namespace, until in _removed(database).items() if _is_empty(namespace, until, clock)]
    if empty:
        # Another process may be first, of any number of them.
        with contextlib.suppress(ConflictError), _opened(database) as (connection, manager):
            forget(connection.root(), empty)
            manager.get().note("coatroom: forgot removed containers of sessions")
            manager.commit()


def take_out(namespaces):
    """Ends all that containers have left, now; yields how many sessions that were so far, again and again.

    Raises the engine's errors, and SessionStoreUnavailable.
    """
    removed = 0
    yield removed
    for namespace in namespaces if _is_made(settings.current().store) else ():
        outbox, sessions = _managers(namespace)
        for manager, counts in ((outbox, 0), (sessions, 1)):
            for gone in itertools.chain(_swept(manager), _ended(manager)):
                removed += gone * counts
                yield removed


def _clear(root):
    if not root.get(ROOT_NAME, True):
        del root[ROOT_NAME]


def _is_made(store):
    """Whether there is a store: opening one makes its directory."""
    kind, _, place = store.partition(":")
    return kind != "embedded" or os.path.isdir(place.partition("?")[0])


def _note(container):
    jar = container._site_jar()
    if jar is None:
        return None
    notes, namespace = jar.root().setdefault(ROOT_NAME, PersistentMapping()), container._namespace()
    return notes[namespace] if namespace in notes else notes.setdefault(namespace, PersistentMapping())


@contextlib.contextmanager
def _opened(database):
    """A connection in a transaction of its own."""
    manager = TransactionManager()
    connection = database.open(manager)
    try:
        yield connection, manager
    finally:
        manager.abort()
        connection.close()


def _removed(database):
    """The parts of the store whose containers are not there, and until when they are left to time out: for
    ever where nobody has said that the container goes, as where its database is away."""
    with _opened(database) as (connection, _manager):
        notes = connection.root().get(ROOT_NAME)
        if not notes:
            return {}
        app = makerequest(connection.root()["Application"])
        # One in a mounted database may have come back with that.
        there = {container._namespace() for _path, container in registry.containers(app)}
        return {namespace: note.get(_UNTIL, math.inf) for namespace, note in notes.items() if namespace not in there}


def _is_empty(namespace, until, clock):
    """Takes out what is due, all of it where the time is over; whether that was nothing at all."""
    managers = _managers(namespace, clock)
    gone = sum(sum(_swept(manager)) for manager in managers)
    if managers[0].now() < until:
        return False
    gone += sum(sum(_ended(manager)) for manager in managers)
    # What a process that died was about to tell of is out of sight for a minute.
    return gone == 0


def _managers(namespace, clock=None):
    """Of what is still to be told, and of sessions. Whom to tell, the container knew."""
    store = open_store(settings.current().store)
    limits = dict.fromkeys(("idle_timeout", "lifetime", "unconfirmed_timeout"))
    parts = names.outbox_of(namespace), namespace
    return [_native.SessionManager(store, namespace=part, clock=clock, **limits) for part in parts]


def _swept(manager):
    """Takes out what has timed out; yields how much, step by step."""
    more = True
    while more:
        gone, more = manager.sweep()
        yield gone


def _ended(manager):
    """Takes out what has not; yields how much, page by page."""
    cursor = None
    while True:
        infos, cursor = manager.list(cursor, _ON_A_PAGE)
        yield sum(manager.end(info.locator) for info in infos)
        if cursor is None:
            return
