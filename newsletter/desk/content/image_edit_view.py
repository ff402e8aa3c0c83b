"""Edits on the page that uploads several pictures. Wagtail logs edits in a picture's own editor, but not here."""

from wagtail.images.views.multiple import EditView
from wagtail.log_actions import log


class LoggedPictureEdit(EditView):
    """Save a picture and log who edited it."""

    def save_object(self, form: object) -> None:
        super().save_object(form)
        log(instance=self.object, action="wagtail.edit", user=self.request.user)
