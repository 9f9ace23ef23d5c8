"""The keys and values of a session, as the code of a site handles them."""

from coatroom._native import plain_value
from coatroom.zope import names
from coatroom.zope import values
from coatroom.zope.errors import SessionLimitError
from coatroom.zope.errors import UnreadableValueError
from coatroom.zope.staging import Staging


class LiveValues(Staging):
    """A mapping of attribute names to values, each unpickled when it is first asked for."""

    def keys(self):
        found = {name for name in self.record.names() if names.is_key(name)}
        found.update(filter(names.is_key, self._assigned))
        # What cannot be read counts as missing.
        return [name for name in found if self.has(name)]

    def has(self, name):
        return name in self._live or self._pickle(name) is not None

    def is_single_value(self):
        """Whether the container was given a value in the place of a session."""
        return names.PLAIN_VALUE in self._live or self.record.has(names.PLAIN_VALUE)

    def get(self, name):
        """The live value; KeyError where there is none."""
        if name in self._live:
            return self._live[name]
        body = self.record.read(name)
        if body is None:
            # What is not there refers to nothing.
            self._references[name] = ()
            raise KeyError(name)
        value = plain_value(body)
        if value is NotImplemented:
            return self._load(name, body)
        self._references[name] = ()
        self._live[name] = value
        return value

    def _load(self, name, body):
        try:
            value = values.load(self._pickle_of(name, body), self.jar)
        except (KeyError, TypeError) as error:
            # Those two say of a session that there is no such key.
            text = f"reading {names.described(name)} failed: {type(error).__name__}: {error}"
            raise UnreadableValueError(text) from error
        if not values.is_unchanging(value):
            self._dumps[name] = values.look(value, self.jar, name)
        self._live[name] = value
        return value

    def set(self, name, value):
        self.will_change()
        # A character takes four bytes at most.
        if len(name) > names.MAX_NAME_BYTES // 4 and len(name.encode()) > names.MAX_NAME_BYTES:
            raise SessionLimitError(f"a session key has at most {names.MAX_NAME_BYTES - 1} bytes")
        self._live[name] = value
        self._dumps.pop(name, None)
        self._assigned.add(name)

    def delete(self, name):
        self.will_change()
        if not self.has(name):
            raise KeyError(name)
        if self._referred(name):
            self._drops_references = True
        self._live.pop(name, None)
        self._dumps.pop(name, None)
        self._assigned.discard(name)
        self._references[name] = ()
        self.record.remove(name)

    def clear(self):
        self.will_change()
        # Objects that somebody may hold go at the commit.
        objects = {name: self.record.read(name) for name in self._object_names()} if self._jar is not None else {}
        self._forget_live()
        self.record.clear()
        for name, body in objects.items():
            if body is not None:
                self.record.write(name, body)
        self._drops_references = self._drops_references or self._jar is not None

    def _forget_live(self):
        self._live.clear()
        self._dumps.clear()
        self._references.clear()
        self._assigned.clear()

    def _drop_live(self):
        self._forget_live()
        self.changed_objects.clear()
        if self._jar is not None:
            self._jar.forget_states()

    def _take_live(self, other):
        """What was handed out of another session is live in this one."""
        for part in ("_live", "_dumps", "_references", "_assigned", "changed_objects"):
            taken = getattr(other, part)
            setattr(self, part, taken)
            setattr(other, part, type(taken)())
        self._drops_references = other._drops_references
