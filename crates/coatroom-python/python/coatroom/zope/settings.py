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

#: The largest pickle of one value, in bytes.
MAX_VALUE_BYTES = 16 * 1024 * 1024
#: The largest session, in bytes.
MAX_SESSION_BYTES = 64 * 1024 * 1024
#: How long a request waits for its turn at a session that had a conflict, in seconds.
CONFLICT_WAIT = 5.0


class Settings:
    """What one configuration and the environment say."""

    def __init__(self, configuration):
        products = getattr(configuration, "product_config", None) or {}
        self._section = products.get("coatroom") or {}
        var = getattr(configuration, "clienthome", None) or "var"
        #: The URL of the store, perhaps with a password; by default a directory under the instance's var.
        self.store = self._get("store", "") or f"embedded:{Path(var).absolute() / 'coatroom'}"
        self.max_value_bytes = int(self._get("max-value-bytes", MAX_VALUE_BYTES))
        self.max_session_bytes = int(self._get("max-session-bytes", MAX_SESSION_BYTES))
        self.conflict_wait = float(self._get("conflict-wait", CONFLICT_WAIT))

    @property
    def shown_store(self):
        """The URL of the store as it may be shown, or what is wrong with it."""
        try:
            return _native.shown_url(self.store)
        except _native.ConfigurationError as error:
            return f"none: {error}"

    def _get(self, name, default):
        environment = os.environ.get("COATROOM_" + name.upper().replace("-", "_"))
        return environment if environment is not None else self._section.get(name, default)


_settings = functools.lru_cache(maxsize=4)(Settings)


def current():
    """The settings of this process, read once."""
    return _settings(getConfiguration())


def forget():
    """Has them read again: for tests that change the environment."""
    _settings.cache_clear()
