"""The pages of the library that add, edit and delete one picture: Wagtail's, with our messages."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.images.views.images import CreateView, DeleteView, EditView
from wagtail.log_actions import log

from newsletter.content.images.library import find_story_image, find_upload_copies, withdraw_upload
from subscribers.desk.editing.row_pages import AddRowMixin, DeletedMessage, EditRowMixin


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
    pass


class DeletePicture(DeletedMessage, DeleteView):
    """Delete a picture from the library, and on request an upload also from delivered mails and web pages."""

    template_name = "desk/delete_image.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        row = find_story_image(self.object)
        return {
            **super().get_context_data(**kwargs),
            "has_copies": find_upload_copies(self.object).filter(withdrawn_at__isnull=True).exists(),
            "story": row.story if row else None,
        }

    def delete_action(self) -> None:
        with transaction.atomic():
            if "withdraw" in self.request.POST:
                withdraw_upload(self.object, now=timezone.now())
                log(instance=self.object, action="newsletter.withdraw_image", user=self.request.user)
            super().delete_action()

    def get_success_message(self) -> str:
        deleted = str(super().get_success_message())
        if "withdraw" not in self.request.POST:
            return deleted
        replaced = _("A neutral image replaces it in delivered emails and on web pages.")
        return f"{deleted} {replaced}"
