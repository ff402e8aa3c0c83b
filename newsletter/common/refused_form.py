"""What somebody typed into a form that was refused, kept sealed in their session for the page that shows the form again.

It is shown once, within five minutes. Later, the next page with such a form removes it, or the session's end.
"""

import time

from django.http import HttpRequest, QueryDict

from newsletter.common.sealing import Sealer

SEALER = Sealer(b"newsletter.refused-forms")
KEPT_SECONDS = 300
_IN_SESSION = "refused_form"
_MAX_LENGTH = 20_000
_NEVER_KEPT = ("csrfmiddlewaretoken", "password")


def keep_refused_form(request: HttpRequest) -> None:
    """Keep the fields of this POST, whose form a template fills in by `refused_form`. One longer than any of ours is not kept."""
    fields = request.POST.copy()
    for name in _NEVER_KEPT:
        fields.pop(name, None)
    text = fields.urlencode()
    if len(text) <= _MAX_LENGTH:
        kept = {"address": request.path, "fields": SEALER.seal(text), "at": time.time()}
        request.session[_IN_SESSION] = kept


def take_refused_form(request: HttpRequest, *, address: str) -> dict[str, str]:
    """Return the fields that were refused at this address a moment ago, the last value of each, and keep them no longer."""
    kept = request.session.get(_IN_SESSION)
    if kept is None:
        return {}
    is_old = time.time() - kept["at"] > KEPT_SECONDS
    if kept["address"] != address and not is_old:
        return {}
    del request.session[_IN_SESSION]
    text = "" if is_old else SEALER.unseal(kept["fields"])
    return QueryDict(text or "").dict()
