"""What `coatroom-zope` says when something is wrong with the configuration."""

import os
import pathlib
import re
import subprocess
import sys
import types

import pytest
import transaction
from transaction.interfaces import TransientError
from ZODB.FileStorage import FileStorage
from ZODB.POSException import ConflictError
from ZODB.POSException import StorageError

from coatroom.zope import commands
from coatroom.zope import settings

GUIDE = pathlib.Path(__file__).parents[4] / "docs/plone.md"
DATABASE = "<zodb_db main>\n{}\nmount-point /\n</zodb_db>"


@pytest.mark.parametrize(
    "addition, text",
    [
        ("<product-config coatroom", "is no configuration of a Zope"),
        ("no-such-key 1", "is no configuration of a Zope"),
        (DATABASE.format("<filestorage>\n path {place}\n</filestorage>"), "database cannot be opened"),
    ],
)
def test_a_configuration_that_does_not_work_is_said_without_a_traceback(tmp_path, addition, text):
    conf = tmp_path / "zope.conf"
    conf.write_text(f"instancehome {tmp_path}\n" + addition.format(place=tmp_path) + "\n")
    expect_said(status(conf), text)


def status(conf, **environment):
    return run("status", conf, **environment)


def run(name, conf, **environment):
    command = [sys.executable, "-m", "coatroom.zope.commands", name, str(conf)]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def expect_said(done, text):
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "coatroom-zope: " in done.stderr and text in done.stderr


def instance(place, database):
    """A configuration whose database is what a text of Python says."""
    place.mkdir(exist_ok=True)
    (place / "custom_zodb.py").write_text(database)
    (place / "zope.conf").write_text(f"instancehome {place}\n")
    return place / "zope.conf"


class Error(Exception):
    """Above all errors of a database's driver (PEP 249)."""


class OperationalError(Error):
    pass


class Disconnected(StorageError, TransientError):
    """As ZEO's."""


AWAY = """
class Error(Exception): pass
class OperationalError(Error): pass
raise OperationalError("connection refused")
"""


def test_a_server_that_is_away_is_said_with_the_file_that_names_it(tmp_path):
    conf = instance(tmp_path, AWAY)
    done = status(conf)
    expect_said(done, "database cannot be opened: OperationalError: connection refused")
    assert f"<zodb_db> sections of {conf}" in done.stderr


def test_code_of_the_instance_that_does_not_start_is_said_to_be_that(tmp_path):
    expect_said(status(instance(tmp_path, "import no_such_module")), "code does not start: ModuleNotFoundError")


@pytest.mark.parametrize("lost", [OperationalError("gone"), Disconnected("gone")])
def test_a_database_that_fails_meanwhile_is_said_once(monkeypatch, tmp_path, lost):
    def fail(*_):
        raise lost

    app = types.SimpleNamespace(_p_jar=types.SimpleNamespace(close=fail))
    monkeypatch.setattr(commands, "_open", lambda *_: app)
    monkeypatch.setattr(commands, "_status", fail)
    with pytest.raises(SystemExit, match=f"database failed.*{type(lost).__name__}: gone"):
        commands.main(["status", str(instance(tmp_path, ""))])


def test_a_conflict_is_tried_again_and_a_server_that_is_away_is_not():
    raised = [ConflictError(), ConflictError()]

    def work():
        if raised:
            raise raised.pop()
        return "done"

    assert (commands._commit(work, "a test"), raised) == ("done", [])
    raised[:] = [Disconnected(), Disconnected()]
    with pytest.raises(Disconnected):
        commands._commit(work, "a test")
    assert len(raised) == 1
    transaction.abort()


def test_the_instance_that_is_named_is_opened_and_not_that_of_the_environment(tmp_path):
    named = instance(tmp_path / "named", AWAY.replace("refused", "to the named one"))
    other = instance(tmp_path / "other", AWAY.replace("refused", "to the other one"))
    expect_said(status(named, ZOPE_CONFIG=str(other)), "connection to the named one")


FILE = "<blobstorage>\n blob-dir {0}/var/blobs\n<filestorage>\n path {0}/var/Data.fs\n</filestorage>\n</blobstorage>"


def test_status_reads_beside_the_process_that_has_the_database_open(tmp_path):
    (tmp_path / "var").mkdir()
    conf, store = tmp_path / "zope.conf", tmp_path / "var/coatroom"
    conf.write_text(f"instancehome {tmp_path}\n" + DATABASE.format(FILE.format(tmp_path)) + "\n")
    assert run("install", conf).returncode == 0
    running = FileStorage(str(tmp_path / "var/Data.fs"))
    try:
        before = files(tmp_path / "var")
        done = status(conf, COATROOM_STORE=f"embedded:{store}")
        assert done.returncode == 0, done.stderr
        assert f"embedded:{store}\n" in done.stdout and done.stdout.count("Coatroom's") == 2
        assert files(tmp_path / "var") == before
    finally:
        running.close()


def files(place):
    """Everything below a directory, and what is in it."""
    return {path: path.read_bytes() if path.is_file() else None for path in place.rglob("*")}


def test_status_says_to_stop_the_instance_where_zope_itself_has_to_write(tmp_path):
    """An instance that has never been started with what is installed now."""
    (tmp_path / "var").mkdir()
    conf = tmp_path / "zope.conf"
    conf.write_text(f"instancehome {tmp_path}\n" + DATABASE.format(FILE.format(tmp_path)) + "\n")
    running = FileStorage(str(tmp_path / "var/Data.fs"))
    try:
        expect_said(status(conf), "Stop the instance first")
    finally:
        running.close()


@pytest.mark.parametrize(
    "section, environment, text",
    [
        ({"max-value-bytes": "lots"}, {}, "max-value-bytes of coatroom is 'lots'"),
        ({"stoer": "redis://127.0.0.1"}, {}, "coatroom has no setting stoer; there are store, max-value-bytes"),
        ({"store": "redis//x"}, {}, "none: a store is embedded:DIRECTORY"),
        ({"store": "memory:"}, {"COATROOM_STORE": "", "COATROOM_CONFLICT_WAIT": ""}, "memory:"),
    ],
)
def test_the_store_that_is_shown_says_what_is_wrong(monkeypatch, section, environment, text):
    monkeypatch.delenv("COATROOM_STORE")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    configuration = types.SimpleNamespace(product_config={"coatroom": section}, clienthome="/srv/site/var")
    monkeypatch.setattr(settings, "getConfiguration", lambda: configuration)
    monkeypatch.setattr(settings, "_settings", settings.Settings)
    assert text in settings.shown_store()


def settings_of(monkeypatch, section, clienthome="/srv/site/var"):
    monkeypatch.delenv("COATROOM_STORE", raising=False)
    return settings.Settings(types.SimpleNamespace(product_config={"coatroom": section}, clienthome=clienthome))


def test_the_guide_names_every_setting_with_its_default(monkeypatch):
    section = re.search(r"^<product-config coatroom>\n(.*?)</product-config>", GUIDE.read_text(), re.M | re.S)[1]
    named = dict(line.split() for line in section.splitlines())
    assert set(named) == {"store", *settings.LIMITS}
    assert vars(settings_of(monkeypatch, named)) == {**vars(settings_of(monkeypatch, {})), "_section": named}
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| `COATROOM_([A-Z_]+)`", GUIDE.read_text(), re.M))
    assert rows == {name: name.upper().replace("-", "_") for name in named}


def test_the_guides_sections_for_other_tools_are_settings_too():
    text = GUIDE.read_text()
    (yaml,) = re.findall(r"^        coatroom:\n            (\w+): \S+$", text, re.M)
    (buildout,) = re.findall(r"^zope-conf-additional =\n    <product-config coatroom>\n        (\w+) \S+\n    </product", text, re.M)
    assert yaml == buildout == "store"
