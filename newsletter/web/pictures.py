"""Serves our copies of pictures by their unguessable names. Nothing about the reader is read or kept."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from newsletter.content.hosting import picture_path
from newsletter.models import Picture

TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}


def _etag(request: HttpRequest, name: str, extension: str) -> str | None:
    sha256 = Picture.objects.filter(name=name).values_list("sha256", flat=True).first()
    return f'"{sha256[:32]}"' if sha256 else None


@require_safe
@cache_control(public=True, max_age=600)
@condition(etag_func=_etag)
def show_picture(request: HttpRequest, name: str, extension: str) -> HttpResponseBase:
    """The picture, cached for ten minutes only: a withdrawn one must be gone soon."""
    picture = Picture.objects.filter(name=name).first()
    if picture is None or not picture.file.endswith(f".{extension}") or extension not in TYPES:
        raise Http404("There is no such picture.")
    path = picture_path(picture)
    if not path.is_file():
        raise Http404("There is no such picture.")
    response = FileResponse(path.open("rb"), content_type=TYPES[extension])
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
