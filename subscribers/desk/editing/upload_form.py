"""Forms with files: errors that say what to do, and which file to choose again after an error elsewhere."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FILE_ERRORS: dict[str, Any] = {
    "required": gettext_lazy("Choose a file."),
    "invalid": gettext_lazy("The file did not arrive. Choose it again."),
    "missing": gettext_lazy("The file did not arrive. Choose it again."),
    "empty": gettext_lazy(
        "The file is empty. Save it again in the program that made it and choose it again, or choose another file."
    ),
    "max_length": gettext_lazy(
        "The name of the file has %(length)d characters; at most %(max)d are possible. Rename the file and choose it again."
    ),
}
"""Replaces Django's messages of a field for files, by their code."""


class UploadField(forms.FileField):
    """A field for a file."""

    default_error_messages = FILE_ERRORS


_AnyForm: Any = object


class UploadForm(_AnyForm):
    """A mixin before any form. It says which file to choose again: browsers forget it if the form returns with an error."""

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or not self.errors:
            return
        for name, field in self.fields.items():
            if isinstance(field, forms.FileField) and name not in self.errors and not self.keeps_file(name):
                self._ask_again(name)

    def keeps_file(self, name: str) -> bool:
        """Return True if the file of this field is stored already, so that nobody must choose it again."""
        return False

    def _ask_again(self, name: str) -> None:
        if chosen := self.files.get(self.add_prefix(name)):
            self.add_error(name, _("Choose “%(file)s” again. Nothing of it was saved.") % {"file": chosen.name})
