"""The session data manager: as the stock one, renewing the session at login."""

from AccessControl import getSecurityManager
from AccessControl.class_init import InitializeClass
from AccessControl.SecurityInfo import ClassSecurityInfo
from Products.Sessions import SessionDataManager as stock
from Products.Sessions.permissions import access_session_data

from coatroom.zope import login


class SessionDataManager(stock.SessionDataManager):
    """As Products.Sessions' own. A session that was begun by an anonymous visitor gets a new browser
    id when a signed-in user first uses it; one of another user is not handed over.
    """

    security = ClassSecurityInfo()

    @security.protected(access_session_data)
    def getSessionData(self, create=1):
        """The visitor's session; None without ``create`` where there is no browser id yet."""
        user = getSecurityManager().getUser().getId()
        if user is not None:
            login.renew(self, user, only_anonymous=True)
        session = super().getSessionData(create)
        if user is not None and session is not None:
            login.claim(session, user)
        return session

    def _hasSessionDataObject(self, key):
        container = self._getSessionDataContainer()
        return container is not None and key in container


InitializeClass(SessionDataManager)
