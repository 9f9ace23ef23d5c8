"""Sessions join the transaction of the connection that their container was loaded by."""

import things
import transaction
from test_transactions import VISITOR
from test_transactions import begin
from test_transactions import read
from transaction import TransactionManager


def test_the_connections_transaction_is_joined(site):
    begin(site, n=1, basket=things.Basket(), list=[])
    manager = TransactionManager(explicit=True)
    manager.begin()
    connection = site.db.open(manager)
    session = connection.root()["Application"].sessions[VISITOR]
    session["n"] = 2
    session["basket"].things = 3
    session["list"].append(1)
    transaction.abort()
    manager.commit()
    manager.begin()
    session["more"] = session["n"] + 1
    manager.commit()
    manager.begin()
    session["n"] = 9
    manager.abort()
    connection.close()
    found = read(site)
    assert (found["n"], found["more"], found["list"]) == (2, 3, [1])
    with site.visit() as container:
        assert container[VISITOR]["basket"].things == 3


def test_two_managers_of_a_thread_have_views_of_their_own(site):
    begin(site, a=1, b=1)
    managers = [TransactionManager(explicit=True) for _ in range(2)]
    connections, sessions = [], []
    for manager in managers:
        manager.begin()
        connections.append(site.db.open(manager))
        sessions.append(connections[-1].root()["Application"].sessions[VISITOR])
    sessions[0]["a"], sessions[1]["b"] = 2, 2
    assert (sessions[0]["b"], sessions[1]["a"]) == (1, 1)
    managers[0].commit()
    managers[1].abort()
    for connection in connections:
        connection.close()
    assert read(site) == {"a": 2, "b": 1}


def test_the_threads_own_manager_may_be_named(site):
    begin(site, n=1)
    transaction.begin()
    connections = [site.db.open(), site.db.open(transaction.manager)]
    sessions = [connection.root()["Application"].sessions[VISITOR] for connection in connections]
    sessions[0]["n"] = 2
    assert sessions[1]["n"] == 2
    transaction.commit()
    for connection in connections:
        connection.close()
    assert read(site) == {"n": 2}
