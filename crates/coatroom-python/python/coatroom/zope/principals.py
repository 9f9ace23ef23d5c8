"""Whose a session is."""

import hashlib
import typing

from Acquisition import aq_chain
from Acquisition import aq_inner

MAX_BYTES = 255
_SHOWN_BYTES = 160
_USER_FOLDER = "acl_users"


class Principal(typing.NamedTuple):
    """A user's id as it is recorded, and the path of the user folder, where that is known."""

    id: str
    folder: str | None = None

    @classmethod
    def of(cls, user):
        """That of a user; None for an anonymous one."""
        id = user.getId() if hasattr(user, "getId") else None
        # Some user folders number their users.
        return cls(recorded(str(id)), _folder(user)) if id is not None else None

    def is_same(self, other):
        """Whether two are one. The same id in two folders is two users; an unknown folder is any."""
        return self.id == other.id and (None in (self.folder, other.folder) or self.folder == other.folder)


def recorded(id):
    """A user's id as it is recorded: itself, or where it is too long or empty its beginning and a hash of it."""
    data = id.encode("utf-8", "surrogatepass")
    if 0 < len(data) <= MAX_BYTES and (id.isascii() or _is_text(id)):
        return id
    return f"{data[:_SHOWN_BYTES].decode('utf-8', 'ignore')}… sha256 {hashlib.sha256(data).hexdigest()}"


def _is_text(id):
    return not any("\ud800" <= character <= "\udfff" for character in id)


def _folder(user):
    # Who signs users in may hand over one that is wrapped in something else first.
    for parent in aq_chain(aq_inner(user))[1:]:
        if hasattr(parent, "getPhysicalPath") and parent.getId() == _USER_FOLDER:
            return "/".join(parent.getPhysicalPath())
    return None
