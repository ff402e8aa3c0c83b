"""A mail as a web page without a person: default values, one harmless page for all personal links, and the page around it."""

from collections.abc import Iterable

from django.conf import settings

from newsletter.issues.variants.click_links import untrack_links
from newsletter.models import Publication
from newsletter.rendering.mail import split
from newsletter.rendering.personal_values import PERSONAL_LINKS, values_for
from newsletter.rendering.tokens import Variable


def fill_impersonal(text: str, *, variables: Iterable[Variable], personal_url: str) -> str:
    """Return the text with default values, `personal_url` for personal links, and direct links instead of counted ones."""
    values = values_for(variables=tuple(variables), fields=dict.fromkeys(PERSONAL_LINKS, personal_url))
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
