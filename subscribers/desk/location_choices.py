"""What the segment builder asks while somebody chooses a region or types a town. For staff who may log in; holds no people."""

from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control

from newsletter.common.errors import UnknownPlace
from subscribers.places.regions import regions_of
from subscribers.places.suggest import suggest_towns

_MAX_LENGTH = 200


@cache_control(private=True, max_age=3600)
def list_regions(request: HttpRequest) -> JsonResponse:
    """`{"choices": [[code, name], …]}` of `?country=GB`; none of a country that is not known."""
    try:
        country, language = request.GET.get("country", "")[:_MAX_LENGTH], get_language() or "en"
        return JsonResponse({"choices": regions_of(country, language=language)})
    except UnknownPlace:
        return JsonResponse({"choices": []})


@cache_control(private=True, max_age=3600)
def list_towns(request: HttpRequest) -> JsonResponse:
    """`{"choices": [name, …]}` of the towns that begin like `?q=lon`."""
    return JsonResponse({"choices": suggest_towns(request.GET.get("q", "")[:_MAX_LENGTH])})
