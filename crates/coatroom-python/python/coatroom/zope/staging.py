"""From live values to what a record keeps of them."""

import os

from coatroom.zope import names
from coatroom.zope import values
from coatroom.zope.errors import SessionLimitError


class Staging:
    """Mixed into the state of a session: pickles what changed into its record.

    A plain value, a list say, is compared with the dump made at its first hand-out; a persistent
    object that no value refers to any more is dropped.
    """

    #: Whether a persistent object may no longer be referred to.
    _drops_references = False

    def __init__(self):
        self._live = {}
        self._dumps = {}
        #: The persistent objects that a value refers to in the record, where that is known.
        self._references = {}
        self._assigned = set()
        self.changed_objects = {}
        self.new_objects = []

    def stage(self):
        """Pickles what changed since the last time; raises where something cannot be kept."""
        if self._assigned:
            self._stage_assigned()
        if self._dumps:
            self._stage_compared()
        if self.changed_objects or self._drops_references:
            self._stage_objects()

    def _stage_assigned(self):
        for name in sorted(self._assigned):
            value = self._live[name]
            if type(value) in values.PLAIN:
                self._write(name, values.plain_body(value), ())
            else:
                self._put(name, values.dump(value, self.jar, name), track=True)
        self._assigned.clear()

    def _stage_compared(self):
        for name, before in list(self._dumps.items()):
            pickled = values.dump(self._live[name], self.jar, name)
            if pickled.data != before:
                self._put(name, pickled, track=True)

    def _stage_objects(self):
        while self.changed_objects:
            oid, obj = self.changed_objects.popitem()
            name = names.of_object(oid)
            self._put(name, values.dump_object(obj, self.jar, name))
            obj._p_changed = False
        if self._drops_references:
            self._drops_references = False
            self._collect()

    def _put(self, name, pickled, track=False):
        self._write(name, pickled.to_bytes(), pickled.references)
        if track and not values.is_unchanging(self._live[name]):
            self._dumps[name] = pickled.data

    def _write(self, name, body, references):
        limit = self.house.max_value_bytes
        if len(body) > limit:
            what = names.described(name)
            raise SessionLimitError(f"keeping {what} failed: {len(body)} bytes, max-value-bytes is {limit}")
        referred = self._referred(name)
        if referred and not set(referred) <= set(references):
            self._drops_references = True
        self._references[name] = references
        self.record.write(name, body)

    def _referred(self, name):
        if name not in self._references:
            self._pickle(name)
        return self._references.get(name, ())

    def _collect(self):
        """Drops the persistent objects that no value refers to any more."""
        objects = {name for name in self.record.names() if name[0] == names.PERSISTENT}
        if not objects:
            return
        reached, todo = set(), [name for name in self.record.names() if names.is_key(name)]
        while todo:
            for oid in self._referred(todo.pop()):
                name = names.of_object(oid)
                if name not in reached:
                    reached.add(name)
                    todo.append(name)
        for name in objects - reached:
            self.record.remove(name)

    def object_pickle(self, oid):
        return self._pickle(names.of_object(oid))

    def new_oid(self):
        return os.urandom(8)

    def _pickle(self, name):
        body = self.record.read(name)
        return self._pickle_of(name, body) if body is not None else None

    def _pickle_of(self, name, body):
        pickled = values.Pickle.from_bytes(body)
        self._references[name] = pickled.references
        return pickled
