"""The publisher runs a request again that met a conflict, after a sleep of seconds. For sessions,
whose requests take turns, it need not sleep."""

from zope.globalrequest import getRequest


def is_coming():
    """Whether the publisher runs the request of this thread again if its transaction fails with a
    conflict; then it does so at once."""
    request = getRequest()
    if request is None or not getattr(request, "supports_retry", bool)():
        return False
    request.delay_retry = _at_once
    return True


def _at_once():
    pass
