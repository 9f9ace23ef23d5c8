"""Moving a session to a new key at login."""

from coatroom.zope import notifications
from coatroom.zope.principals import Principal


class Renewal:
    """Mixed into the container."""

    def _isSuperseded(self, key):
        """Whether a login has moved the session of this key to another one."""
        return self._sessions().is_superseded(self._backend(), key, self._ring())

    def _isReadOnly(self):
        """Whether the transaction takes no changes any more."""
        return self._sessions().is_read_only

    def _hideSession(self, key, user):
        """Has no other user's session seen under a key, where none can be renewed."""
        self._sessions().hide_from(user, self._backend(), key, self._ring())

    def _renewSession(self, old_key, new_key, user, folder=None):
        """Gives the session to ``user`` under the key that ``new_key()`` makes.

        The data moves along, unless it is another user's: then that session ends and a new one
        begins. For a minute a request with the old key is told apart and gets a session that is not
        kept.
        """
        backend, ring = self._backend(), self._ensure_ring()
        sessions = self._sessions()
        sessions.will_change()
        if sessions.is_superseded(backend, old_key, ring):
            return
        state = self._find(old_key)
        key = new_key()
        if state is None:
            return
        owner, principal = state.owner, Principal(user, folder)
        renewed = sessions.begin(backend, key, ring, backend.manager.now())
        renewed.principal = principal
        if owner is None or owner.is_same(principal):
            notifications.leaves(self, state)
            sessions.move(state, renewed)
        else:
            self._endSession(state)
            state.is_ended = False
            sessions.rebind(state, renewed)
            notifications.begun(self, renewed)
