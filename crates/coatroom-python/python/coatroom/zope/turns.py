"""Requests for a session that had a conflict take turns for a while.

Advisory: compare-and-set alone keeps the data right. But the publisher's retries sleep for seconds
and then give up, so a session that many requests change at once is better served in order.
"""

import collections
import threading
import time

#: How long after its latest conflict a session's requests take turns, in seconds.
CONTESTED_FOR = 10.0


class Turns:
    """First come, first served, for each contested session of this process."""

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._queues = {}

    def contest(self, name):
        """A request for this session met a conflict."""
        with self._lock:
            self._forget_old()
            queue = self._queues.setdefault(name, _Queue())
            queue.until = self._clock() + CONTESTED_FOR

    def is_any_contested(self):
        """Whether it is worth asking for a turn."""
        return bool(self._queues)

    def take(self, name, patience):
        """Waits for a turn, at most ``patience`` seconds; what ends it, or None where nobody waits."""
        with self._lock:
            queue = self._queues.get(name)
            if queue is None or (queue.until <= self._clock() and not queue.waiting):
                return None
            if len(queue.waiting) > 0:
                # Whoever still has to wait keeps the session contested.
                queue.until = self._clock() + CONTESTED_FOR
            turn = _Turn(self, queue)
            queue.waiting.append(turn)
            if queue.waiting[0] is turn:
                turn.begun.set()
        turn.begun.wait(patience)
        return turn

    def _end(self, turn):
        with self._lock:
            queue = turn.queue
            if turn in queue.waiting:
                queue.waiting.remove(turn)
            if queue.waiting:
                queue.waiting[0].begun.set()

    def _forget_old(self):
        now = self._clock()
        old = [name for name, queue in self._queues.items() if queue.until <= now and not queue.waiting]
        for name in old:
            del self._queues[name]


class _Queue:
    def __init__(self):
        self.until = 0.0
        self.waiting = collections.deque()


class _Turn:
    def __init__(self, turns, queue):
        self._turns = turns
        self.queue = queue
        self.begun = threading.Event()

    def end(self):
        self._turns._end(self)


turns = Turns()
