"""JSON answers for the segment builder: the regions of a country, and towns that complete what is typed. No personal data."""

from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control

from newsletter.common.errors import UnknownPlace
from subscribers.places.regions import regions_of
from subscribers.places.suggest import suggest_towns

_MAX_LENGTH = 200


@cache_control(private=True, max_age=3600)
def list_regions(request: HttpRequest) -> JsonResponse:
    """Answer `?country=GB` with `{"choices": [[code, name], …]}`, empty for an unknown country."""
    try:
        country, language = request.GET.get("country", "")[:_MAX_LENGTH], get_language() or "en"
        return JsonResponse({"choices": regions_of(country, language=language)})
    except UnknownPlace:
        return JsonResponse({"choices": []})


@cache_control(private=True, max_age=3600)
def list_towns(request: HttpRequest) -> JsonResponse:
    """Answer `?q=lon` with `{"choices": [name, …]}`: the towns that begin so."""
    return JsonResponse({"choices": suggest_towns(request.GET.get("q", "")[:_MAX_LENGTH])})
