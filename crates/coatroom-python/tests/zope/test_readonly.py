"""Sessions where a transaction takes no changes any more: in hooks, in other parties' votes, on error pages."""

import pytest
import things
import transaction
from helpers import VISITOR
from helpers import shown_for_errors
from pages import Refuses
from transaction.interfaces import TransactionFailedError


@pytest.fixture
def visit(site):
    """A container whose visitor has a session, in a connection that stays open."""
    with site.visit() as container:
        container.new_or_existing(VISITOR).update({"n": 1, "basket": things.Basket()})
    transaction.begin()
    connection = site.db.open()
    yield site.container(connection)
    transaction.abort()
    connection.close()


class Looks(Refuses):
    """A party to a transaction that looks at the session whenever it is called."""

    def __init__(self, container, key):
        self.container = container
        self.key = key
        self.seen = []

    def sortKey(self):
        return self.key

    def tpc_vote(self, txn=None):
        found = self.container[VISITOR]
        self.seen.append((found["n"], found["basket"].things))

    commit = tpc_finish = tpc_abort = tpc_vote


@pytest.mark.parametrize("key", ["a", "~~~~"])
@pytest.mark.parametrize("is_used", [True, False])
def test_other_parties_can_look_at_a_session(visit, key, is_used):
    party = Looks(visit, key)
    transaction.get().join(party)
    if is_used:
        visit[VISITOR]["n"] = 2
    transaction.commit()
    assert party.seen == [(2 if is_used else 1, 0)] * 3


@pytest.mark.parametrize("is_used", [True, False])
def test_a_hook_after_the_commit_sees_what_was_committed(visit, is_used):
    party = Looks(visit, "")
    if is_used:
        visit[VISITOR]["n"] = 2
        visit[VISITOR]["basket"].things = 3
    transaction.get().addAfterCommitHook(lambda _is_committed: party.tpc_vote())
    transaction.commit()
    assert party.seen == [(2, 3) if is_used else (1, 0)]


@pytest.mark.parametrize("key", ["a", "~~~~"])
def test_a_hook_sees_what_another_party_has_looked_at(visit, key):
    party = Looks(visit, key)
    transaction.get().join(party)
    refused = []

    def hook(_is_committed):
        party.tpc_vote()
        refused.append(pytest.raises(ValueError, visit[VISITOR].set, "n", 2))

    transaction.get().addAfterCommitHook(hook)
    transaction.commit()
    assert party.seen == [(1, 0)] * 4 and refused


def fail():
    transaction.get().join(Refuses())
    with pytest.raises(RuntimeError, match="refused"):
        transaction.commit()


def test_after_a_commit_that_failed_a_session_is_as_it_was_before(visit):
    held = visit[VISITOR]
    held["n"] = 2
    fail()
    assert (held["n"], visit[VISITOR]["n"], held.isValid(), VISITOR in visit) == (1, 1, 1, True)
    other = visit.new_or_existing("other")
    assert other.keys() == [] and other.get("n") is None
    transaction.abort()
    assert held["n"] == 1 and "other" not in visit
    held["n"] = 3
    transaction.commit()
    assert visit[VISITOR]["n"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda container: container[VISITOR].set("n", 2),
        lambda container: container[VISITOR].delete("n"),
        lambda container: container[VISITOR].clear(),
        lambda container: container[VISITOR].invalidate(),
        lambda container: container.new("other").set("n", 2),
        lambda container: setattr(container[VISITOR]["basket"], "things", 2),
        lambda container: container._renewSession(VISITOR, lambda: "renewed", "alice"),
    ],
)
def test_what_cannot_be_kept_is_refused(visit, change):
    fail()
    with pytest.raises(TransactionFailedError):
        change(visit)
    transaction.abort()
    assert visit[VISITOR]["n"] == 1 and visit[VISITOR]["basket"].things == 0 and visit.keys() == [VISITOR]
    refused = []
    transaction.get().addAfterCommitHook(lambda _is_committed: refused.append(pytest.raises(ValueError, change, visit)))
    transaction.commit()
    assert refused and visit[VISITOR]["n"] == 1


def test_an_object_that_was_looked_at_then_is_loaded_anew(site, visit):
    fail()
    basket = visit[VISITOR]["basket"]
    assert basket.things == 0
    transaction.abort()
    _in_another_transaction(site, 5)
    transaction.begin()
    assert basket.things == 5


def _in_another_transaction(site, number):
    manager = transaction.TransactionManager()
    connection = site.db.open(manager)
    site.container(connection)[VISITOR]["basket"].things = number
    manager.commit()
    connection.close()


# On pages


class ShowsSession:
    """What shows an error, and the session with it."""

    def __init__(self, _error, request):
        self.request = request

    def __call__(self):
        return f"sorry, {sorted(self.request.SESSION.items())}"


@pytest.fixture
def errors_show_the_session(app):
    with shown_for_errors(ShowsSession):
        yield


@pytest.mark.parametrize(("who", "seen"), [(None, "a"), ("alice", "a"), ("bob", None)])
def test_an_error_page_shows_the_session_of_its_visitor_and_no_others(zope, app, errors_show_the_session, who, seen):
    visitor = zope.get("/pages/write", "k=a&v=1", auth="alice" if who else None).browser_id
    failed = zope.get("/pages/refuse", browser_id=visitor, auth=who)
    assert failed.body == ("sorry, [('a', '1')]" if seen else "sorry, []")
    assert zope.get("/pages/show", browser_id=visitor, auth="alice" if who else None).body == "{'a': '1'}"


def test_an_error_page_gives_no_new_id_for_what_is_not_kept(zope, app, errors_show_the_session):
    visitor = zope.get("/pages/write", "k=a&v=1").browser_id
    failed = zope.get("/pages/refuse", browser_id=visitor, auth="alice")
    assert failed.body == "sorry, [('a', '1')]" and failed.browser_id is None
    assert zope.get("/pages/show", browser_id=visitor).body == "{'a': '1'}"
