"""Sessions of a transaction whose commit runs, is done, or has failed, so that it takes no changes.

Hooks and error pages may still read them. What would change them raises what the transaction
raises.
"""


class ReadOnly:
    """Mixed into the sessions of such a transaction, which takes no part in it."""

    is_read_only = True
    #: Whether they were told that a transaction is over.
    _is_left = False

    def __init__(self, manager, present, key):
        self._present = present
        self._key = key
        super().__init__(manager)
        present.set_data(key, self)
        manager.registerSynch(self)

    @property
    def is_over(self):
        """Whether the transaction has let go of them."""
        try:
            return self._is_left or self._present.data(self._key) is not self
        except KeyError:
            return True

    def will_change(self):
        """Raises why nothing can be changed."""
        self._present.join(self)

    def begin(self, backend, key, ring, now):
        """A session that is not kept."""
        return self._begin_unkept(backend, key, ring, now)

    def end(self, state):
        """Raises why none can be ended."""
        self.will_change()

    def hide_from(self, user, backend, key, ring):
        """Another user's session is none."""
        state = self.find(backend, key, ring)
        if state is not None and state.owner is not None and not state.owner.is_same(user):
            self._states[backend.place_of(key)] = None

    def _take_turn(self, locator):
        # Nobody would end it.
        return None

    # What the transaction manager tells.

    def beforeCompletion(self, txn):
        """Not of interest."""

    def afterCompletion(self, txn):
        """A transaction is over, but for its hooks."""
        self._leave()

    def newTransaction(self, txn):
        """Another one has begun."""
        if txn is not self._present:
            self._leave()

    def _leave(self):
        """Whoever holds an object of a session loads it anew."""
        self._is_left = True
        self.transaction_manager.unregisterSynch(self)
        self._part(is_committed=False)
