"""Fill a mail's tokens without a person: default values, and one harmless page for all personal links."""

from collections.abc import Iterable

from django.conf import settings

from newsletter.issues.variants.click_links import untrack_links
from newsletter.models import Publication
from newsletter.rendering.mail import split
from newsletter.rendering.tokens import Variable
from newsletter.rendering.values import PERSONAL_LINKS, values_for


def fill_impersonal(text: str, *, variables: Iterable[Variable], personal_url: str) -> str:
    """Return the text with default values, `personal_url` for personal links, and direct links instead of counted ones."""
    values = values_for(variables=tuple(variables), fields=dict.fromkeys(PERSONAL_LINKS, personal_url))
    return untrack_links(split(text).join(values))


def find_join_url(publication: Publication) -> str:
    """Return the sign-up page of the publication's list, or the site's front page if the list is not public."""
    site: str = settings.NEWSLETTER_SITE_URL
    return f"{site}/join/{publication.mailing_list.slug}" if publication.mailing_list.public else site
