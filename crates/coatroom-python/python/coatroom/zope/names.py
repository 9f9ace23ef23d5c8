"""Names: of sessions in the store, and of attributes in a session's record."""

import re

from coatroom.zope.errors import InvalidKeyError

#: What Coatroom itself keeps in a record begins with this; no session key does.
RESERVED = "\0"
ID = RESERVED + "id"
CONTAINER_KEY = RESERVED + "key"
MODIFIED = RESERVED + "modified"
PLAIN_VALUE = RESERVED + "value"
#: The path of the user folder that the session's user is of.
FOLDER = RESERVED + "folder"
#: The key to which a login moved the session; also whose such remains are, so that they are no visitor's.
SUPERSEDED = RESERVED + "superseded"
#: What is to be told: its kind, and of which session.
NOTE_KIND = RESERVED + "kind"
NOTE_LOCATOR = RESERVED + "locator"
NOTE_TIMES = RESERVED + "times"
#: Whether it is still in question; and where the session was, if a login moved it before it ended.
NOTE_OPEN = RESERVED + "open"
NOTE_STORED_AT = RESERVED + "stored at"
#: Which timeout the stored sessions go by.
TIMEOUT = RESERVED + "timeout"
ADD = "add"
DELETE = "delete"
#: Before the object id of a persistent object that lies in a session's value.
PERSISTENT = "\1"

MAX_NAME_BYTES = 255
#: Of longer numbers Python refuses to make text.
_MAX_INT_BITS = 14_000
_INT = re.compile("i-?[0-9]+")
_OBJECT = re.compile(PERSISTENT + "[0-9a-f]{16}")


def encode(key, what="session key"):
    """The name under which a key is kept: text as itself, a whole number told apart from it.

    Raises TypeError for any other key, and InvalidKeyError for text that has half a character and for a
    number that Python does not write out.
    """
    if type(key) is str or isinstance(key, str):
        if not key.isascii():
            _check(key, what)
        return "s" + key
    if is_possible(key):
        return f"i{key:d}"
    if isinstance(key, int) and not isinstance(key, bool):
        raise InvalidKeyError(f"a {what} is a whole number of at most {_MAX_INT_BITS} bits")
    raise TypeError(f"a {what} is a str or an int, not {type(key).__name__}")


def _check(key, what):
    try:
        key.encode()
    except UnicodeEncodeError:
        raise InvalidKeyError(f"a {what} is text that UTF-8 can encode, and {key!a} is not") from None


def of_session(key):
    """The name under which a container's key is kept, as bytes. Half a character is no hindrance: such
    keys come from browsers."""
    if isinstance(key, str):
        return b"s" + key.encode("utf-8", "surrogatepass")
    return encode(key, "key").encode()


def session_of(name):
    """The container's key that such a name stands for."""
    return decode(name.decode("utf-8", "surrogatepass"))


def outbox_of(namespace):
    """The part of the store that holds what is still to be told of the sessions of another one."""
    return f"{namespace} outbox"


def is_possible(key):
    """Whether :func:`encode` takes a key."""
    if isinstance(key, int):
        return not isinstance(key, bool) and key.bit_length() <= _MAX_INT_BITS
    return isinstance(key, str)


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


def is_object(name):
    """Whether an attribute is a persistent object, by its name."""
    return name[0] == PERSISTENT and _OBJECT.fullmatch(name) is not None


def oid_of(name):
    """The object id that such a name was made of."""
    return bytes.fromhex(name[len(PERSISTENT) :])


def described(name):
    """An attribute in the words of an error. Who writes the store may have named it anything."""
    if is_key(name):
        return f"session key {name[1:]!r}" if _INT.fullmatch(name) is None else f"session key {name[1:]}"
    return "a persistent object in a session's value" if name[0] == PERSISTENT else "a session's own data"
