"""The instance's keys: pickles are authenticated and browser ids sealed and signed under them.

Tags and signatures are keyed BLAKE2b (RFC 7693).

They lie in the root of the ZODB beside the application object, so that no export of content
carries them, and are plain data, so that a site without this package still loads. The newest key
writes, every key reads, so a new one can be added at any time.
"""

import base64
import functools
import hashlib
import hmac
import os

from persistent.mapping import PersistentMapping

from coatroom import _native

ROOT_NAME = "coatroom.keyring"
_TAG = 16
_ID = 4
_NONCE = 24


class KeyRing:
    """Authenticates, seals and signs. ``keys`` are 32 bytes each, the newest first."""

    def __init__(self, keys):
        self._keys = {_key_id(key): key for key in keys}
        self._newest = _key_id(keys[0])

    def authenticate(self, context, body):
        """``body`` with its key's id and tag before it."""
        return self._newest + self._tag(self._newest, context, body) + body

    def authentic(self, context, data):
        """The body, or None where it is not what was authenticated in this context."""
        key, tag, body = data[:_ID], data[_ID : _ID + _TAG], data[_ID + _TAG :]
        if key not in self._keys or not hmac.compare_digest(tag, self._tag(key, context, body)):
            return None
        return body

    def seal(self, context, plain):
        """``plain``, unreadable and bound to its context."""
        nonce = os.urandom(_NONCE)
        key = _derive(self._keys[self._newest], b"seal")
        return self._newest + nonce + _native.seal(key, nonce, context, plain)

    def unseal(self, context, data):
        """What was sealed, or None."""
        key, nonce, sealed = data[:_ID], data[_ID : _ID + _NONCE], data[_ID + _NONCE :]
        if key not in self._keys or len(nonce) != _NONCE:
            return None
        return _native.open(_derive(self._keys[key], b"seal"), nonce, context, sealed)

    def sign(self, text):
        """The tail that makes ``text`` a browser id of this site."""
        return self._signature(self._newest, text)

    def is_signed(self, text, signature):
        """Whether this site signed ``text``. What is not ASCII it never signed."""
        if not (text.isascii() and signature.isascii()):
            return False
        return any(hmac.compare_digest(signature, self._signature(key, text)) for key in self._keys)

    def _tag(self, key, context, body):
        derived = _derive(self._keys[key], b"values")
        length = len(context).to_bytes(4, "big")
        return hashlib.blake2b(length + context + body, key=derived, digest_size=_TAG).digest()

    def _signature(self, key, text):
        derived = _derive(self._keys[key], b"browser ids")
        return base64.urlsafe_b64encode(hashlib.blake2b(text.encode(), key=derived, digest_size=15).digest()).decode()


@functools.lru_cache(maxsize=64)
def _key_id(key):
    return hashlib.sha256(b"coatroom key id" + key).digest()[:_ID]


@functools.lru_cache(maxsize=256)
def _derive(key, purpose):
    return hmac.digest(key, b"coatroom " + purpose, "sha256")


_loose = KeyRing([os.urandom(32)])


def find(jar):
    """The ring of the database behind a connection; None where it has none yet.

    Without a database, as in unit tests, a ring of this process.
    """
    if jar is None:
        return _loose
    kept = jar.root().get(ROOT_NAME)
    if kept is None:
        return None
    # Volatile: gone when another process has added a key.
    ring = getattr(kept, "_v_ring", None)
    if ring is None:
        ring = kept._v_ring = _ring(tuple(kept["keys"]))
    return ring


def ensure(jar):
    """The ring of a database, made in this transaction where there is none."""
    if jar is not None and ROOT_NAME not in jar.root():
        jar.root()[ROOT_NAME] = PersistentMapping({"keys": (os.urandom(32),)})
    return find(jar)


def rotate(jar):
    """A new key writes from now on; what the others wrote stays readable."""
    ensure(jar)
    kept = jar.root()[ROOT_NAME]
    kept["keys"] = (os.urandom(32), *kept["keys"])
    kept._v_ring = None


@functools.lru_cache(maxsize=16)
def _ring(keys):
    return KeyRing(keys)
