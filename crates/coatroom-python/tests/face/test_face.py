"""The package coatroom: the library's verbs with plain Python values."""

import doctest
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback

import pytest
import servers

import coatroom


@pytest.fixture
def clock():
    return coatroom.ManualClock()


@pytest.fixture(params=["memory", "embedded", *servers.KINDS])
def url(request, tmp_path):
    """The URL of an empty store of each kind."""
    if request.param == "memory":
        return "memory:"
    if request.param == "embedded":
        return f"embedded:{tmp_path / 'sessions'}"
    return servers.fresh_url(request.param)


@pytest.fixture
def store(url):
    opened = coatroom.Store(url)
    yield opened
    opened.close()


@pytest.fixture
def sessions(store, clock):
    return coatroom.SessionManager(store, clock=clock, sweep_every=None)


def begin(sessions, **values):
    id, session = sessions.create()
    for name, value in values.items():
        session[name] = value
    sessions.commit(session)
    return id


def test_what_is_committed_is_there_again(sessions):
    values = {"n": 1, "text": "ä", "list": [1, {"a": None}], "bytes": b"\0\xff", "float": 1.5, "none": None}
    session = sessions.open(begin(sessions, **values))
    assert {name: session[name] for name in session} == values
    assert session.names() == sorted(values) and "n" in session and session.get("no", 7) == 7
    with pytest.raises(KeyError):
        session["no"]
    del session["n"]
    with pytest.raises(KeyError):
        del session["n"]
    assert session.take("text") == "ä" and "text" not in session
    session.clear()
    assert list(session) == [] and session


def test_an_id_that_is_none_opens_nothing(sessions):
    for id in ("", "x" * 64, "ä" * 64, "../../etc", "\udcff" * 64):
        assert sessions.open(id) is None and sessions.open_locator(id) is None and not sessions.end(id)


def test_a_key_is_any_text(sessions):
    session = sessions.keyed("\udcff")
    session["n"] = 1
    session.save()
    assert sessions.keyed("\udcff")["n"] == 1 and "n" not in sessions.keyed("\udcfe")


@pytest.mark.parametrize("value", [{1: "one"}, {None: 0, 1.5: 1, True: 2, b"b": 3}, {(1, ("a", 2)): [{3: 4}]}])
def test_a_mapping_has_any_key_that_messagepack_knows(sessions, value):
    assert sessions.open(begin(sessions, value=value))["value"] == value


@pytest.mark.parametrize("module", [coatroom, coatroom._manager, coatroom._session])
def test_the_examples_in_docstrings_run(module):
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


def test_the_examples_in_the_readme_run(tmp_path, monkeypatch):
    readme = pathlib.Path(__file__).parents[2] / "README.md"
    (example,) = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    done = {}
    exec(example, done)
    assert done["sessions"].open(done["id"])["visits"] == 2


def test_parallel_edits_of_one_value_are_all_kept(sessions):
    id = begin(sessions, n=0)

    def run():
        for _ in range(50):
            session = sessions.open(id)
            session.edit("n", lambda n: n + 1)
            session.save()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions.open(id)["n"] == 200


def test_an_update_holds_at_once_and_an_edit_that_raises_changes_nothing(sessions):
    id = begin(sessions, n=1)
    session = sessions.open(id)
    assert session.update("n", lambda n: n * 10) == 10
    with pytest.raises(ZeroDivisionError):
        session.edit("n", lambda n: n / 0)
    session.save()
    assert sessions.open(id)["n"] == 10


@pytest.mark.parametrize("way", ["save", "save_undoable", "commit"])
def test_what_an_edit_raises_on_a_newer_value_is_raised_by_the_commit(sessions, way):
    id = begin(sessions, n=1)
    session, other = sessions.open(id), sessions.open(id)
    session.edit("n", lambda n: 10 // n)
    other["n"] = 0
    other.save()
    with pytest.raises(ZeroDivisionError):
        sessions.commit(session) if way == "commit" else getattr(session, way)()
    assert sessions.open(id)["n"] == 0


def test_a_manager_that_rejects_says_which_attribute_collided(store, clock):
    sessions = coatroom.SessionManager(store, clock=clock, on_conflict="reject", sweep_every=None)
    id = begin(sessions, n=1)
    one, two = sessions.open(id), sessions.open(id)
    one["n"] = two["n"] = 2
    one.save()
    with pytest.raises(coatroom.Conflict) as raised:
        two.save()
    assert raised.value.name == "n" and isinstance(raised.value, coatroom.SessionError)


def test_a_login_gives_a_new_id_and_a_logout_ends_it(sessions):
    id = begin(sessions, cart=["tea"])
    session = sessions.open(id)
    session.login("alice")
    new = sessions.commit(session)
    assert new is not None and sessions.open(id) is None
    session = sessions.open(new)
    assert (session.principal, session["cart"]) == ("alice", ["tea"])
    (info,) = sessions.of("alice")
    assert info.locator == session.locator and info.principal == "alice"
    slow = sessions.open(new)
    session.logout()
    slow["late"] = 1
    with pytest.raises(coatroom.Gone):
        slow.save()


def test_sessions_are_listed_counted_and_ended(sessions):
    ids = [begin(sessions, n=n) for n in range(5)]
    page, cursor = sessions.list(limit=3)
    rest, end = sessions.list(cursor, 3)
    assert sessions.count() == 5 and len(page + rest) == 5 and end is None
    assert sessions.end(page[0].locator) and not sessions.end(page[0].locator)
    assert sessions.count() == 4 and sum(sessions.open(id) is not None for id in ids) == 4


def test_keyed_sessions_have_no_id(sessions):
    sessions.keyed("job 7").set("step", 1)
    session = sessions.keyed("job 7")
    session["step"] = 2
    session.save()
    assert sessions.keyed("job 7", passive=True)["step"] == 2


def test_a_look_is_no_access_until_the_session_is_touched(sessions, clock):
    session = sessions.keyed("visitor")
    session.touch()
    assert not session.exists
    session["n"] = 1
    session.save()
    for _ in range(3):
        clock.advance(15 * 60)
        held = sessions.keyed("visitor", passive=True)
        assert held.last_accessed == clock.now() - 15 * 60
        held.touch()
        held.touch()
        assert held.last_accessed == sessions.keyed("visitor", passive=True).last_accessed == clock.now()
    clock.advance(20 * 60)
    held.touch()
    assert not sessions.keyed("visitor").exists


def test_an_access_by_key_counts(sessions, clock):
    session = sessions.keyed("visitor")
    session["n"] = 1
    session.save()
    for _ in range(3):
        clock.advance(15 * 60)
        assert sessions.keyed("visitor").last_accessed == clock.now()


def test_a_commit_is_taken_back(sessions):
    session = sessions.keyed("k")
    session["n"] = 1
    session.save()
    session["n"] = 2
    undo = session.save_undoable()
    sessions.undo(undo)
    assert sessions.keyed("k")["n"] == 1
    assert sessions.keyed("k").save_undoable() is None


def test_all_sessions_of_a_principal_are_ended_but_one(sessions):
    ids = []
    for _ in range(3):
        session = sessions.open(begin(sessions, n=1))
        session.login("alice")
        ids.append(sessions.commit(session))
    keep = sessions.open(ids[0])
    assert sessions.end_others("alice", keep.locator) == 2
    assert [sessions.open(id) is not None for id in ids] == [True, False, False]
    assert sessions.end_all("alice") == 1
    assert sessions.of("alice") == [] and sessions.open(ids[0]) is None
    keep["late"] = 1
    with pytest.raises(coatroom.Gone):
        keep.save()


@pytest.mark.parametrize("at_limit", ["end-oldest", "refuse"])
def test_a_principal_has_no_more_sessions_than_its_cap(store, clock, at_limit):
    sessions = coatroom.SessionManager(
        store, clock=clock, sweep_every=None, max_sessions_per_principal=2, at_limit=at_limit
    )
    ids = []
    for _ in range(2):
        ids.append(sign_in(sessions))
        clock.advance(1)
    if at_limit == "refuse":
        with pytest.raises(coatroom.TooManySessions):
            sign_in(sessions)
        assert [sessions.open(id) is not None for id in ids] == [True, True]
    else:
        ids.append(sign_in(sessions))
        assert [sessions.open(id) is not None for id in ids] == [False, True, True]
    with pytest.raises(coatroom.ConfigurationError, match="at_limit"):
        coatroom.SessionManager(store, at_limit="never")
    with pytest.raises(coatroom.ConfigurationError, match="max_sessions_per_principal"):
        coatroom.SessionManager(store, max_sessions_per_principal=0)


def sign_in(sessions):
    _id, session = sessions.create()
    session.login("alice")
    return sessions.commit(session)


def test_a_session_ends_when_it_is_idle_by_a_clock_moved_by_hand(store, clock):
    sessions = coatroom.SessionManager(store, clock=clock, idle_timeout=60, sweep_every=None)
    id = begin(sessions, n=1)
    clock.advance(59)
    assert sessions.open(id)["n"] == 1 and sessions.open(id).idle_timeout == 60
    clock.advance(61)
    assert sessions.open(id) is None
    assert sessions.now() == clock.now()


def test_two_managers_of_one_store_see_the_same_at_once(store, clock):
    one, two = (coatroom.SessionManager(store, clock=clock, sweep_every=None) for _ in range(2))
    id = begin(one, n=1)
    assert two.open(id).update("n", lambda n: n + 1) == 2
    assert one.open(id)["n"] == 2
    two.open(id).logout()
    assert one.open(id) is None
    other = coatroom.SessionManager(store, namespace="other", clock=clock, sweep_every=None)
    assert (other.count(), one.count()) == (0, 0)


def test_expiry_is_told_with_the_data_and_again_after_a_failure(store, clock):
    heard = []

    def listen(kind, locator, principal, snapshot):
        heard.append((kind, snapshot and sorted(snapshot.attributes)))
        if len([kind for kind, _ in heard if kind == "expired"]) == 1:
            raise RuntimeError("not yet")

    sessions = coatroom.SessionManager(
        store, clock=clock, idle_timeout=60, on_event=listen, sweep_every=None
    )
    begin(sessions, n=1)
    clock.advance(120)
    sessions.sweep()
    clock.advance(120)
    sessions.sweep()
    assert heard == [("created", None), ("expired", ["n"]), ("expired", ["n"])]


def test_settings_out_of_range_and_unknown_stores_are_told():
    store = coatroom.Store("memory:")
    with pytest.raises(coatroom.ConfigurationError, match="max_attributes"):
        coatroom.SessionManager(store, max_attributes=0)
    with pytest.raises(coatroom.ConfigurationError, match="embedded:DIRECTORY"):
        coatroom.Store("mysql://x")
    for timeout in (-1, float("nan"), float("inf")):
        with pytest.raises(coatroom.ConfigurationError, match="idle_timeout"):
            coatroom.SessionManager(store, idle_timeout=timeout)
    with pytest.raises(coatroom.ConfigurationError, match="on_conflict"):
        coatroom.SessionManager(store, on_conflict="never")


@pytest.mark.parametrize("interval", [0, -1, 0.0001, float("nan"), float("inf")])
def test_a_sweeper_that_would_spin_or_end_is_refused(interval):
    before = threading.active_count()
    with pytest.raises(coatroom.ConfigurationError, match="sweep_every"):
        coatroom.SessionManager(coatroom.Store("memory:"), sweep_every=interval)
    assert threading.active_count() == before


def test_what_is_of_another_type_is_told_at_once(sessions, store):
    with pytest.raises(TypeError, match="on_event"):
        coatroom.SessionManager(store, on_event="print")
    with pytest.raises(TypeError):
        coatroom.SessionManager(store, sweep_every="often")
    with pytest.raises(TypeError, match="Session"):
        sessions.commit(None)


def test_what_messagepack_lacks_and_what_is_too_large_is_told(sessions):
    session = sessions.open(begin(sessions, n=1))
    endless = []
    endless.append(endless)
    for value in (object(), 2**64, "\ud800", endless):
        with pytest.raises(TypeError):
            session["lacking"] = value
    with pytest.raises(coatroom.LimitExceeded, match="max_value_bytes"):
        session["big"] = b"x" * 300_000
    session.set_raw("pickle", 1, b"anything")
    with pytest.raises(coatroom.SessionError, match="format is 1"):
        session["pickle"]


@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_server_that_is_away_is_told_and_used_again_when_it_is_back(kind):
    road = servers.Road(servers.server_url(kind))
    url = servers.fresh_url(kind, road.url)
    road.cut()
    with pytest.raises(coatroom.StoreUnavailable, match="cannot be reached"):
        coatroom.Store(url)
    road.mend()
    sessions = coatroom.SessionManager(coatroom.Store(url), sweep_every=None)
    id = begin(sessions, n=1)
    road.cut()
    with pytest.raises(coatroom.StoreUnavailable):
        sessions.open(id)
    road.mend()
    deadline = time.monotonic() + 20
    while True:
        try:
            assert sessions.open(id)["n"] == 1
            break
        except coatroom.StoreUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("kind", servers.KINDS)
def test_a_password_is_in_no_error_and_no_representation(kind):
    url = servers.credentials(servers.server_url(kind), password="d0ntShowThis")
    with pytest.raises(coatroom.StoreUnavailable, match="check the user and password") as raised:
        coatroom.Store(url)
    shown = coatroom._native.shown_url(url)
    assert "***" in shown and "d0ntShowThis" not in shown + "".join(traceback.format_exception(raised.value))
    for wrong in (f"{kind}://:d0ntShowThis@h:port", f"{kind}://u:d0ntShowThis@h/d?no=x", "mysql://u:d0ntShowThis@h"):
        with pytest.raises(coatroom.ConfigurationError) as raised:
            coatroom.Store(wrong)
        assert "d0ntShowThis" not in str(raised.value)


def test_a_directory_in_use_is_told_with_path_and_remedy(tmp_path):
    first = coatroom.Store(f"embedded:{tmp_path}")
    code = f"import coatroom; coatroom.Store('embedded:{tmp_path}')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "StoreUnavailable" in done.stderr and str(tmp_path) in done.stderr
    first.close()


FORKING = """
import os, sys, time, coatroom
url = sys.argv[1]
store = coatroom.Store(url)
sessions = coatroom.SessionManager(store, on_event=lambda *event: None)
id, session = sessions.create()
session["n"] = 1
sessions.commit(session)
child = os.fork()
if child == 0:
    try:
        sessions.open(id)
    except coatroom.ForkedError as error:
        assert "open it after the fork" in str(error)
        if not url.startswith(("embedded:", "memory:")):
            own = coatroom.SessionManager(coatroom.Store(url))
            assert own.open(id)["n"] == 1
            own.open(id).update("n", lambda n: n + 1)
        del sessions, store, session
        sys.exit(7)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 7, status
print("n is", sessions.open(id)["n"])
"""


def test_a_forked_child_is_told_to_open_its_own_and_both_end_by_themselves(url):
    done = subprocess.run([sys.executable, "-c", FORKING, url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    kept_apart = url.startswith(("embedded:", "memory:"))
    assert done.stdout == f"n is {1 if kept_apart else 2}\n"


@pytest.fixture
def counting():
    """What another thread of Python has counted to."""
    ticks, stop = [0], threading.Event()

    def tick():
        while not stop.is_set():
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    yield lambda: ticks[0]
    stop.set()
    thread.join()


def test_other_threads_run_while_the_engine_works(tmp_path, counting):
    """Commits that wait for the disk let the interpreter go on."""
    sessions = coatroom.SessionManager(coatroom.Store(f"embedded:{tmp_path}?durability=every-commit"))
    session = sessions.open(begin(sessions, n=0))
    before = counting()
    for n in range(20):
        session["n"] = n + 1
        session.save()
    assert counting() > before
    keyed = sessions.keyed("visitor")
    keyed["n"] = 0
    keyed.save()
    before = counting()
    for n in range(20):
        keyed["n"] = n + 1
        assert keyed.save_undoable() is not None
    assert counting() > before


@pytest.mark.parametrize("save", ["save", "save_undoable"])
def test_a_call_that_waits_for_its_server_holds_up_no_other_thread(save):
    """Redis does not go on until another thread of Python has seen it wait and tells it to."""
    url = servers.fresh_url("redis")
    session = coatroom.SessionManager(coatroom.Store(url), sweep_every=None).keyed("visitor")
    session["n"] = 1
    session.save()
    redis, over = servers.RedisLine(url), threading.Event()

    def let_go_on():
        while " flags=b " not in redis.call("CLIENT", "LIST") and not over.is_set():
            pass
        redis.call("CLIENT", "UNPAUSE")

    session["n"] = 2
    thread = threading.Thread(target=let_go_on)
    redis.call("CLIENT", "PAUSE", "60000", "WRITE")
    thread.start()
    try:
        getattr(session, save)()
    finally:
        over.set()
        thread.join()
        redis.close()
    assert session["n"] == 2
