"""A browser id that was drawn in a transaction has no session yet, and the store is not asked for one."""

import pytest
import transaction
from test_transactions import VISITOR
from test_transactions import Counting
from test_transactions import begin
from test_transactions import read
from transaction import TransactionManager
from ZODB.POSException import ConflictError

from coatroom.zope import transactions


def counting(container):
    """Has the loads of a container's sessions counted."""
    backend = container._backend()
    backend.manager = Counting(backend.manager)
    return backend.manager


def test_a_new_visitors_session_is_not_looked_for(site):
    with site.visit() as container:
        counted = counting(container)
        transactions.note_issued(VISITOR)
        assert container.get(VISITOR) is None
        container.new_or_existing(VISITOR)["n"] = 1
        assert container[VISITOR]["n"] == 1
    assert counted.loads == 0
    assert read(site) == {"n": 1}


def test_a_new_visitors_first_page_does_not_ask_the_store(zope, app):
    counted = counting(app.session_data)
    written = zope.get("/pages/write", "k=a&v=1")
    assert written.status == 200 and counted.loads == 0
    assert zope.get("/pages/show", browser_id=written.browser_id).body == "{'a': '1'}"
    assert counted.loads == 1


def test_it_is_found_once_the_transaction_has_committed(site):
    with site.visit() as container:
        transactions.note_issued(VISITOR)
        container.new_or_existing(VISITOR)["n"] = 1
        transaction.commit()
        container.new_or_existing(VISITOR)["n"] += 1
        transaction.commit()
    assert read(site) == {"n": 2}


@pytest.mark.parametrize("is_used", [True, False])
def test_a_hook_after_the_commit_finds_it(site, is_used):
    seen = []
    with site.visit() as container:
        transactions.note_issued(VISITOR)
        if is_used:
            container.new_or_existing(VISITOR)["n"] = 1
        transaction.get().addAfterCommitHook(lambda _is_committed: seen.append(container.get(VISITOR)["n"]))
        if not is_used:
            other = TransactionManager()
            connection = site.db.open(other)
            site.container(connection).new_or_existing(VISITOR)["n"] = 2
            other.commit()
            connection.close()
    assert seen == [1 if is_used else 2]


def test_after_a_savepoint_it_is_still_new(site):
    with site.visit() as container:
        transactions.note_issued(VISITOR)
        savepoint = transaction.savepoint()
        container.new_or_existing(VISITOR)["n"] = 1
        savepoint.rollback()
        assert container.get(VISITOR) is None
        container.new_or_existing(VISITOR)["n"] = 2
    assert read(site) == {"n": 2}


def test_what_another_request_stored_all_the_same_is_not_written_over(site):
    connection = site.db.open(TransactionManager())
    with pytest.raises(ConflictError), site.visit() as container:
        transactions.note_issued(VISITOR)
        container.new_or_existing(VISITOR)["n"] = 1
        site.container(connection).new_or_existing(VISITOR)["n"] = 2
        connection.transaction_manager.commit()
    connection.close()
    assert read(site) == {"n": 2}


def test_an_id_of_another_transaction_is_looked_for(site):
    begin(site, n=1)
    transactions.note_issued(VISITOR)
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1


def test_an_id_can_be_drawn_outside_a_transaction(app):
    manager = transaction.manager.manager
    transaction.abort()
    manager.explicit = True
    try:
        transactions.note_issued(VISITOR)
    finally:
        manager.explicit = False
