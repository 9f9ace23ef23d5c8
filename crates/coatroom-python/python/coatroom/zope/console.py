"""The ZMI tab "Sessions": counts, the store, and ending sessions."""

import time

from AccessControl.Permissions import view_management_screens
from AccessControl.SecurityInfo import ClassSecurityInfo
from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from Products.Transience.permissions import manage_transient_containers
from zExceptions import BadRequest
from zExceptions import Forbidden

from coatroom.zope import names
from coatroom.zope import notifications
from coatroom.zope import publishing
from coatroom.zope.csrf import check_token
from coatroom.zope.csrf import new_token
from coatroom.zope.guards import guarded
from coatroom.zope.principals import recorded


class ConsoleTab:
    """Mixed into the container."""

    security = ClassSecurityInfo()

    security.declareProtected(view_management_screens, "manage_sessions")
    manage_sessions = PageTemplateFile("www/manage_sessions", globals())

    @security.protected(view_management_screens)
    def sessionOverview(self, user=None, after=None):
        """What the tab shows: settings, the number of sessions, and a page of them."""
        house = self._house()
        if user:
            infos, cursor = guarded(house.manager.of, recorded(user)), None
        else:
            infos, cursor = _page(house, after)
        return {
            "count": len(self),
            "store": house.url,
            "timeout": self.getTimeoutMinutes(),
            "sessions": [_row(info) for info in infos if info.principal != names.SUPERSEDED],
            "next": cursor,
        }

    @security.protected(view_management_screens)
    def csrfToken(self):
        """The token that the tab's forms carry."""
        return new_token(self)

    @security.protected(manage_transient_containers)
    def manage_endSession(self, locator, token="", REQUEST=None):
        """Ends one session, at once."""
        self._check_form(REQUEST, token)
        ended = notifications.ended_at_once(self, locator)
        return self._done(REQUEST, "Session ended." if ended else "That session had ended already.")

    @security.protected(manage_transient_containers)
    def manage_endSessionsOf(self, user, token="", REQUEST=None):
        """Ends all sessions of a user, at once."""
        self._check_form(REQUEST, token)
        manager, user_id = self._house().manager, recorded(user)
        ended = sum(notifications.ended_at_once(self, info.locator) for info in guarded(manager.of, user_id))
        # And whoever signs in meanwhile.
        ended += guarded(manager.end_all, user_id)
        return self._done(REQUEST, f"{ended} sessions of {user} ended.")

    def _check_form(self, request, token):
        if request is not None and request.get("REQUEST_METHOD") != "POST":
            raise Forbidden("ending sessions takes a POST")
        if request is not None and not check_token(self, token):
            raise Forbidden("the form is too old or was not made by this site; open the tab again")

    def _done(self, request, message):
        if request is not None:
            return self.manage_sessions(self, request, manage_tabs_message=message)


def _page(house, after):
    try:
        return guarded(house.manager.list, after or None, 50)
    except ValueError:
        raise BadRequest("after is no session of the list") from None


def _row(info):
    """What a template, which may not look into other objects, shows of a session."""
    return {
        "locator": info.locator,
        "principal": info.principal or "",
        "created": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.created)),
        "last_accessed": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.last_accessed)),
        "bytes": info.bytes,
    }


publishing.initialize(ConsoleTab, "manage_endSession", "manage_endSessionsOf")
