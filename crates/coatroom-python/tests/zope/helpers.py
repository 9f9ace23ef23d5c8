"""What several files of tests use."""

import contextlib
import threading

import transaction
import zope.component
import zope.interface

VISITOR = "visitor"


def begin(site, key=VISITOR, **values):
    """Begins a session that holds ``values``, or else something."""
    with site.visit() as container:
        container.new_or_existing(key).update(values or {"n": 1})


def read(site):
    """What the visitor's session holds; None where there is none."""
    with site.visit() as container:
        session = container.get(VISITOR)
        return None if session is None else dict(session.items())


def in_thread(work):
    """Runs something in a thread, that is in a transaction, of its own; raises what it raises."""
    raised = []

    def run():
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    if raised:
        raise raised[0]


def housekeep(site, seconds):
    """Time passes, and what is due is dealt with, in no visitor's request."""
    site.clock.advance(seconds)
    transaction.begin()
    connection = site.db.open()
    try:
        site.container(connection).housekeep()
    finally:
        transaction.abort()
        connection.close()


@contextlib.contextmanager
def shown_for_errors(view):
    """Has ``view`` show every error of the site's pages."""
    place = (Exception, zope.interface.Interface), zope.interface.Interface, "index.html"
    zope.component.provideAdapter(view, *place)
    try:
        yield
    finally:
        zope.component.getGlobalSiteManager().unregisterAdapter(view, *place)
