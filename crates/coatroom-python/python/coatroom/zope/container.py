"""The container of sessions: what ``/temp_folder/session_data`` was."""

import uuid

from AccessControl.Permissions import access_contents_information
from AccessControl.Permissions import view
from AccessControl.Permissions import view_management_screens
from AccessControl.SecurityInfo import ClassSecurityInfo
from Acquisition import aq_base
from OFS.SimpleItem import SimpleItem
from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from Products.Transience.permissions import access_transient_objects
from Products.Transience.permissions import create_transient_objects
from Products.Transience.permissions import manage_transient_containers
from Products.Transience.Transience import MaxTransientObjectsExceeded
from zope.interface import implementer

from coatroom.zope import housekeeping
from coatroom.zope import names
from coatroom.zope import notifications
from coatroom.zope import publishing
from coatroom.zope import registry
from coatroom.zope import remains
from coatroom.zope.console import ConsoleTab
from coatroom.zope.containersettings import ContainerSettings
from coatroom.zope.containersettings import of_form
from coatroom.zope.interfaces import IItemWithId
from coatroom.zope.interfaces import IStringKeyedHomogeneousItemContainer
from coatroom.zope.interfaces import ITransientItemContainer
from coatroom.zope.listing import Listing
from coatroom.zope.place import Place
from coatroom.zope.renewal import Renewal
from coatroom.zope.session import TransientObject

constructTransientObjectContainerForm = PageTemplateFile("www/add_container", globals())


def constructTransientObjectContainer(
    self,
    id,
    title="",
    timeout_mins=20,
    addNotification=None,
    delNotification=None,
    limit=0,
    period_secs=20,
    REQUEST=None,
):
    """Adds a container of sessions; over the web by POST."""
    with of_form(REQUEST):
        container = TransientObjectContainer(
            id, title, timeout_mins, addNotification, delNotification, limit=limit, period_secs=period_secs
        )
    self._setObject(id, container)
    if REQUEST is not None:
        return self.manage_main(self, REQUEST, update_menu=1)


@implementer(IItemWithId, IStringKeyedHomogeneousItemContainer, ITransientItemContainer)
class TransientObjectContainer(ContainerSettings, ConsoleTab, Listing, Place, Renewal, SimpleItem):
    """Keeps visitors' sessions in Coatroom's store; in ZODB are only these settings.

    :param timeout_mins: minutes without access until a session ends; 0 for never
    :param addNotification: called with (session, container) when one was begun: a callable, or the
        physical path of one
    :param delNotification: the same for one that timed out or was invalidated
    :param limit: the most sessions; 0 for any number
    :param period_secs: how late an expiry may be told, in seconds
    """

    security = ClassSecurityInfo()
    security.setPermissionDefault(manage_transient_containers, ["Manager"])
    security.setPermissionDefault(view_management_screens, ["Manager"])
    security.setPermissionDefault(access_contents_information, ["Manager", "Anonymous"])
    security.setPermissionDefault(access_transient_objects, ["Manager", "Anonymous", "Sessions"])
    security.setPermissionDefault(create_transient_objects, ["Manager"])
    security.setDefaultAccess("deny")

    meta_type = "Coatroom Transient Object Container"
    zmi_icon = "far fa-clock"
    security.declareProtected(access_contents_information, "meta_type")
    security.declareProtected(access_contents_information, "zmi_icon")
    security.declareProtected(access_contents_information, "title")

    manage_options = (
        {"label": "Manage", "action": "manage_container"},
        {"label": "Sessions", "action": "manage_sessions"},
        {"label": "Security", "action": "manage_access"},
    )
    _session_class = TransientObject

    def __init__(
        self,
        id,
        title="",
        timeout_mins=20,
        addNotification=None,
        delNotification=None,
        limit=0,
        period_secs=20,
    ):
        self.id = id
        self.title = title
        self._uuid = uuid.uuid4().hex
        self._addCallback = self._delCallback = None
        self._setTimeout(timeout_mins, period_secs)
        self._setLimit(limit)
        self.setDelNotificationTarget(delNotification)
        self.setAddNotificationTarget(addNotification)

    # Sessions by key

    @security.protected(create_transient_objects)
    def new(self, key):
        """A new session; KeyError where there is one, TypeError for a key that is not text."""
        if not isinstance(key, str):
            raise TypeError((key, "key is not a string type"))
        if self._find(key) is not None:
            raise KeyError(f"cannot duplicate {self._shown(key)}")
        return self._wrap(self._begin(key))

    @security.protected(create_transient_objects)
    def new_or_existing(self, key):
        """The session of a key, begun where there is none; stored at its first change."""
        state = self._find(key)
        if state is None:
            state = self._begin(key)
        return self._wrap(state)

    @security.protected(access_transient_objects)
    def get(self, k, default=None):
        """The session of a key, or the default."""
        state = self._find(k)
        return self._wrap(state) if state is not None else default

    @security.protected(access_transient_objects)
    def __getitem__(self, k):
        state = self._find(k)
        if state is None:
            raise KeyError(self._shown(k))
        return self._wrap(state)

    @security.protected(access_transient_objects)
    def __setitem__(self, k, v):
        found, base = self._find(k), aq_base(v)
        if found is not None and found.item is base:
            return
        if found is not None:
            notifications.leaves(self, found)
            self._sessions().end(found)
        state = self._open(k, count=found is None)
        if isinstance(base, TransientObject):
            for key, value in base.items():
                state.set(names.encode(key), value)
            state.item = base
            base._bind(state, self._sessions())
        else:
            state.set(names.PLAIN_VALUE, v)
        notifications.begun(self, state)

    @security.protected(access_transient_objects)
    def __delitem__(self, k):
        state = self._find(k)
        if state is None:
            raise KeyError(self._shown(k))
        item = self._wrap(state)
        notifications.leaves(self, state)
        self._sessions().end(state)
        return state.last_accessed, item

    @security.protected(access_transient_objects)
    def __contains__(self, k):
        return self._find(k) is not None

    @security.protected(access_transient_objects)
    def has_key(self, k):
        """Whether there is a session of this key."""
        return self._find(k) is not None

    @security.protected(access_contents_information)
    def getId(self):
        """The container's id."""
        return self.id

    # Notification

    @security.protected(view)
    def housekeep(self):
        """Takes out what is due now. A thread of the process does so every second anyway."""
        housekeeping.housekeep(self)

    @security.private
    def notifyAdd(self, item):
        """Calls the target for new sessions, now."""
        notifications.call(self, self._addCallback, item, "notifyAdd")

    @security.private
    def notifyDel(self, item):
        """Calls the target for ended sessions, now."""
        notifications.call(self, self._delCallback, item, "notifyDel")

    def _getCallback(self, callback):
        return notifications.resolve(self, callback)

    # Within

    def _find(self, key, passive=False):
        """The live session of a key, or None; an access, unless ``passive``."""
        if type(key) is not str and not names.is_possible(key):
            return None
        backend = self._backend()
        if self._inband_housekeeping and not self._sessions().is_read_only:
            housekeeping.housekeep_inband(self, backend)
        sessions = self._sessions()
        state = sessions.look_up(backend, key, self._ring(), passive)
        if state is None:
            return None
        now = backend.manager.now()
        if not state.is_live(now):
            self._timedOut(state, passive)
            return None
        if not passive:
            sessions.access(state, now)
        return state

    def _timedOut(self, state, passive):
        sessions = self._sessions()
        if not state.has_another_timeout():
            sessions.forget_dead(state)
            notifications.expired(self, state)
        elif not passive and not sessions.is_read_only:
            # The store goes by the timeout from before.
            self._endSession(state)

    def _begin(self, key):
        state = self._open(key, count=True)
        if not state.sessions.is_read_only:
            notifications.begun(self, state)
        return state

    def _open(self, key, count):
        if count and self._limit and len(self) >= self._limit:
            raise MaxTransientObjectsExceeded(f"{self._limit} exceeds maximum number of subobjects {self._limit}")
        backend = self._backend()
        names.of_session(key)
        ring = self._ensure_ring()
        return self._sessions().begin(backend, key, ring, backend.manager.now())

    def _endSession(self, state):
        """Ends a session at its own wish, which is notified."""
        self._sessions().end(state)
        notifications.ended(self, state)

    def _shown(self, key):
        """A key, which may be a visitor's ticket, in the words of an error: the locator opens nothing."""
        if type(key) is str or names.is_possible(key):
            return f"session {self._backend().manager.locator_of(names.of_session(key))}"
        return f"a key of type {type(key).__name__}"

    def _wrap(self, state):
        if state.is_single_value():
            return state.get(names.PLAIN_VALUE)
        return self._session_class._of(state, self._sessions()).__of__(self)

    def manage_afterAdd(self, item, container):
        """The site needs keys before the first session is written."""
        self._ensure_ring()
        registry.note(self)
        remains.came(self)

    def manage_beforeDelete(self, item, container):
        """What the store holds of it goes later; whether it is only moved shows then."""
        remains.goes(self)


publishing.initialize(TransientObjectContainer, "housekeep")
