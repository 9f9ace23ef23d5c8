"""Warnings of what may fail with every session: said once a minute, so that they do not fill the log."""

import sys
import time

#: How long the same failure is only counted after it was said, in seconds.
SAY_EVERY = 60.0


class Seldom:
    """Says a failure with its traceback, and how often it was left out since the last time."""

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self.forget_all()

    def forget_all(self):
        """Nothing was said yet: for tests."""
        #: What failed, and when it was said; how often it was left out since.
        self._said = {}

    def warning(self, logger, where, text, *arguments):
        """Logs it, with the exception that is being handled; the same one has the same text, ``where`` and class."""
        error, now = sys.exc_info()[0], self._clock()
        said_at, left_out = self._said.get((text, where, error), (now - SAY_EVERY, 0))
        if now - said_at < SAY_EVERY:
            self._said[text, where, error] = said_at, left_out + 1
            return
        self._said[text, where, error] = now, 0
        more = f"; so it did {left_out} times more since this was last said" if left_out else ""
        logger.warning(text + more, *arguments, exc_info=error is not None)


seldom = Seldom()
