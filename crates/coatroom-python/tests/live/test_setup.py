"""Installing, uninstalling, and what else an administrator does."""

import base64
import pathlib
import re
import subprocess
import sys
import sysconfig
import time
import urllib.parse

from instance import BIN
from instance import Browser
from instance import while_one_writes

SIGN_IN = {"__ac_name": "member", "__ac_password": "secret12345", "buttons.login": "Log in", "came_from": ""}


def test_installing_and_uninstalling_leaves_what_was_there(fresh):
    instance = fresh(installed=False)
    assert "stock" in instance.coatroom_zope("status").stdout
    first = instance.coatroom_zope("install", "--timeout", "30").stdout
    assert "added /session_data with a timeout of 30 minutes" in first
    assert instance.coatroom_zope("install").stdout == "nothing to do\n"
    status = instance.coatroom_zope("status").stdout
    assert status.count("Coatroom's") == 2 and "timeout 30 minutes" in status
    instance.start()
    browser = Browser(instance, site="/Plone")
    assert [browser.get("/sess-increment").json for _ in range(2)] == [1, 2]
    assert instance.coatroom_zope("status").stdout == status
    locked = instance.coatroom_zope("uninstall", check=False)
    assert locked.returncode == 1 and "Stop the instance first" in locked.stderr
    instance.stop()
    undone = instance.coatroom_zope("uninstall").stdout
    assert "removed /session_data" in undone
    assert f"removed 1 session from embedded:{instance.place}/var/coatroom\n" in undone
    assert instance.coatroom_zope("uninstall").stdout == "nothing to do\n"
    assert names_in_database(instance) == []
    instance.start()
    assert Browser(instance, site="/Plone").get("/sess-plain").status == 200


def names_in_database(instance):
    """What a database without the package could not load."""
    code = (
        "import sys, ZODB.FileStorage\n"
        "from ZODB.utils import get_pickle_metadata\n"
        "storage = ZODB.FileStorage.FileStorage(sys.argv[1])\n"
        "storage.pack(__import__('time').time(), __import__('ZODB.serialize').serialize.referencesf)\n"
        "for transaction in storage.iterator():\n"
        "    for record in transaction:\n"
        "        if record.data and b'coatroom' in record.data and b'coatroom-zope' not in record.data:\n"
        "            print(get_pickle_metadata(record.data))\n"
    )
    done = subprocess.run(
        [BIN / "python", "-c", code, instance.place / "var/Data.fs"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_stock_managers_work_on_the_container_too(fresh):
    instance = fresh()
    instance.coatroom_zope("install", "--keep-managers")
    instance.start()
    for is_signed_in, logout, status in [(False, "/sess-invalidate", 200), (True, "/logout", 302)]:
        browser = Browser(instance, site="/Plone")
        if is_signed_in:
            assert browser.post("/login", **SIGN_IN).status == 302
        assert [browser.get("/sess-increment").json for _ in range(2)] == [1, 2]
        slow, stolen, ended = browser.copy(), browser.copy(), []
        written = while_one_writes(slow, lambda: ended.append(browser.get(logout).status))
        assert (written.status, ended) == (200, [status])
        assert stolen.get("/sess-read").json["data"] == {"slow": "1"}


def test_a_site_whose_package_is_gone_still_serves(fresh):
    instance = fresh()
    instance.start()
    Browser(instance, site="/Plone").get("/sess-increment")
    instance.stop()
    instance.runwsgi = runwsgi_without_coatroom(instance.place / "packages")
    instance.start()
    browser = Browser(instance, site="/Plone")
    assert browser.get("/sess-plain").status == 200
    assert browser.get("").status == 200
    assert browser.get("/session_data/getTimeoutMinutes").status != 200
    delete_by_hand(instance, "browser_id_manager", "session_data_manager", "session_data")
    instance.stop()
    instance.start()
    assert browser.post("/login", **SIGN_IN).status == 302
    assert browser.get("/logout").status == 302 and "__ac" not in browser.cookies


def delete_by_hand(instance, *ids):
    """As an administrator does in the management interface."""
    admin, zmi = {"Authorization": "Basic " + base64.b64encode(b"admin:admin12345").decode()}, Browser(instance)
    page = zmi.request("GET", "/manage_main", headers=admin).body
    (token,) = set(re.findall(r'name="_authenticator"[^>]*value="(\w+)"', page))
    form = urllib.parse.urlencode([("_authenticator", token), *(("ids:list", id) for id in ids)])
    admin["Content-Type"] = "application/x-www-form-urlencoded"
    assert zmi.request("POST", "/manage_delObjects", form, admin).status == 200
    assert all(f'value="{id}"' not in zmi.request("GET", "/manage_main", headers=admin).body for id in ids)


def runwsgi_without_coatroom(packages):
    """As after `pip uninstall coatroom`: a directory of links to all other packages."""
    installed = pathlib.Path(sysconfig.get_path("purelib"))
    (packages / "Products").mkdir(parents=True)
    for package in [*installed.iterdir(), *(installed / "Products").iterdir()]:
        if package.name != "Products" and not package.name.lower().startswith("coatroom"):
            (packages / package.relative_to(installed)).symlink_to(package)
    start = packages.with_name("runwsgi.py")
    start.write_text(
        f"import site\nsite.addsitedir({str(packages)!r})\n"
        "from importlib.util import find_spec\n"
        "assert find_spec('coatroom') is None and find_spec('Products.Coatroom') is None\n"
        "from Zope2.Startup.serve import main\nmain()\n"
    )
    return [sys.executable, "-S", str(start)]


def test_expiry_is_told_once_without_any_traffic(fresh):
    instance = fresh()
    script = instance.place / "notify.py"
    script.write_text(
        "import transaction\n"
        "from Products.PythonScripts.PythonScript import manage_addPythonScript\n"
        "manage_addPythonScript(app, 'told')\n"
        "app.told.ZPythonScript_edit('item, holder',\n"
        "    'root = holder.aq_parent\\n'\n"
        "    'late = root.ZopeTime().timeTime() - item.getLastAccessed()\\n'\n"
        "    'root.manage_changeProperties(told_count=root.getProperty(\"told_count\") + item[\"n\"], told_after=late)')\n"
        "app.told.manage_proxy(('Manager',))\n"
        "app.manage_addProperty('told_count', 0, 'int')\n"
        "app.manage_addProperty('told_after', 0.0, 'float')\n"
        "app.session_data._timeout_secs, app.session_data._period = 4, 4\n"
        "app.session_data.setDelNotificationTarget('/told')\n"
        "transaction.commit()\n"
    )
    instance.zconsole(script)
    instance.start()
    browser = Browser(instance)
    assert browser.get("/sess-increment").json == 1
    database, deadline = instance.place / "var/Data.fs", time.monotonic() + 60
    before = database.stat().st_size
    # Nobody asks the server for anything: what is told is seen in its file.
    while database.stat().st_size == before and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(6)
    count, told_after = browser.get("/sess-told").json
    assert count == 1
    assert 4 <= told_after <= 4 + 4 + 2, "timeout + period + 2 s"
    assert browser.get("/sess-read").json["data"] == {}, "it timed out"


def test_a_script_beside_the_running_server_works_until_it_touches_a_session(fresh):
    """The directory has one process; the database here is read by a copy, as ZEO would give it."""
    instance = fresh()
    instance.start()
    Browser(instance).get("/sess-increment")
    copied = instance.place / "var/copy.fs"
    copied.write_bytes((instance.place / "var/Data.fs").read_bytes())
    conf = instance.place / "etc/beside.conf"
    text = (instance.place / "etc/zope.conf").read_text()
    conf.write_text(text.replace("var/Data.fs", "var/copy.fs"))
    script = instance.place / "beside.py"
    script.write_text(
        "print('sites:', len(app.objectIds()) > 0)\n"
        "try:\n    app.session_data.get('x')\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [BIN / "zconsole", "run", conf, script],
        env=instance.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sites: True" in done.stdout
    assert "SessionStoreUnavailable" in done.stdout and "redis: or postgres:" in done.stdout
    assert str(instance.place / "var/coatroom") in done.stdout


def test_the_zmi_shows_sessions_and_ends_them(fresh):
    instance = fresh()
    instance.start()
    visitor = Browser(instance)
    visitor.get("/sess-increment")
    admin = {"Authorization": "Basic " + base64.b64encode(b"admin:admin12345").decode()}
    browser = Browser(instance)
    for tab in ("manage_container", "manage_sessions", "manage_access"):
        answer = browser.request("GET", f"/session_data/{tab}", headers=admin)
        assert answer.status == 200, answer.body[-2000:]
    page = browser.request("GET", "/session_data/manage_sessions", headers=admin).body
    (locator,) = re.findall(r'name="locator" value="([0-9a-f]{32})"', page)
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    form = {**admin, "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.request("GET", "/session_data/manage_sessions").status == 401
    refused = browser.request("POST", "/session_data/manage_endSession", f"locator={locator}&token=x", form)
    assert refused.status == 403 and visitor.get("/sess-read").json["data"] == {"n": "1"}
    ended = browser.request("POST", "/session_data/manage_endSession", f"locator={locator}&token={token}", form)
    assert "Session ended." in ended.body
    assert visitor.get("/sess-read").json["data"] == {}
    form_page = browser.request(
        "GET", "/manage_addProduct/Coatroom/constructTransientObjectContainerForm", headers=admin
    )
    assert form_page.status == 200 and "Coatroom Transient Object Container" in form_page.body


def test_a_container_in_the_way_is_said_without_a_traceback(fresh):
    instance = fresh(installed=False)
    script = instance.place / "stock.py"
    script.write_text(
        "import transaction\n"
        "from Products.Transience.Transience import TransientObjectContainer\n"
        "app._setObject('session_data', TransientObjectContainer('session_data'))\n"
        "transaction.commit()\n"
    )
    instance.zconsole(script)
    refused = instance.coatroom_zope("install", check=False)
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert "/session_data is there already" in refused.stderr
