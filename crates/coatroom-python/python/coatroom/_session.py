"""One session, with plain Python values."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import msgpack

from coatroom import _native

MESSAGE_PACK = 0


def encode(value: Any) -> bytes:
    """A value as the library's other users read it. Raises TypeError for what MessagePack lacks."""
    try:
        packed: bytes = msgpack.packb(value)
    except (OverflowError, ValueError) as error:
        # Numbers over 64 bits, half characters, what holds itself.
        raise TypeError(f"MessagePack has no such value: {error}") from error
    return packed


def decode(name: str, raw: _native.Raw) -> Any:
    """The value of an attribute. Raises SessionError where it is none of MessagePack's."""
    form, data = raw
    if form != MESSAGE_PACK:
        raise _native.SessionError(
            f"reading attribute {name!r} failed: its format is {form}, not MessagePack; use get_raw"
        )
    try:
        return _unpacked(data)
    except (TypeError, ValueError) as error:
        raise _native.SessionError(f"reading attribute {name!r} failed: {error}") from error


def _unpacked(data: bytes) -> Any:
    try:
        return msgpack.unpackb(data, strict_map_key=False)
    except TypeError:
        # A tuple in the place of a key comes back as a list, which is none.
        return msgpack.unpackb(data, strict_map_key=False, object_pairs_hook=_mapping)


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    return {_hashable(key): value for key, value in pairs}


def _hashable(key: Any) -> Any:
    return tuple(map(_hashable, key)) if isinstance(key, list) else key


class Session:
    """One request's view of one session.

    Changes are deferred until :meth:`save` or :meth:`SessionManager.commit`, and then replayed on
    whatever other requests committed: different attributes never collide, :meth:`edit` runs its
    function again, and ``set`` is later-wins unless the manager says ``on_conflict="reject"``. A
    ``get`` followed by a ``set`` of what was computed from it protects nothing: use :meth:`edit`.

    Reading never creates a session; the first write does. Not for two threads at once.

    Example: two requests that count, of which the second one commits first:

        >>> from coatroom import SessionManager, Store
        >>> sessions = SessionManager(Store("memory:"))
        >>> one, two = sessions.keyed("visitor"), sessions.keyed("visitor")
        >>> for session in (one, two):
        ...     session.edit("visits", lambda visits: visits + 1, default=0)
        >>> two.save()
        >>> one.save()
        >>> sessions.keyed("visitor")["visits"]
        2
    """

    def __init__(
        self, native: _native.Session, manager: _native.SessionManager, on_conflict: _native.OnConflict
    ) -> None:
        self._native = native
        self._manager = manager
        self._on_conflict = on_conflict

    exists = property(lambda self: bool(self._native.exists), doc="Whether it is stored.")
    locator = property(lambda self: self._native.locator, doc="Its public name, 32 hex digits.")
    revision = property(lambda self: self._native.revision, doc="The commit this request sees.")
    principal = property(lambda self: self._native.principal, doc="Whose it is, or None.")
    client_label = property(lambda self: self._native.client_label, doc="The client's label.")
    created = property(lambda self: self._native.created, doc="Seconds since 1970, or None.")
    authenticated = property(lambda self: self._native.authenticated, doc="When signed in.")
    last_accessed = property(lambda self: self._native.last_accessed, doc="The last access.")
    idle_timeout = property(lambda self: self._native.idle_timeout, doc="In seconds; None for none.")
    idle_deadline = property(lambda self: self._native.idle_deadline, doc="Ends then if idle.")
    deadline = property(lambda self: self._native.deadline, doc="Ends then in any case.")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an attribute; changing it in place changes nothing, set it."""
        raw = self._native.get_raw(name)
        return default if raw is None else decode(name, raw)

    def set(self, name: str, value: Any) -> None:
        """Sets an attribute. TypeError for what MessagePack lacks, LimitExceeded over a limit."""
        self._native.set_raw(name, MESSAGE_PACK, encode(value), self._on_conflict)

    def remove(self, name: str) -> None:
        """Removes an attribute, if it is there."""
        if self._native.contains(name):
            self._native.remove(name, self._on_conflict)

    def take(self, name: str, default: Any = None) -> Any:
        """The value of an attribute, removed: for what is shown once."""
        value = self.get(name, default)
        self.remove(name)
        return value

    def clear(self) -> None:
        """Removes every attribute that is there at the commit."""
        self._native.clear()

    def contains(self, name: str) -> bool:
        """Whether there is an attribute of this name."""
        return self._native.contains(name)

    def names(self) -> list[str]:
        """The names of all attributes, in order."""
        return self._native.names()

    def edit(self, name: str, function: Callable[[Any], Any], default: Any = None) -> None:
        """Replaces a value by ``function(value)``, run again on a newer value at the commit.

        The function must be a pure one of its argument. What it raises is raised, here or by the
        commit that ran it, and nothing is changed.
        """

        def run(raw: _native.Raw | None) -> _native.Raw | None:
            value = default if raw is None else decode(name, raw)
            return MESSAGE_PACK, encode(function(value))

        self._native.edit_raw(name, run)

    def update(self, name: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        """As :meth:`edit`, and kept at once, whatever the request then does; the new value.

        Only for a session that is stored, and only this attribute is written; what this view shows
        of it stays as it was. Gone where it was ended meanwhile.
        """
        native = self._manager.open_locator(self.locator) if self.locator else None
        if native is None:
            raise _native.Gone(f"updating attribute {name!r} failed: the session is not stored; save it first")
        fresh = Session(native, self._manager, self._on_conflict)
        fresh.edit(name, function, default)
        fresh.save()
        return fresh.get(name)

    def login(self, principal: str) -> None:
        """Signs a principal in: new id, same data; another principal's data is dropped."""
        self._native.login(principal)

    def renew(self) -> None:
        """A new id at the commit, for a change of privilege that is no login."""
        self._native.renew()

    def set_client_label(self, label: str) -> None:
        """What the list of a user's sessions calls this client; at most 255 bytes."""
        self._native.set_client_label(label)

    def set_idle_timeout(self, seconds: float | None) -> None:
        """An idle timeout of its own, None for none."""
        self._native.set_idle_timeout(seconds)

    def set_lifetime(self, seconds: float | None) -> None:
        """A lifetime of its own, None for no end."""
        self._native.set_lifetime(seconds)

    def touch(self) -> None:
        """Activity, however it was opened: for one opened passively, or held for long as by a websocket.

        Noted at once, once in a twentieth of the idle timeout or a minute. Nothing for a session that is
        not stored; one that has ended stays dead. A store that cannot write is logged, and no error.
        """
        self._native.touch()

    def discard(self) -> None:
        """Drops everything deferred."""
        self._native.discard()

    def save(self) -> None:
        """Commits what is deferred. Conflict, Gone, StoreError: nothing was kept, and it stays deferred."""
        self._native.save()

    def save_undoable(self) -> _native.Undo | None:
        """As :meth:`save`, with what takes it back; None where there was nothing to write."""
        return self._native.save_undoable()

    def logout(self) -> None:
        """Ends the session at once, everywhere."""
        self._native.logout()

    def end_undoable(self) -> _native.Undo | None:
        """As :meth:`logout`, with what takes it back; ends this very session and no later one."""
        return self._native.end_undoable()

    def get_raw(self, name: str) -> _native.Raw | None:
        """The format and the bytes of an attribute of any format."""
        return self._native.get_raw(name)

    def set_raw(self, name: str, format: int, value: bytes) -> None:
        """Sets an attribute to bytes of any format (1: a pickle, 2: opaque)."""
        self._native.set_raw(name, format, value, self._on_conflict)

    def __getitem__(self, name: str) -> Any:
        raw = self._native.get_raw(name)
        if raw is None:
            raise KeyError(name)
        return decode(name, raw)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if not self._native.contains(name):
            raise KeyError(name)
        self.remove(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._native.contains(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._native.names())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<coatroom.Session {self.locator or 'not stored'}>"
