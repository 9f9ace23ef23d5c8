"""Sessions that a login moves to another key."""

from functools import partial

from coatroom.zope import names
from coatroom.zope.guards import guarded
from coatroom.zope.states import SessionState


class Moves:
    """Mixed into the sessions of a transaction."""

    def __init__(self):
        #: Keys whose session a login has moved to another one.
        self._superseded = set()
        #: The sessions that a login of this transaction has moved.
        self._tombstones = []

    def is_superseded(self, backend, key, ring):
        """Whether a login has moved the session of this key to another one."""
        self.look_up(backend, key, ring)
        return backend.place_of(key) in self._superseded

    def became(self, backend, key, ring):
        """The key to which a login has moved the session of this one; None where none has."""
        if not self.is_superseded(backend, key, ring):
            return None
        native = guarded(partial(backend.manager.keyed, names.of_session(key), passive=True))
        left = SessionState.opened(backend, key, native, ring) if native.exists else None
        return left.became() if left is not None else None

    def move(self, state, renewed):
        """The data of ``state`` goes over to ``renewed``; what is left tells stragglers apart."""
        renewed.take_over(state)
        state.moved_to = renewed
        self._supersede(state)
        self.rebind(state, renewed)

    def tombstone_of(self, id):
        """What a login of this transaction is about to leave of a session; None where there was none."""
        return next((state for state in self._tombstones if state.id == id), None)

    def moved(self, id):
        """What a login of this transaction made of a session; None where there was none."""
        left = self.tombstone_of(id)
        return left.home() if left is not None else None

    def rebind(self, state, renewed):
        """Whoever holds the object of ``state`` goes on with ``renewed``."""
        if state.item is not None:
            renewed.item = state.item
            state.item._bind(renewed, self)
        else:
            self.take_back_later(partial(self._bind_back, state, renewed))

    def _bind_back(self, state, renewed):
        """An object that was given out after the login goes on with the session from before."""
        if renewed.item is not None:
            state.item, renewed.item = renewed.item, None
            vars(state.item).update(_v_state=state, _v_sessions=self)

    def _supersede(self, state):
        place = state.backend.place_of(state.key)
        self._states[place] = None
        if not state.is_new:
            self._superseded.add(place)
            self._tombstones.append(state)
