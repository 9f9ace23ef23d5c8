"""Tokens for the forms of the ZMI tab, signed under the instance's key for one user and day."""

import time

from AccessControl import getSecurityManager

_DAY = 86_400


def new_token(container):
    """A token for the current user."""
    return _token(container, int(time.time()) // _DAY)


def check_token(container, token):
    """Whether a token was made for the current user, today or yesterday."""
    ring = container._ring()
    if not isinstance(token, str):
        return False
    today = int(time.time()) // _DAY
    return ring is not None and any(ring.is_signed(_text(container, day), token) for day in (today, today - 1))


def _token(container, day):
    return container._ensure_ring().sign(_text(container, day))


def _text(container, day):
    return f"form {container._uuid} {getSecurityManager().getUser().getId()} {day}"
