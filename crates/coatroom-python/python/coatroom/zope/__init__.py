"""The session system of Zope and Plone on Coatroom.

Zope's own names live here and nowhere else. A request's way through the package::

    container ──► session ──► states ──► transactions ──► coatroom (the engine)
        │            │          └──► values ──► keyring
        └► backends ─┴──► turns

``container`` and ``session`` are what Zope sees; ``states`` is one session as one transaction sees
it; ``transactions`` commits all of them together with everything else in the Zope transaction.
"""
