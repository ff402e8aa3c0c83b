"""The form of the picture library. The sandbox decodes an upload and makes a new file, and only that is stored.

Wagtail makes its renditions in the serving process, where no outside file may be decoded. It opens only files made here.
"""

from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.fields import FileField
from django.template.defaultfilters import filesizeformat
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets import AdminTagWidget
from wagtail.images.fields import ImageFileExtensionValidator, WagtailImageField
from wagtail.images.forms import BaseImageForm

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.common.translation import translate
from newsletter.content.images.formats import LIBRARY_FORMAT
from newsletter.content.images.sandbox_messages import BadImage
from newsletter.content.images.sandboxed import encode_image_in_sandbox
from subscribers.desk.editing.upload_form import FILE_ERRORS, UploadForm


class SandboxedImageField(WagtailImageField):
    """Replace an upload by the sandbox's copy: upright, without EXIF data, at most 2,400 pixels wide."""

    default_error_messages = FILE_ERRORS

    def to_python(self, data: Any) -> Any:
        file = FileField.to_python(self, data)
        if file is None:
            return None
        self.check_image_file_size(file)
        self._check_extension(file)
        file.seek(0)
        try:
            made = encode_image_in_sandbox(file.read(), rendition_format=LIBRARY_FORMAT)
        except BadImage as error:
            raise ValidationError(translate(error), code="invalid_image") from error
        name = f"{PurePath(file.name or '').stem or 'picture'}.{'jpg' if made.format == 'jpeg' else made.format}"
        return super().to_python(SimpleUploadedFile(name, made.data, content_type=f"image/{made.format}"))

    def check_image_file_size(self, f: Any) -> None:
        if f.size > self.max_upload_size:
            raise ValidationError(
                _("The image has %(size)s, and at most %(most)s are possible. Save a smaller copy and choose that."),
                code="file_too_large",
                params={"size": filesizeformat(f.size), "most": self.max_upload_size_text},
            )

    def _check_extension(self, file: Any) -> None:
        try:
            ImageFileExtensionValidator(file)
        except ValidationError as error:
            raise ValidationError(
                _(
                    "Images of this kind cannot be read: “%(file)s”. Save the image as JPEG or PNG and choose that file."
                ),
                code="invalid_extension",
                params={"file": file.name},
            ) from error


class TagWidgetWithoutHelp(AdminTagWidget):
    """Wagtail's field of tags without its own help: the form explains them."""

    template_name = "django/forms/widgets/text.html"


class SandboxedImageForm(LimitedTextsMixin, UploadForm, BaseImageForm):
    """Wagtail's form. The title is the file's name if nobody types one.

    The title that a script made from the name of a refused file does not stay for the next one.
    """

    data: Any

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "file" in self.fields:
            plain = self.fields["file"]
            self.fields["file"] = SandboxedImageField(
                label=capfirst(plain.label),
                required=plain.required,
                widget=plain.widget,
                max_length=plain.max_length,
            )

        if "title" in self.fields:
            self.fields["title"].required = False
        if "tags" in self.fields:
            self.fields["tags"].help_text = _("Words to find it by, with commas between.")
            self.fields["tags"].widget = TagWidgetWithoutHelp(tag_model=self.fields["tags"].widget.tag_model)
        if "description" in self.fields:
            self.fields["description"].help_text = _("What the image shows, in one sentence of at most 255 characters.")
            self.fields["description"].error_messages["max_length"] = _(
                "The description has %(show_value)s characters. Shorten it to at most %(limit_value)s."
            )

    def clean(self) -> dict[str, object] | None:
        values: dict[str, Any] | None = super().clean()
        file, title = self.files.get(self.add_prefix("file")), self.add_prefix("title")
        if file and "file" in self.errors and self.data.get(title) == PurePath(file.name).stem:
            self.data = {**self.data.dict(), title: ""}
        if values is not None and not values.get("title") and values.get("file"):
            values["title"] = PurePath(values["file"].name).stem
        return values
