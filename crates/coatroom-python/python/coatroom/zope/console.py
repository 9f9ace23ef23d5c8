"""The ZMI tab "Sessions": counts, the store, and ending sessions."""

import time
import urllib.parse

from AccessControl import getSecurityManager
from AccessControl.Permissions import view_management_screens
from AccessControl.SecurityInfo import ClassSecurityInfo
from Acquisition import aq_base
from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from Products.Transience.permissions import manage_transient_containers
from zExceptions import BadRequest
from zExceptions import Forbidden

from coatroom.zope import names
from coatroom.zope import notifications
from coatroom.zope import publishing
from coatroom.zope import settings
from coatroom.zope.csrf import check_token
from coatroom.zope.csrf import new_token
from coatroom.zope.errors import SessionStoreUnavailable
from coatroom.zope.guards import guarded
from coatroom.zope.principals import recorded

#: How many sessions the tab shows at once: of all, and of one user.
_ON_A_PAGE = 50
_OF_A_USER = 200


class ConsoleTab:
    """Mixed into the container."""

    security = ClassSecurityInfo()

    security.declareProtected(view_management_screens, "manage_sessions")
    manage_sessions = PageTemplateFile("www/manage_sessions", globals())

    @security.protected(view_management_screens)
    def sessionOverview(self, user=None, after=None):
        """What the tab shows: settings, the number of sessions, and a page of them; while the store is
        away, what is wrong with it."""
        shown = {
            "store": type(aq_base(self))._store or settings.shown_store(),
            "timeout": self.getTimeoutMinutes(),
            "may_end": bool(getSecurityManager().checkPermission(manage_transient_containers, self)),
            "zone": time.strftime("%Z"),
            "user": _text(user, "user"),
            "after": _text(after, "after"),
        }
        try:
            return {**shown, "error": None, "count": len(self), **_page(self._backend(), shown["user"], shown["after"])}
        except SessionStoreUnavailable as error:
            return {**shown, "error": str(error), "count": None, "sessions": [], "more": 0, "next": None}

    @security.protected(view_management_screens)
    def csrfToken(self):
        """The token that the tab's forms carry."""
        return new_token(self)

    @security.protected(manage_transient_containers)
    def manage_endSession(self, locator, token="", REQUEST=None):
        """Ends one session, at once."""
        self._check_form(REQUEST, token)
        ended = notifications.ended_at_once(self, _text(locator, "locator") or "")
        return self._done(REQUEST, "Session ended." if ended else "That session had ended already.")

    @security.protected(manage_transient_containers)
    def manage_endSessionsOf(self, user, token="", REQUEST=None):
        """Ends all sessions of a user, at once."""
        self._check_form(REQUEST, token)
        if not _text(user, "user") or user.startswith(names.RESERVED):
            raise BadRequest("user names nobody")
        manager, user_id = self._backend().manager, recorded(user)
        ended = sum(notifications.ended_at_once(self, info.locator) for info in guarded(manager.of, user_id))
        # And whoever signs in meanwhile.
        ended += guarded(manager.end_all, user_id)
        return self._done(REQUEST, f"{ended} session{'' if ended == 1 else 's'} of {user} ended.")

    def _check_form(self, request, token):
        if request is not None and request.get("REQUEST_METHOD") != "POST":
            raise Forbidden("ending sessions takes a POST")
        if request is not None and not check_token(self, token):
            raise Forbidden("the form is too old or was not made by this site; open the tab again")

    def _done(self, request, message):
        if request is not None:
            return self.manage_sessions(self, request, manage_tabs_message=message)


def _text(value, name):
    """What a form says, which may say anything."""
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name} is one text")
    return value or None


def _page(backend, user, after):
    """A page of all sessions, by locator, or of a user's, the last used first."""
    if user:
        infos = sorted(guarded(backend.manager.of, recorded(user)), key=lambda info: -info.last_accessed)
        infos, more, cursor = infos[:_OF_A_USER], len(infos[_OF_A_USER:]), None
    else:
        (infos, cursor), more = _list(backend, after), 0
    rows = [_row(info) for info in infos if info.principal != names.SUPERSEDED]
    return {"sessions": rows, "more": more, "next": cursor}


def _list(backend, after):
    try:
        return guarded(backend.manager.list, after, _ON_A_PAGE)
    except ValueError:
        raise BadRequest("after is no session of the list") from None


def _row(info):
    """What a template, which may not look into other objects, shows of a session."""
    return {
        "locator": info.locator,
        "principal": info.principal or "",
        "of_principal": "manage_sessions?user=" + urllib.parse.quote(info.principal or "", safe=""),
        "created": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.created)),
        "last_accessed": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.last_accessed)),
        "bytes": info.bytes,
    }


publishing.initialize(ConsoleTab, "manage_endSession", "manage_endSessionsOf")
