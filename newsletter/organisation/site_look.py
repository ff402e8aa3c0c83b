"""Look at the organisation's web site: what a brand can take from it, and the sources that it offers. Nothing is stored
but the logo's image.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from newsletter.common.errors import DomainError
from newsletter.content.fetching.bounded_fetcher import BoundedFetcher
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import PAGE, Limits
from newsletter.content.images.hosting import LOGO_WIDTH, fetch_image
from newsletter.content.ingesting.try_source import SourceTrial, try_source
from newsletter.content.parsing.page_decoding import page_text
from newsletter.content.parsing.pages.site_look import (
    FeedLink,
    SiteColours,
    SitePage,
    find_site_colours,
    read_site_page,
)
from newsletter.models import Picture
from newsletter.rendering.lint.colour_advice import find_colour_problems, suggest_readable_colour

LOOK_SECONDS = 15.0
MAX_STYLESHEETS, MAX_LOGOS, MAX_TRIALS = 3, 3, 4
_STYLESHEET = Limits(max_bytes=1_000_000)
_LOGO = Limits(max_bytes=5_000_000)
_PAPER, _INK = "#f4f1ec", "#1f4e5f"


@dataclass(frozen=True)
class SiteLook:
    """A brand's first values. The colours are readable; ``corrected`` says that one was changed for it."""

    name: str
    website: str
    colours: SiteColours
    corrected: bool
    logo: Picture | None


@dataclass(frozen=True)
class FoundSource:
    """An address of the site that has stories or events, with its first titles."""

    kind: str
    url: str
    name: str
    trial: SourceTrial


def read_site_address(text: str) -> str:
    """Return a web address as typed, with https:// if it has no scheme."""
    address = text.strip()
    return address if "://" in address or not address else f"https://{address}"


def look_at_site(url: str) -> SiteLook:
    """Read the site's first page, style sheets and logo. Raises FetchError if the page cannot be read."""
    fetcher = _make_fetcher()
    page, address = _read_page(url, fetcher=fetcher)
    css = [page.styles]
    for stylesheet in page.stylesheets[:MAX_STYLESHEETS]:
        try:
            css.append(fetcher.fetch(stylesheet, limits=_STYLESHEET).body.decode("utf-8", "replace"))
        except FetchError:
            continue
    found = find_site_colours("\n".join(css), theme_colour=page.theme_colour)
    colours = make_readable(found)
    corrected = (found.colour, found.accent) != (colours.colour, colours.accent) and bool(found.colour)
    return SiteLook(
        name=page.name,
        website=address,
        colours=colours,
        corrected=corrected,
        logo=_fetch_logo(page, fetcher=fetcher),
    )


def make_readable(found: SiteColours) -> SiteColours:
    """Return the colours with the unreadable ones replaced by the nearest readable, and missing ones filled in."""
    values = {"colour": found.colour or _INK, "accent": found.accent or found.colour or _INK}
    background = found.background or _PAPER
    for advice in find_colour_problems(**values, background=background):
        if advice.refused:
            values[advice.field] = suggest_readable_colour(values[advice.field])
    return SiteColours(**values, background=background, font=found.font, heading_font=found.heading_font)


def find_sources(url: str, *, now: datetime) -> list[FoundSource]:
    """Return the site's feeds, calendars and WordPress posts that could be read, each with its first titles.

    Raises FetchError if the page cannot be read and nothing else is found.
    """
    found: list[FoundSource] = []
    unreadable: FetchError | None = None
    page, address = SitePage(), url
    try:
        page, address = _read_page(url, fetcher=_make_fetcher())
    except FetchError as error:
        unreadable = error
    for link in _list_candidates(page, address)[:MAX_TRIALS]:
        trial = try_source(kind=link.kind, url=link.url, now=now)
        if trial.titles and not any(trial.titles == other.trial.titles for other in found):
            label = link.title or page.name or urlsplit(link.url).hostname or link.url
            found.append(FoundSource(kind=link.kind, url=link.url, name=label[:120], trial=trial))
    if unreadable is not None and not found:
        raise unreadable
    return found


def _list_candidates(page: SitePage, address: str) -> list[FeedLink]:
    """Return WordPress and the feeds that the page names, without comments; else the address itself and the usual one."""
    own = [link for link in page.feeds if "comment" not in f"{link.title} {link.url}".lower()]
    if page.is_wordpress:
        return [FeedLink("wordpress", address), *own]
    if any(link.kind == "feed" for link in own):
        return own
    return [
        FeedLink("feed", address),
        FeedLink("calendar", address),
        *own,
        FeedLink("feed", urljoin(address, "/feed/")),
    ]


def _read_page(url: str, *, fetcher: BoundedFetcher) -> tuple[SitePage, str]:
    fetched = fetcher.fetch(url, limits=PAGE)
    return read_site_page(page_text(fetched.body, fetched.content_type), url=fetched.url), fetched.url


def _fetch_logo(page: SitePage, *, fetcher: BoundedFetcher) -> Picture | None:
    for address in page.logos[:MAX_LOGOS]:
        try:
            return fetch_image(url=address, alt=page.name, width=LOGO_WIDTH, fetcher=fetcher, limits=_LOGO)
        except DomainError:
            continue
    return None


def _make_fetcher() -> BoundedFetcher:
    return BoundedFetcher(allow=settings.NEWSLETTER_FETCH_ALLOW, seconds=LOOK_SECONDS)
