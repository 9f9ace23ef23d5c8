"""Two Zope processes that share a database through ZEO and their sessions on a server. Nothing is
sticky: a visitor's requests go to either."""

import collections
import concurrent.futures
import itertools
import pathlib
import re
import shutil
import time

import pytest
import servers
from instance import Browser
from instance import Instance
from instance import Zeo
from instance import free_port
from instance import while_one_writes

GUIDE = pathlib.Path(__file__).parents[4] / "docs/plone.md"


def fragments():
    """The files of the guide's example, by name."""
    section = GUIDE.read_text().split("### Several processes: ZEO, RelStorage\n")[1].split("\n### ")[0]
    return dict(re.findall(r"^```(?:conf)?\n# (\S+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL))


class Pair:
    """Two instances, set up as the guide says but for hosts, ports and paths."""

    def __init__(self, made, place, store):
        self.place, self.store = place, store
        place.mkdir()
        port, files = free_port(), fragments()
        shutil.copy(made.place / "var/Data.fs", place / "Data.fs")
        text = put(files["zeo.conf"], "address", f"127.0.0.1:{port}")
        self.zeo = Zeo(place, put(text, "path", place / "Data.fs"), port)
        self.told = place / "told.txt"
        self.told.touch()
        self.both = []
        for name in ("one", "two"):
            shutil.copytree(made.place, place / name, ignore=shutil.ignore_patterns("Data.fs*", "*.lock", "log.txt"))
            text = files[f"{name}/etc/zope.conf"]
            storage = re.search(r"<zeoclient>.*</zeoclient>", text, re.DOTALL)[0]
            product = re.search(r"<product-config coatroom>.*</product-config>", text, re.DOTALL)[0]
            instance = Instance(place / name, storage=put(storage, "server", f"127.0.0.1:{port}"))
            instance.environment["COATROOMSITE_TOLD"] = str(self.told)
            instance.configure(put(product, "store", store))
            self.both.append(instance)
        self.one, self.two = self.both
        self.one.coatroom_zope("install", "--timeout", "20")

    def start(self):
        for instance in self.both:
            instance.start()
        return self

    def stop(self):
        for instance in self.both:
            instance.stop()
        self.zeo.stop()

    def run(self, text):
        """Runs a script on the database, beside the running processes."""
        script = self.place / "script.py"
        script.write_text(text + "\nimport transaction\ntransaction.commit()\n")
        self.one.zconsole(script)

    def visitor(self, site=""):
        return Visitor(*(Browser(instance, site=site) for instance in self.both))


def put(text, name, value):
    """A configuration with another value for a key."""
    changed, count = re.subn(rf"^(\s*{name}) .*$", lambda found: f"{found[1]} {value}", text, flags=re.MULTILINE)
    assert count == 1, (name, text)
    return changed


class Visitor:
    """One browser whose requests go to the two processes in turn."""

    def __init__(self, one, two, first=0):
        self.one, self.two = one, two
        two.cookies = one.cookies
        self._turns = itertools.islice(itertools.cycle((one, two)), first, None)

    def get(self, path, **query):
        return next(self._turns).get(path, **query)

    def copy(self, first=0):
        return Visitor(self.one.copy(), self.two.copy(), first)


def data(browser):
    return browser.get("/sess-read").json["data"]


def together(count, work):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def until(what, seconds=120.0):
    """Waits until ``what()`` is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.1)


@pytest.fixture(scope="module", params=servers.KINDS)
def pair(request, made, tmp_path_factory):
    url = servers.fresh_url(request.param)
    running = Pair(made, tmp_path_factory.mktemp("pair") / "site", url)
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.mark.parametrize("site", ["", "/Plone"], ids=["Zope", "Plone"])
def test_increments_of_one_session_through_both_are_all_kept(pair, site):
    visitor = pair.visitor(site)
    visitor.get("/sess-zero")
    visitors = [visitor.copy(number) for number in range(8)]
    for each in visitors:
        each.get("/sess-read")

    def run(number):
        done = []
        for _ in range(130):
            begun = time.monotonic()
            status = visitors[number].get("/sess-increment", wait="5").status
            done.append((status, time.monotonic() - begun))
        return done

    begun = time.monotonic()
    done = [each for client in together(8, run) for each in client]
    rate = len(done) / (time.monotonic() - begun)
    statuses = collections.Counter(status for status, _ in done)
    took = sorted(seconds for _, seconds in done)
    p99 = 1000 * took[int(len(took) * 0.99)]
    print(f"{dict(statuses)}, {rate:.0f}/s, median {1000 * took[len(took) // 2]:.0f} ms, p99 {p99:.0f} ms")
    assert [int(data(each)["n"]) for each in (visitor.one, visitor.two)] == [statuses[200]] * 2
    assert statuses[200] >= 0.999 * len(done)


def test_different_keys_changed_through_both_are_all_kept(pair):
    visitor = pair.visitor()
    visitor.get("/sess-increment")
    visitors = [visitor.copy(number) for number in range(8)]

    def run(number):
        return [visitors[number].get("/sess-increment", key=f"k{number}", wait="5").status for _ in range(20)]

    assert {status for each in together(8, run) for status in each} == {200}
    assert {data(visitor)[f"k{number}"] for number in range(8)} == {"20"}


def test_a_login_on_one_is_true_on_the_other_at_once(pair):
    visitor = pair.visitor("/Plone")
    visitor.one.get("/sess-increment")
    before = visitor.copy()
    assert visitor.one.get("/sess-login").json["data"] == {"n": "1", "logins": "1", "after": "'login'"}
    assert data(visitor.two) == {"n": "1", "logins": "1", "after": "'login'"}
    for straggler in (before.two, before.one):
        answer = straggler.get("/sess-increment")
        assert answer.json == 1 and not answer.cookies_set("_ZopeId"), "an empty session that is not kept"
    assert data(visitor.two)["n"] == "1"


def test_a_cookie_from_before_a_logout_on_one_has_no_data_on_either(pair):
    visitor = pair.visitor("/Plone")
    answer = visitor.one.post(
        "/login", __ac_name="member", __ac_password="secret12345", **{"buttons.login": "Log in", "came_from": ""}
    )
    assert answer.status in (200, 302)
    visitor.one.get("/sess-set", key="secret", value="yes")
    stolen = visitor.copy()
    assert data(stolen.two) == {"secret": "'yes'"}
    assert visitor.one.get("/logout").status in (200, 302)
    assert data(stolen.two) == {} and data(stolen.one) == {}


def test_a_slow_writer_on_one_never_brings_back_what_ended_on_the_other(pair):
    visitor = pair.visitor()
    visitor.one.get("/sess-set", key="secret", value="yes")
    slow, ended = visitor.copy(), []
    written = while_one_writes(slow.two, lambda: ended.append(visitor.one.get("/sess-invalidate").status))
    assert (written.status, ended) == (200, [200])
    assert data(slow.one) == data(slow.two) == {"slow": "1"}


@pytest.mark.parametrize("command", ["install", "status"])
def test_a_directory_for_a_database_of_several_is_noted(pair, command):
    assert "note:" not in pair.one.coatroom_zope(command).stdout
    pair.one.environment["COATROOM_STORE"] = f"embedded:{pair.place / 'alone'}"
    try:
        said = pair.one.coatroom_zope(command).stdout
    finally:
        del pair.one.environment["COATROOM_STORE"]
    assert f"note: embedded:{pair.place / 'alone'} serves one process, and this database may have several" in said


NOTIFY = """
from coatroomsite.objects import Told
if "told" not in app.objectIds():
    app._setObject("told", Told("told"))
app.session_data._timeout_secs, app.session_data._period = 4, 4
app.session_data.setDelNotificationTarget("/told")
"""


def begin(browser, key):
    """A session of a new visitor that the notifier will call by ``key``."""
    assert Browser(browser.instance).get("/sess-set", key="n", value=key).status == 200


def told(pair, what="told"):
    """Which sessions were told, and by which processes."""
    lines = [line.split() for line in pair.told.read_text().splitlines()]
    return [(key, int(pid)) for kind, key, pid in lines if kind == what]


def test_each_expiry_is_told_once_over_both(pair):
    pair.run(NOTIFY)
    pair.told.write_text("")
    visitor = pair.visitor()
    expected = []
    # The second half is there to see that nobody tells of the first half again meanwhile.
    for half in ("early", "late"):
        for number in range(30):
            expected.append(f"{half}{number}")
            begin((visitor.one, visitor.two)[number % 2], expected[-1])
        until(lambda: set(expected) <= {key for key, _ in told(pair)})
    times = collections.Counter(key for key, _ in told(pair, "begun"))
    assert {key: times[key] for key in expected} == dict.fromkeys(expected, 1)
    print("told by", collections.Counter(pid for _, pid in told(pair)))


def test_what_a_killed_process_had_claimed_is_told_by_the_other_and_nothing_else_is_lost(pair):
    """The claim of a process that is killed is over after a minute."""
    pair.run(NOTIFY)
    pair.two.stop()
    pair.one.stop()
    pair.one.environment["COATROOMSITE_TELLS_FOR"] = "300"
    pair.one.start()
    pair.told.write_text("")
    visitor = pair.visitor()
    begin(visitor.one, "claimed")
    until(lambda: told(pair, "begun"))
    pair.run("app.session_data._timeout_secs, app.session_data._period = 1200, 20")
    pair.two.start()
    counter = pair.visitor()
    counted = [counter.get("/sess-increment").json for _ in range(6)]
    assert counted == [1, 2, 3, 4, 5, 6]
    begun = time.monotonic()
    pair.one.stop(kill=True)
    assert counter.two.get("/sess-increment").json == 7, "nothing acknowledged is lost"
    until(lambda: told(pair))
    print(f"told {time.monotonic() - begun:.0f} s after the kill")
    assert told(pair) == [("claimed", pair.two.process.pid)]
