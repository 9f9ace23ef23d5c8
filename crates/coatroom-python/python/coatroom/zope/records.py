"""What a transaction sees of one record: authentic attributes, and what it changes of them."""

import logging

from coatroom.zope import names

logger = logging.getLogger("coatroom.zope")

OPAQUE = 2
#: What says which session it is.
_OWN = (names.ID, names.CONTAINER_KEY)


class Record:
    """The record that the transaction began with, and the attributes it has staged.

    Everything that is read was written by this site, for this very container, session and
    attribute; anything else is refused, logged and missing. A session that is begun again under the
    same key is another one.
    """

    def __init__(self, backend, native, ring):
        self.native = native
        self.ring = ring
        #: Whether nothing that the store holds is to be seen any more.
        self.is_cleared = False
        self._container = backend.namespace
        #: The container and the session's id, to which all but the id itself is bound.
        self._namespace = None
        #: Name to body; None for what is removed.
        self._staged = {}
        #: Name to bytes that are kept as they are.
        self._as_it_is = {}

    def read(self, name):
        """The body of an attribute; None where it is missing or was tampered with."""
        if name in self._staged:
            return self._staged[name]
        if self.is_cleared:
            return None
        return self._authentic(self._namespace, name)

    def read_id(self):
        """The id of the session in the store; None where there is none of this site."""
        body = self._authentic(self._container, names.ID)
        if body is None:
            return None
        self._bind(body.decode())
        return body.decode()

    def _authentic(self, namespace, name):
        native, ring = self.native, self.ring
        body = native.read(ring, namespace, name) if ring is not None else None
        if body is None and native.contains(name):
            what = names.described(name)
            logger.error("refused %s of session %s: it was not written by this site", what, native.locator)
        return body

    def has(self, name):
        """Whether there is an attribute that was not tampered with."""
        if name not in self._staged and (self.is_cleared or not self.native.contains(name)):
            return False
        return self.read(name) is not None

    def holds(self, name):
        """Whether there is an attribute, be it tampered with or not."""
        if name in self._staged:
            return self._staged[name] is not None
        return self.is_untouched(name)

    def is_untouched(self, name):
        """Whether there is an attribute that is as the store holds it."""
        return name not in self._staged and not self.is_cleared and self.native.contains(name)

    def write(self, name, body):
        """Stages an attribute."""
        self._staged[name] = body

    def write_id(self, id):
        """Stages the session's id."""
        self._bind(id)
        self._as_it_is[names.ID] = self.ring.authenticate(self._context(names.ID), id.encode())

    def _bind(self, id):
        self._namespace = f"{self._container}|{id}"

    def write_key(self, key):
        """Stages the key under which the container knows the session, unreadable in the store."""
        self._as_it_is[names.CONTAINER_KEY] = self.seal_key(names.CONTAINER_KEY, key)

    def seal_key(self, name, key):
        """A container's key, unreadable and bound to an attribute."""
        return self.ring.seal(self._context(name), names.of_session(key))

    def unseal_key(self, name, data):
        """The key that was sealed, or None."""
        plain = self.ring.unseal(self._context(name), data)
        return names.session_of(plain) if plain is not None else None

    def remove(self, name):
        """Stages that an attribute goes."""
        self._staged[name] = None

    def clear(self):
        """Stages that everything goes but what Coatroom itself keeps of the session."""
        own = {name: self._kept(name) for name in _OWN}
        folder = self.read(names.FOLDER)
        self._as_it_is.update({name: data for name, data in own.items() if data is not None})
        self._staged = {name: body for name, body in self._staged.items() if name[0] == names.RESERVED}
        if folder is not None:
            self._staged[names.FOLDER] = folder
        self.is_cleared = True

    def names(self):
        """The names of all attributes."""
        kept = set() if self.is_cleared else set(self.native.names())
        kept.update(self._staged, self._as_it_is)
        return {name for name in kept if self._staged.get(name, b"") is not None}

    def staged(self):
        """The names of what changed."""
        return self._staged.keys()

    def attributes(self, others):
        """Everything it holds now, and bodies that are to be written with it, as it is kept: name to bytes."""
        kept = {name: self._kept(name) for name in self.names() - others.keys()}
        return kept | {name: self.ring.authenticate(self._context(name), body) for name, body in others.items()}

    def snapshot(self):
        return dict(self._staged), dict(self._as_it_is), self.is_cleared

    def restore(self, snapshot):
        staged, as_it_is, self.is_cleared = snapshot
        self._staged, self._as_it_is = dict(staged), dict(as_it_is)

    def commit(self, later_wins):
        """Commits what was staged, and attributes that may overwrite another's; what takes it back."""
        native = self.native
        if self.is_cleared:
            native.clear()
        for name, data in self._as_it_is.items():
            native.set_raw(name, OPAQUE, data, "reject")
        return native.write(self.ring, self._namespace, self._staged, later_wins)

    def commit_only(self, bodies, principal):
        """Commits these attributes in the place of everything but the id, as ``principal``'s; what takes it
        back."""
        id = self._kept(names.ID)
        self.native.clear()
        self.native.login(principal)
        self.native.set_raw(names.ID, OPAQUE, id, "reject")
        return self.native.write(self.ring, self._namespace, bodies, {})

    def _kept(self, name):
        """An attribute as it is kept."""
        if self._staged.get(name) is not None:
            return self.ring.authenticate(self._context(name), self._staged[name])
        if name in self._as_it_is or self.is_cleared:
            return self._as_it_is.get(name)
        raw = self.native.get_raw(name)
        return raw[1] if raw is not None else None

    def _context(self, name):
        namespace = self._container if name in _OWN else self._namespace
        return context(namespace, self.native.locator, name)


def context(namespace, locator, name):
    """What an authentic attribute is bound to."""
    return f"{namespace}|{locator}|{name}".encode()


def container_key(backend, ring, locator, data):
    """The key under which a container knows a session, from its record; None where it is not ours."""
    place = context(backend.namespace, locator, names.CONTAINER_KEY)
    plain = ring.unseal(place, data) if ring is not None else None
    return names.session_of(plain) if plain is not None else None
