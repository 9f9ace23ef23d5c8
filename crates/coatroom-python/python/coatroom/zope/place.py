"""Where a container's sessions lie: its part of the store, and the keys of its database."""

import os
import time

from Acquisition import aq_base
from Acquisition import aq_chain

from coatroom.zope import backends
from coatroom.zope import housekeeping
from coatroom.zope import keyring
from coatroom.zope import settings
from coatroom.zope import transactions


class Place:
    """Mixed into the container."""

    #: A clock moved by hand, for tests.
    _clock = None
    #: A store that is not the configured one, for tests. An attribute of their classes, so that no
    #: database can name a store.
    _store = None

    def _namespace(self):
        """Its part of the store. A copy or an import is another object, and so has another one."""
        base = aq_base(self)
        if base._p_oid is None:
            jar = self._jar()
            if jar is None:
                return f"zope {self._uuid}"
            if base._p_jar is None:
                jar.add(base)
        return f"zope {self._uuid} {base._p_oid.hex()}"

    def _backend(self):
        base = aq_base(self)
        # Every request asks; volatile, so gone when another process has changed the container.
        known_by, found = base.__dict__.get("_v_backend") or (None, None)
        rests_on = os.getpid(), settings.current(), base._p_oid, base._timeout_secs, base._clock
        if known_by != rests_on:
            found = backends.backend(self._namespace(), float(base._timeout_secs) or None, base._clock, type(base)._store)
            housekeeping.attend(self, found)
            if base._p_jar is not None:
                base._v_backend = rests_on, found
        return found

    def _now(self):
        return self._backend().manager.now()

    def _time(self):
        """What the clock of this machine shows, for what the store need not be asked."""
        return self._clock.now() if self._clock is not None else time.time()

    def _jar(self):
        """Its connection; before its first commit that of the nearest folder that has one."""
        own = aq_base(self)._p_jar
        if own is not None:
            return own
        return next(filter(None, (getattr(aq_base(each), "_p_jar", None) for each in aq_chain(self))), None)

    def _sessions(self):
        """Those of the transaction in which the container was loaded."""
        return transactions.current(getattr(self._jar(), "transaction_manager", None))

    def _site_jar(self):
        """The connection of the database that the site's root lies in: a container may lie in one that
        is mounted."""
        jar = self._jar()
        if jar is not None and len(jar.connections) == 1:
            return jar
        root = getattr(self, "getPhysicalRoot", None)
        # Outside a site it is a text.
        return callable(root) and getattr(aq_base(root()), "_p_jar", None) or jar

    def _ring(self):
        """The keys, of which there may be none yet."""
        return keyring.find(self._site_jar(), self._jar())

    def _ensure_ring(self):
        """The keys, made in this transaction where there are none."""
        site, mounted = self._site_jar(), self._jar()
        ring = keyring.ensure(site)
        return ring if mounted is site else keyring.find(site, mounted)
