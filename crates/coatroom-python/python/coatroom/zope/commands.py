"""``coatroom-zope``: puts an instance's sessions on Coatroom."""

import argparse
import contextlib
import logging
import os
import sys
import time

import transaction
from ZConfig import ConfigurationError
from ZODB.POSException import ConflictError
from ZODB.POSException import POSError

#: How often something is tried against a database that others write to.
_ATTEMPTS = 5
#: After how many sessions that were removed it is said again how many they are.
_SAY_EVERY = 10_000
#: The storages that several processes open.
_SHARED = {"ClientStorage", "RelStorage"}
#: How long other processes may take until all their requests know of a new key, in seconds.
_KNOWN_AFTER = 60.0
_LOCKED = """{error}
Another process has this instance's database open. Stop the instance first, or run this against ZEO.
"""
_FAILED = """coatroom-zope: {what}: {error}
See to the <zodb_db> sections of {configuration} and the servers they name; `zconsole debug {configuration}` shows where it fails.
"""


def main(arguments=None):
    """The command line; the exit status."""
    options = _parser().parse_args(arguments)
    if not os.path.exists(options.configuration):
        sys.exit(f"coatroom-zope: there is no {options.configuration}; give the path of the instance's zope.conf")
    app = _open(options.configuration, options.run is _status)
    try:
        return options.run(app, options)
    except (ValueError, ConflictError) as error:
        sys.exit(f"coatroom-zope: {error}")
    except Exception as error:
        if not _is_of_database(error):
            raise
        sys.exit(_failed("the instance's database failed; run this again when it works", options.configuration, error))
    finally:
        # Its server may be away, of which the message is to tell.
        with contextlib.suppress(Exception):
            transaction.abort()
            app._p_jar.close()


def _parser():
    parser = argparse.ArgumentParser(prog="coatroom-zope", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in [
        ("install", _install, "put session_data_manager on Coatroom; repeatable"),
        ("uninstall", _uninstall, "put back what was there"),
        ("status", _status, "say how sessions are kept"),
        ("rotate-key", _rotate_key, "have a new key authenticate sessions and browser ids; those from before go on"),
        ("drop-old-keys", _drop_old_keys, "forget all keys but the newest; what is from under them is refused"),
    ]:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("configuration", help="the instance's etc/zope.conf")
        command.set_defaults(run=run)
        if name == "install":
            command.add_argument("--timeout", type=int, metavar="MINUTES", help="minutes without access until a session ends; 0 for never (default: what the site has, else 20)")
            command.add_argument("--keep-managers", action="store_true", help="leave the stock browser id manager and session data manager in place")
    return parser


def _open(configuration, only_reads=False):
    import Zope2
    from zc.lockfile import LockError
    from Zope2.Startup.run import configure_wsgi
    from ZODB.POSException import ReadOnlyError

    # Zope would open the instance that it names, in place of the one that was asked for.
    os.environ.pop("ZOPE_CONFIG", None)
    # What it cannot load, the message tells.
    logging.getLogger("ZODB.Connection").disabled = True
    try:
        configure_wsgi(os.path.abspath(configuration))
        if only_reads:
            _read_what_is_locked()
        return Zope2.app()
    except (LockError, ReadOnlyError) as error:
        sys.exit(_LOCKED.format(error=f"coatroom-zope: {error}"))
    except ConfigurationError as error:
        sys.exit(f"coatroom-zope: {configuration} is no configuration of a Zope: {error}")
    except Exception as error:
        what = "database cannot be opened" if _is_of_database(error) else "code does not start"
        sys.exit(_failed(f"the instance's {what}", configuration, error))


def _read_what_is_locked():
    """Has the files of databases that another process has open read as they are now."""
    import ZODB.config
    from App.config import getConfiguration
    from zc.lockfile import LockError
    from zc.lockfile import LockFile

    waiting = [database.config.storage for database in getConfiguration().databases]
    for factory in waiting:
        base = getattr(getattr(factory, "config", None), "base", [])
        waiting += base if isinstance(base, list) else [base]
        if isinstance(factory, ZODB.config.FileStorage):
            try:
                # A file that is not there yet is Zope's to make.
                with contextlib.suppress(OSError):
                    LockFile(f"{factory.config.path}.lock").close()
            except LockError:
                factory.config.read_only = True


def _is_of_database(error):
    """Whether it is an error of a storage. Those of RelStorage's drivers have a class Error above them (PEP 249)."""
    return isinstance(error, (POSError, OSError)) or any(cls.__name__ == "Error" for cls in type(error).__mro__)


def _failed(what, configuration, error):
    text = str(error).strip() if isinstance(error, OSError) else f"{type(error).__name__}: {error}".strip()
    return _FAILED.format(what=what, error=text, configuration=configuration)


def _install(app, options):
    from coatroom.zope import install

    _say(_commit(lambda: install.install(app, options.timeout, options.keep_managers), "coatroom-zope install"))
    for line in _hints(app):
        print(line)
    return 0


def _uninstall(app, options):
    from coatroom.zope import install
    from coatroom.zope import remains

    done = _commit(lambda: install.uninstall(app), "coatroom-zope uninstall")
    left = remains.of_removed(app._p_jar.root())
    if done or not left:
        _say(done)
    return _take_out(app, left) if left else 0


def _take_out(app, left):
    """Removes what the store holds of containers that are no more."""
    from coatroom import _native
    from coatroom.zope import remains
    from coatroom.zope import settings
    from coatroom.zope.errors import SessionStoreUnavailable

    store, removed, said = settings.shown_store(), 0, 0
    try:
        for removed in remains.take_out(left):
            if removed - said >= _SAY_EVERY:
                print(f"removed {_sessions(removed)} from {store} so far", flush=True)
                said = removed
    except (SessionStoreUnavailable, _native.Error) as error:
        print(f"what {', '.join(sorted(set(left.values())))} has left still lies in {store}: {error}")
        print("run this again when the store can be used, and it removes that")
        return 1
    _commit(lambda: remains.forget_all(app._p_jar.root(), left), "coatroom-zope uninstall: nothing is stored any more")
    print(f"removed {_sessions(removed)} from {store}")
    return 0


def _sessions(count):
    return f"{count} session{'' if count == 1 else 's'}"


def _commit(work, note):
    """Does it in a transaction, again where a running process was first; what it returns."""
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.manager as current:
                current.note(note)
                done = work()
            return done
        except ConflictError:
            # Nothing else is soon over: not a server that is away, which ZEO waits for each time.
            if attempt == _ATTEMPTS - 1:
                raise


def _say(done):
    for line in done or ["nothing to do"]:
        print(line)


def _hints(app):
    """What goes wrong where several processes serve a database, and each has a directory of its own; and
    what is not on Coatroom."""
    from coatroom.zope import overview
    from coatroom.zope import settings

    store = settings.shown_store()
    if _is_shared(app) and store.startswith(("embedded:", "memory:")):
        yield f"note: {store} serves one process, and this database may have several; see docs/plone.md"
    for path, container in overview.elsewhere(app):
        yield f"note: {path} is left as it is, with its sessions in {container or 'no container'}; see docs/plone.md"


def _is_shared(app):
    """Whether other processes may have the database open."""
    storage = app._p_jar.db().storage
    # Perhaps in a wrapper that compresses, say.
    return bool({type(each).__name__ for each in (storage, getattr(storage, "base", None))} & _SHARED)


def _rotate_key(app, options):
    from coatroom.zope import keyring

    _check_installed(app)
    announced = _commit(lambda: keyring.announce(app._p_jar), "coatroom-zope rotate-key: announced")
    if _is_shared(app):
        print(f"a new key reads; it writes in {_KNOWN_AFTER:.0f} seconds, when every process knows it", flush=True)
        time.sleep(_KNOWN_AFTER)
    _commit(lambda: keyring.rotate(app._p_jar, announced), "coatroom-zope rotate-key")
    print("a new key writes; the older ones still read: sessions and browser ids from before go on")
    return 0


def _drop_old_keys(app, options):
    from coatroom.zope import keyring
    from coatroom.zope import overview
    from coatroom.zope import registry

    _check_installed(app)
    jars = {container._jar() for _path, container in registry.containers(app, overview.places(app))}
    mounted = jars - {app._p_jar}
    dropped = _commit(lambda: keyring.drop_old(app._p_jar, mounted), "coatroom-zope drop-old-keys")
    keys = "a key" if dropped == 1 else f"{dropped} keys"
    print(f"dropped {keys}: browser ids and sessions from under it are refused" if dropped else "nothing to do")
    return 0


def _check_installed(app):
    from coatroom.zope import keyring

    if keyring.ROOT_NAME not in app._p_jar.root():
        raise ValueError("there are no keys: the site's sessions are not on Coatroom; run `coatroom-zope install`")


def _status(app, options):
    from coatroom.zope import overview
    from coatroom.zope import settings

    rows = [("store", settings.shown_store()), *overview.status(app)]
    width = max(len(what) for what, _ in rows)
    for what, how in rows:
        print(f"{what:<{width}}  {how}")
    for line in _hints(app):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
