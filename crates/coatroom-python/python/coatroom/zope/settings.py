"""What the site's configuration says: never the ZODB's, so that a copy of it reaches no live store.

``<product-config coatroom>`` in zope.conf, or the environment::

    <product-config coatroom>
        store embedded:/srv/site/var/coatroom
        max-value-bytes 16777216
        max-session-bytes 67108864
        conflict-wait 5
    </product-config>
"""

import os
from pathlib import Path

from App.config import getConfiguration

#: The largest pickle of one value, in bytes.
MAX_VALUE_BYTES = 16 * 1024 * 1024
#: The largest session, in bytes.
MAX_SESSION_BYTES = 64 * 1024 * 1024
#: How long a request waits for its turn at a session that had a conflict, in seconds.
CONFLICT_WAIT = 5.0


def _setting(name, default=None):
    environment = os.environ.get("COATROOM_" + name.upper().replace("-", "_"))
    if environment is not None:
        return environment
    products = getattr(getConfiguration(), "product_config", None) or {}
    return (products.get("coatroom") or {}).get(name, default)


def store_url():
    """The URL of the store; by default a directory under the instance's var."""
    configured = _setting("store")
    if configured:
        return configured
    var = getattr(getConfiguration(), "clienthome", None) or "var"
    return f"embedded:{Path(var).absolute() / 'coatroom'}"


def max_value_bytes():
    return int(_setting("max-value-bytes", MAX_VALUE_BYTES))


def max_session_bytes():
    return int(_setting("max-session-bytes", MAX_SESSION_BYTES))


def conflict_wait():
    return float(_setting("conflict-wait", CONFLICT_WAIT))
