"""Cuts our copies of pictures for the places where they stand in a mail; each is made once and hosted like any other."""

import hashlib
from typing import Any

from django.conf import settings

from newsletter.content.images.formats import DEFAULT_FOCUS, RENDITION_FORMATS, Focus
from newsletter.content.images.hosting import host_staff_image, picture_path, write_picture
from newsletter.content.images.sandboxed import BadPicture, make_picture_in_sandbox
from newsletter.models import Picture


def make_rendition(picture: Picture, *, place: str, focus: Focus = DEFAULT_FOCUS, film: bool = False) -> Picture:
    """The picture as it stands in a place (a name of ``RENDITION_FORMATS``), cut around its focus; itself where its file is gone.

    A picture that was withdrawn is given back uncut, so that its name leads to the neutral one.
    """
    if picture.withdrawn_at is not None:
        return picture
    known = Picture.objects.filter(original=picture, source_url=_rendition_key(picture, place, focus, film)).first()
    if known:
        return known
    try:
        data = picture_path(picture).read_bytes()
        encoded = make_picture_in_sandbox(data, place=RENDITION_FORMATS[place], focus=focus, film=film)
    except (OSError, BadPicture):
        return picture
    file = f"pictures/{encoded.sha256[:32]}.{'jpg' if encoded.format == 'jpeg' else encoded.format}"
    write_picture(settings.MEDIA_ROOT / file, encoded.data)
    return Picture.objects.create(
        source_url=_rendition_key(picture, place, focus, film),
        file=file,
        sha256=encoded.sha256,
        width=encoded.width,
        height=encoded.height,
        alt=picture.alt,
        original=picture,
        byte_size=len(encoded.data),
    )


def make_staff_rendition(image: Any, *, place: str, film: bool = False) -> Picture:
    """A picture of the staff's library as it stands in a place, cut around the point that staff marked in it."""
    return make_rendition(host_staff_image(image), place=place, focus=focus_of(image), film=film)


def focus_of(image: Any) -> Focus:
    """The middle of what staff marked as important, as fractions; where they marked nothing, a little above the middle."""
    if image.focal_point_x is None or image.focal_point_y is None:
        return DEFAULT_FOCUS
    return round(image.focal_point_x / image.width, 3), round(image.focal_point_y / image.height, 3)


def _rendition_key(picture: Picture, place: str, focus: Focus, film: bool) -> str:
    shape = f"{place}/{RENDITION_FORMATS[place]}/{focus[0]:.3f}/{focus[1]:.3f}/{film}"
    return f"cut:{picture.pk}:{hashlib.sha256(shape.encode()).hexdigest()[:24]}"
