"""The pages behind the personal links of a proof. They change nothing."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from subscribers.web.page import message_page, private_page


@private_page
def show_proof_link(request: HttpRequest, name: str) -> HttpResponse:
    """Explain what the link of this name does in a real mail. The one-click button of a mail app gets the same answer."""
    if name == "unsubscribe":
        return message_page(
            _("This was a proof"),
            _("A subscriber who follows this link unsubscribes. Nothing has changed now: links in a proof do nothing."),
        )
    if name == "preferences":
        return message_page(
            _("This was a proof"),
            _(
                "A subscriber who follows this link can choose what they get, how often and where. "
                "You cannot change anything here."
            ),
        )
    raise Http404("There is no such link in a proof.")
