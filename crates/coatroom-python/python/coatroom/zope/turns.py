"""Requests for a session that had a conflict take turns for a while.

Advisory: compare-and-set alone keeps the data right. But the publisher's retries sleep for seconds
and then give up, so a session that many requests change at once is better served in order. Turns
are those of one process. Where other processes change the session too, who has just written rests
for as long as a request takes to run again, and who lost to another process runs again at once: so
each comes to write within the few attempts that a request has.
"""

import collections
import os
import random
import threading
import time

#: How long after its latest conflict a session's requests take turns, in seconds.
CONTESTED_FOR = 10.0
#: How long it is taken for granted after the first one that other processes write too, in seconds.
SUSPECTED_FOR = 0.5
#: How long a turn is kept for a request that the publisher is about to run again, in seconds.
KEPT_FOR = 1.0
#: The longest rest after the first conflict, in seconds.
FIRST_REST = 0.03
#: The longest rest after a write, in seconds.
LONGEST_REST = 0.1


class Turns:
    """First come, first served, for each contested session of this process."""

    def __init__(self, clock=time.monotonic, sleep=time.sleep):
        self._clock = clock
        self._sleep = sleep
        self.forget_all()

    def forget_all(self):
        """Nobody has a turn or waits for one: in a child, whose parent's threads are not in it."""
        self._lock = threading.Lock()
        self._queues = {}
        self._mine = threading.local()

    def contest(self, name, may_be_shared=False, was_alone=False):
        """A request for this session met a conflict, which another process may have written. Where it
        ``was_alone``, because it had its turn, one did."""
        with self._lock:
            self._forget_old()
            queue = self._queues.get(name)
            if queue is None:
                queue = self._queues[name] = _Queue()
                # Whoever has begun without a turn is soon done.
                queue.rest_until = self._clock() + random.uniform(0.5, 1.0) * FIRST_REST
                queue.shared_until = self._clock() + SUSPECTED_FOR if may_be_shared else 0.0
            queue.until = self._clock() + CONTESTED_FOR
            if may_be_shared and was_alone:
                queue.shared_until = queue.until

    def is_any_contested(self):
        """Whether it is worth asking for a turn."""
        return bool(self._queues)

    def take(self, name, patience):
        """Waits for a turn, at most ``patience`` seconds; what ends it, or None where nobody waits.

        A request that runs again in the same thread has kept its turn.
        """
        kept = self._kept(name)
        if kept is not None:
            return kept
        with self._lock:
            queue = self._queues.get(name)
            if queue is None or (queue.until <= self._clock() and not queue.waiting):
                return None
            if len(queue.waiting) > 0:
                # Whoever still has to wait keeps the session contested.
                queue.until = self._clock() + CONTESTED_FOR
            turn = _Turn(self, queue)
            queue.waiting.append(turn)
            self._call_next(queue)
        self._wait(turn, self._clock() + patience)
        self._rest(queue)
        turn.begun_at = self._clock()
        return turn

    def seen(self, turn, revision):
        """The session as the turn found it: was it another process that wrote last?"""
        with self._lock:
            queue = turn.queue
            if queue.written is not None and revision != queue.written:
                queue.shared_until = self._clock() + CONTESTED_FOR

    def wrote(self, name, revision):
        """A request of this process has written."""
        queue = self._queues.get(name)
        if queue is not None:
            queue.written = revision

    def keep(self, turn):
        """The request is about to be run again, in this thread: it stays first for a moment."""
        with self._lock:
            turn.ended_at = self._clock()
            turn.kept_until = turn.ended_at + KEPT_FOR
        self._mine.kept = turn

    def _kept(self, name):
        turn = self._mine.__dict__.pop("kept", None)
        if turn is None:
            return None
        with self._lock:
            if turn in turn.queue.waiting and self._queues.get(name) is turn.queue:
                turn.kept_until = None
                turn.begun_at = self._clock()
                queue = turn.queue
                queue.again_after += (turn.begun_at - turn.ended_at - queue.again_after) / 4
                return turn
        self._end(turn, False)
        return None

    def _wait(self, turn, deadline):
        while not turn.begun.wait(max(0.0, min(KEPT_FOR, deadline - self._clock()))):
            with self._lock:
                self._call_next(turn.queue)
            if self._clock() >= deadline:
                return

    def _call_next(self, queue):
        first = queue.waiting[0]
        if first.kept_until is not None and first.kept_until <= self._clock():
            # It never came again.
            queue.waiting.popleft()
            first = queue.waiting[0] if queue.waiting else None
        if first is not None:
            first.begun.set()

    def _rest(self, queue):
        rest = queue.rest_until - self._clock()
        if rest > 0:
            self._sleep(rest)

    def _end(self, turn, has_written):
        with self._lock:
            queue, now = turn.queue, self._clock()
            if has_written and queue.shared_until > now:
                again = queue.again_after + now - turn.begun_at
                queue.rest_until = now + min(LONGEST_REST, again * random.uniform(1.5, 2.5))
            if turn in queue.waiting:
                queue.waiting.remove(turn)
            if queue.waiting:
                self._call_next(queue)

    def _forget_old(self):
        now = self._clock()
        old = [name for name, queue in self._queues.items() if queue.until <= now and not queue.waiting]
        for name in old:
            del self._queues[name]


class _Queue:
    def __init__(self):
        self.until = 0.0
        self.waiting = collections.deque()
        #: The revision that this process wrote last.
        self.written = None
        #: Until when other processes are expected to write too.
        self.shared_until = 0.0
        self.rest_until = 0.0
        #: How long the publisher takes to run a request again, in seconds.
        self.again_after = 0.0


class _Turn:
    def __init__(self, turns, queue):
        self._turns = turns
        self.queue = queue
        self.begun = threading.Event()
        self.begun_at = self.ended_at = 0.0
        self.kept_until = None

    def end(self, has_written=False):
        self._turns._end(self, has_written)


turns = Turns()
os.register_at_fork(after_in_child=turns.forget_all)
