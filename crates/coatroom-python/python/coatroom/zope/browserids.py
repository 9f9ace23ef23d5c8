"""The browser id manager: ids that nobody can guess, and that only this site can issue."""

import base64

from AccessControl.Permissions import access_contents_information
from AccessControl.SecurityInfo import ClassSecurityInfo
from Acquisition import aq_base
from Acquisition import aq_parent
from Products.Sessions import BrowserIdManager as stock

from coatroom import _native
from coatroom.zope import caching
from coatroom.zope import keyring
from coatroom.zope import publishing
from coatroom.zope import registry
from coatroom.zope import transactions

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
        if len(args) < 8:
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
        else:
            adopted = self._adopt(request)
            if adopted is not None:
                _rewrite(request, present, adopted)
                return adopted
            if not create and not self.auto_url_encoding:
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
    def isBroughtByRequest(self):
        """Whether the request came with its browser id. It was not made here, that is."""
        return vars(self.REQUEST).get("browser_id_ns_") is not None

    @security.private
    def renewBrowserId(self, unless_unused=None):
        """A new id in the place of the request's, also in the URLs that carry it; for a login.

        Where the transaction aborts, the request and its answer have the old one again; with a backend
        ``unless_unused`` also where it commits no session there under the new one.
        """
        request = self.REQUEST
        before = _Before(request, self.browserid_name)
        bid = self._issue(request, vars(request).get("browser_id_"))
        place = unless_unused.place_of(bid) if unless_unused is not None else None
        transactions.current().take_back_later(lambda: before.put_back(bid), place)
        return bid

    @security.private
    def isIssuedHere(self, bid):
        """Whether this site issued an id. All that it signs have the stock form."""
        if not isinstance(bid, str) or not bid.isascii():
            return False
        ring = keyring.find(aq_base(self)._p_jar or self._jar())
        return ring is not None and ring.is_signed(bid[:_BODY_LENGTH], bid[_BODY_LENGTH:])

    @security.private
    def newBrowserId(self):
        """An id in the stock form, with a secret and a signature behind it."""
        secret = base64.urlsafe_b64encode(_native.random_bytes(16)).decode()[:_SECRET_LENGTH]
        body = _stock_id(_from_system) + secret
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
        transactions.note_issued(bid)
        if "cookies" in self.browserid_namespaces:
            self._setCookie(bid, request)
        request.browser_id_ = bid
        request.browser_id_ns_ = None
        setattr(request, _OURS, bid)
        if replaced is not None:
            _rewrite(request, replaced, bid)
        return bid

    def _setCookie(self, bid, REQUEST, *args, **kwargs):
        super()._setCookie(bid, REQUEST, *args, **kwargs)
        caching.note(REQUEST)

    def _jar(self):
        return aq_base(self)._p_jar or getattr(aq_base(aq_parent(self)), "_p_jar", None)

    def manage_afterAdd(self, item, container):
        """The site needs keys before the first id is issued."""
        super().manage_afterAdd(item, container)
        keyring.ensure(self._jar())
        registry.note(self)


def _from_system(first, last):
    """A random whole number, the last one too; what follows it in an id is what nobody can guess."""
    return first + int.from_bytes(_native.random_bytes(16), "big") % (last - first + 1)


class _Before:
    """What a request and its answer say of the browser id, before that is renewed."""

    NAMES = ("browser_id_", "browser_id_ns_", _OURS)

    def __init__(self, request, name):
        self._request = request
        self._name = name
        self._noted = {key: value for key, value in vars(request).items() if key in self.NAMES}
        self._cookies = getattr(getattr(request, "RESPONSE", None), "cookies", {})
        self._cookie = self._cookies.get(name)

    def put_back(self, bid):
        """Undoes a renewal to ``bid``, as far as nobody has changed it since."""
        noted, cookie = vars(self._request), self._cookies.get(self._name)
        if noted.get("browser_id_") == bid:
            _rewrite(self._request, bid, self._noted.get("browser_id_"))
            for name in self.NAMES:
                noted.pop(name, None)
            noted.update(self._noted)
        if cookie is not None and cookie.get("value") == bid:
            del self._cookies[self._name]
            if self._cookie is not None:
                self._cookies[self._name] = self._cookie


def _rewrite(request, old, new):
    """Has the URLs that a request makes carry another browser id."""
    script = getattr(request, "_script", ())
    if old in script:
        request._script = [new if part == old else part for part in script]
        request._resetURLS()


publishing.initialize(BrowserIdManager, "manage_afterAdd")
