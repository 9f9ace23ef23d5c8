"""Any sequence of changes, savepoints, rollbacks, commits, aborts, ends and logins does to a session what it
does to a dictionary."""

import copy
import random

import pytest
import things
import transaction
from conftest import Site
from helpers import in_thread

from coatroom.zope import backends
from coatroom.zope import names
from coatroom.zope import settings

STEPS = 150
KEYS = ["a", "b", "c", "d"]


class Twin:
    """What a basket is in the model."""

    def __init__(self, tag):
        self.tag = tag
        self.things = 0
        self.inner = None


class Walk:
    """A random walk over a session and over its model at once."""

    def __init__(self, site, seed):
        self.site = site
        self.random = random.Random(seed)
        self.tags = self.logins = 0
        self.model, self.key = {}, "visitor"
        self.stored = {}, self.key
        self.begin()

    def begin(self):
        transaction.begin()
        self.connection = self.site.db.open()
        self.container = self.connection.root()["Application"].sessions
        self.points = []
        #: Baskets in hand, by tag, with what they are in the model.
        self.hand = {}
        self.session = self.container.new_or_existing(self.key)

    def any_session(self):
        return self.session if self.random.random() < 0.5 else self.container.new_or_existing(self.key)

    # Values

    def new_basket(self):
        self.tags += 1
        basket = things.Basket()
        basket.tag, basket.inner = self.tags, None
        self.hand[self.tags] = basket, Twin(self.tags)
        return self.hand[self.tags]

    def any_basket(self):
        if not self.hand or self.random.random() < 0.4:
            return self.new_basket()
        return self.random.choice(list(self.hand.values()))

    def any_value(self):
        kind = self.random.randrange(4)
        number = self.random.randrange(100)
        if kind == 0:
            return number, number
        if kind == 1:
            return [number], [number]
        basket, twin = self.any_basket()
        return (basket, twin) if kind == 2 else ([basket], [twin])

    def any_key(self):
        return self.random.choice(list(self.model) or KEYS)

    # Steps

    def assign(self):
        key, (value, twin) = self.random.choice(KEYS), self.any_value()
        self.any_session()[key] = value
        self.model[key] = twin

    def look(self):
        """Takes a basket in hand."""
        key = self.any_key()
        value, twin = self.any_session().get(key), self.model.get(key)
        if isinstance(twin, list):
            value, twin = value[0], twin[0]
        while isinstance(twin, Twin) and twin is not None:
            self.hand[twin.tag] = value, twin
            value, twin = value.inner, twin.inner
            if twin is None or twin.tag in self.hand:
                break

    def change(self):
        key = self.any_key()
        twin = self.model.get(key)
        if isinstance(twin, list):
            number = self.random.randrange(100)
            self.any_session()[key].append(number)
            twin.append(number)
        elif isinstance(twin, Twin):
            self.any_session()[key].things += 1
            twin.things += 1

    def change_in_hand(self):
        basket, twin = self.any_basket()
        basket.things += 1
        twin.things += 1

    def put_inside(self):
        basket, twin = self.any_basket()
        basket.inner, twin.inner = self.any_basket() if self.random.random() < 0.7 else (None, None)

    def delete(self):
        key = self.any_key()
        if key in self.model:
            del self.any_session()[key]
            del self.model[key]

    def clear(self):
        self.any_session().clear()
        self.model.clear()

    def end(self):
        self.any_session().invalidate()
        self.model, self.hand = {}, {}
        self.session = self.container.new_or_existing(self.key)

    def login(self):
        self.logins += 1
        key = f"login {self.logins}"
        # Whoever holds a session and does not use it in the transaction of its login has lost it.
        self.session.getId()
        self.container._renewSession(self.key, lambda: key, "alice")
        self.key = key

    def savepoint(self):
        point = transaction.savepoint()
        self.points.append((point, copy.deepcopy(self.model), self.key, self.session))

    def rollback(self):
        if self.points:
            del self.points[self.random.randrange(len(self.points)) + 1 :]
            point, model, self.key, self.session = self.points[-1]
            self.model, self.hand = copy.deepcopy(model), {}
            point.rollback()

    def commit(self):
        transaction.commit()
        self.points = []
        self.stored = copy.deepcopy(self.model), self.key
        in_thread(self.check_stored)

    def abort(self):
        transaction.abort()
        self.connection.close()
        model, self.key = self.stored
        self.model = copy.deepcopy(model)
        self.begin()

    STEPS_AND_WEIGHTS = {
        assign: 8, look: 4, change: 6, change_in_hand: 3, put_inside: 3, delete: 4, savepoint: 4, rollback: 3,
        commit: 3, clear: 1, end: 0.5, login: 1, abort: 1,
    }  # fmt: skip

    def step(self):
        steps, weights = zip(*self.STEPS_AND_WEIGHTS.items(), strict=True)
        (step,) = self.random.choices(steps, weights)
        step(self)
        self.check_hand()
        if self.random.random() < 0.5:
            self.check(self.any_session(), self.model)

    # What must hold

    def check(self, session, model):
        assert {key: shape(session[key]) for key in session.keys()} == {key: shape(model[key]) for key in model}

    def check_hand(self):
        for basket, twin in self.hand.values():
            assert shape(basket) == shape(twin)

    def check_stored(self):
        model, key = self.stored
        with self.site.visit() as container:
            session = container.get(key)
            if session is None:
                assert model == {}
                return
            self.check(session, model)
            attributes = session.aq_base._state().native.names()
            assert sum(name.startswith(names.PERSISTENT) for name in attributes) == len(baskets(model))


def shape(value, seen=()):
    """A value as what can be compared: a basket by what it holds, down to one that was met before."""
    if isinstance(value, list):
        return [shape(item, seen) for item in value]
    if not hasattr(value, "tag"):
        return value
    if value.tag in seen:
        return value.tag
    inner = shape(value.inner, (*seen, value.tag)) if value.inner is not None else None
    return value.tag, value.things, inner


def baskets(model):
    found = {}
    todo = [item for value in model.values() for item in (value if isinstance(value, list) else [value])]
    while todo:
        twin = todo.pop()
        if isinstance(twin, Twin) and twin.tag not in found:
            found[twin.tag] = twin
            todo.append(twin.inner)
    return found


@pytest.mark.parametrize("seed", range(24))
def test_a_session_is_what_a_dictionary_is(seed, monkeypatch, caplog):
    monkeypatch.setenv("COATROOM_STORE", "memory:")
    settings.forget()
    site = Site()
    try:
        walk = Walk(site, seed)
        for _ in range(STEPS):
            walk.step()
        transaction.abort()
        walk.connection.close()
    finally:
        site.close()
        backends.close()
    assert not caplog.records
