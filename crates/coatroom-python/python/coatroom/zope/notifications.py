"""Telling add-ons that sessions were begun and have ended.

By default in a transaction of its own, outside visitors' requests: what is to be told is noted in
the store before the session is written (``notes.py``), claimed by one process under a lease, and
taken out when the notifier's transaction has committed. So it may be told twice after a crash, and
is never lost. In-band, a notifier runs within the request that caused it or came across it.
"""

import logging
from functools import partial

import transaction
from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from transaction.interfaces import TransientError

from coatroom.zope import names
from coatroom.zope.guards import guarded
from coatroom.zope.notes import Note
from coatroom.zope.notes import vouch
from coatroom.zope.pending import Begun
from coatroom.zope.pending import Ended
from coatroom.zope.pending import MadeRoom
from coatroom.zope.pending import Vouched
from coatroom.zope.pending import close
from coatroom.zope.seldom import seldom
from coatroom.zope.states import SessionState

logger = logging.getLogger("coatroom.zope")

# What containers tell


def begun(container, state):
    """A session was begun."""
    if container._delCallback:
        container._sessions().pending.append(MadeRoom(state))
    if container._inband_housekeeping:
        container.notifyAdd(container._wrap(state))
    elif container._addCallback:
        container._sessions().pending.append(Begun(state))


def leaves(container, state):
    """A session is about to move to another key, or to end."""
    if container._addCallback and not state.is_new:
        container._sessions().pending.append(Vouched(state))


def ended(container, state):
    """A session was ended at its own wish, or because another user came with it."""
    leaves(container, state)
    if container._inband_housekeeping:
        container.notifyDel(container._wrap(state))
        return
    sessions = container._sessions()
    # A login in the same transaction makes a new one of it.
    stored = sessions.tombstone_of(state.id) if state.is_new else state
    if container._delCallback and stored is not None:
        state.stage_what_can_be_kept()
        sessions.pending.append(Ended(state, stored))


def ended_at_once(container, locator):
    """Ends a stored session now and not with the transaction; whether there was one."""
    backend = container._backend()
    native = guarded(backend.manager.open_locator, locator)
    if native is None:
        return False
    state = SessionState(backend, None, native, container._ring())
    if container._addCallback and state.record.read_id() is not None:
        guarded(vouch, backend, state.record.read_id())
    kept = {name: native.get_raw(name)[1] for name in native.names()}
    if not container._delCallback or names.CONTAINER_KEY not in kept:
        return guarded(state.remove) is not None
    note = guarded(partial(Note, backend, names.DELETE, state, kept, is_open=True))
    is_ended = guarded(state.remove) is not None
    guarded(close, note, is_ended)
    return is_ended


def expired(container, state):
    """A session timed out while this transaction held it. The sweeper tells of those that are stored."""
    if state.is_new:
        container.notifyDel(container._wrap(state))


def resolve(container, target):
    """The callable of a target; None, and a line in the log, where there is none."""
    if not target or not isinstance(target, str):
        return target or None
    try:
        return container.unrestrictedTraverse(target)
    except (KeyError, AttributeError):
        path = "/".join(container.getPhysicalPath())
        seldom.warning(logger, (target, path), "no such notification target %s, named by %s", target, path)
        return None


def call(container, target, item, what):
    """Calls a target as nobody. Whatever it raises is logged, but a conflict, which is retried."""
    method = resolve(container, target)
    if method is None:
        return
    path = "/".join(container.getPhysicalPath())
    if not callable(method):
        seldom.warning(logger, (what, path), "%s of %s failed: %r is not callable", what, path, method)
        return
    manager, savepoint = getSecurityManager(), _savepoint()
    try:
        newSecurityManager(None, nobody)
        method(item, container)
    except Exception as error:
        if savepoint is not None:
            savepoint.rollback()
        if isinstance(error, TransientError):
            raise
        seldom.warning(logger, (what, path), "%s of %s failed when calling %r", what, path, method)
    finally:
        setSecurityManager(manager)


def _savepoint():
    """What takes back the half of what a notifier did; None in a transaction that has none."""
    parties = transaction.get()._resources
    return transaction.savepoint() if all(hasattr(party, "savepoint") for party in parties) else None
