"""From live values to what a record keeps of them."""

import os
from contextlib import suppress

from ZODB.POSException import InvalidObjectReference

from coatroom.zope import names
from coatroom.zope import values
from coatroom.zope.errors import SessionLimitError
from coatroom.zope.errors import UnpicklableValueError

_UNKEEPABLE = (InvalidObjectReference, SessionLimitError, UnpicklableValueError)


class Staging:
    """Mixed into the state of a session: pickles what changed into its record.

    A plain value, a list say, is compared with the dump made at its first hand-out; a persistent
    object that no value refers to any more is dropped.
    """

    #: Whether a persistent object may no longer be referred to.
    _drops_references = False
    #: The object that is being pickled: it may refer to itself.
    _object_at_hand = None

    def __init__(self):
        self._live = {}
        self._dumps = {}
        #: The persistent objects that a value refers to in the record, where that is known.
        self._references = {}
        self._assigned = set()
        self.changed_objects = {}
        #: Those that this transaction adopted.
        self.new_objects = []
        #: Those that go with their values, and that somebody holds.
        self._held_objects = []

    def stage(self):
        """Pickles what changed since the last time; raises where something cannot be kept."""
        if self._assigned:
            self._stage_assigned()
        if self._dumps:
            self._stage_compared()
        while self.changed_objects:
            self._stage_object(*self.changed_objects.popitem())

    def stage_what_can_be_kept(self):
        """The same for a session that ends: what cannot be kept stays as it was."""
        for name in sorted(self._assigned):
            with suppress(*_UNKEEPABLE):
                self._stage_value(name)
        self._assigned.clear()
        for name, before in list(self._dumps.items()):
            with suppress(*_UNKEEPABLE):
                self._stage_if_changed(name, before)
        while self.changed_objects:
            with suppress(*_UNKEEPABLE):
                self._stage_object(*self.changed_objects.popitem())

    def _stage_assigned(self):
        # Pickling runs the values' own code, which may set more.
        while self._assigned:
            at_hand = sorted(self._assigned)
            for name in at_hand:
                self._stage_value(name)
            self._assigned.difference_update(at_hand)

    def _stage_value(self, name):
        value = self._live[name]
        if type(value) in values.PLAIN:
            self._write(name, values.plain_body(value), ())
        else:
            self._put(name, values.dump(value, self.jar, name), track=True)

    def _stage_compared(self):
        for name, before in list(self._dumps.items()):
            self._stage_if_changed(name, before)

    def _stage_if_changed(self, name, before):
        value = self._live[name]
        if type(before) is values.Fingerprint and values.fingerprint(value) == before:
            return
        pickled = values.dump(value, self.jar, name)
        if pickled.data != before:
            self._put(name, pickled, track=True)

    def _stage_object(self, oid, obj):
        name = names.of_object(oid)
        self._object_at_hand = oid
        try:
            self._put(name, values.dump_object(obj, self.jar, name))
        finally:
            self._object_at_hand = None
        obj._p_changed = False

    def _put(self, name, pickled, track=False):
        self._write(name, pickled.to_bytes(), pickled.references)
        if track and not values.is_unchanging(self._live[name]):
            self._dumps[name] = pickled.data

    def _write(self, name, body, references):
        limit = self.backend.max_value_bytes
        if len(body) > limit:
            what = names.described(name)
            raise SessionLimitError(f"keeping {what} failed: {len(body)} bytes, max-value-bytes is {limit}")
        if references or self._references.get(name, True):
            self._change_references(set(self._referred(name)), set(references))
        self._references[name] = references
        self.record.write(name, body)

    def _change_references(self, before, after):
        if not before <= after:
            self._drops_references = True
        for object_name in map(names.of_object, after - before):
            # Meets whoever drops it meanwhile with a conflict. The same bytes would be no change.
            body = self.record.read(object_name) if self.record.is_untouched(object_name) else None
            if body is not None:
                self.record.write(object_name, values.rewritten(body))

    def _referred(self, name):
        if name not in self._references:
            self._pickle(name)
        return self._references.get(name, ())

    def drop_unreferenced(self):
        """Drops the persistent objects that no value refers to any more.

        Only when it is committed: until then they may come to lie in another value.
        """
        if not self._drops_references:
            return
        self._drops_references = False
        objects = self._object_names()
        gone = objects - self._reached() if objects else ()
        if gone:
            self._let_go(gone)
        for name in gone:
            self.record.remove(name)

    def _object_names(self):
        return set(filter(names.is_object, self.record.names()))

    def _reached(self):
        reached, todo = set(), [name for name in self.record.names() if names.is_key(name)]
        while todo:
            for oid in self._referred(todo.pop()):
                name = names.of_object(oid)
                if name not in reached:
                    reached.add(name)
                    todo.append(name)
        return reached

    def _let_go(self, object_names):
        """Objects are about to go. Who holds one may keep it again, and has it loose after the commit."""
        if self._jar is not None:
            oids = set(map(names.oid_of, object_names))
            self._held_objects += self._jar.load_held(oids, self._referred_by)

    def _referred_by(self, oid):
        return self._referred(names.of_object(oid))

    def has_object(self, oid):
        return oid == self._object_at_hand or self.record.holds(names.of_object(oid))

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
