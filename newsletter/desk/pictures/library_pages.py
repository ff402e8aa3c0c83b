"""The pages of the library that add, edit and delete one picture: Wagtail's, with our messages."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.images.views.images import CreateView, DeleteView, EditView

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
    pass
