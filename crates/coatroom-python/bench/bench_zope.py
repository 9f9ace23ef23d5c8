"""A Zope site on Coatroom beside the same site on tempstorage, over HTTP and in process.

    python bench_zope.py [--seconds 5] [--rounds 3] [--sessions 100000] [--only speeds,growth,losses,process]

Both servers run at once and take turns; a ratio is that of two windows of one round, and the table
shows the median. The load comes from threads of this process.
"""

import argparse
import contextlib
import pathlib
import shutil
import statistics
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS / "live"))

from instance import Browser  # noqa: E402
from instance import Instance  # noqa: E402

MOUNT = """
import transaction
from Products.ZODBMountPoint.MountedObject import manage_addMounts
manage_addMounts(app, ("/temp_folder",))
transaction.commit()
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=100_000, help="how many sessions to grow to")
    parser.add_argument("--only", default="speeds,growth,losses,process", help="parts, by comma")
    options = parser.parse_args()
    parts = options.only.split(",")
    print("| work | Coatroom | tempstorage | ratio |\n|---|---|---|---|", flush=True)
    if parts != ["process"]:
        with tempfile.TemporaryDirectory() as place:
            over_http(*make(pathlib.Path(place)), parts, options)
    if "process" in parts:
        in_process()
    print()
    for what, is_reached in goals:
        print(f"{'reached' if is_reached else 'MISSED'}: {what}")
    sys.exit(not all(is_reached for _, is_reached in goals))


def over_http(ours, theirs, parts, options):
    for threads in (4, 8) if "losses" in parts else (4,):
        with running(ours, theirs, threads):
            if threads == 4 and "speeds" in parts:
                speeds(ours, theirs, options)
            if threads == 4 and "growth" in parts:
                stored = growth(ours, theirs, options)
                beside(f"the same with {stored[0]:,} and {stored[1]:,} sessions stored", ours, theirs, options, 8)
            for site in ("", "/Plone") if "losses" in parts else ():
                losses(ours, theirs, options, site)


#: What the site is to reach, and whether it does.
goals = []


def goal(what, is_reached):
    """Said at the end; one that was missed makes this program fail."""
    goals.append((what, is_reached))


def make(place):
    """The same site twice. Its making takes half a minute, so it is copied."""
    theirs = Instance(place / "tempstorage").make()
    theirs.zconsole(TESTS / "site/make_site.py")
    shutil.copytree(theirs.place, place / "coatroom")
    ours = Instance(place / "coatroom")
    ours.configure()
    ours.coatroom_zope("install")
    theirs.configure(temporary=True)
    (place / "mount.py").write_text(MOUNT)
    theirs.zconsole(place / "mount.py")
    return ours, theirs


@contextlib.contextmanager
def running(ours, theirs, threads):
    for server in (ours, theirs):
        server.threads = threads
        server.configure(temporary=server is theirs)
        server.start()
    try:
        yield
    finally:
        ours.stop()
        theirs.stop()


def speeds(ours, theirs, options):
    beside("increment, 1 client", ours, theirs, options, 1, least=1.0)
    beside("increment, 8 clients on sessions of their own", ours, theirs, options, 8, least=1.3)
    for clients in (1, 8):
        what = f"a page without a session, {clients} client{'s' if clients > 1 else ''}"
        beside(what, ours, theirs, options, clients, path="/sess-plain")


def beside(what, ours, theirs, options, clients, path="/sess-increment", least=0.0):
    for server in (ours, theirs):
        window(server, clients, 1.0, same=False, path=path)
    rates = []
    for turn in range(options.rounds):
        pair = [ours, theirs] if turn % 2 else [theirs, ours]
        done = {id(server): window(server, clients, options.seconds, same=False, path=path) for server in pair}
        rates.append((done[id(ours)].rate, done[id(theirs)].rate))
    a, b = (statistics.median(column) for column in zip(*rates))
    ratio = statistics.median(x / y for x, y in rates)
    row(what, f"{a:,.0f} /s", f"{b:,.0f} /s", f"{ratio:.2f}x")
    if least:
        goal(f"{what}: {ratio:.2f}x, at least {least}x", ratio >= least)


def losses(ours, theirs, options, site):
    what = f"8 clients on one session, 5 ms between read and write, {ours.threads} threads"
    what = f"{what}, {'Plone' if site else 'Zope'}"
    texts = []
    for server in (ours, theirs):
        done = window(server, 8, options.seconds, same=True, path="/sess-increment?wait=5", site=site)
        lost = done.acknowledged - int(done.visitor.copy().get("/sess-read").json["data"]["n"])
        texts.append(
            f"lost {lost} of {done.acknowledged} ({lost / max(1, done.acknowledged):.0%}), {done.rate:,.0f} /s, "
            f"p99 {done.percentile(99):.0f} ms, {done.failed} failed"
        )
        if server is ours:
            goal(f"{what}: lost {lost}, none", lost == 0)
            goal(f"{what}: {done.failed} failed, at most 0.1 %", done.failed <= 0.001 * done.acknowledged)
            goal(f"{what}: {done.rate:,.0f} /s, at least 100 /s", done.rate >= 100)
            goal(f"{what}: p99 {done.percentile(99):.0f} ms, at most 500 ms", done.percentile(99) <= 500)
    row(what, *texts, "")


def growth(ours, theirs, options):
    """New sessions until there are enough. How many each has stored at the end."""
    best, stored = 0.0, 0
    begun = time.monotonic()
    while stored < 6_000 and time.monotonic() - begun < 90:
        done = fresh_window(theirs, options.seconds)
        best, stored = max(best, done.rate), stored + done.acknowledged
    slow = done.rate
    total, rates = 0, []
    while total < options.sessions:
        done = fresh_window(ours, options.seconds)
        total += done.acknowledged
        rates.append(done.rate)
    tenth = max(1, len(rates) // 10)
    row(
        f"a new session per request, up to {total:,} and {stored:,} sessions",
        f"{statistics.median(rates[:tenth]):,.0f} /s in the first tenth, "
        f"{statistics.median(rates[-tenth:]):,.0f} /s in the last",
        f"{best:,.0f} /s at best, {slow:,.0f} /s at last",
        f"{statistics.median(rates) / best:.2f}x its best",
    )
    ratio = statistics.median(rates) / best
    goal(f"a new session per request: {ratio:.2f}x, at least 3x", ratio >= 3)
    row("memory of the server with them", f"{rss(ours):,.0f} MiB", f"{rss(theirs):,.0f} MiB", "")
    return total, stored


class Window:
    def __init__(self):
        self.times = []
        self.failed = 0
        self.seconds = 0.0
        self.visitor = None

    @property
    def acknowledged(self):
        return len(self.times)

    @property
    def rate(self):
        return len(self.times) / self.seconds

    def percentile(self, percent):
        ordered = sorted(self.times)
        return 1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def window(server, clients, seconds, same, path="/sess-increment", fresh=False, site=""):
    first = Browser(server, site=site)
    first.get("/sess-zero")
    visitors = []
    for _ in range(clients):
        visitor = first.copy() if same else Browser(server)
        if not same and not fresh:
            visitor.get("/sess-increment")
        visitors.append(visitor)
    done = Window()
    done.visitor = first
    stop = time.monotonic() + seconds

    def run(visitor):
        times, failed = [], 0
        while time.monotonic() < stop:
            if fresh:
                visitor.cookies.clear()
            begun = time.monotonic()
            answer = visitor.request("GET", site + path)
            if answer.status == 200:
                times.append(time.monotonic() - begun)
            else:
                failed += 1
        done.times += times
        done.failed += failed

    threads = [threading.Thread(target=run, args=(visitor,)) for visitor in visitors]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.seconds = time.monotonic() - begun
    return done


def fresh_window(server, seconds):
    return window(server, 8, seconds, same=False, fresh=True)


def rss(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def in_process():
    """Increments with a commit each at 5,000 sessions, without HTTP."""
    import os

    os.environ["COATROOM_STORE"] = "memory:"
    a, b = (sum_up(make()) for make in (coatroom_container, tempstorage_container))
    row("in process: increment and commit at 5,000 sessions, after 65,000 commits", f"{a:,.0f} /s", f"{b:,.0f} /s", f"{a / b:.0f}x")
    goal(f"in process at 5,000 sessions: {a / b:.0f}x, at least 100x", a >= 100 * b)


def coatroom_container():
    import ZODB
    from OFS.Application import Application
    from ZODB.DemoStorage import DemoStorage

    from coatroom.zope.container import TransientObjectContainer

    return _container(ZODB.DB(DemoStorage()), Application(), TransientObjectContainer("sessions"))


def tempstorage_container():
    import ZODB
    from OFS.Application import Application
    from Products.Transience.Transience import TransientObjectContainer
    from tempstorage.TemporaryStorage import TemporaryStorage

    return _container(ZODB.DB(TemporaryStorage()), Application(), TransientObjectContainer("sessions"))


def _container(db, app, container):
    import transaction

    connection = db.open()
    connection.root()["Application"] = app
    app._setObject("sessions", container)
    transaction.commit()
    return app.sessions


def sum_up(container, sessions=5_000, seconds=10.0):
    """Increments with a commit each. Before them an hour's worth: tempstorage slows with its history."""
    import transaction

    def increment(number):
        session = container[f"visitor {number * 7919 % sessions}"]
        session["n"] = session["n"] + 1
        transaction.commit()

    for number in range(sessions):
        container.new_or_existing(f"visitor {number}")["n"] = 0
        transaction.commit()
    for _ in range(60_000):
        increment(0)
    done, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        increment(done)
        done += 1
    return done / (time.monotonic() - begun)


def row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
