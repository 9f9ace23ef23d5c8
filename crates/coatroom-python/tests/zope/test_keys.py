"""Changing the keys under which sessions are authenticated, on a site with visitors."""

import pytest
import transaction
from conftest import MountedSite

from coatroom.zope import commands
from coatroom.zope import keyring


def begin(zope):
    """The id of a visitor who has stored something."""
    return zope.get("/pages/write", "k=mark&v=mine").browser_id


def has_session(zope, visitor):
    """Whether a visitor's id is taken, and finds what was stored."""
    answer = zope.get("/pages/show", browser_id=visitor)
    return answer.browser_id is None and "mine" in answer.body


def keys(app):
    transaction.begin()
    return app._p_jar.root()[keyring.ROOT_NAME]["keys"]


def test_after_a_new_key_visitors_from_before_go_on(zope, app, capsys):
    visitor, before = begin(zope), keys(app)
    assert commands._rotate_key(app, None) == 0
    assert "a new key writes" in capsys.readouterr().out
    assert keys(app)[1:] == before
    assert has_session(zope, visitor)
    assert zope.get("/pages/write", "k=more&v=1", browser_id=visitor).browser_id is None
    assert has_session(zope, visitor) and has_session(zope, begin(zope))


def test_without_the_old_keys_visitors_from_before_begin_anew(zope, app, capsys):
    old = begin(zope)
    commands._rotate_key(app, None)
    new = begin(zope)
    assert commands._drop_old_keys(app, None) == 0
    assert "dropped a key" in capsys.readouterr().out
    assert len(keys(app)) == 1
    assert has_session(zope, new) and not has_session(zope, old)
    assert zope.get("/pages/write", "k=mark&v=mine", browser_id=old).browser_id not in (None, old)
    commands._drop_old_keys(app, None)
    assert capsys.readouterr().out == "nothing to do\n"


def test_where_other_processes_run_a_new_key_writes_once_they_know_it(zope, app, monkeypatch):
    (before,), seen = keys(app), []
    monkeypatch.setattr(commands, "_is_shared", lambda app: True)
    monkeypatch.setattr(commands.time, "sleep", lambda seconds: seen.append((seconds, keys(app))))
    commands._rotate_key(app, None)
    ((waited, announced),) = seen
    assert (waited, announced[0], len(announced)) == (60, before, 2)
    assert keys(app) == (announced[1], before)


def test_without_an_installation_there_is_no_key_to_change(zope, app):
    del app._p_jar.root()[keyring.ROOT_NAME]
    for command in (commands._rotate_key, commands._drop_old_keys):
        with pytest.raises(ValueError, match="run `coatroom-zope install`"):
            command(app, None)
    transaction.abort()


def test_old_keys_in_a_mounted_database_go_too():
    site = MountedSite()
    try:
        with site.visit() as container:
            jar, mounted = container.getPhysicalRoot()._p_jar, container._p_jar
            keyring.ensure(mounted)
            assert keyring.drop_old(jar, [mounted]) == 1
            assert keyring.ROOT_NAME not in mounted.root() and len(jar.root()[keyring.ROOT_NAME]["keys"]) == 1
    finally:
        site.close()
