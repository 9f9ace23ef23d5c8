"""What coatroom.zope.testing leaves behind: nothing."""

import os

import transaction

from coatroom.zope import settings
from coatroom.zope.testing import memory_container
from coatroom.zope.testing import memory_session


def test_a_session_in_memory_leaves_the_configuration_alone(monkeypatch, tmp_path):
    elsewhere = f"embedded:{tmp_path / 'nowhere'}"
    monkeypatch.setenv("COATROOM_STORE", elsewhere)
    settings.forget()
    container, clock = memory_container(timeout_mins=1)
    container.new_or_existing("visitor")["n"] = 1
    transaction.commit()
    assert container["visitor"]["n"] == 1
    assert memory_session(n=2)["n"] == 2
    assert os.environ["COATROOM_STORE"] == settings.current().store == elsewhere
    assert container._backend().url == "memory:" and not (tmp_path / "nowhere").exists()
    transaction.abort()
    settings.forget()
