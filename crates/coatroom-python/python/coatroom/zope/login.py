"""Renewal at login: the data is kept, the old browser id is dead.

Source: OWASP ASVS 7.2.4.
"""

import logging
from functools import partial

from Acquisition import aq_base
from Products.Sessions.interfaces import SessionDataManagerErr
from zope.globalrequest import getRequest

from coatroom.zope import transactions
from coatroom.zope.principals import Principal

logger = logging.getLogger("coatroom.zope")

#: On the request: who signed in in its course.
_SIGNED_IN = "session_principal_"
#: In the request: the session data managers that were asked before it was known who comes.
_ASKED_EARLY = "session_managers_asked_early_"


def principal_of(request):
    """Who makes a request, or None. Code that runs under another user's rights changes nothing of it."""
    signed_in = getattr(request, "__dict__", {}).get(_SIGNED_IN)
    if signed_in is not None:
        return signed_in
    # Not by get, which looks into the form too.
    return Principal.of(getattr(request, "other", {}).get("AUTHENTICATED_USER"))


def renew(manager, user):
    """Gives the request's session to a user, under a new browser id.

    Does nothing for stock managers and other containers.
    """
    try:
        ids, container, old = _parts(manager)
    except SessionDataManagerErr:  # It knows of no browser ids.
        return
    if container is not None:
        container._renewSession(old, ids.renewBrowserId, *user)


def secure(manager, user):
    """Before a user's request uses its session: has nobody else know the id that it is kept under.

    A session that is the user's stays as it is, and any other is renewed. Where there is none yet, or
    one that was begun in this very request, none begins under an id that the request brought, for
    whoever planted it there knows it.
    """
    ids, container, old = _parts(manager)
    if container is None:
        return
    if container._isReadOnly():
        container._hideSession(old, user)
        return
    state = container._find(old)
    is_anybodys = state is not None and state.is_new and state.owner is None
    if state is not None and not is_anybodys:
        if state.owner is None or not state.owner.is_same(user):
            container._renewSession(old, ids.renewBrowserId, *user)
    elif ids.isBroughtByRequest() and not container._isSuperseded(old):
        renew = partial(ids.renewBrowserId, container._backend())
        if state is not None:
            container._renewSession(old, renew, *user)
        else:
            renew()


def note_early(manager):
    """A session is used by nobody that is known; during traversal he may become known later."""
    # Not on the request, which would hold itself by it.
    early = getattr(manager.REQUEST, "other", {}).setdefault(_ASKED_EARLY, [])
    if manager not in early:
        early.append(manager)


def on_known(event):
    """The request has been traversed, and who makes it is known: also of the sessions used on the way."""
    request = event.request
    early = getattr(request, "other", {}).pop(_ASKED_EARLY, ())
    if early and principal_of(request) is not None:
        for manager in early:
            manager.getSessionData(create=0)


def claim(session, user):
    """A session begun by a signed-in user is that user's from the start."""
    state = getattr(aq_base(session), "_state", None)
    state = state() if state is not None else None
    if getattr(state, "is_new", False) and state.principal is None:
        state.principal = user


def on_login(event):
    """PAS says that a user has signed in."""
    request = getRequest()
    manager, user = _manager(request, event.object), Principal.of(event.object)
    if manager is None or user is None:
        return
    renew(manager, user)
    vars(request)[_SIGNED_IN] = user
    transactions.current().take_back_later(lambda: vars(request).pop(_SIGNED_IN, None))


def _parts(manager):
    """The browser id manager, the container and the request's browser id; None where there is nothing
    to renew."""
    ids = manager.getBrowserIdManager()
    if hasattr(aq_base(ids), "renewBrowserId"):
        old = ids.getBrowserId(create=0)
        container = manager._getSessionDataContainer() if old is not None else None
        if container is not None and hasattr(aq_base(container), "_renewSession"):
            return ids, container, old
    return ids, None, None


def _manager(request, user):
    parents = request.get("PARENTS") if request is not None else None
    for place in (parents[0] if parents else None, user):
        manager = getattr(place, "session_data_manager", None)
        if manager is not None and hasattr(aq_base(manager), "_getSessionDataContainer"):
            return manager
    return None
