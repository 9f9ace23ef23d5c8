"""Pages of a site that use the visitor's session."""

import types

import transaction
from AccessControl.class_init import InitializeClass
from AccessControl.SecurityInfo import ClassSecurityInfo
from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from OFS.SimpleItem import SimpleItem

from coatroom.zope import login


class Refuses:
    """A party to a transaction that votes against it."""

    def sortKey(self):
        return "~~~"

    def tpc_vote(self, txn):
        raise RuntimeError("refused")

    def abort(self, txn):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort


class Pages(SimpleItem):
    """Published as /pages."""

    security = ClassSecurityInfo()
    security.declareObjectPublic()
    security.setDefaultAccess("allow")
    id = "pages"

    def __before_publishing_traverse__(self, _object, request):
        """Something on the way to the page may use the session, when it is not known who comes."""
        if "early" in request.form:
            request.SESSION.get("n")

    def fail(self):
        """Fails once it has used the session."""
        self.REQUEST.SESSION["n"] = 1
        raise RuntimeError("as it always does")

    def refuse(self):
        """Fails at the commit."""
        transaction.get().join(Refuses())

    def read(self):
        """Makes a session and stores nothing."""
        return self.REQUEST.SESSION.getId()

    def write(self, k, v):
        """Stores a value."""
        self.REQUEST.SESSION[k] = v
        return "kept"

    def show(self):
        """All values."""
        return repr(dict(self.REQUEST.SESSION.items()))

    def cached(self):
        """Says that every cache may keep it, and that long."""
        self.REQUEST.SESSION["n"] = 1
        self.REQUEST.RESPONSE.setHeader("Cache-Control", "public, max-age=3600")

    def sign_in(self, how=""):
        """Signs alice in; the transaction then ends as it is told."""
        user = self.acl_users.getUser("alice").__of__(self.acl_users)
        savepoint = transaction.savepoint()
        login.on_login(types.SimpleNamespace(object=user))
        if how == "only":
            return "signed in"
        session = self.REQUEST.SESSION
        if how == "fail":
            raise RuntimeError("after the login")
        if how == "refuse":
            transaction.get().join(Refuses())
        if how == "roll back":
            savepoint.rollback()
            session["rolled back"] = "yes"
        return self.absolute_url()

    def as_bob(self):
        """Does something with bob's rights."""
        before = getSecurityManager()
        newSecurityManager(None, self.acl_users.getUser("bob").__of__(self.acl_users))
        try:
            self.session_data_manager.getSessionData()["by"] = "bob's rights"
        finally:
            setSecurityManager(before)
        return "done"

    def url(self):
        """The address of this page as it would be linked, once the session was used."""
        self.REQUEST.SESSION.getId()
        return self.absolute_url()


InitializeClass(Pages)
