"""Edits of pictures on the page that uploads several at once. Wagtail logs the picture's own editor, but not this one."""

from typing import Any

from wagtail.images.views.multiple import EditView
from wagtail.log_actions import log


class LoggedPictureEdit(EditView):
    """Saves the picture and logs who edited it."""

    def save_object(self, form: Any) -> None:
        super().save_object(form)
        log(instance=self.object, action="wagtail.edit", user=self.request.user)
