"""Server-side web sessions that lose nothing.

A :class:`Store` keeps sessions, a :class:`SessionManager` opens, lists and ends them, and a
:class:`Session` is one request's view of one: its changes are kept by
:meth:`SessionManager.commit` or :meth:`Session.save`, replayed on whatever other requests
committed meanwhile.

Example:

    >>> sessions = SessionManager(Store("memory:"), namespace="shop")
    >>> id, session = sessions.create()
    >>> session["visits"] = 1
    >>> sessions.commit(session) == id  # what the client must use from now on
    True
    >>> sessions.open(id)["visits"]
    1
"""

from coatroom._native import ConfigurationError
from coatroom._native import Conflict
from coatroom._native import Error
from coatroom._native import ForkedError
from coatroom._native import Gone
from coatroom._native import LimitExceeded
from coatroom._native import OutcomeUnknown
from coatroom._native import PrincipalEnded
from coatroom._native import SessionError
from coatroom._native import StoreCorrupt
from coatroom._native import StoreError
from coatroom._native import StoreFull
from coatroom._native import StoreUnavailable
from coatroom._native import Superseded
from coatroom._native import TooManySessions
from coatroom._manager import SessionManager
from coatroom._native import ManualClock
from coatroom._native import SessionInfo
from coatroom._native import Snapshot
from coatroom._native import Store
from coatroom._native import Undo
from coatroom._session import Session

__all__ = [
    "ConfigurationError",
    "Conflict",
    "Error",
    "ForkedError",
    "Gone",
    "LimitExceeded",
    "ManualClock",
    "OutcomeUnknown",
    "PrincipalEnded",
    "Session",
    "SessionError",
    "SessionInfo",
    "SessionManager",
    "Snapshot",
    "Store",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "Superseded",
    "TooManySessions",
    "Undo",
]
