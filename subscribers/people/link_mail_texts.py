"""The texts of mails that carry a requested link. They contain nothing that a stranger typed."""

from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext

from newsletter.common.languages import best_page_language
from subscribers.models import MailedLink

Kind = MailedLink.Kind


@dataclass(frozen=True)
class LinkMail:
    """One mail: subject, text, the button's label and the reason why it was sent.

    The text calls the button “the link below”, which it also is in the plain text.
    """

    subject: str
    text: str
    button: str
    reason: str


def write_link_mail(*, kind: MailedLink.Kind, organisation: str, language: str) -> LinkMail:
    """Return the mail for one kind of link, in the given language or in English."""
    with translation.override(best_page_language([language]) or "en"):
        subject, text, button = _link_mail_text(kind)
        values = {"organisation": organisation}
        reason = gettext(
            "You get this mail because somebody asked %(organisation)s for it with this address. "
            "If it was not you, do nothing: nothing changes."
        )
        return LinkMail(subject=subject % values, text=text % values, button=button, reason=reason % values)


def _link_mail_text(kind: MailedLink.Kind) -> tuple[str, str, str]:
    if kind == Kind.PREFERENCES:
        return (
            gettext("Your mail from %(organisation)s"),
            gettext(
                "This link leads to all that you chose: what you get, how often, and where. It is good for 90 days; "
                "keep it to yourself."
            ),
            gettext("Open my choices"),
        )
    if kind == Kind.DOWNLOAD:
        return (
            gettext("Your data at %(organisation)s"),
            gettext("You asked for a file with all that we keep about you. The link below works once, for an hour."),
            gettext("Get my data"),
        )
    if kind == Kind.ERASE:
        return (
            gettext("Erase what %(organisation)s knows about you?"),
            gettext(
                "You asked us to erase you. The link below works once, for an hour. It shows what happens; nothing is "
                "erased before you confirm it there."
            ),
            gettext("Look at what happens"),
        )
    if kind == Kind.CHANGE_ADDRESS:
        return (
            gettext("Your new address for %(organisation)s"),
            gettext("You asked to get our mail at another address. The link below works once, for an hour."),
            gettext("Write the new address"),
        )
    return (
        gettext("Get mail from %(organisation)s here?"),
        gettext(
            "You, or somebody else, asked us to send our emails to this address. Open the link below within 7 days "
            "and confirm on the page that opens. The link works once."
        ),
        gettext("Yes, send it here"),
    )
