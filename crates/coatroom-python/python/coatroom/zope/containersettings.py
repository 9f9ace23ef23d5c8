"""The settings of a container: all of it that lies in the ZODB."""

import contextlib

from AccessControl.Permissions import view_management_screens
from AccessControl.SecurityInfo import ClassSecurityInfo
from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from Products.Transience.permissions import manage_transient_containers
from zExceptions import BadRequest
from zExceptions import Forbidden

from coatroom.zope import publishing


@contextlib.contextmanager
def of_form(request):
    """What a form of the management interface says: sent by POST, and a bad request where it cannot hold."""
    if request is not None and request.get("REQUEST_METHOD") != "POST":
        raise Forbidden("changing settings takes a POST")
    try:
        yield
    except (TypeError, ValueError) as error:
        if request is None:
            raise
        raise BadRequest(str(error)) from error


class ContainerSettings:
    """Mixed into the container."""

    security = ClassSecurityInfo()
    security.declareProtected(view_management_screens, "manage_container")
    manage_container = PageTemplateFile("www/manage_container", globals())

    _limit = 0
    _inband_housekeeping = False

    @security.protected(manage_transient_containers)
    def setTimeoutMinutes(self, timeout_mins, period_secs=20):
        """Another timeout, for the sessions that are there too. None is lost."""
        if (timeout_mins, period_secs) != (self.getTimeoutMinutes(), self.getPeriodSeconds()):
            self._setTimeout(timeout_mins, period_secs)

    @security.protected(view_management_screens)
    def getTimeoutMinutes(self):
        """Minutes without access until a session ends; 0 for never."""
        return self._timeout_secs // 60

    @security.protected(view_management_screens)
    def getPeriodSeconds(self):
        """How late an expiry may be told, in seconds."""
        return self._period

    @security.protected(view_management_screens)
    def getSubobjectLimit(self):
        """The most sessions; 0 for any number."""
        return self._limit

    @security.protected(manage_transient_containers)
    def setSubobjectLimit(self, limit):
        """Sets the most sessions."""
        if limit != self._limit:
            self._setLimit(limit)

    @security.protected(view_management_screens)
    def getAddNotificationTarget(self):
        """What is called for a new session: a callable, a path, or ''."""
        return self._addCallback or ""

    @security.protected(manage_transient_containers)
    def setAddNotificationTarget(self, f):
        """Sets what is called for a new session."""
        if f != self._addCallback:
            self._addCallback = f

    @security.protected(view_management_screens)
    def getDelNotificationTarget(self):
        """What is called for a session that ended: a callable, a path, or ''."""
        return self._delCallback or ""

    @security.protected(manage_transient_containers)
    def setDelNotificationTarget(self, f):
        """Sets what is called for a session that ended."""
        if f != self._delCallback:
            self._delCallback = f

    @security.protected(view_management_screens)
    def disableInbandHousekeeping(self):
        """Notify in transactions of their own, outside visitors' requests: the default."""
        self._inband_housekeeping = False

    @security.protected(view_management_screens)
    def enableInbandHousekeeping(self):
        """Notify within the visitor's request, for code that relies on it."""
        self._inband_housekeeping = True

    @security.protected(view_management_screens)
    def isInbandHousekeepingEnabled(self):
        """Whether notification is within the visitor's request."""
        return self._inband_housekeeping

    @security.protected(manage_transient_containers)
    def manage_changeTransientObjectContainer(
        self,
        title="",
        timeout_mins=20,
        addNotification=None,
        delNotification=None,
        limit=0,
        period_secs=20,
        REQUEST=None,
    ):
        """Changes the settings; over the web by POST."""
        with of_form(REQUEST):
            self.setTimeoutMinutes(timeout_mins, period_secs)
            self.setSubobjectLimit(limit)
        self.title = title
        self.setAddNotificationTarget(addNotification or None)
        self.setDelNotificationTarget(delNotification or None)
        if REQUEST is not None:
            return self.manage_container(self, REQUEST, manage_tabs_message="Changes saved.")

    def _setTimeout(self, timeout_mins, period_secs):
        if type(timeout_mins) is not int or type(period_secs) is not int:
            raise TypeError("timeout_mins and period_secs are whole numbers")
        seconds = timeout_mins * 60
        if seconds < 0:
            raise ValueError(f"timeout_mins is 0 or more, not {timeout_mins}")
        if period_secs <= 0:
            raise ValueError(f"period_secs is 1 or more, not {period_secs}")
        if seconds and (period_secs > seconds or seconds % period_secs):
            raise ValueError(f"a timeout of {timeout_mins} minutes is no multiple of a period of {period_secs} seconds")
        self._timeout_secs = seconds
        self._period = period_secs

    def _setLimit(self, limit):
        if type(limit) is not int:
            raise TypeError("limit is a whole number")
        if limit < 0:
            raise ValueError(f"limit is 0 or more, not {limit}: no visitor would get a session")
        self._limit = limit


publishing.initialize(
    ContainerSettings,
    "getTimeoutMinutes",
    "getPeriodSeconds",
    "getSubobjectLimit",
    "isInbandHousekeepingEnabled",
    "manage_changeTransientObjectContainer",
)
