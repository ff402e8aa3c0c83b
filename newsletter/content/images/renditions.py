"""Make renditions of our copies of images, one for each use in a mail. Each is made once and hosted like any other image."""

import hashlib

from django.conf import settings
from wagtail.images.models import AbstractImage

from newsletter.content.images.formats import RENDITION_FORMATS
from newsletter.content.images.hosting import host_staff_image, image_path, make_file_name, write_image_file
from newsletter.content.images.sandbox_messages import DEFAULT_FOCUS, BadImage, Focus
from newsletter.content.images.sandboxed import encode_image_in_sandbox
from newsletter.models import Picture


def make_rendition(
    picture: Picture, *, format_name: str, focus: Focus = DEFAULT_FOCUS, is_video: bool = False
) -> Picture:
    """Return the picture in a format of ``RENDITION_FORMATS``, cropped around its focus.

    Return the picture itself if its file is gone or damaged, or if it was withdrawn: its name then leads to a neutral image.
    Raises OSError if the file cannot be read now, or the rendition not be written.
    """
    if picture.withdrawn_at is not None:
        return picture
    key = _rendition_key(picture, format_name, focus, is_video)
    rendition = Picture.objects.filter(original=picture, source_url=key).first()
    if rendition:
        return rendition
    try:
        data = image_path(picture).read_bytes()
    except FileNotFoundError:
        return picture
    try:
        encoded = encode_image_in_sandbox(
            data, rendition_format=RENDITION_FORMATS[format_name], focus=focus, is_video=is_video
        )
    except BadImage:
        return picture
    file = make_file_name(encoded)
    write_image_file(settings.MEDIA_ROOT / file, encoded.data)
    return Picture.objects.create(
        source_url=key,
        file=file,
        sha256=encoded.sha256,
        width=encoded.width,
        height=encoded.height,
        alt=picture.alt,
        original=picture,
        byte_size=len(encoded.data),
        colour=encoded.colour,
    )


def make_staff_rendition(image: AbstractImage, *, format_name: str, is_video: bool = False) -> Picture:
    """Return a rendition of an image from the image library, cropped around its focal point."""
    return make_rendition(host_staff_image(image), format_name=format_name, focus=find_focus(image), is_video=is_video)


def find_focus(image: AbstractImage) -> Focus:
    """Return the focal point that staff chose, as fractions, or the default one."""
    if image.focal_point_x is None or image.focal_point_y is None:
        return DEFAULT_FOCUS
    return round(image.focal_point_x / image.width, 3), round(image.focal_point_y / image.height, 3)


def _rendition_key(picture: Picture, format_name: str, focus: Focus, is_video: bool) -> str:
    shape = f"{format_name}/{RENDITION_FORMATS[format_name]}/{focus[0]:.3f}/{focus[1]:.3f}/{is_video}"
    return f"cut:{picture.pk}:{hashlib.sha256(shape.encode()).hexdigest()[:24]}"
