"""A Zope site on Coatroom beside the same site on tempstorage, over HTTP and in process.

    python bench_zope.py [--seconds 5] [--rounds 3] [--sessions 100000]

Both servers run at once and take turns; a ratio is that of two windows of one round, and the table
shows the median. The load comes from threads of this process.
"""

import argparse
import pathlib
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
    parser.add_argument("--threads", type=int, default=4, help="threads of each server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        ours, theirs = make(pathlib.Path(place), options.threads)
        try:
            report(ours, theirs, options)
        finally:
            ours.stop()
            theirs.stop()


def make(place, threads):
    ours = Instance(place / "coatroom", threads).make()
    ours.coatroom_zope("install")
    theirs = Instance(place / "tempstorage", threads).make()
    theirs.configure(temporary=True)
    (place / "mount.py").write_text(MOUNT)
    theirs.zconsole(place / "mount.py")
    return ours.start(), theirs.start()


def report(ours, theirs, options):
    print("| work | Coatroom | tempstorage | ratio |\n|---|---|---|---|", flush=True)
    beside("increment, 1 client", ours, theirs, options, 1, same=False)
    beside("increment, 8 clients on sessions of their own", ours, theirs, options, 8, same=False)
    losses("8 clients on one session, 5 ms between read and write", ours, theirs, options)
    growth(ours, theirs, options)
    in_process()


def beside(what, ours, theirs, options, clients, same):
    for server in (ours, theirs):
        window(server, clients, 1.0, same)
    rates = []
    for turn in range(options.rounds):
        pair = [ours, theirs] if turn % 2 else [theirs, ours]
        done = {id(server): window(server, clients, options.seconds, same) for server in pair}
        rates.append((done[id(ours)].rate, done[id(theirs)].rate))
    a, b = (statistics.median(column) for column in zip(*rates))
    ratio = statistics.median(x / y for x, y in rates)
    row(what, f"{a:,.0f} /s", f"{b:,.0f} /s", f"{ratio:.2f}x")


def losses(what, ours, theirs, options):
    for server, name in ((ours, "Coatroom"), (theirs, "tempstorage")):
        done = window(server, 8, options.seconds, same=True, path="/sess-increment?wait=5")
        reader = done.visitor.copy()
        kept = int(reader.get("/sess-read").json["data"]["n"])
        lost = done.acknowledged - kept
        text = (
            f"lost {lost} of {done.acknowledged} ({lost / max(1, done.acknowledged):.0%}), {done.rate:,.0f} /s, "
            f"p99 {done.percentile(99):.0f} ms, other than 2xx {done.failed}"
        )
        row(what, text if name == "Coatroom" else "", text if name == "tempstorage" else "", "")


def growth(ours, theirs, options):
    """New sessions until there are enough, the rate of each tenth; tempstorage for a few windows."""
    best = max(fresh_window(theirs, options.seconds).rate for _ in range(options.rounds))
    total, rates, marks = 0, [], []
    while total < options.sessions:
        done = fresh_window(ours, options.seconds)
        total += done.acknowledged
        rates.append(done.rate)
        marks.append(total)
    slowest, fastest = min(rates), max(rates)
    row(
        f"a new session per request, up to {total:,} sessions",
        f"{rates[0]:,.0f} /s at first, {rates[-1]:,.0f} /s at last, {slowest:,.0f}–{fastest:,.0f} /s",
        f"{best:,.0f} /s at its best",
        f"{statistics.median(rates) / best:.2f}x",
    )
    row(f"memory of the server with {total:,} sessions", f"{rss(ours):,.0f} MiB", "", "")


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


def window(server, clients, seconds, same, path="/sess-increment", fresh=False):
    first = Browser(server)
    first.get("/sess-set?key=n&value=")
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
            answer = visitor.request("GET", path)
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
    row("in process: increment and commit at 5,000 sessions", f"{a:,.0f} /s", f"{b:,.0f} /s", f"{a / b:.0f}x")


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


def sum_up(container, sessions=5_000, seconds=5.0):
    import transaction

    for number in range(sessions):
        container.new_or_existing(f"visitor {number}")["n"] = 0
        transaction.commit()
    done, number, begun = 0, 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        session = container[f"visitor {number % sessions}"]
        session["n"] = session["n"] + 1
        transaction.commit()
        done += 1
        number += 7919
    return done / (time.monotonic() - begun)


def row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
