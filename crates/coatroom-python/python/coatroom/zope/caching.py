"""An answer that sets a browser id is for one visitor, whatever else the page says of caches.

Source: RFC 9111, 5.2.2.
"""

_SETS_ID = "browser_id_is_set_"


def note(request):
    """The answer to a request sets a browser id."""
    vars(request)[_SETS_ID] = True
    keep_private(getattr(request, "RESPONSE", None))


def on_end(event):
    """The page is done, and so is whatever adds headers to it: the last word is ours."""
    request = event.request
    if _SETS_ID in getattr(request, "__dict__", ()):
        keep_private(request.response)


def keep_private(response):
    """Has no shared cache keep an answer; what a browser may do with it stays as it was said."""
    if not hasattr(response, "setHeader"):
        return
    added = getattr(response, "accumulated_headers", [])
    set_once = response.getHeader("Cache-Control")
    if set_once == "private" and not added:
        # As it is where the page says nothing.
        return
    said = [value for name, value in added if name.lower() == "cache-control"]
    said.insert(0, set_once or "")
    directives = [each.strip() for each in ",".join(said).split(",") if each.strip()]
    if {"private", "no-store"}.isdisjoint(each.lower() for each in directives) or _is_public(directives):
        kept = [each for each in directives if each.lower() != "private" and not _is_public([each])]
        response.setHeader("Cache-Control", ", ".join(["private", *kept]))
        added[:] = [(name, value) for name, value in added if name.lower() != "cache-control"]


def _is_public(directives):
    return any(each.partition("=")[0].strip().lower() in ("public", "s-maxage") for each in directives)
