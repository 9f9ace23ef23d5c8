"""The session data manager: as the stock one, renewing the session at login."""

from AccessControl.SecurityInfo import ClassSecurityInfo
from Acquisition import aq_base
from Products.Sessions import SessionDataManager as stock
from Products.Sessions.permissions import access_session_data

from coatroom.zope import login
from coatroom.zope import publishing
from coatroom.zope import registry


class SessionDataManager(stock.SessionDataManager):
    """As Products.Sessions' own. A session that was begun by an anonymous visitor gets a new browser
    id when a signed-in user first uses it; one of another user is not handed over, and none begins
    under an id that the request brought.
    """

    security = ClassSecurityInfo()
    #: What a registry knows it by.
    _renews_sessions = True

    @security.protected(access_session_data)
    def getSessionData(self, create=1):
        """The visitor's session; None without ``create`` where there is no browser id yet."""
        # The request's user: code that runs with another one's rights is still this visitor's.
        user = login.principal_of(self.REQUEST)
        if user is not None:
            login.secure(self, user)
        key = self.getBrowserIdManager().getBrowserId(create=create)
        session = self._getSessionDataObject(key) if key is not None else None
        if session is not None:
            if user is not None:
                login.claim(session, user)
            else:
                login.note_early(self)
        return session

    def _getSessionDataContainer(self):
        path, root = self.obpath, getattr(self, "getPhysicalRoot", None)
        # A container in the root, where install puts it, needs no traversal.
        if path is not None and root is not None and len(path) == 2 and not path[0]:
            root = root()
            if path[1] in aq_base(root).__dict__:
                return getattr(root, path[1])
        return super()._getSessionDataContainer()

    def manage_afterAdd(self, item, container):
        """Where it lies is noted."""
        super().manage_afterAdd(item, container)
        registry.note(self)

    def _hasSessionDataObject(self, key):
        container = self._getSessionDataContainer()
        return container is not None and key in container


publishing.initialize(SessionDataManager, "manage_afterAdd")
