"""Sweeping and keeping to another timeout: by a thread of the process once a second. Sweeping within a request
where code relies on it, too."""

import concurrent.futures
import logging
import os
import threading
import time
from functools import partial

from coatroom import _native
from coatroom.zope import backends
from coatroom.zope import remains
from coatroom.zope.guards import guarded
from coatroom.zope.retiming import Retiming
from coatroom.zope.seldom import seldom
from coatroom.zope.telling import Teller
from coatroom.zope.telling import TellerInRequest

logger = logging.getLogger("coatroom.zope")

#: How long whoever asks for housekeeping waits for it at most, in seconds.
WAITS_FOR = 30.0
#: How often requests sweep at most, in seconds.
INBAND_EVERY = 1.0
#: How long visitors' requests have the processor to themselves between steps, in seconds.
BETWEEN_STEPS = 0.25
#: How often a process looks for what removed containers have left, in seconds.
REMAINS_EVERY = 60.0
#: Whether the process sweeps by itself. Not in tests, which move the clock and sweep by hand.
sweeps_by_itself = True


def attend(container, backend):
    """Has a backend swept, and its notifications delivered."""
    if backend._listener is not None:
        return
    jar, retiming = container._site_jar(), Retiming(container)
    if jar is None:
        backend.attend(TellerInRequest(container), retiming)
        return
    backend.attend(Teller(jar.db(), "/".join(container.getPhysicalPath()), backend.namespace), retiming)
    _start_thread()


def housekeep(container):
    """Takes out what is due now, and tells of it. The caller's transaction and user stay its own."""
    backend = container._backend()
    work = partial(_keep_house, backend)
    if isinstance(backend._listener, TellerInRequest):
        guarded(work)
    else:
        guarded(_aside, work)


def _keep_house(backend):
    while backend.retiming.step(backend):
        pass
    backend.sweep()


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
    process, has_more = os.getpid(), False
    while os.getpid() == process:
        time.sleep(BETWEEN_STEPS if has_more else 1.0)
        has_more = False
        try:
            if sweeps_by_itself:
                has_more = _sweep()
        except _native.StoreError as error:
            backends.availability.lost(error)
        except Exception:
            seldom.warning(logger, None, "sweeping sessions failed; trying again every second")
        else:
            backends.availability.found()


def _sweep():
    """A part of what is to be done; whether more is to be done at once."""
    has_more = False
    for backend in backends.all_backends():
        # First: by another timeout some may be due.
        has_more |= _retime(backend)
        backend.sweep()
    _tend_remains()
    return has_more


def _retime(backend):
    try:
        return backend.retiming is not None and backend.retiming.step(backend)
    except _native.StoreError:
        raise
    except Exception:
        # The database, say, which is no reason not to sweep.
        seldom.warning(logger, None, "looking for another timeout failed; trying again every second")
        return False


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
