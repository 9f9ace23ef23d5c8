"""Services of plone.restapi that use the session."""

from plone.restapi.deserializer import json_body
from plone.restapi.services import Service
from zExceptions import BadRequest


class Get(Service):
    """What is in the session, if there is one."""

    def reply(self):
        sdm = self.context.session_data_manager
        if not sdm.hasSessionData():
            return {"has": False}
        return {"has": True, **dict(sdm.getSessionData().items())}


class Post(Service):
    """Sets what it is sent."""

    def reply(self):
        session = self.request.SESSION
        session.update(json_body(self.request))
        if "fail" in session:
            raise BadRequest("as it was asked to")
        return dict(session.items())
