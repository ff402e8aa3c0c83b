"""Views of the picture library: its files, and the log of edits. Mails use our copies, which `newsletter.web.pictures` serves."""

from pathlib import PurePath

from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from wagtail.images import get_image_model
from wagtail.images.views.multiple import EditView
from wagtail.log_actions import log

CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}


@require_safe
@cache_control(private=True, max_age=60)
def show_library_file(request: HttpRequest, folder: str, name: str) -> FileResponse:
    """Answer with an image of the library or one of its renditions. Any other file of the media folder is not found."""
    path = f"{folder}/{name}"
    images = get_image_model()
    row = images.objects.filter(file=path).first() or images.get_rendition_model().objects.filter(file=path).first()
    content_type = CONTENT_TYPES.get(PurePath(name).suffix)
    if row is None or content_type is None or not row.file.storage.exists(path):
        raise Http404("There is no such picture.")
    response = FileResponse(row.file.open("rb"), content_type=content_type)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


class LoggedPictureEdit(EditView):
    """Save a picture on the page that uploads several, and log who edited it: Wagtail logs edits only in the editor."""

    def save_object(self, form: object) -> None:
        super().save_object(form)
        log(instance=self.object, action="wagtail.edit", user=self.request.user)
