"""Where the personal links of a proof lead: pages that work and change nothing, whoever follows them and however."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from subscribers.web.page import message_page, private_page


@private_page
def show_proof_link(request: HttpRequest, name: str) -> HttpResponse:
    """What a reader would find behind the link of that name. A mail program's own button gets the same answer."""
    if name == "unsubscribe":
        return message_page(
            _("This was a proof"),
            _(
                "A reader who follows this link leaves the list. Nothing has happened now: a proof’s links change nothing."
            ),
        )
    if name == "preferences":
        return message_page(
            _("This was a proof"),
            _(
                "A reader who follows this link chooses what they get, how often and where. Nothing can be changed here."
            ),
        )
    raise Http404("There is no such link in a proof.")
