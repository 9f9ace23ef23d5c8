"""What `coatroom-zope` does to a database, without a server."""

import pytest
import transaction
import ZODB
from OFS.Application import Application
from OFS.Folder import Folder
from OFS.SimpleItem import SimpleItem
from Products.Sessions import install_browser_id_manager
from Products.Sessions import install_session_data_manager
from Products.Sessions.BrowserIdManager import BrowserIdManager as StockBrowserIdManager
from Products.Sessions.SessionDataManager import SessionDataManager as StockSessionDataManager
from Products.Transience.Transience import TransientObjectContainer as StockContainer
from ZODB.DemoStorage import DemoStorage

from coatroom.zope import commands
from coatroom.zope import install
from coatroom.zope import overview
from coatroom.zope import remains
from coatroom.zope.container import TransientObjectContainer


@pytest.fixture
def app():
    db = ZODB.DB(DemoStorage())
    connection = db.open()
    app = connection.root()["Application"] = Application()
    transaction.commit()
    install_browser_id_manager(app)
    install_session_data_manager(app)
    transaction.commit()
    yield app
    transaction.abort()
    connection.close()
    db.close()


@pytest.fixture
def events(zope):
    """What lies in a folder hears that it was copied, as in every Zope that was started."""


def put_stock(app, id):
    app._setObject(id, StockContainer(id, "Visitors", 60, "/told/added", "/told/gone", limit=500, period_secs=30))
    app.session_data_manager.setContainerPath(f"/{id}")
    transaction.commit()


def test_the_settings_of_the_container_that_was_there_are_taken_over(app):
    put_stock(app, "old")
    done = install.install(app)
    assert "added /session_data with a timeout of 60 minutes" in "\n".join(done)
    ours = app.session_data
    assert ours.title == "Visitors"
    assert (ours.getTimeoutMinutes(), ours.getPeriodSeconds(), ours.getSubobjectLimit()) == (60, 30, 500)
    assert (ours.getAddNotificationTarget(), ours.getDelNotificationTarget()) == ("/told/added", "/told/gone")


@pytest.mark.parametrize("target, in_requests", [("/told/added", True), (None, False)])
def test_an_add_target_that_was_there_is_called_within_requests_as_before(app, target, in_requests):
    app._setObject("old", StockContainer("old", addNotification=target, delNotification="/told/gone"))
    app.session_data_manager.setContainerPath("/old")
    done = "\n".join(install.install(app))
    assert app.session_data.isInbandHousekeepingEnabled() == in_requests == ("/told/added within the requests" in done)


def test_a_timeout_that_is_given_goes_before_that_of_the_old_container(app):
    put_stock(app, "old")
    install.install(app, timeout=10)
    assert app.session_data.getTimeoutMinutes() == 10
    assert app.session_data.getSubobjectLimit() == 500


def test_without_a_container_the_timeout_is_20_minutes(app):
    install.install(app)
    assert (app.session_data.getTimeoutMinutes(), app.session_data.getSubobjectLimit()) == (20, 0)


@pytest.mark.parametrize("minutes, period", [(20, 20), (30, 90), (0, 90)])
def test_the_old_period_is_kept_where_it_divides_the_new_timeout(app, minutes, period):
    app._setObject("old", StockContainer("old", "", 60, period_secs=90))
    app.session_data_manager.setContainerPath("/old")
    install.install(app, timeout=minutes)
    assert (app.session_data.getTimeoutMinutes(), app.session_data.getPeriodSeconds()) == (minutes, period)
    install.install(app, timeout=15)
    assert (app.session_data.getTimeoutMinutes(), app.session_data.getPeriodSeconds()) == (15, period)


def test_a_configured_timeout_of_0_is_one(app):
    app.session_data_manager.manage_changeSDCDefaults(timeout_mins=0)
    install.install(app)
    assert app.session_data.getTimeoutMinutes() == 0


def test_a_container_of_ours_that_is_used_already_stays_in_use(app):
    app._setObject("visitors", TransientObjectContainer("visitors", timeout_mins=60))
    app.session_data_manager.setContainerPath("/visitors")
    for _ in range(2):
        install.install(app, timeout=40)
        assert app.session_data_manager.getContainerPath() == "/visitors"
    assert app.visitors.getTimeoutMinutes() == 40 and "session_data" not in app.objectIds()
    install.uninstall(app)
    assert app.session_data_manager.getContainerPath() == install.STOCK_PATH
    assert app.objectIds() == ["acl_users", "browser_id_manager", "session_data_manager"]


@pytest.mark.parametrize("gone", ["browser_id_manager", "session_data_manager", "session_data"])
def test_what_was_deleted_by_hand_hinders_nothing(app, gone):
    install.install(app)
    app.manage_delObjects([gone])
    install.uninstall(app)
    left = {"acl_users", "browser_id_manager", "session_data_manager"} - {gone}
    assert set(app.objectIds()) == left and set(app._p_jar.root()) == {"Application", remains.ROOT_NAME}
    install.install(app)
    assert {"browser_id_manager", "session_data_manager", "session_data"} <= set(app.objectIds())


def test_a_path_that_was_changed_by_hand_to_another_container_stays(app):
    install.install(app)
    app._setObject("other", StockContainer("other"))
    app.session_data_manager.setContainerPath("/other")
    install.uninstall(app)
    assert app.session_data_manager.getContainerPath() == "/other"


class AnAddonsManager(StockSessionDataManager):
    """What an add-on put in the place of the stock one."""


def test_managers_of_another_class_are_put_back_as_they_were(app):
    app._delObject("session_data_manager")
    app._setObject("session_data_manager", AnAddonsManager("session_data_manager", "/old"))
    app.browser_id_manager.setCookieHTTPOnly(False)
    install.install(app)
    assert app.browser_id_manager.getCookieHTTPOnly()
    install.install(app, keep_managers=True)
    assert type(app.session_data_manager.aq_base) is AnAddonsManager
    assert not app.browser_id_manager.getCookieHTTPOnly()
    install.install(app)
    install.uninstall(app)
    assert type(app.session_data_manager.aq_base) is AnAddonsManager
    assert app.session_data_manager.getContainerPath() == "/old"


def test_copies_of_our_managers_become_stock_ones(app, events):
    install.install(app)
    app._setObject("site", Folder("site"))
    transaction.commit()
    for id in ("browser_id_manager", "session_data_manager"):
        app.site._setObject(id, app[id]._getCopy(app.site))
    transaction.commit()
    assert dict(overview.status(app))["/site/session_data_manager"] == "Coatroom's"
    install.uninstall(app)
    assert type(app.site.session_data_manager.aq_base) is StockSessionDataManager
    assert type(app.site.browser_id_manager.aq_base) is StockBrowserIdManager


def test_status_says_where_nothing_is(app):
    assert dict(overview.status(app))["container"] == "/temp_folder/session_data, where nothing is"
    install.install(app)
    assert dict(overview.status(app))["container"] == "/session_data"


def test_status_names_removed_containers_whose_sessions_may_still_be_stored(app):
    install.install(app)
    assert "removed" not in dict(overview.status(app))
    app._delObject("session_data")
    assert dict(overview.status(app))["removed"] == "/session_data, with sessions that may still be stored"


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["install"], "/session_data is there already, a Transient Object Container; rename or delete it first"),
        (["install", "--timeout", "-1"], "timeout_mins is 0 or more"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_changed(app, monkeypatch, arguments, text):
    if len(arguments) == 1:
        put_stock(app, "session_data")
    before = sorted(app.objectIds())
    connection = app._p_jar
    monkeypatch.setattr(commands, "_open", lambda *_: app)
    with pytest.raises(SystemExit) as exit:
        commands.main([arguments[0], __file__, *arguments[1:]])
    assert exit.value.code.startswith("coatroom-zope: ") and text in exit.value.code
    assert connection.opened is None
    app = connection.db().open().root()["Application"]
    assert sorted(app.objectIds()) == before and "coatroom.keyring" not in app._p_jar.root()
    app._p_jar.close()
    connection.open()


def test_every_container_is_found_and_taken_out_without_a_look_at_the_content(app, events):
    install.install(app)
    app._setObject("site", Folder("site"))
    app.site._setObject("sessions", TransientObjectContainer("sessions"))
    for number in range(50):
        app.site._setObject(f"f{number}", Folder(f"f{number}"))
    app.site.f0._setObject("moved", TransientObjectContainer("moved"))
    transaction.commit()
    copied = app.site._getCopy(app)
    copied._setId("site2")
    app._setObject("site2", copied)
    app.site2._delObject("sessions")
    transaction.commit()
    connection = app._p_jar.db().open()
    fresh = connection.root()["Application"]
    connection.getTransferCounts(True)
    rows = dict(overview.status(fresh))
    assert {path for path in rows if path.startswith("/")} == {
        "/session_data",
        "/site/sessions",
        "/site/f0/moved",
        "/site2/f0/moved",
    }
    assert connection.getTransferCounts(True)[0] < 40
    done = install.uninstall(fresh)
    assert len([line for line in done if line.startswith("removed /")]) == 4
    assert [name for name in connection.root() if name.startswith("coatroom.")] == [remains.ROOT_NAME]
    assert connection.getTransferCounts(True)[0] < 40
    transaction.commit()
    connection.close()


def of_another_kind(app, id):
    """An object that has the place of a manager, as other session packages put theirs."""
    app._delObject(id)
    app._setObject(id, Folder(id))
    transaction.commit()


@pytest.mark.parametrize("id", ["browser_id_manager", "session_data_manager"])
def test_a_manager_of_another_kind_is_named_and_left_alone(app, id):
    of_another_kind(app, id)
    with pytest.raises(ValueError, match=f"/{id} is a Folder and no"):
        install.install(app)
    transaction.abort()
    assert dict(overview.status(app))[id] == "OFS.Folder.Folder"
    install.uninstall(app)
    assert type(app._getOb(id).aq_base) is Folder


def test_uninstalling_leaves_managers_that_are_not_ours(app):
    app._delObject("session_data_manager")
    app._setObject("session_data_manager", AnAddonsManager("session_data_manager", "/old"))
    assert install.uninstall(app) == []
    assert type(app.session_data_manager.aq_base) is AnAddonsManager
    assert dict(overview.status(app))["session_data_manager"] == f"{__name__}.AnAddonsManager"


def test_other_managers_of_the_site_are_named_and_where_they_keep_their_sessions(app):
    app._setObject("site", Folder("site"))
    app.site._setObject("visits", StockSessionDataManager("visits", "/temp_folder/visits"))
    app._setObject("more", StockSessionDataManager("more", "/session_data"))
    install.install(app)
    rows = dict(overview.status(app))
    assert rows["/site/visits"] == "stock, keeps its sessions in /temp_folder/visits"
    assert rows["/more"] == "stock, keeps its sessions in /session_data"
    assert overview.elsewhere(app) == [("/site/visits", "/temp_folder/visits")]
    assert "/more is still led to /session_data, which is gone: set another path there" in install.uninstall(app)
    assert type(app.more.aq_base) is StockSessionDataManager


class MountPoint(SimpleItem):
    """As Products.ZODBMountPoint's, which opens its database when it is wrapped."""

    def __of__(self, parent):
        raise AssertionError("the database was opened")


def test_no_database_is_opened_to_look_for_managers(app):
    app._setOb("temp_folder", MountPoint())
    app._objects += ({"id": "temp_folder", "meta_type": "ZODB Mount Point"},)
    assert overview.elsewhere(app) == []
