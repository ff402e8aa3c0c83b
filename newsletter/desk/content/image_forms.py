"""The form of the picture library. The sandbox decodes an upload and makes a new file, and only that is stored.

Wagtail makes its renditions in the serving process, where no outside file may be decoded. It opens only files made here.
"""

from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.fields import FileField
from django.utils.text import capfirst
from wagtail.images.fields import ImageFileExtensionValidator, WagtailImageField
from wagtail.images.forms import BaseImageForm

from newsletter.common.translation import translate
from newsletter.content.images.formats import LIBRARY_FORMAT
from newsletter.content.images.sandbox_messages import BadImage
from newsletter.content.images.sandboxed import encode_image_in_sandbox


class SandboxedImageField(WagtailImageField):
    """Replace an upload by the sandbox's copy: upright, without EXIF data, at most 2,400 pixels wide."""

    def to_python(self, data: Any) -> Any:
        file = FileField.to_python(self, data)
        if file is None:
            return None
        self.check_image_file_size(file)
        ImageFileExtensionValidator(file)
        file.seek(0)
        try:
            made = encode_image_in_sandbox(file.read(), rendition_format=LIBRARY_FORMAT)
        except BadImage as error:
            raise ValidationError(translate(error), code="invalid_image") from error
        name = f"{PurePath(file.name or '').stem or 'picture'}.{'jpg' if made.format == 'jpeg' else made.format}"
        return super().to_python(SimpleUploadedFile(name, made.data, content_type=f"image/{made.format}"))


class SandboxedImageForm(BaseImageForm):
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
