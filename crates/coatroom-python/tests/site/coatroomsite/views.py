"""Pages that use sessions, for the tests to drive over HTTP."""

import importlib.util
import json
import os
import time

import transaction
from AccessControl import getSecurityManager
from Products.Five.browser import BrowserView
from zope.event import notify

from coatroomsite import documentation
from coatroomsite import objects


def pause(milliseconds):
    """Time in which other requests come in between; none for 0."""
    if float(milliseconds):
        time.sleep(float(milliseconds) / 1000)


def shown(value):
    """A value as text, the same in every process."""
    if isinstance(value, dict):
        return str({key: shown(each) for key, each in value.items()})
    if isinstance(value, (list, set)):
        return str(sorted(shown(each) for each in value))
    return repr(value)


class Page(BrowserView):
    def __call__(self):
        form = self.request.form
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(self.answer(**{key: form[key] for key in form if not key.startswith(("_", "browser_id_"))}))


class Plain(Page):
    def answer(self):
        return "no session"


class Increment(Page):
    def answer(self, key="n", wait="0"):
        session = self.request.SESSION
        n = session.get(key, 0) + 1
        pause(wait)
        session[key] = n
        return n


class Set(Page):
    def answer(self, key, value, wait="0"):
        self.request.SESSION[key] = value
        pause(wait)
        return True


class Read(Page):
    def answer(self):
        session = self.request.SESSION
        return {
            "data": {str(key): shown(value) for key, value in session.items()},
            "id": session.getId(),
            "key": session.getContainerKey(),
            "user": getSecurityManager().getUser().getId(),
        }


class Peek(Page):
    """Looks without making a session."""

    def answer(self, wait="0"):
        manager = self.context.session_data_manager
        pause(wait)
        if not manager.hasSessionData():
            return None
        return {str(key): repr(value) for key, value in manager.getSessionData().items()}


class Invalidate(Page):
    def answer(self):
        self.request.SESSION.invalidate()
        return True


class SlowWrite(Page):
    """Reads, waits at the gate, writes."""

    def answer(self, key="slow"):
        session = self.request.SESSION
        before = session.get(key, 0)
        objects.gate.pass_through()
        session[key] = before + 1
        return before + 1


class Gate(Page):
    """For the test: closes the gate, says when somebody stands there, opens it."""

    def answer(self, step):
        if step == "reached":
            objects.wait_for(objects.gate.reached)
        else:
            {"close": objects.gate.close, "open": objects.gate.open}[step]()
        return True


class Collections(Page):
    """Values that another process pickles otherwise: sets of text have an order of each process' own."""

    def answer(self):
        words = {f"word {number}" for number in range(50)}
        self.request.SESSION["collections"] = {"set": words, "list": [words, {"again": words}]}
        return True


class Refuser:
    """A party of the transaction that refuses at the vote, behind everybody else."""

    transaction_manager = transaction.manager

    def sortKey(self):
        return "~~~refuser"

    def tpc_vote(self, txn):
        raise ValueError("refused")

    def abort(self, txn):
        pass

    tpc_begin = commit = tpc_finish = tpc_abort = abort


class Veto(Page):
    def answer(self):
        self.request.SESSION["vetoed"] = "yes"
        self.context.vetoed = "yes"
        transaction.get().join(Refuser())
        return True


class Vetoed(Page):
    def answer(self):
        return getattr(self.context.aq_base, "vetoed", None)


class Revision(Page):
    """The commit that this request sees."""

    def answer(self):
        return self.request.SESSION.aq_base._state().native.revision


class Database(Page):
    """The size of the ZODB and its last transaction."""

    def answer(self):
        storage = self.context._p_jar.db().storage
        return [storage.getSize(), storage.lastTransaction().hex()]


class Told(Page):
    def answer(self):
        return [self.context.getProperty("told_count", 0), self.context.getProperty("told_after", None)]


class Zero(Page):
    def answer(self):
        self.request.SESSION["n"] = 0
        return 0


class Raise(Page):
    def answer(self):
        self.request.SESSION["raised"] = "yes"
        raise RuntimeError("a page that fails")


class Login(Page):
    """Signs in as PlonePAS' own login does: the event, with the user in the request."""

    def answer(self, user="member", wait="0"):
        from Products.PlonePAS.events import UserLoggedInEvent

        session = self.request.SESSION
        session["logins"] = session.get("logins", 0) + 1
        member = self.context.acl_users.getUserById(user).__of__(self.context.acl_users)
        notify(UserLoggedInEvent(member))
        pause(wait)
        session["after"] = "login"
        return {"key": session.getContainerKey(), "data": {str(k): repr(v) for k, v in session.items()}}


class Object(Page):
    """A persistent object that saves itself."""

    def answer(self, step="add"):
        session = self.request.SESSION
        if "tree" not in session:
            session["tree"] = objects.make_tree()
        if step == "add":
            tree = session["tree"]
            tree[len(tree)] = "added"
        if step == "content":
            self.context.foreign = session["tree"]
        return len(session["tree"])


class Documentation(Page):
    def answer(self, step, browser_id=None, value="1"):
        context = self.context
        if step == "set":
            documentation.set_parameter(context, value)
            return True
        if step == "id":
            return documentation.get_session_id(context)
        if step == "checkout":
            data = documentation.getOrCreateCheckoutSession(context, create=True)
            data.steps += 1
            return data.steps
        if step == "checkout-of":
            data = documentation.getOrCreateCheckoutSession(context, browser_id=browser_id)
            return data and data.steps
        if step == "look":
            data = documentation.getOrCreateCheckoutSession(context)
            return data and data.steps
        if step == "cart":
            context.session_data_manager.getSessionData()["getpaid.cart"] = ["thing"]
            return True
        if step == "destroy":
            documentation.destroyCartForSession(context, browser_id)
            return context.session_data_manager.getSessionData().has_key("getpaid.cart")
        return context.session_data_manager.getSessionData().get("my_option")


def _pas_utils():
    """PAS' module as on a site without Plone, which replaces these functions by its own."""
    from Products.PluggableAuthService import utils

    spec = importlib.util.spec_from_file_location(utils.__name__, utils.__file__)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


class Token(Page):
    """PAS' own token against forged requests, which it keeps in the session."""

    def answer(self, csrf_token=None):
        if csrf_token is not None:
            return _pas_utils().checkCSRFToken(self.request)
        return _pas_utils().getCSRFToken(self.request)


class SignOut(Page):
    def answer(self):
        self.context.acl_users.resetCredentials(self.request, self.request.response)
        return True


class Keepsake(Page):
    """An object whose class a later version of the add-on no longer has."""

    def answer(self):
        self.request.SESSION["keepsake"] = objects.Keepsake("tea")
        return True


class Size(Page):
    """A value of so many bytes."""

    def answer(self, bytes):
        self.request.SESSION["big"] = os.urandom(int(bytes))
        return True
