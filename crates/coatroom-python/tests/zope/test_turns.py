"""Requests for one session take turns, and leave room for those of other processes."""

import os
import signal
import threading
import time

import pytest

from coatroom.zope import turns as module
from coatroom.zope.turns import CONTESTED_FOR
from coatroom.zope.turns import FIRST_REST
from coatroom.zope.turns import KEPT_FOR
from coatroom.zope.turns import LONGEST_REST
from coatroom.zope.turns import SUSPECTED_FOR
from coatroom.zope.turns import Turns


def test_a_child_waits_for_nobody_who_is_not_in_it():
    names = "contested", "another"
    module.turns.contest(names[0])
    waits_for = module.turns.take(names[0], 5.0)
    with module.turns._lock:
        child = os.fork()
        if child == 0:
            # Ends the child where it hangs.
            signal.alarm(10)
            is_free = not module.turns.is_any_contested()
            module.turns.contest(names[1])
            os._exit(0 if is_free and module.turns.take(names[0], 5.0) is None else 1)
    waits_for.end()
    assert os.waitpid(child, 0)[1] == 0


class Time:
    """Goes on when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def turns(clock):
    made = Turns(clock, clock.sleep)
    made.contest("s")
    made.take("s", 5.0).end()
    (first,) = clock.slept
    assert first <= FIRST_REST
    clock.slept.clear()
    return made


def other_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_session_without_conflicts_has_no_turns(turns, clock):
    assert turns.take("another", 1.0) is None
    clock.now += CONTESTED_FOR + 1
    assert turns.take("s", 1.0) is None


def test_one_waits_for_another(turns):
    order = []
    first = turns.take("s", 5.0)

    def second():
        turn = turns.take("s", 30.0)
        order.append("second")
        turn.end()

    thread = other_thread(second)
    while len(first.queue.waiting) < 2:
        time.sleep(0.001)
    order.append("first")
    first.end()
    thread.join(30)
    assert order == ["first", "second"]


def test_who_runs_again_has_kept_its_turn(turns):
    first = turns.take("s", 5.0)
    turns.keep(first)
    assert turns.take("s", 5.0) is first
    first.end()


def test_a_turn_kept_for_another_session_is_over(turns):
    turns.contest("t")
    turns.keep(turns.take("s", 5.0))
    other = turns.take("t", 5.0)
    assert list(turns._queues["s"].waiting) == []
    other.end()


def test_a_turn_that_nobody_comes_back_for_is_over_in_a_while(turns, clock):
    turns.keep(turns.take("s", 5.0))
    clock.now += KEPT_FOR
    taken = []
    other_thread(lambda: taken.append(turns.take("s", 60.0))).join(30)
    assert taken[0].begun.is_set()


def serve(turns, clock, found, writes, took=0.01):
    """One request: what the session's revision was, and what it became."""
    turn = turns.take("s", 5.0)
    turns.seen(turn, found)
    clock.now += took
    if writes is not None:
        turns.wrote("s", writes)
    turn.end(has_written=writes is not None)


def test_nobody_rests_while_this_process_alone_writes(turns, clock):
    serve(turns, clock, 1, 2)
    serve(turns, clock, 2, 3)
    serve(turns, clock, 3, 4)
    assert clock.slept == []


def test_who_has_written_rests_where_another_process_writes_too(turns, clock):
    serve(turns, clock, 1, 2)
    serve(turns, clock, 5, 6)
    serve(turns, clock, 6, 7)
    (rest,) = clock.slept
    assert 0.0149 <= rest <= 0.0251
    clock.now += CONTESTED_FOR / 2
    serve(turns, clock, 7, None)
    assert len(clock.slept) == 1, "nor after a pause, or a request that only read"


def test_the_rest_is_long_enough_for_another_one_to_run_again(turns, clock):
    turns.contest("s", may_be_shared=True, was_alone=True)
    lost = turns.take("s", 5.0)
    turns.keep(lost)
    clock.now += 0.08
    serve(turns, clock, 1, 2)
    serve(turns, clock, 2, 3)
    (rest,) = clock.slept
    assert 0.0449 <= rest <= 0.0751, "the mean of what it took"


def test_at_first_other_processes_are_suspected(turns, clock):
    turns.contest("t", may_be_shared=True)
    clock.now += FIRST_REST
    for _ in range(2):
        turn = turns.take("t", 5.0)
        clock.now += 0.01
        turn.end(has_written=True)
    assert len(clock.slept) == 1
    clock.now += SUSPECTED_FOR
    turns.take("t", 5.0).end(has_written=True)
    turns.take("t", 5.0).end(has_written=True)
    assert len(clock.slept) == 1


def test_a_long_request_is_followed_by_a_short_rest(turns, clock):
    serve(turns, clock, 1, 2)
    serve(turns, clock, 5, 6, took=3.0)
    serve(turns, clock, 6, 7)
    assert clock.slept == [pytest.approx(LONGEST_REST)]


def test_who_loses_in_its_turn_lost_to_another_process_and_does_not_rest_before_it_runs_again(turns, clock):
    lost = turns.take("s", 5.0)
    turns.contest("s", may_be_shared=True, was_alone=True)
    turns.keep(lost)
    serve(turns, clock, 1, 2)
    assert clock.slept == []
    serve(turns, clock, 2, 3)
    assert len(clock.slept) == 1
