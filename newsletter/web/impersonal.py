"""Fills a mail's tokens for nobody in particular: every default, and one harmless page for every personal link."""

from collections.abc import Iterable

from django.conf import settings

from newsletter.issues.variants.click_links import untrack_links
from newsletter.models import Publication
from newsletter.rendering.fragments import split
from newsletter.rendering.tokens import Variable
from newsletter.rendering.values import PERSONAL_LINKS, values_for


def fill_impersonal(text: str, *, variables: Iterable[Variable], personal_url: str) -> str:
    """``text`` with defaults for names, ``personal_url`` for each personal link, and links that count nobody."""
    values = values_for(variables=tuple(variables), fields=dict.fromkeys(PERSONAL_LINKS, personal_url))
    return untrack_links(split(text).join(values))


def find_join_url(publication: Publication) -> str:
    """Where anybody can sign up for the publication's list; our front page where the list is not open to all."""
    site: str = settings.NEWSLETTER_SITE_URL
    return f"{site}/join/{publication.mailing_list.slug}" if publication.mailing_list.public else site
