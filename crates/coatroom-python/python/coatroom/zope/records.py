"""What a transaction sees of one record: attributes as authentic bytes, and what it changes of them."""

import logging

from coatroom.zope import names

logger = logging.getLogger("coatroom.zope")

OPAQUE = 2


class Record:
    """The record that the transaction began with, and the attributes it has staged.

    Everything that is read was written by this site, for this very container, session and
    attribute; anything else is refused, logged and missing.
    """

    def __init__(self, house, native, ring):
        self.house = house
        self.native = native
        self.ring = ring
        #: Whether nothing that the store holds is to be seen any more.
        self.is_cleared = False
        #: Name to sealed bytes; None for what is removed.
        self._staged = {}
        self._place = f"{house.namespace}|{native.locator}|"

    def read(self, name):
        """The body of an attribute; None where it is missing or was tampered with."""
        data = self._staged[name] if name in self._staged else self._stored(name)
        if data is None:
            return None
        body = self.ring.authentic(self._context(name), data) if self.ring is not None else None
        if body is None:
            what = names.described(name)
            logger.error("refused %s of session %s: it was not written by this site", what, self.native.locator)
        return body

    def write(self, name, body):
        """Stages an attribute."""
        self._staged[name] = self.ring.authenticate(self._context(name), body)

    def write_key(self, key):
        """Stages the key under which the container knows the session, unreadable in the store."""
        plain = names.encode(key, "key").encode()
        self._staged[names.CONTAINER_KEY] = self.ring.seal(self._context(names.CONTAINER_KEY), plain)

    def remove(self, name):
        """Stages that an attribute goes."""
        self._staged[name] = None

    def clear(self):
        """Stages that everything goes but what Coatroom itself keeps of the session."""
        self._staged = {name: data for name, data in self._staged.items() if name[0] == names.RESERVED}
        for name in (names.ID, names.CONTAINER_KEY):
            data = None if name in self._staged else self._stored(name)
            if data is not None:
                self._staged[name] = data
        self.is_cleared = True

    def names(self):
        """The names of all attributes."""
        kept = set() if self.is_cleared else set(self.native.names())
        kept.update(self._staged)
        return {name for name in kept if self._staged.get(name, b"") is not None}

    def staged(self):
        """The names of what changed."""
        return self._staged.keys()

    def attributes(self):
        """Everything it holds now, as it is kept: name to bytes."""
        return {name: self._staged[name] if name in self._staged else self._stored(name) for name in self.names()}

    def snapshot(self):
        return dict(self._staged), self.is_cleared

    def restore(self, snapshot):
        staged, self.is_cleared = snapshot
        self._staged = dict(staged)

    def apply(self):
        """Hands what was staged to the engine, for its next commit."""
        native = self.native
        if self.is_cleared:
            native.clear()
        for name, data in self._staged.items():
            if data is not None:
                native.set_raw(name, OPAQUE, data, "reject")
            elif native.contains(name):
                native.remove(name, "reject")

    def apply_now(self, name, body, on_conflict="reject"):
        """Hands one attribute to the engine."""
        self.native.set_raw(name, OPAQUE, self.ring.authenticate(self._context(name), body), on_conflict)

    def _stored(self, name):
        raw = None if self.is_cleared else self.native.get_raw(name)
        return raw[1] if raw is not None else None

    def _context(self, name):
        return (self._place + name).encode()


def container_key(house, ring, locator, data):
    """The key under which a container knows a session, from its record; None where it is not ours."""
    context = f"{house.namespace}|{locator}|{names.CONTAINER_KEY}".encode()
    plain = ring.unseal(context, data) if ring is not None else None
    return names.decode(plain.decode()) if plain is not None else None
