"""Run by zconsole: a Plone site with a member, and the documents that the tests need."""

import transaction
from Products.CMFPlone.factory import addPloneSite

addPloneSite(app, "Plone", title="Plone", setup_content=False, default_language="en")  # noqa: F821
site = app.Plone  # noqa: F821
for user in ("member", "other"):
    site.acl_users.userFolderAddUser(user, "secret12345", ["Member"], [])
transaction.commit()

from OFS.Folder import manage_addFolder  # noqa: E402
from OFS.DTMLMethod import addDTMLMethod  # noqa: E402
from Products.PageTemplates.ZopePageTemplate import manage_addPageTemplate  # noqa: E402
from Products.PythonScripts.PythonScript import manage_addPythonScript  # noqa: E402

manage_addFolder(app, "through")  # noqa: F821
manage_addPythonScript(app.through, "python")  # noqa: F821
app.through.python.write(  # noqa: F821
    "session = container.REQUEST.SESSION\nsession['s'] = session.get('s', 0) + 1\nreturn session['s']"
)
manage_addPageTemplate(
    app.through,  # noqa: F821
    "template",
    text="""<tal:block define="session request/SESSION; n python:session.get('t', 0) + 1;
    ignored python:session.set('t', n)" content="session/t" />""",
)
addDTMLMethod(
    app.through,  # noqa: F821
    "dtml",
    file="<dtml-call \"SESSION.set('d', SESSION.get('d', 0) + 1)\"><dtml-var \"SESSION['d']\">",
)
transaction.commit()

# A folder whose users sign in through PAS' session helper, as sites without Plone do.
from Products.PluggableAuthService.PluggableAuthService import addPluggableAuthService  # noqa: E402
from Products.PluggableAuthService.plugins.SessionAuthHelper import manage_addSessionAuthHelper  # noqa: E402
from Products.PluggableAuthService.plugins.ZODBUserManager import addZODBUserManager  # noqa: E402

manage_addFolder(app, "pas")  # noqa: F821
addPluggableAuthService(app.pas)  # noqa: F821
service = app.pas.acl_users  # noqa: F821
addZODBUserManager(service, "users")
service.users.addUser("guest", "guest", "secret12345")
manage_addSessionAuthHelper(service, "session_auth")
service.users.manage_activateInterfaces(["IAuthenticationPlugin", "IUserEnumerationPlugin"])
service.session_auth.manage_activateInterfaces(["IExtractionPlugin", "ICredentialsResetPlugin"])
transaction.commit()
