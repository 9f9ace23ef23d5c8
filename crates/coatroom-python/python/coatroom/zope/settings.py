"""What the site's configuration says: never the ZODB's, so that a copy of it reaches no live store.

``<product-config coatroom>`` in zope.conf, or the environment::

    <product-config coatroom>
        store embedded:/srv/site/var/coatroom
        max-value-bytes 16777216
        max-session-bytes 67108864
        conflict-wait 5
    </product-config>
"""

import functools
import os
from pathlib import Path

from App.config import getConfiguration

from coatroom import _native
from coatroom.zope.availability import availability
from coatroom.zope.errors import SessionStoreUnavailable

#: The largest pickle of one value, in bytes.
MAX_VALUE_BYTES = 16 * 1024 * 1024
#: The largest session, in bytes.
MAX_SESSION_BYTES = 64 * 1024 * 1024
#: The engine's limits of a session's size, in bytes.
SMALLEST_SESSION = 1024
LARGEST_SESSION = 256 * 1024 * 1024
#: How long a request waits for its turn at a session that had a conflict, in seconds.
CONFLICT_WAIT = 5.0
#: The settings that are numbers.
LIMITS = ("max-value-bytes", "max-session-bytes", "conflict-wait")


class Settings:
    """What one configuration and the environment say."""

    def __init__(self, configuration):
        products = getattr(configuration, "product_config", None) or {}
        self._section = products.get("coatroom") or {}
        self._check_names()
        var = getattr(configuration, "clienthome", None) or "var"
        #: The URL of the store, perhaps with a password; by default a directory under the instance's var.
        self.store = self._get("store", None) or f"embedded:{Path(var).absolute() / 'coatroom'}"
        self.max_value_bytes = self._number("max-value-bytes", MAX_VALUE_BYTES, int, 1, LARGEST_SESSION)
        self.max_session_bytes = self._number("max-session-bytes", MAX_SESSION_BYTES, int, SMALLEST_SESSION, LARGEST_SESSION)
        self.conflict_wait = self._number("conflict-wait", CONFLICT_WAIT, float, 0, 3600)

    def _check_names(self):
        """A setting that is misspelt would have the default hold, and the store be another one."""
        unknown = sorted(set(self._section) - {"store", *LIMITS})
        if unknown:
            _refuse(f"coatroom has no setting {unknown[0]}; there are store, {', '.join(LIMITS)}")

    def _number(self, name, default, kind, least, most):
        said = self._get(name, default)
        try:
            number = kind(said)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            _refuse(f"the setting {name} of coatroom is {said!r}; it is a number from {least} to {most}")
        return number

    def _get(self, name, default):
        # One that is empty is as none: so come variables that a container's recipe passes on.
        environment = os.environ.get("COATROOM_" + name.upper().replace("-", "_"))
        return environment or self._section.get(name, default)


def _refuse(error):
    availability.lost(error)
    raise SessionStoreUnavailable(error)


def shown_store():
    """The URL of the store as it may be shown, or what is wrong with the settings."""
    try:
        return _native.shown_url(current().store)
    except (_native.ConfigurationError, SessionStoreUnavailable) as error:
        return f"none: {error}"


_settings = functools.lru_cache(maxsize=4)(Settings)


def current():
    """The settings of this process, read once."""
    return _settings(getConfiguration())


def forget():
    """Has them read again: for tests that change the environment."""
    _settings.cache_clear()
