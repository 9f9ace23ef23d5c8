"""Telling add-ons that sessions were begun and have ended.

By default in a transaction of its own, outside visitors' requests: what is to be told is posted in
the store together with the session itself, claimed by one process under a lease, and taken out
when the notifier's transaction has committed. So it may be told twice after a crash, and is never
lost. In-band, a notifier runs within the request that caused it or came across it.
"""

import logging
import os

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from transaction.interfaces import TransientError

from coatroom.zope import names
from coatroom.zope import records
from coatroom.zope.guards import guarded

logger = logging.getLogger("coatroom.zope")

ADD = "add"
DELETE = "delete"
KIND = names.RESERVED + "kind"
LOCATOR = names.RESERVED + "locator"


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
        state.stage_what_can_be_kept()
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
    def write(undos):
        if kind == DELETE or state.native.exists:
            undo = guarded(lambda: _post(kind, state, attributes()))
            undos.append((state.house.outbox, undo))

    state.sessions.after_write.append(write)


def _post(kind, state, attributes):
    note = state.house.outbox.keyed(os.urandom(16))
    note.set_raw(KIND, records.OPAQUE, kind.encode())
    note.set_raw(LOCATOR, records.OPAQUE, state.native.locator.encode())
    for name, data in attributes.items():
        note.set_raw(name, records.OPAQUE, data)
    return note.save_undoable()
