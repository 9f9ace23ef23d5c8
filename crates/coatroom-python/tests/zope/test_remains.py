"""What the store holds of containers that are no more goes, and of those that still are it stays."""

import pytest
import transaction
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import noSecurityManager
from AccessControl.SpecialUsers import system
from conftest import MountedSite
from dying import FiledSite
from helpers import VISITOR
from helpers import begin
from OFS.Folder import Folder
from ZODB.POSException import ConflictError

from coatroom import _native
from coatroom import ManualClock
from coatroom.zope import backends
from coatroom.zope import housekeeping
from coatroom.zope import names
from coatroom.zope import remains
from coatroom.zope import settings
from coatroom.zope.container import TransientObjectContainer

MINUTE, DAY = 60, 86_400
heard = []


def told(item, container):
    heard.append(item.getContainerKey())


@pytest.fixture(autouse=True)
def nothing_heard(no_sweeping_thread):
    heard.clear()


@pytest.fixture
def undoable(store, tmp_path):
    """Makes sites whose database knows Undo."""
    made = []

    def make(**settings):
        made.append(FiledSite(tmp_path, ManualClock().now(), **settings))
        return made[-1]

    yield make
    for site in made:
        site.close()


def stored(namespace):
    """How many sessions and notes the store holds, those that have timed out too."""
    return tuple(_count(part) for part in (namespace, names.outbox_of(namespace)))


def _count(part):
    store, before_all = backends.open_store(settings.current().store), ManualClock(0.0)
    limits = {"idle_timeout": None, "lifetime": None, "unconfirmed_timeout": None}
    return _native.SessionManager(store, namespace=part, clock=before_all, **limits).count()


def namespace_of(site):
    with site.visit() as container:
        return container._namespace()


def delete(site):
    with site.visit() as container:
        container.aq_parent._delObject(container.getId())


def tend(site, seconds=0):
    """Time passes, and any process of the site looks for what is left."""
    site.clock.advance(seconds)
    remains.tend(site.db, site.clock)


def noted(site):
    connection = site.db.open()
    try:
        return sorted(connection.root().get(remains.ROOT_NAME, ()))
    finally:
        connection.close()


def last_transaction(site):
    return site.db.storage.lastTransaction()


def test_what_a_deleted_container_has_left_goes_as_it_times_out(make_site):
    site = make_site(timeout_mins=20)
    namespace = namespace_of(site)
    begin(site, "early")
    site.clock.advance(10 * MINUTE)
    begin(site, "late")
    delete(site)
    tend(site, 15 * MINUTE)
    assert stored(namespace) == (1, 0)
    tend(site, 10 * MINUTE)
    assert stored(namespace) == (0, 0)


def test_what_has_no_timeout_is_ended_a_day_after_the_container_was_deleted(make_site):
    site = make_site(timeout_mins=0)
    namespace = namespace_of(site)
    begin(site)
    delete(site)
    tend(site, DAY - 1)
    assert stored(namespace) == (1, 0)
    tend(site, 1)
    assert stored(namespace) == (0, 0)


def test_what_was_to_be_told_of_its_sessions_goes_too_and_nobody_is_told(make_site):
    site = make_site(timeout_mins=20, addNotification=told, delNotification=told)
    namespace = namespace_of(site)
    begin(site, "times out")
    begin(site, "ends")
    with site.visit() as container:
        container["ends"].invalidate()
    assert stored(namespace) == (1, 3)
    delete(site)
    tend(site, 30 * MINUTE)
    assert (stored(namespace), heard) == ((0, 0), [])


def test_what_a_container_has_left_that_came_before_any_was_noted_goes_too(make_site):
    site = make_site(timeout_mins=20)
    namespace = namespace_of(site)
    begin(site)
    with site.visit() as container:
        del container._p_jar.root()[remains.ROOT_NAME]
    delete(site)
    with site.db.transaction() as connection:
        assert remains.of_removed(connection.root()) == {namespace: "/sessions"}
    tend(site, 30 * MINUTE)
    assert stored(namespace) == (0, 0)


def test_nothing_goes_where_the_deletion_was_aborted(make_site):
    site = make_site(timeout_mins=0)
    begin(site)
    with pytest.raises(ZeroDivisionError), site.visit() as container:
        container.aq_parent._delObject("sessions")
        raise ZeroDivisionError
    tend(site, 3 * DAY)
    assert stored(namespace_of(site)) == (1, 0)


def test_nothing_goes_of_a_container_that_was_taken_out_and_put_elsewhere(make_site):
    site = make_site(timeout_mins=0)
    begin(site)
    with site.visit() as container:
        app, moved = container.aq_parent, container.aq_base
        app._delObject("sessions")
        app._setObject("folder", Folder("folder"))
        app.folder._setObject("sessions", moved)
    tend(site, 3 * DAY)
    site.container = lambda connection: connection.root()["Application"].folder.sessions
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1
        assert remains.of_removed(container._p_jar.root()) == {}


@pytest.fixture
def visited(app, monkeypatch):
    """A container without timeout in a folder, with a session in it; events reach what lies in a folder."""
    monkeypatch.setattr(TransientObjectContainer, "_clock", ManualClock())
    newSecurityManager(None, system)
    app._setObject("folder", Folder("folder"))
    app.folder._setObject("sessions", TransientObjectContainer("sessions", timeout_mins=0))
    transaction.commit()
    app.folder.sessions.new_or_existing(VISITOR)["n"] = 1
    transaction.commit()
    yield app
    noSecurityManager()
    transaction.abort()
    for id in {"folder", "folders", "other"} & set(app.objectIds()):
        app._delObject(id)
    transaction.commit()


def tend_app(app, seconds):
    transaction.commit()
    TransientObjectContainer._clock.advance(seconds)
    remains.tend(app._p_jar.db(), TransientObjectContainer._clock)
    app._p_jar.sync()


def test_nothing_goes_of_containers_that_were_renamed_or_moved(visited):
    folder = visited.folder
    folder.manage_renameObject("sessions", "visits")
    tend_app(visited, 3 * DAY)
    assert folder.visits[VISITOR]["n"] == 1
    visited._setObject("other", Folder("other"))
    visited.other.manage_pasteObjects(folder.manage_cutObjects(["visits"]))
    tend_app(visited, 3 * DAY)
    assert visited.other.visits[VISITOR]["n"] == 1
    visited.manage_renameObject("other", "folders")
    tend_app(visited, 3 * DAY)
    assert visited.folders.visits[VISITOR]["n"] == 1


def test_what_is_in_a_folder_that_is_deleted_goes(visited):
    namespace = visited.folder.sessions._namespace()
    visited._delObject("folder")
    tend_app(visited, 3 * DAY)
    assert stored(namespace) == (0, 0)


def test_nothing_goes_of_the_original_where_a_copy_or_an_import_is_deleted(visited, tmp_path):
    exported = tmp_path / "sessions.zexp"
    visited.folder.sessions._p_jar.exportFile(visited.folder.sessions._p_oid, str(exported))
    visited.folder.manage_pasteObjects(visited.folder.manage_copyObjects(["sessions"]))
    visited._setObject("other", Folder("other"))
    visited.other._setObject("imported", visited._p_jar.importFile(str(exported)))
    transaction.commit()
    for copy in (visited.folder.copy_of_sessions, visited.other.imported):
        copy.new_or_existing(VISITOR)["n"] = 2
    transaction.commit()
    copies = [visited.folder.copy_of_sessions._namespace(), visited.other.imported._namespace()]
    visited.folder._delObject("copy_of_sessions")
    visited._delObject("other")
    tend_app(visited, 3 * DAY)
    assert [stored(namespace) for namespace in copies] == [(0, 0)] * 2
    assert visited.folder.sessions[VISITOR]["n"] == 1


def test_a_container_whose_folder_was_new_when_it_came_is_the_same_when_it_goes(visited):
    """It has no place in the database before the commit, and so none of its own in the store."""
    visited._setObject("other", Folder("other"))
    visited.other._setObject("sessions", TransientObjectContainer("sessions"))
    transaction.commit()
    before = set(visited._p_jar.root()[remains.ROOT_NAME])
    assert visited.other.sessions._namespace() in before
    visited._delObject("other")
    assert set(visited._p_jar.root()[remains.ROOT_NAME]) == before


def test_of_a_container_that_went_unseen_only_what_has_timed_out_goes(make_site):
    """Its class was gone, say, when it was deleted; or its database is away for now."""
    site = make_site(timeout_mins=20)
    namespace = namespace_of(site)
    begin(site, "times out")
    with site.visit() as container:
        container.setTimeoutMinutes(0)
    begin(site, "lasts")
    with site.visit() as container:
        container.aq_parent._delOb("sessions")
    tend(site, 3 * DAY)
    tend(site, DAY)
    assert stored(namespace) == (1, 0)


@pytest.fixture
def mounted(store):
    site = MountedSite(timeout_mins=0)
    yield site
    site.close()


def test_what_a_container_in_a_mounted_database_has_left_goes(mounted):
    namespace = namespace_of(mounted)
    begin(mounted)
    tend(mounted, 3 * DAY)
    assert stored(namespace) == (1, 0)
    delete(mounted)
    tend(mounted, 3 * DAY)
    assert stored(namespace) == (0, 0)


def test_nothing_goes_where_a_mounted_database_was_put_back_with_its_container(mounted):
    """The site's own database, where it is noted, knows nothing of that."""
    begin(mounted)
    with mounted.visit() as container:
        oid = container._p_oid
        container.aq_parent._delObject("sessions")
    with _Folder(mounted, "temp_folder") as folder:
        folder._setOb("sessions", folder._p_jar.get(oid))
    tend(mounted, 3 * DAY)
    with mounted.visit() as container:
        assert container[VISITOR]["n"] == 1


class _Folder:
    """``with``: a folder of a site, in a transaction."""

    def __init__(self, site, id):
        self._db, self._id = site.db, id

    def __enter__(self):
        transaction.begin()
        self._connection = self._db.open()
        return self._connection.root()["Application"]._getOb(self._id)

    def __exit__(self, *error):
        transaction.commit()
        self._connection.close()


def undo(site, back=0):
    """As Zope's Undo does it: the last transaction, or one so many before it."""
    transaction.begin()
    site.db.undo(site.db.undoLog(back, back + 1)[0]["id"])
    transaction.commit()


def test_undo_of_a_deletion_finds_what_has_not_timed_out_and_it_stays(undoable):
    site = undoable(timeout_mins=0)
    begin(site)
    delete(site)
    tend(site, DAY - 1)
    undo(site)
    tend(site, 3 * DAY)
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1


def test_undo_is_not_hindered_by_other_containers_that_come_and_go(undoable):
    site = undoable(timeout_mins=0)
    begin(site)
    with site.visit() as container:
        container.aq_parent._setObject("folder", Folder("folder"))
        container.aq_parent.folder._setObject("other", TransientObjectContainer("other"))
    delete(site)
    with _Folder(site, "folder") as folder:
        folder._delObject("other")
    with _Folder(site, "folder") as folder:
        folder._setObject("another", TransientObjectContainer("another"))
    undo(site, back=2)
    tend(site, 3 * DAY)
    with site.visit() as container:
        assert container[VISITOR]["n"] == 1


def test_undo_of_a_deletion_works_also_when_all_is_gone(undoable):
    site = undoable(timeout_mins=20)
    begin(site)
    delete(site)
    tend(site, 3 * DAY)
    tend(site, MINUTE)
    assert noted(site) == []
    undo(site, back=1)
    begin(site)
    with site.visit() as container:
        namespace = container._namespace()
        assert container.keys() == [VISITOR]
    delete(site)
    tend(site, 3 * DAY)
    assert stored(namespace) == (0, 0)


def test_the_database_is_written_to_once_when_all_is_gone_and_never_before(make_site):
    site = make_site(timeout_mins=20)
    begin(site)
    tend(site)
    before = last_transaction(site)
    tend(site, 3 * DAY)
    assert last_transaction(site) == before and len(noted(site)) == 1
    delete(site)
    before = last_transaction(site)
    tend(site, 30 * MINUTE)
    assert last_transaction(site) == before
    tend(site, 2 * DAY)
    after = last_transaction(site)
    assert after != before and noted(site) == []
    tend(site, DAY)
    assert last_transaction(site) == after


def test_of_two_processes_that_find_all_gone_the_second_one_leaves_it_at_that(make_site, monkeypatch):
    site = make_site(timeout_mins=20)
    delete(site)
    site.clock.advance(3 * DAY)
    forget = remains.forget

    def second(root, namespaces):
        monkeypatch.setattr(remains, "forget", forget)
        tend(site)
        forget(root, namespaces)

    monkeypatch.setattr(remains, "forget", second)
    tend(site)
    assert noted(site) == []


def test_a_container_that_comes_back_in_that_moment_is_not_forgotten(undoable, monkeypatch):
    site = undoable(timeout_mins=20)
    namespace = namespace_of(site)
    delete(site)
    monkeypatch.setattr(remains, "_is_empty", lambda *_: undo(site) or True)
    tend(site, 3 * DAY)
    assert noted(site) == [namespace]


def test_what_a_process_was_telling_of_when_it_died_goes_too(make_site, monkeypatch):
    site = make_site(timeout_mins=20)
    begin(site)
    with site.visit() as container:
        backend, namespace = container._backend(), container._namespace()
    delete(site)
    site.clock.advance(3 * DAY)
    monkeypatch.setattr(backend, "_listener", lambda *_: 1 / 0)
    backend.sweep()
    late = backend.manager.keyed(b"late")
    late.set_raw("n", 0, b"1")
    late.save()
    tend(site)
    assert noted(site) == [namespace]
    tend(site, 2 * MINUTE)
    tend(site, MINUTE)
    assert stored(namespace) == (0, 0) and noted(site) == []


def test_a_session_that_a_late_request_stores_after_the_deletion_goes_too(make_site):
    site = make_site(timeout_mins=20)
    namespace = namespace_of(site)
    begin(site, "before")
    with site.visit() as container:
        container.new_or_existing(VISITOR)["n"] = 1
        connection = site.db.open(transaction.TransactionManager())
        connection.root()["Application"]._delObject("sessions")
        connection.transaction_manager.commit()
        connection.close()
        tend(site, 5 * MINUTE)
    tend(site, 30 * MINUTE)
    assert stored(namespace) == (0, 0)


def test_the_thread_that_sweeps_looks_for_it_once_a_minute(make_site, monkeypatch):
    site, looked = make_site(timeout_mins=20), []
    begin(site)
    monkeypatch.setattr(remains, "tend", lambda database, clock: looked.append(database))
    monkeypatch.setattr(housekeeping, "_tended_at", -housekeeping.REMAINS_EVERY)
    for now in (1000.0, 1001.0, 1059.0, 1060.0, 1061.0):
        monkeypatch.setattr(housekeeping.time, "monotonic", lambda now=now: now)
        housekeeping._tend_remains()
    assert looked == [site.db, site.db]


def test_a_database_that_is_away_keeps_nobody_from_sweeping(make_site, monkeypatch, caplog):
    site = make_site(timeout_mins=20)
    begin(site)

    def fails(database, clock):
        raise ConflictError("the database is away")

    monkeypatch.setattr(remains, "tend", fails)
    monkeypatch.setattr(housekeeping, "_tended_at", -housekeeping.REMAINS_EVERY)
    housekeeping._tend_remains()
    assert "the database is away" in caplog.text
