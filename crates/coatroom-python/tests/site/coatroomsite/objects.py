import os

from BTrees.OOBTree import OOBTree


def make_tree():
    return OOBTree({number: f"value {number}" for number in range(20_000)})


if "COATROOMSITE_WITHOUT_KEEPSAKE" not in os.environ:

    class Keepsake:
        def __init__(self, name):
            self.name = name

        def __repr__(self):
            return f"Keepsake({self.name!r})"
