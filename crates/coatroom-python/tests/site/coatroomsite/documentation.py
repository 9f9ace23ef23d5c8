"""The examples of Plone's documentation on sessions."""

from persistent import Persistent
from Products.CMFCore.utils import getToolByName

CHECKOUT_DATA_SESSION_KEY = "checkout"


class CheckoutData(Persistent):
    def __init__(self):
        self.steps = 0


def set_parameter(context, value):
    sdm = context.session_data_manager
    session = sdm.getSessionData(create=True)
    session.set("my_option", value)


def get_session_id(context):
    sdm = context.session_data_manager
    session_id = sdm.getBrowserIdManager().getBrowserId(create=False)
    return session_id


def getOrCreateCheckoutSession(context, create=False, browser_id=None):
    session_manager = context.session_data_manager
    if browser_id is None:
        if not session_manager.hasSessionData() and not create:
            return
        session = session_manager.getSessionData()
    else:
        session = session_manager.getSessionDataByKey(browser_id)
        if session is None:
            return
    if not session.has_key(CHECKOUT_DATA_SESSION_KEY):
        if create:
            session[CHECKOUT_DATA_SESSION_KEY] = CheckoutData()
        else:
            return None
    return session[CHECKOUT_DATA_SESSION_KEY]


def destroyCartForSession(context, browser_id=None):
    session_manager = getToolByName(context, "session_data_manager")
    if browser_id is None:
        if not session_manager.hasSessionData():  # nothing to destroy
            return None
        session = session_manager.getSessionData()
    else:
        session = session_manager.getSessionDataByKey(browser_id)
        if session is None:
            return
    if not session.has_key("getpaid.cart"):
        return
    del session["getpaid.cart"]
