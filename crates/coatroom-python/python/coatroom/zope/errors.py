"""What can go wrong, as the classes that Zope's own code expects."""

from zExceptions import HTTPServiceUnavailable
from ZODB.POSException import ConflictError
from ZPublisher.HTTPResponse import status_codes

#: When a visitor may try again after a 503, in seconds.
RETRY_AFTER = 2


class SessionConflictError(ConflictError):
    """Another request changed the same key of the session, or ended it, and committed first.

    The publisher runs the request again, with a fresh view.
    """


class SessionStoreUnavailable(HTTPServiceUnavailable):
    """The store of sessions cannot be reached, opened or written: 503, and nothing is kept."""

    def __init__(self, *args):
        super().__init__(*args)
        self.setHeader("Retry-After", str(RETRY_AFTER))


# Where a site has a view for errors, as Plone has, the publisher takes the status from the class' name.
status_codes[SessionStoreUnavailable.__name__.lower()] = SessionStoreUnavailable.status


class SessionLimitError(ValueError):
    """A key, a value or a whole session is larger than its limit."""


class InvalidKeyError(ValueError):
    """A session key is text that UTF-8 cannot encode, or a number of thousands of digits."""


class UnpicklableValueError(TypeError):
    """A value cannot be kept, because it does not pickle."""


class UnreadableValueError(ValueError):
    """A value is there and cannot be read: what its class makes of it failed, or a persistent object
    in it is gone."""
