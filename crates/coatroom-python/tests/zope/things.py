"""Classes whose instances lie in the tests' sessions."""

from persistent import Persistent


class Basket(Persistent):
    def __init__(self):
        self.things = 0


class Plain:
    def __init__(self):
        self.things = 0
