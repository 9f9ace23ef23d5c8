import os
import threading
import time

from BTrees.OOBTree import OOBTree
from OFS.SimpleItem import SimpleItem


def make_tree():
    return OOBTree({number: f"value {number}" for number in range(20_000)})


if "COATROOMSITE_WITHOUT_KEEPSAKE" not in os.environ:

    class Keepsake:
        def __init__(self, name):
            self.name = name

        def __repr__(self):
            return f"Keepsake({self.name!r})"


class Told(SimpleItem):
    """A target of notifications that writes each call down in a file, before and after it."""

    def __init__(self, id):
        self.id = id

    def __call__(self, item, container):
        self._write("begun", item)
        time.sleep(float(os.environ.get("COATROOMSITE_TELLS_FOR", 0)))
        self._write("told", item)

    def _write(self, what, item):
        with open(os.environ["COATROOMSITE_TOLD"], "a") as file:
            file.write(f"{what} {item['n']} {os.getpid()}\n")


class Gate:
    """Where a page stops that has read its session, until a test lets it go on and write."""

    def __init__(self):
        self.close()

    def close(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def open(self):
        self.opened.set()

    def pass_through(self):
        self.reached.set()
        wait_for(self.opened)


def wait_for(event):
    if not event.wait(60):
        raise RuntimeError("nobody came")


gate = Gate()
