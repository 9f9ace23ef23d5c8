"""What of a class the publisher answers to the web with.

ZPublisher serves every method that has a docstring, or, in newer Zope, a mark. Ours are documented,
and hardly any is for the web, so a class names those that are, and all others are told nothing of.
"""

import types

from AccessControl.class_init import InitializeClass

try:
    from ZPublisher import zpublish
except ImportError:  # before Zope 5.11, where a docstring is all there is

    def zpublish(method):
        return method


def initialize(cls, *published):
    """As InitializeClass; of the methods that the class itself defines only these can be asked for."""
    for name, method in list(vars(cls).items()):
        if not isinstance(method, types.FunctionType) or name.startswith("_"):
            continue
        if name in published:
            zpublish(method)
        else:
            # The docstring is for whoever reads the source.
            method.__doc__ = None
    InitializeClass(cls)
