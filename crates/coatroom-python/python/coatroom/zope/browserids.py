"""The browser id manager: ids that nobody can guess, and that only this site can issue."""

import base64
import os

from AccessControl.Permissions import access_contents_information
from AccessControl.SecurityInfo import ClassSecurityInfo
from Acquisition import aq_base
from Acquisition import aq_parent
from Products.Sessions import BrowserIdManager as stock

from coatroom.zope import keyring
from coatroom.zope import publishing

_stock_id = stock.getNewBrowserId
_STOCK_LENGTH = 19
_SECRET_LENGTH = 22
_BODY_LENGTH = _STOCK_LENGTH + _SECRET_LENGTH
#: On the request: the browser id that was found to be one of this site, or was made here.
_OURS = "browser_id_ours_"


class BrowserIdManager(stock.BrowserIdManager):
    """As Products.Sessions' own, with ids of 128 random bits and a signed tail.

    An id that this site did not issue is never adopted, be it from cookie, form or URL. The form is
    one that the stock validator accepts. The cookie is HttpOnly, and the answer that sets one is
    ``Cache-Control: private``.
    """

    security = ClassSecurityInfo()

    def __init__(self, id, *args, **settings):
        if len(args) < 7:
            settings.setdefault("cookiehttponly", 1)
        super().__init__(id, *args, **settings)

    @security.protected(access_contents_information)
    def getBrowserId(self, create=1):
        """The request's browser id; where it has none, a new one, or None without ``create``."""
        request = self.REQUEST
        # Not by getattr, which looks into form and cookies too: the visitor would name the id.
        noted = vars(request)
        present = noted.get("browser_id_")
        if present is None:
            adopted = self._adopt(request)
            if adopted is not None or not create:
                return adopted
        elif present == noted.get(_OURS):
            return present
        elif not self._is_foreign(request, present):
            found = super().getBrowserId(create=0)
            if found is not None or not create:
                return found
        elif not create and not self.auto_url_encoding:
            request.browser_id_ = None
            return None
        return self._issue(request, present)

    # What gives the id to a script, or takes one from a link, the stock manager publishes.

    @security.protected(access_contents_information)
    def getHiddenFormField(self):
        """An input element that carries the browser id."""
        return super().getHiddenFormField()

    @security.protected(access_contents_information)
    def setBrowserIdCookieByForce(self, bid):
        """Sets the cookie to an id."""
        super().setBrowserIdCookieByForce(bid)

    @security.private
    def renewBrowserId(self):
        """A new id in the place of the request's; for a login."""
        return self._issue(self.REQUEST, None)

    @security.private
    def isIssuedHere(self, bid):
        """Whether this site issued an id. All that it signs have the stock form."""
        if not isinstance(bid, str):
            return False
        ring = keyring.find(aq_base(self)._p_jar or self._jar())
        return ring is not None and ring.is_signed(bid[:_BODY_LENGTH], bid[_BODY_LENGTH:])

    @security.private
    def newBrowserId(self):
        """An id in the stock form, with a secret and a signature behind it."""
        secret = base64.urlsafe_b64encode(os.urandom(16)).decode()[:_SECRET_LENGTH]
        body = _stock_id() + secret
        return body + keyring.ensure(self._jar()).sign(body)

    def _adopt(self, request):
        """Takes the id that the request brings, if this site issued it."""
        for name in self.browserid_namespaces:
            values = getattr(request, name, None) if name != "url" else None
            bid = values.get(self.browserid_name, None) if values is not None else None
            if bid is not None and self.isIssuedHere(bid):
                request.browser_id_ = bid
                request.browser_id_ns_ = name
                setattr(request, _OURS, bid)
                return bid
        return None

    def _is_foreign(self, request, bid):
        """Whether the traversal hook took an id from the URL, or made one, that is none of ours."""
        if stock.isAWellFormedBrowserId(bid) is None or self.isIssuedHere(bid):
            return False
        return self.auto_url_encoding or vars(request).get("browser_id_ns_") == "url"

    def _issue(self, request, replaced):
        bid = self.newBrowserId()
        if "cookies" in self.browserid_namespaces:
            self._setCookie(bid, request)
        request.browser_id_ = bid
        request.browser_id_ns_ = None
        setattr(request, _OURS, bid)
        if replaced is not None:
            script = getattr(request, "_script", [])
            request._script = [bid if part == replaced else part for part in script]
        return bid

    def _setCookie(self, bid, REQUEST, *args, **kwargs):
        super()._setCookie(bid, REQUEST, *args, **kwargs)
        response = getattr(REQUEST, "RESPONSE", None)
        if hasattr(response, "setHeader") and not response.getHeader("Cache-Control"):
            response.setHeader("Cache-Control", "private")

    def _jar(self):
        return aq_base(self)._p_jar or getattr(aq_base(aq_parent(self)), "_p_jar", None)

    def manage_afterAdd(self, item, container):
        """The site needs keys before the first id is issued."""
        super().manage_afterAdd(item, container)
        keyring.ensure(self._jar())


publishing.initialize(BrowserIdManager, "manage_afterAdd")
