"""Sweeping: by a thread of the process once a second, or within a request where code relies on it."""

import concurrent.futures
import logging
import os
import threading
import time

from coatroom import _native
from coatroom.zope import backends
from coatroom.zope import remains
from coatroom.zope.guards import guarded
from coatroom.zope.seldom import seldom
from coatroom.zope.telling import Teller
from coatroom.zope.telling import TellerInRequest

logger = logging.getLogger("coatroom.zope")

#: How long whoever asks for housekeeping waits for it at most, in seconds.
WAITS_FOR = 30.0
#: How often requests sweep at most, in seconds.
INBAND_EVERY = 1.0
#: How often a process looks for what removed containers have left, in seconds.
REMAINS_EVERY = 60.0
#: Whether the process sweeps by itself. Not in tests, which move the clock and sweep by hand.
sweeps_by_itself = True


def attend(container, backend):
    """Has a backend swept, and its notifications delivered."""
    if backend._listener is not None:
        return
    jar = container._site_jar()
    if jar is None:
        backend.listen(TellerInRequest(container))
        return
    backend.listen(Teller(jar.db(), "/".join(container.getPhysicalPath()), backend.namespace))
    _start_thread()


def housekeep(container):
    """Takes out what is due now, and tells of it. The caller's transaction and user stay its own."""
    backend = container._backend()
    if isinstance(backend._listener, TellerInRequest):
        guarded(backend.sweep)
    else:
        guarded(_aside, backend.sweep)


def _aside(work):
    """Runs something in a thread, and so in transactions and as a user, of its own.

    Waits for it, and raises what it raises. Where that takes too long it goes on alone.
    """
    done = concurrent.futures.Future()

    def run():
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="coatroom-housekeeping-now", daemon=True).start()
    if concurrent.futures.wait([done], WAITS_FOR).done:
        done.result()
    else:
        logger.info("housekeeping takes longer than %s s, and goes on by itself", WAITS_FOR)


def housekeep_inband(container, backend):
    """Takes out what is due, at most once a second, and tells of it in this transaction."""
    if time.monotonic() - backend.swept_at < INBAND_EVERY or not backend.inband_lock.acquire(blocking=False):
        return
    try:
        backend.swept_at = time.monotonic()
        guarded(backend.sweep, TellerInRequest(container))
    finally:
        backend.inband_lock.release()


_thread_lock = threading.Lock()
_thread_of = None


def _start_thread():
    global _thread_of
    with _thread_lock:
        if sweeps_by_itself and _thread_of != os.getpid():
            _thread_of = os.getpid()
            threading.Thread(target=_run, name="coatroom-housekeeping", daemon=True).start()


def _run():
    process = os.getpid()
    while os.getpid() == process:
        time.sleep(1.0)
        try:
            if sweeps_by_itself:
                _sweep()
        except _native.StoreError as error:
            backends.availability.lost(error)
        except Exception:
            seldom.warning(logger, None, "sweeping sessions failed; trying again every second")
        else:
            backends.availability.found()


def _sweep():
    for backend in backends.all_backends():
        backend.sweep()
    _tend_remains()


_tended_at = -REMAINS_EVERY


def _tend_remains():
    global _tended_at
    if time.monotonic() - _tended_at < REMAINS_EVERY:
        return
    _tended_at = time.monotonic()
    tellers = {each._listener.database: each for each in backends.all_backends() if isinstance(each._listener, Teller)}
    for database, backend in tellers.items():
        try:
            remains.tend(database, backend.clock)
        except _native.StoreError:
            raise
        except Exception:
            seldom.warning(logger, None, "looking for what removed containers left failed; trying again in a minute")
