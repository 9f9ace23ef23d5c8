"""The instance's keys: pickles are authenticated and browser ids sealed and signed under them.

Tags and signatures are keyed BLAKE2b (RFC 7693).

They lie in the root of the ZODB beside the application object, so that no export of content
carries them, and are plain data, so that a site without this package still loads. The newest key
writes, every key reads, so a new one can be added at any time.
"""

import functools
import hashlib
import hmac
import os

from persistent.mapping import PersistentMapping

from coatroom import _native

ROOT_NAME = "coatroom.keyring"
_ROOT = b"\0" * 8
_ID = 4
_NONCE = 24


class KeyRing(_native.KeyRing):
    """Authenticates, seals and signs. ``keys`` are 32 bytes each, the newest first."""

    def __new__(cls, keys):
        return super().__new__(cls, [(_key_id(key), _derive(key, b"values"), _derive(key, b"browser ids")) for key in keys])

    def __init__(self, keys):
        self._keys = {_key_id(key): key for key in keys}
        self._newest = _key_id(keys[0])

    def seal(self, context, plain):
        """``plain``, unreadable and bound to its context."""
        nonce = _native.random_bytes(_NONCE)
        key = _derive(self._keys[self._newest], b"seal")
        return self._newest + nonce + _native.seal(key, nonce, context, plain)

    def unseal(self, context, data):
        """What was sealed, or None."""
        key, nonce, sealed = data[:_ID], data[_ID : _ID + _NONCE], data[_ID + _NONCE :]
        if key not in self._keys or len(nonce) != _NONCE:
            return None
        return _native.open(_derive(self._keys[key], b"seal"), nonce, context, sealed)


@functools.lru_cache(maxsize=64)
def _key_id(key):
    return hashlib.sha256(b"coatroom key id" + key).digest()[:_ID]


@functools.lru_cache(maxsize=256)
def _derive(key, purpose):
    return hmac.digest(key, b"coatroom " + purpose, "sha256")


_loose = KeyRing([os.urandom(32)])


def find(jar, mounted=None):
    """The ring of the database behind a connection; None where it has none yet.

    Without a database, as in unit tests, a ring of this process. Keys that lie in a ``mounted``
    database still read.
    """
    if jar is None:
        return _loose
    # As jar.root(), which every request asks for.
    kept = jar.get(_ROOT).data.get(ROOT_NAME)
    if mounted is not None and mounted is not jar:
        older = mounted.get(_ROOT).data.get(ROOT_NAME)
        if older is not None:
            return _ring((*kept["keys"], *older["keys"]) if kept is not None else tuple(older["keys"]))
    if kept is None:
        return None
    # Volatile: gone when another process has added a key.
    ring = getattr(kept, "_v_ring", None)
    if ring is None:
        ring = kept._v_ring = _ring(tuple(kept["keys"]))
    return ring


def ensure(jar):
    """The ring of a database, made in this transaction where there is none."""
    found = find(jar)
    if found is None:
        jar.root()[ROOT_NAME] = PersistentMapping({"keys": (os.urandom(32),)})
        found = find(jar)
    return found


def announce(jar):
    """A new key, which reads and does not write yet: processes that do not know it yet would refuse what it
    wrote."""
    kept, key = _kept(jar), os.urandom(32)
    kept["keys"] = (*kept["keys"], key)
    return key


def rotate(jar, key=None):
    """A key that was announced, or a new one, writes from now on; what the others wrote stays readable."""
    kept, key = _kept(jar), key or os.urandom(32)
    kept["keys"] = (key, *(other for other in kept["keys"] if other != key))


def drop_old(jar, mounted=()):
    """Leaves the key that writes, and none in ``mounted`` databases: what others wrote is refused. How many
    keys went."""
    kept = _kept(jar)
    newest, *older = kept["keys"]
    for other in mounted:
        elsewhere = other.root().pop(ROOT_NAME, None)
        older += elsewhere["keys"] if elsewhere is not None else ()
    if older:
        kept["keys"] = (newest,)
    return len(set(older) - {newest})


def _kept(jar):
    """What a database keeps, about to be changed."""
    ensure(jar)
    kept = jar.root()[ROOT_NAME]
    kept._v_ring = None
    return kept


@functools.lru_cache(maxsize=16)
def _ring(keys):
    return KeyRing(keys)
