"""Names: of sessions in the store, and of attributes in a session's record."""

#: What Coatroom itself keeps in a record begins with this; no session key does.
RESERVED = "\0"
ID = RESERVED + "id"
CONTAINER_KEY = RESERVED + "key"
MODIFIED = RESERVED + "modified"
PLAIN_VALUE = RESERVED + "value"
#: The key to which a login moved the session; also whose such remains are, so that they are no visitor's.
SUPERSEDED = RESERVED + "superseded"
#: What is to be told: its kind, and of which session.
NOTE_KIND = RESERVED + "kind"
NOTE_LOCATOR = RESERVED + "locator"
NOTE_TIMES = RESERVED + "times"
ADD = "add"
DELETE = "delete"
#: Before the object id of a persistent object that lies in a session's value.
PERSISTENT = "\1"

MAX_NAME_BYTES = 255


def encode(key, what="session key"):
    """The name under which a key is kept: text as itself, a whole number told apart from it.

    Raises TypeError for any other key.
    """
    if type(key) is str or isinstance(key, str):
        return "s" + key
    if isinstance(key, int) and not isinstance(key, bool):
        return f"i{key:d}"
    raise TypeError(f"a {what} is a str or an int, not {type(key).__name__}")


def is_possible(key):
    """Whether :func:`encode` takes a key."""
    return isinstance(key, (str, int)) and not isinstance(key, bool)


def decode(name):
    """The key that a name stands for."""
    return int(name[1:]) if name[0] == "i" else name[1:]


def is_key(name):
    """Whether an attribute is one of the session's keys."""
    return name[0] not in (RESERVED, PERSISTENT)


def in_order(keys):
    """Keys of both kinds in one order."""
    return sorted(keys, key=lambda key: (isinstance(key, str), key))


def of_object(oid):
    """The name of a persistent object that lies in a session's value."""
    return PERSISTENT + oid.hex()


def described(name):
    """An attribute in the words of an error."""
    if is_key(name):
        return f"session key {decode(name)!r}"
    return "a persistent object in a session's value" if name[0] == PERSISTENT else "a session's own data"
