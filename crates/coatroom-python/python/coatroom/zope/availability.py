"""Whether sessions can be used, as the log says it."""

import logging
import threading
import time

logger = logging.getLogger("coatroom.zope")


class _Availability:
    """Says in the log when the store cannot be used, and when it can again."""

    SAY_EVERY = 60.0

    def __init__(self):
        self._lock = threading.Lock()
        self.forget()

    def forget(self):
        """Nothing was said yet, and the store was never lost: for tests."""
        self._said_at = float("-inf")
        self._is_lost = False

    def lost(self, error):
        """The store could not do what it was asked."""
        with self._lock:
            if self._is_lost or time.monotonic() - self._said_at < self.SAY_EVERY:
                return
            self._said_at, self._is_lost = time.monotonic(), True
        logger.warning("pages that use sessions answer 503, and all others work: %s", error)

    def found(self):
        """It could."""
        if not self._is_lost:
            return
        with self._lock:
            self._is_lost = False
        logger.warning("the session store can be used again")


availability = _Availability()
