"""Stores on the servers that `testbed run` names in the environment, and what may happen to them."""

import contextlib
import os
import socket
import threading
import urllib.parse
import uuid

import pytest

#: What keeps one test's sessions from another's, by kind of server.
_APART = {"redis": "prefix", "postgres": "schema"}
KINDS = list(_APART)


def server_url(kind):
    """The URL of the shared server of a kind. Skips the test where there is none, loudly."""
    variable = f"COATROOM_TEST_{kind.upper()}_URL"
    url = os.environ.get(variable)
    if url:
        return url
    text = f"{variable} is not set: nothing was tried on {kind}; run the tests with `testbed run -- pytest`"
    if os.environ.get("COATROOM_TEST_SERVERS") == "required":
        pytest.fail(text)
    pytest.skip(text)


def fresh_url(kind, url=None):
    """The URL of an empty store on the shared server, or at ``url``."""
    return f"{url or server_url(kind)}?{_APART[kind]}=t{uuid.uuid4().hex}"


def credentials(url, user=None, password=None, database=None):
    """The same server for another user, password or database."""
    parts = urllib.parse.urlsplit(url)
    user = user if user is not None else parts.username or ""
    password = password if password is not None else parts.password or ""
    who = f"{user}:{password}@" if user or password else ""
    path = parts.path if database is None else f"/{database}"
    return parts._replace(netloc=f"{who}{parts.hostname}:{parts.port}", path=path).geturl()


class RedisLine:
    """A connection to a Redis server, for what its stores do not do."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=10)
        self._file = self._socket.makefile("rb")
        if parts.password:
            self.call("AUTH", urllib.parse.unquote(parts.password))

    def call(self, *words):
        """The text of an answer that is a single one."""
        encoded = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        self._socket.sendall(f"*{len(words)}\r\n{encoded}".encode())
        answer = self._file.readline().decode().rstrip()
        assert not answer.startswith("-"), answer
        if not answer.startswith("$"):
            return answer[1:]
        return self._file.read(int(answer[1:]) + 2).decode()

    def close(self):
        self._file.close()
        self._socket.close()


class Road:
    """The way to a server, which can be cut and mended: a relay on a port of its own."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._server = parts.hostname, parts.port
        self._port = 0
        self._listener = None
        self._links = set()
        self._lock = threading.Lock()
        self.mend()
        who, at, _ = parts.netloc.rpartition("@")
        self.url = parts._replace(netloc=f"{who}{at}127.0.0.1:{self._port}").geturl()

    def mend(self):
        """Connections are taken again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self):
        """Nobody listens any more, and whoever was connected is cut off."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            links, self._links = self._links, set()
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def connections(self):
        """How many there are."""
        with self._lock:
            return len(self._links) // 2

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(self._server)
                with self._lock:
                    self._links.update((here, there))
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._relay, args=ends, daemon=True).start()

    def _relay(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)
        one.close()
        with self._lock:
            self._links.discard(one)
