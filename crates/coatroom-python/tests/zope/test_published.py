"""What anybody can ask for over the web: nothing but what Products.Sessions and Transience publish."""

import inspect

import pytest
import transaction
from Products.Sessions import BrowserIdManager as ids
from Products.Sessions import SessionDataManager as data
from Products.Transience import Transience as transience
from Products.Transience import TransientObject as transient

from coatroom.zope import browserids
from coatroom.zope import container
from coatroom.zope import session
from coatroom.zope import sessiondata

KEY = "35170634BA0x3NnvJDM"
#: What is published there, and not here: the number of sessions is not for visitors, settings are changed by
#: the form and not by a link that a manager follows, and the others give the id to a script, or take one from
#: a link.
HIDDEN = {
    "session_data": {
        "getLen",
        "setTimeoutMinutes",
        "setSubobjectLimit",
        "enableInbandHousekeeping",
        "disableInbandHousekeeping",
    },
    "browser_id_manager": {"getBrowserId", "getHiddenFormField", "setBrowserIdCookieByForce"},
    "session_data_manager": {"getSessionData"},
}


#: What only ours have, for managers.
MORE = {"session_data": {"manage_sessions", "manage_endSession", "manage_endSessionsOf"}}


def public(cls):
    return {name for name, _ in inspect.getmembers(cls) if not name.startswith("_")}


@pytest.fixture
def both(app):
    """The four objects, ours and stock, with a session in each container."""
    for id, made in (
        ("stock", transience.TransientObjectContainer("stock")),
        ("stock_ids", ids.BrowserIdManager("stock_ids", cookiehttponly=1)),
        ("stock_data", data.SessionDataManager("stock_data", path="/session_data")),
    ):
        app._setObject(id, made)
    app.stock.new_or_existing(KEY)["a"] = 1
    app.session_data.new_or_existing(KEY)["a"] = 1
    transaction.commit()
    yield
    transaction.begin()
    app.manage_delObjects(["stock", "stock_ids", "stock_data"])
    transaction.commit()


@pytest.mark.parametrize(
    "path, stock_path, classes",
    [
        ("session_data", "stock", (container.TransientObjectContainer, transience.TransientObjectContainer)),
        (f"session_data/{KEY}", f"stock/{KEY}", (session.TransientObject, transient.TransientObject)),
        ("browser_id_manager", "stock_ids", (browserids.BrowserIdManager, ids.BrowserIdManager)),
        ("session_data_manager", "stock_data", (sessiondata.SessionDataManager, data.SessionDataManager)),
    ],
)
def test_an_anonymous_visitor_gets_no_more_than_from_the_stock_objects(zope, both, path, stock_path, classes):
    differing = {}
    for name in sorted(public(classes[0]) | public(classes[1])):
        query = f"k={KEY}&key={KEY}&bid={KEY}&current_ts:int=1"
        status, stock = (zope.get(f"/{place}/{name}", query).status for place in (path, stock_path))
        if name in HIDDEN.get(path, ()):
            stock = 404
        if name in MORE.get(path, ()):
            stock = 401
        if status != stock:
            differing[name] = status, stock
    assert differing == {}
