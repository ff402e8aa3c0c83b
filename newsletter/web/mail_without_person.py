"""A mail as a web page without a person: default values, harmless pages for personal links, and the page around it."""

from collections.abc import Iterable

from django.conf import settings

from newsletter.issues.variants.click_links import untrack_links
from newsletter.models import Publication
from newsletter.rendering.mail import split
from newsletter.rendering.personal_values import values_for
from newsletter.rendering.tokens import Variable
from subscribers.web.page import ASK_PATH


def fill_impersonal(text: str, *, variables: Iterable[Variable], join_url: str) -> str:
    """Return the text with default values, pages for anybody behind personal links, and direct links instead of counted ones.

    “Unsubscribe” leads to the page that mails people their own links, and any other choice to ``join_url``.
    """
    links = {"unsubscribe": f"{settings.NEWSLETTER_SITE_URL}{ASK_PATH}", "preferences": join_url}
    values = values_for(variables=tuple(variables), fields=links)
    return untrack_links(split(text).join(values))


def find_join_url(publication: Publication) -> str:
    """Return the sign-up page of the publication's list, or the site's front page if the list is not public."""
    site: str = settings.NEWSLETTER_SITE_URL
    return f"{site}/join/{publication.mailing_list.slug}" if publication.mailing_list.public else site


def wrap_mail(html: str, *, head: str = "", top: str = "", foot: str = "") -> str:
    """Return the mail as the main part of a web page, with more in its head, above and below."""
    html = html.replace("</head>", head + "</head>", 1)
    start = html.index(">", html.index("<body")) + 1
    end = html.rindex("</body>")
    return f"{html[:start]}{top}<main>{html[start:end]}</main>{foot}{html[end:]}"
