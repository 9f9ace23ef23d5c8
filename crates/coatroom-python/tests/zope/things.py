"""Classes whose instances lie in the tests' sessions."""

import enum

from persistent import Persistent


class Basket(Persistent):
    def __init__(self):
        self.things = 0


class Plain:
    def __init__(self):
        self.things = 0


class Order:
    """A class with others in it."""

    class State(enum.Enum):
        OPEN = 1

    class Line:
        def __init__(self):
            self.things = 0

    class Part(Persistent):
        def __init__(self):
            self.things = 0
