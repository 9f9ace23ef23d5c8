"""The engine's errors as those that Zope's code expects."""

from coatroom import _native
from coatroom.zope import backends
from coatroom.zope.errors import SessionConflictError
from coatroom.zope.errors import SessionLimitError
from coatroom.zope.errors import SessionStoreUnavailable


def guarded(work, *arguments):
    """Calls the engine."""
    try:
        return work(*arguments)
    except (_native.Conflict, _native.Gone, _native.PrincipalEnded, _native.Superseded) as error:
        raise SessionConflictError(str(error)) from error
    except _native.LimitExceeded as error:
        raise SessionLimitError(str(error)) from error
    except (_native.StoreError, _native.ForkedError) as error:
        backends.availability.lost(error)
        raise SessionStoreUnavailable(str(error)) from error
