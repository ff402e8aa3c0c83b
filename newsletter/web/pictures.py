"""Serve our copies of pictures by their unguessable names. It stores nothing about visitors."""

from functools import lru_cache

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from newsletter.content.images.hosting import image_path
from newsletter.content.images.write import make_placeholder
from newsletter.models import Picture

CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}
CACHE_SECONDS = 60
"""Short, because a withdrawn picture must disappear within a minute."""


def _etag(request: HttpRequest, name: str, extension: str) -> str | None:
    row = Picture.objects.filter(name=name).values_list("sha256", "withdrawn_at").first()
    if row is None:
        return None
    sha256, withdrawn_at = row
    return f'"withdrawn-{sha256[:16]}"' if withdrawn_at else f'"{sha256[:32]}"'


@require_safe
@cache_control(public=True, max_age=CACHE_SECONDS)
@condition(etag_func=_etag)
def show_picture(request: HttpRequest, name: str, extension: str) -> HttpResponseBase:
    """Answer with the picture, or with a neutral one of the same size if it was withdrawn."""
    picture = Picture.objects.filter(name=name).first()
    if picture is None or not picture.file.endswith(f".{extension}") or extension not in CONTENT_TYPES:
        raise Http404("There is no such picture.")
    if picture.withdrawn_at is not None:
        return _add_headers(HttpResponse(_make_neutral(picture.width, picture.height), content_type="image/jpeg"))
    path = image_path(picture)
    if not path.is_file():
        raise Http404("There is no such picture.")
    return _add_headers(FileResponse(path.open("rb"), content_type=CONTENT_TYPES[extension]))


@lru_cache(maxsize=64)
def _make_neutral(width: int, height: int) -> bytes:
    return make_placeholder(width=width, height=height).data


def _add_headers(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
