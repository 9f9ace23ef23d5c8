"""What `coatroom-zope` says when something is wrong with the configuration."""

import pathlib
import re
import subprocess
import sys
import types

import pytest

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
    command = [sys.executable, "-m", "coatroom.zope.commands", "status", str(conf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "coatroom-zope: " in done.stderr and text in done.stderr


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
