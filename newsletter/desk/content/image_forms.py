"""The form of the picture library: an upload is decoded in the sandbox, and only what that made is kept.

Wagtail makes its thumbnails in the serving process. It only ever opens files that we made ourselves.
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
    """Replaces an uploaded file by the picture that the sandbox makes of it: upright, without EXIF, at most 2,400 wide."""

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
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "file" in self.fields:
            plain = self.fields["file"]
            self.fields["file"] = SandboxedImageField(
                label=capfirst(plain.label),
                required=plain.required,
                widget=plain.widget,
                max_length=plain.max_length,
            )
