"""The pages of the library that add, edit and delete pictures: Wagtail's, with our messages, and its files.

Mails use our copies, which `newsletter.web.pictures` serves.
"""

from pathlib import PurePath

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from wagtail.actions.delete import DeleteAction
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage
from wagtail.images.views.bulk_actions import DeleteBulkAction
from wagtail.images.views.images import CreateView, DeleteView, EditView
from wagtail.log_actions import log

from newsletter.common.staff_pages import make_breadcrumbs
from newsletter.content.images.library import find_story_image, find_upload_copies, withdraw_upload
from subscribers.desk.editing.row_pages import AddRowMixin, DeleteRowMixin, EditRowMixin

MAX_SHOWN = 60
"""Images that the question before several are deleted shows. Of the others it has the titles: each may have to be made."""
CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}


class AddPicture(AddRowMixin, CreateView):
    """Ask for the description before anybody chooses the picture."""

    add_title = gettext_lazy("Add an image")

    def get_form(self, form_class: object = None) -> object:
        form = super().get_form(form_class)
        description = form.fields["description"]
        description.required = True
        description.error_messages["required"] = _("Describe the image for people who cannot see it.")
        return form


class EditPicture(EditRowMixin, EditView):
    """Wagtail counts the uses of uploads. Of a story's image, the page names the story instead."""

    template_name = "desk/edit_image.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        row = find_story_image(self.object)
        return {**super().get_context_data(**kwargs), "story": row.story if row else None}


class DeletePicture(DeleteRowMixin, DeleteView):
    """Delete a picture from the library, and on request an upload also from delivered mails and web pages."""

    template_name = "desk/delete_image.html"
    edit_url_name = "wagtailimages:edit"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        row = find_story_image(self.object)
        return {
            **super().get_context_data(**kwargs),
            "has_copies": find_upload_copies(self.object).exists(),
            "story": row.story if row else None,
        }

    def delete_action(self) -> None:
        delete_picture(self.object, by=self.request.user, withdraw="withdraw" in self.request.POST)

    def get_success_message(self) -> str:
        deleted = str(super().get_success_message())
        if "withdraw" not in self.request.POST:
            return deleted
        replaced = _("A neutral image replaces it in delivered emails and on web pages.")
        return f"{deleted} {replaced}"


class DeletePictures(DeleteBulkAction):
    """Delete several pictures from the library, and on request the uploads also from delivered mails and web pages."""

    template_name = "desk/delete_images.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context = super().get_context_data(**kwargs)
        title = _("Delete images")
        images = (capfirst(str(self.model._meta.verbose_name_plural)), reverse("wagtailimages:index"))
        return {
            **context,
            "breadcrumbs_items": make_breadcrumbs(images, (title, "")),
            "header_icon": "image",
            "header_title": title,
            "max_shown": MAX_SHOWN,
            "has_copies": any(find_upload_copies(row["item"]).exists() for row in context["items"]),
            "has_stories": any(find_story_image(row["item"]) for row in context["items"]),
        }

    def get_execution_context(self) -> dict[str, object]:
        return {"by": self.request.user, "withdraw": "withdraw" in self.request.POST}

    @classmethod
    def execute_action(
        cls, objects: list[AbstractImage], *, by: User | AnonymousUser, withdraw: bool, **kwargs: object
    ) -> tuple[int, int]:
        for image in objects:
            delete_picture(image, by=by, withdraw=withdraw)
        return len(objects), 0


def delete_picture(image: AbstractImage, *, by: User | AnonymousUser, withdraw: bool) -> None:
    """Delete a picture from the library and log it. With ``withdraw``, a neutral image replaces the copies of an upload."""
    with transaction.atomic():
        if withdraw and withdraw_upload(image, now=timezone.now()):
            log(instance=image, action="newsletter.withdraw_image", user=by)
        DeleteAction(image, user=by).execute(skip_permission_checks=True)


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
