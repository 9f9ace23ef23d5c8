"""Moving a session to a new key at login."""

from coatroom.zope import notifications
from coatroom.zope import transactions


class Renewal:
    """Mixed into the container."""

    def _ownership(self, key):
        """Whether there is a session that can be renewed, and whose it is."""
        state = self._find(key)
        if state is None:
            return False, None
        return True, state.principal or state.native.principal

    def _renewSession(self, old_key, new_key, user):
        """Gives the session to ``user`` under the key that ``new_key()`` makes.

        The data moves along, unless it is another user's: then that session ends and a new one
        begins. For a minute a request with the old key is told apart and gets a session that is not
        kept.
        """
        house, ring = self._house(), self._ensure_ring()
        sessions = transactions.current()
        if sessions.is_superseded(house, old_key, ring):
            return
        state = self._find(old_key)
        key = new_key()
        if state is None:
            return
        owner = state.principal or state.native.principal
        renewed = sessions.begin(house, key, ring, house.manager.now())
        renewed.principal = user
        if owner in (None, user):
            sessions.move(state, renewed)
        else:
            self._endSession(state)
            state.is_ended = False
            sessions.rebind(state, renewed)
            notifications.begun(self, renewed)
