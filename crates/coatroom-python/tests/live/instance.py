"""A Zope instance in a directory of its own, driven over HTTP."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

BIN = pathlib.Path(sys.executable).parent
SITE = pathlib.Path(__file__).parents[1] / "site"
READY_WITHIN = 120.0


class Instance:
    """Made once, started and stopped as often as a test likes."""

    def __init__(self, place, threads=4, environment=None, storage=None):
        self.place = pathlib.Path(place)
        self.threads = threads
        #: Where its database lies, as zope.conf says it; by default in a file of its own.
        self.storage = storage or _FILE
        self.port = free_port()
        self.environment = dict(os.environ, PYTHONPATH=str(SITE), **(environment or {}))
        self.runwsgi = [str(BIN / "runwsgi")]
        self.process = None

    def make(self):
        self._run("mkwsgiinstance", "-d", self.place, "-u", "admin:admin12345")
        (self.place / "etc/site.zcml").write_text(_site_zcml(self.place / "etc/site.zcml"))
        self.configure()
        return self

    def configure(self, product_config="", temporary=False):
        ini = self.place / "etc/zope.ini"
        ini.write_text(_INI.format(place=self.place, port=self.port, threads=self.threads))
        conf = self.place / "etc/zope.conf"
        temporary = _TEMPORARY if temporary else ""
        text = _CONF.format(place=self.place, storage=self.storage, product=product_config, temporary=temporary)
        conf.write_text(text)

    @property
    def conf(self):
        return str(self.place / "etc/zope.conf")

    def zconsole(self, script):
        return self._run("zconsole", "run", self.conf, str(script))

    def coatroom_zope(self, *arguments, check=True):
        command, *rest = arguments
        return self._run("coatroom-zope", command, self.conf, *rest, check=check)

    def _run(self, command, *arguments, check=True):
        full = [str(BIN / command), *map(str, arguments)]
        done = subprocess.run(full, env=self.environment, capture_output=True, text=True, timeout=300)
        if check and done.returncode:
            raise AssertionError(f"{full} failed:\n{done.stdout}\n{done.stderr}")
        return done

    def start(self):
        log = open(self.place / "log.txt", "a")
        command = [*self.runwsgi, str(self.place / "etc/zope.ini")]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=log, stderr=log, preexec_fn=_interruptible
        )
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the instance ended:\n{self.log()[-4000:]}")
            try:
                if Browser(self).get("/sess-plain").status == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the instance is not ready:\n{self.log()[-4000:]}")

    def stop(self, kill=False):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGINT)
            self.process.wait(60)
            self.process = None

    def log(self):
        return (self.place / "log.txt").read_text()


class Zeo:
    """A ZEO server: one database for several instances."""

    def __init__(self, place, text, port):
        self.port = port
        conf = place / "zeo.conf"
        conf.write_text(text)
        log = open(place / "zeo.log", "a")
        command = [BIN / "runzeo", "-C", conf]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_interruptible)
        deadline = time.monotonic() + READY_WITHIN
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"ZEO does not start:\n{(place / 'zeo.log').read_text()[-4000:]}")
            time.sleep(0.05)

    def _is_ready(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        assert self.status == 200, (self.status, self.body[:2000])
        return json.loads(self.body)

    def cookies_set(self, name):
        found = [value for key, value in self.headers if key.lower() == "set-cookie"]
        return [value for value in found if value.startswith(f"{name}=")]


class Browser:
    """One visitor: keeps cookies, one connection."""

    def __init__(self, instance, cookies=None, site=""):
        self.instance = instance
        self.cookies = dict(cookies or {})
        self.site = site
        self._connection = None

    def copy(self):
        return Browser(self.instance, self.cookies, self.site)

    def get(self, path, **query):
        url = self.site + path + ("?" + urllib.parse.urlencode(query) if query else "")
        return self.request("GET", url)

    def post(self, path, **form):
        body = urllib.parse.urlencode(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", self.site + path, body, headers)

    def request(self, method, url, body=None, headers=None):
        headers = dict(headers or {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.instance.port, timeout=60)
            try:
                self._connection.request(method, url, body, headers)
                response = self._connection.getresponse()
                answer = Answer(response.status, response.getheaders(), response.read().decode(errors="replace"))
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()
                self._connection = None
                if attempt == 2:
                    raise
        self._keep(answer.headers)
        return answer

    def _keep(self, headers):
        for key, value in headers:
            if key.lower() != "set-cookie":
                continue
            pair, *attributes = value.split(";")
            name, _, content = pair.partition("=")
            gone = any(
                a.strip().lower().startswith(("expires=sun, 10-may-1971", "expires=wed, 31 dec 1997", "max-age=0"))
                for a in attributes
            )
            if gone:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = content.strip('"')


def while_one_writes(browser, work):
    """Does something while a page of this browser has read its session and not yet written; its answer."""
    gate = Browser(browser.instance)
    assert gate.get("/sess-gate", step="close").status == 200
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        writing = pool.submit(browser.get, "/sess-slow-write")
        assert gate.get("/sess-gate", step="reached").status == 200
        try:
            work()
        finally:
            gate.get("/sess-gate", step="open")
        return writing.result()


def _interruptible():
    """A shell's background job ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_port():
    """A free port that nothing else is given, whether or not an instance listens there yet: not twice by
    this process of tests, not by those that run beside it, and not by the kernel to who dials out."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there are no more ports")


def _ports():
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 10_000 + 1_000 * worker
    return random.SystemRandom().sample(range(first, first + 1_000), 1_000)


_PORTS = iter(_ports())


def _site_zcml(path):
    text = path.read_text()
    return text.replace("</configure>", '  <include package="coatroomsite" />\n</configure>')


_INI = """
[app:zope]
use = egg:Zope#main
zope_conf = {place}/etc/zope.conf

[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
threads = {threads}

[filter:httpexceptions]
use = egg:Zope#httpexceptions

[pipeline:main]
pipeline =
    egg:Zope#httpexceptions
    zope

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = plain

[logger_root]
level = WARNING
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain

[formatter_plain]
format = %(asctime)s %(levelname)s %(name)s %(message)s
"""

_FILE = """
    <filestorage>
        path $INSTANCE/var/Data.fs
    </filestorage>
"""

_CONF = """
%define INSTANCE {place}
instancehome $INSTANCE
<zodb_db main>
{storage}
    mount-point /
</zodb_db>
{temporary}
{product}
"""

_TEMPORARY = """
<zodb_db temporary>
    <temporarystorage>
      name temporary storage for sessioning
    </temporarystorage>
    mount-point /temp_folder
    container-class Products.TemporaryFolder.TemporaryContainer
</zodb_db>
"""
