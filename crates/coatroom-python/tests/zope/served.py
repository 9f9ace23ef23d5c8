"""A Zope in this process, asked over its own publisher as the WSGI server does."""

import base64
import contextlib
import io
import sys
import urllib.parse

import transaction
import Zope2
from Zope2.Startup.run import configure_wsgi
from ZPublisher.WSGIPublisher import publish_module

from coatroom.zope import install
from coatroom.zope import remains
from pages import Pages

CONF = """
instancehome {place}
<zodb_db main>
    <mappingstorage/>
    mount-point /
</zodb_db>
"""
ZCML = """
<configure xmlns="http://namespaces.zope.org/zope">
  <include package="Products.Five" />
  <include package="Products.Coatroom" />
  <securityPolicy component="AccessControl.security.SecurityPolicy" />
</configure>
"""
NAME = "_ZopeId"
USERS = ["alice", "bob"]


def start(place):
    """Starts Zope, once for each process."""
    (place / "etc").mkdir()
    (place / "var").mkdir()
    (place / "etc" / "zope.conf").write_text(CONF.format(place=place))
    (place / "etc" / "site.zcml").write_text(ZCML)
    configure_wsgi(str(place / "etc" / "zope.conf"))
    # It would wait for the first request, and with it those who hear of what is copied and moved.
    Zope2.startup_wsgi()


@contextlib.contextmanager
def application():
    """The application, as coatroom-zope install leaves it, with users and pages; at the end as before."""
    transaction.begin()
    app = Zope2.app()
    install.install(app)
    for user in USERS:
        app.acl_users._doAddUser(user, "pw", ["Member"], [])
    app._setObject("pages", Pages())
    transaction.commit()
    try:
        yield app
    finally:
        transaction.abort()
        install.uninstall(app)
        remains.forget_all(app._p_jar.root(), remains.of_removed(app._p_jar.root()))
        app.acl_users._doDelUsers(USERS)
        app._delObject("pages")
        transaction.commit()
        app._p_jar.close()


class Answer:
    """What a request was answered with."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def browser_id(self):
        """The browser id that it sets, or None."""
        found = [value for key, value in self.headers if key == "Set-Cookie" and value.startswith(f"{NAME}=")]
        return urllib.parse.unquote(found[0].split("=", 1)[1].split(";")[0].strip('"')) if found else None


def get(path, query="", browser_id=None, auth=None, **environ):
    """The answer to a GET."""
    answered = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **environ,
    }
    if browser_id is not None:
        environ["HTTP_COOKIE"] = f"{NAME}={browser_id}"
    if auth is not None:
        environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(f"{auth}:pw".encode()).decode()
    try:
        body = b"".join(publish_module(environ, lambda *status: answered.append(status)))
    except Exception as error:  # As the WSGI pipeline's outermost part does.
        return Answer(error.getStatus() if hasattr(error, "getStatus") else 500, [], f"{type(error).__name__}: {error}")
    status, headers = answered[0]
    return Answer(int(status.split()[0]), headers, body.decode("utf-8", "replace"))
