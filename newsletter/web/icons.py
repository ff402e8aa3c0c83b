"""Serve the social icons of mails and the icon of the site, so that no outside server learns who opens one."""

from urllib.parse import urlsplit

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.common.database.deadlines import database_deadline
from newsletter.content.images.site_icon import draw_site_icon
from newsletter.models import Brand, Picture
from newsletter.rendering.colours import choose_text_colour, normalise_colour
from newsletter.rendering.template_context import ICONS, NAMES
from newsletter.web.pictures import CACHE_SECONDS
from subscribers.web.page import DATABASE_WAIT_SECONDS

_NO_BRAND_COLOUR = "#4a5560"
_DRAWN_ICON_SECONDS = 24 * 3600
_MAX_RATIO = 1.25
"""A logo that is wider or higher than this is not readable as an icon."""


@require_safe
@cache_control(public=True, max_age=7 * 24 * 3600)
def show_icon(request: HttpRequest, network: str) -> HttpResponse:
    if network not in NAMES:
        raise Http404("There is no such icon.")
    return _make_png((ICONS / f"{network}.png").read_bytes())


@require_safe
def show_site_icon(request: HttpRequest) -> HttpResponse:
    """Answer with the main brand's logo if it is about square, else with an envelope in the brand's colour.

    The redirect to a logo is cached no longer than the logo, so a withdrawn one is replaced by the envelope. While the
    database does not answer, the envelope is grey: browsers also request it with the page that reports this.
    """
    try:
        with database_deadline(DATABASE_WAIT_SECONDS):
            brand = Brand.objects.select_related("logo").find_main()
    except (OperationalError, InterfaceError):
        return _keep(_draw_envelope(""), seconds=CACHE_SECONDS)
    logo = brand.logo if brand is not None else None
    if logo is not None and _is_readable_as_icon(logo):
        return _keep(HttpResponseRedirect(urlsplit(logo.url).path), seconds=CACHE_SECONDS)
    return _keep(_draw_envelope(brand.colour if brand else ""), seconds=_DRAWN_ICON_SECONDS)


def _draw_envelope(colour: str) -> HttpResponse:
    ground = normalise_colour(colour, fallback=_NO_BRAND_COLOUR)
    return _make_png(draw_site_icon(ground=ground, ink=choose_text_colour(ground)))


def _keep(answer: HttpResponse, *, seconds: int) -> HttpResponse:
    patch_cache_control(answer, public=True, max_age=seconds)
    return answer


def _is_readable_as_icon(logo: Picture) -> bool:
    return logo.withdrawn_at is None and max(logo.width, logo.height) <= _MAX_RATIO * min(logo.width, logo.height)


def _make_png(data: bytes) -> HttpResponse:
    response = HttpResponse(data, content_type="image/png")
    response["X-Content-Type-Options"] = "nosniff"
    return response
