"""Renewal at login: the data is kept, the old browser id is dead.

Source: OWASP ASVS 7.2.4.
"""

import logging

from Acquisition import aq_base
from zope.globalrequest import getRequest

logger = logging.getLogger("coatroom.zope")


def renew(manager, user, only_anonymous=False):
    """Gives the request's session to a user, under a new browser id.

    With ``only_anonymous`` a session that is the user's already stays as it is. Does nothing for
    stock managers and other containers.
    """
    ids = manager.getBrowserIdManager()
    if not hasattr(aq_base(ids), "renewBrowserId"):
        return
    old = ids.getBrowserId(create=0)
    container = manager._getSessionDataContainer() if old is not None else None
    if container is None or not hasattr(aq_base(container), "_renewSession"):
        return
    renewable, owner = container._ownership(old)
    if only_anonymous and (not renewable or owner == user):
        return
    container._renewSession(old, ids.renewBrowserId, user)


def claim(session, user):
    """A session begun by a signed-in user is that user's from the start."""
    state = getattr(aq_base(session), "_state", None)
    state = state() if state is not None else None
    if getattr(state, "is_new", False) and state.principal is None:
        state.principal = user


def on_login(event):
    """PAS says that a user has signed in."""
    request = getRequest()
    manager = _manager(request, event.object)
    if manager is not None:
        renew(manager, event.object.getId())


def _manager(request, user):
    parents = request.get("PARENTS") if request is not None else None
    for place in (parents[0] if parents else None, user):
        manager = getattr(place, "session_data_manager", None)
        if manager is not None and hasattr(aq_base(manager), "getSessionData"):
            return manager
    return None
