"""What a container holds: the number of its sessions, and all of them."""

from AccessControl.SecurityInfo import ClassSecurityInfo
from Products.Transience.permissions import access_transient_objects

from coatroom.zope import names
from coatroom.zope import publishing
from coatroom.zope import records
from coatroom.zope.guards import guarded


class Listing:
    """Mixed into the container. Looking at sessions here is no access to them."""

    security = ClassSecurityInfo()

    @security.protected(access_transient_objects)
    def __len__(self):
        backend = self._backend()
        stored = guarded(backend.manager.count) - len(guarded(backend.manager.of, names.SUPERSEDED))
        return stored + self._sessions().balance(backend, backend.manager.now())

    getLen = __len__

    def __bool__(self):
        # Every page of the management interface asks, also while the store is away.
        return True

    @security.protected(access_transient_objects)
    def keys(self):
        """The keys of all sessions. Reads every one: for operators, not for requests."""
        backend, now = self._backend(), self._now()
        mine = self._sessions().all(backend)
        stored = set(self._stored_keys(backend)) - set(mine)
        alive = [key for key, state in mine.items() if state is not None and state.is_live(now)]
        return names.in_order([*stored, *alive])

    @security.protected(access_transient_objects)
    def __iter__(self):
        return iter(self.keys())

    @security.protected(access_transient_objects)
    def items(self):
        """The pairs of key and session."""
        found = [(key, self._find(key, passive=True)) for key in self.keys()]
        return [(key, self._wrap(state)) for key, state in found if state is not None]

    @security.protected(access_transient_objects)
    def values(self):
        """The sessions."""
        return [item for _key, item in self.items()]

    @security.protected(access_transient_objects)
    def raw(self, current_ts):
        """For debugging: what is there, by its key."""
        return dict(self.items())

    def _stored_keys(self, backend):
        ring, cursor = self._ring(), None
        while True:
            infos, cursor = guarded(backend.manager.list, cursor, 1000)
            for info in infos:
                session = guarded(backend.manager.open_locator, info.locator)
                raw = session.get_raw(names.CONTAINER_KEY) if session is not None else None
                key = raw and records.container_key(backend, ring, info.locator, raw[1])
                if key is not None:
                    yield key
            if cursor is None:
                return


publishing.initialize(Listing)
