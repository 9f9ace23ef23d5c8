from BTrees.OOBTree import OOBTree


def make_tree():
    return OOBTree({number: f"value {number}" for number in range(20_000)})
