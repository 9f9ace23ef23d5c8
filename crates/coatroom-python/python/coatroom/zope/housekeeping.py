"""Sweeping: by a thread of the process once a second, or within a request where code relies on it."""

import logging
import os
import threading
import time

from coatroom import _native
from coatroom.zope import houses
from coatroom.zope.guards import guarded
from coatroom.zope.telling import Teller
from coatroom.zope.telling import happened
from coatroom.zope.telling import tell

logger = logging.getLogger("coatroom.zope")


def attend(container, house):
    """Sees to it that what happens in a house is told, and that it is swept."""
    if house._listener is not None:
        return
    jar = container._jar()
    if jar is None:
        house.listen(_Inband(container))
        return
    house.listen(Teller(jar.db(), "/".join(container.getPhysicalPath())))
    _start_thread()


class _Inband:
    """Tells within the thread that sweeps, for a container that lies in no database."""

    def __init__(self, container):
        self._container = container

    def __call__(self, kind, snapshot):
        kind, kept = happened(kind, snapshot)
        if kept is not None:
            tell(self._container, kind, kept)


def housekeep(container):
    """Takes out what is due now, and tells of it."""
    guarded(container._house().sweep)


def housekeep_inband(container, house):
    """Takes out what is due, at most once a second, and tells of it in this transaction."""
    now = time.monotonic()
    if now - getattr(house, "swept_at", 0.0) < 1.0:
        return
    house.swept_at = now
    before, house._listener = house._listener, _Inband(container)
    try:
        guarded(house.sweep)
    finally:
        house._listener = before


_thread_lock = threading.Lock()
_thread_of = None


def _start_thread():
    global _thread_of
    with _thread_lock:
        if _thread_of != os.getpid():
            _thread_of = os.getpid()
            threading.Thread(target=_run, name="coatroom-housekeeping", daemon=True).start()


def _run():
    process = os.getpid()
    while os.getpid() == process:
        time.sleep(1.0)
        try:
            for house in houses.all_houses():
                house.sweep()
        except _native.StoreError as error:
            houses.reach.lost(error)
        except Exception:
            logger.warning("sweeping sessions failed; trying again every second", exc_info=True)
        else:
            houses.reach.found()
