"""Read the organisation's web site: its name, logos, colours and fonts for a brand. Nothing is stored but the logo's image."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from newsletter.common.errors import DomainError
from newsletter.content.fetching.bounded_fetcher import BoundedFetcher
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import Limits
from newsletter.content.images.hosting import LOGO_WIDTH, fetch_image
from newsletter.content.ingesting.find_sources import make_page_fetcher, read_page
from newsletter.content.parsing.pages.site_colours import SiteColours, find_site_colours
from newsletter.content.parsing.pages.site_look import SitePage
from newsletter.models import Picture
from newsletter.rendering.colours import choose_second_shade
from newsletter.rendering.lint.colour_advice import find_colour_problems, suggest_readable_colour

Found = TypeVar("Found")
MAX_STYLESHEETS, MAX_LOGOS = 3, 3
_STYLESHEET = Limits(max_bytes=1_000_000)
_LOGO = Limits(max_bytes=5_000_000)
_PAPER, _INK = "#f4f1ec", "#1f4e5f"


@dataclass(frozen=True)
class SiteLook:
    """A brand's first values. The colours are readable; ``corrected`` has (the site's, ours) for each that was changed."""

    name: str
    website: str
    colours: SiteColours
    corrected: list[tuple[str, str]]
    logo: Picture | None
    privacy_url: str = ""


def read_site_address(text: str) -> str:
    """Return a web address as typed, with https:// if it has no scheme."""
    address = text.strip()
    return address if "://" in address or not address else f"https://{address}"


def read_site(typed: str, read: Callable[[str], Found]) -> tuple[str, Found]:
    """Return the site's address and what ``read`` finds there. Without a typed scheme, http follows https.

    Raises what ``read`` raises for https if neither can be read.
    """
    address = read_site_address(typed)
    try:
        return address, read(address)
    except FetchError:
        if "://" in typed:
            raise
        with suppress(FetchError):
            plain = f"http://{typed.strip()}"
            return plain, read(plain)
        raise


def look_at_site(url: str) -> SiteLook:
    """Read the site's first page, style sheets and logo. Raises FetchError if the page cannot be read."""
    fetcher = make_page_fetcher()
    page, address = read_page(url, fetcher=fetcher)
    css = [page.styles]
    for stylesheet in page.stylesheets[:MAX_STYLESHEETS]:
        try:
            css.append(fetcher.fetch(stylesheet, limits=_STYLESHEET).body.decode("utf-8", "replace"))
        except FetchError:
            continue
    site_colours = find_site_colours("\n".join(css), theme_colour=page.theme_colour)
    colours = make_readable(site_colours)
    pairs = [(site_colours.colour, colours.colour), (site_colours.accent, colours.accent)]
    return SiteLook(
        name=page.name,
        website=address,
        colours=colours,
        corrected=list(
            dict.fromkeys(
                (site_colour, brand_colour)
                for site_colour, brand_colour in pairs
                if site_colour and site_colour != brand_colour
            )
        ),
        logo=_fetch_logo(page, fetcher=fetcher),
        privacy_url=page.privacy_url,
    )


def make_readable(site_colours: SiteColours) -> SiteColours:
    """Return the colours with the unreadable ones replaced by the nearest readable, and missing ones filled in.

    A site with one colour gets two shades of it, so that buttons and links differ from headlines.
    """
    background = site_colours.background or _PAPER
    values = {"colour": site_colours.colour or _INK, "accent": site_colours.accent or site_colours.colour or _INK}
    for advice in find_colour_problems(**values, background=background):
        if advice.refused:
            values[advice.field] = suggest_readable_colour(values[advice.field])
    if not site_colours.accent:
        values["accent"] = suggest_readable_colour(choose_second_shade(values["colour"]))
    return SiteColours(**values, background=background, font=site_colours.font, heading_font=site_colours.heading_font)


def _fetch_logo(page: SitePage, *, fetcher: BoundedFetcher) -> Picture | None:
    for address in page.logos[:MAX_LOGOS]:
        try:
            return fetch_image(url=address, alt=page.name, width=LOGO_WIDTH, fetcher=fetcher, limits=_LOGO)
        except DomainError:
            continue
    return None
