"""Serve the social icons of mails, so that no outside server learns who opens one."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.rendering.social import ICONS, NAMES


@require_safe
@cache_control(public=True, max_age=7 * 24 * 3600)
def show_icon(request: HttpRequest, network: str) -> HttpResponse:
    if network not in NAMES:
        raise Http404("There is no such icon.")
    response = HttpResponse((ICONS / f"{network}.png").read_bytes(), content_type="image/png")
    response["X-Content-Type-Options"] = "nosniff"
    return response
