"""Host our own copies of images: re-encoded bytes on disk, and a row with an unguessable name in the database."""

import hashlib
import os
import threading
from datetime import datetime
from pathlib import Path

from django.conf import settings
from wagtail.images.models import AbstractImage

from newsletter.common.errors import NotReady
from newsletter.content.fetching.fetcher import PICTURE, Fetcher, Limits
from newsletter.content.images.sandbox_messages import EncodedImage
from newsletter.content.images.sandboxed import encode_image_in_sandbox
from newsletter.models import Picture, StoryImage

MAIL_WIDTH = 1280
LOGO_WIDTH = 600
LIBRARY_COPY = "library:{image}:"
"""How the `source_url` of a copy of an upload by staff begins."""


class MissingImage(NotReady):
    """The file of an image of the library is gone."""


def host_image(*, data: bytes, source_url: str, alt: str = "", width: int = MAIL_WIDTH) -> Picture:
    """Return our copy of an image given as bytes. Raises BadImage."""
    picture = Picture.objects.filter(source_url=source_url).first() if source_url else None
    encoded = encode_image_in_sandbox(data, width=width)
    if picture and picture.sha256 == encoded.sha256:
        return picture
    file = make_file_name(encoded)
    write_image_file(Path(settings.MEDIA_ROOT) / file, encoded.data)
    return Picture.objects.create(
        source_url=source_url,
        file=file,
        sha256=encoded.sha256,
        width=encoded.width,
        height=encoded.height,
        alt=alt[:300],
        byte_size=len(encoded.data),
        colour=encoded.colour,
        withdrawn_at=_find_withdrawal(encoded.sha256),
    )


def _find_withdrawal(sha256: str) -> datetime | None:
    """Return when this image was withdrawn under any address: a withdrawn image stays withdrawn."""
    withdrawn = Picture.objects.filter(sha256=sha256, withdrawn_at__isnull=False)
    return withdrawn.values_list("withdrawn_at", flat=True).first()


def fetch_image(
    *, url: str, alt: str, width: int = MAIL_WIDTH, fetcher: Fetcher | None = None, limits: Limits = PICTURE
) -> Picture:
    """Return our copy of the image at a URL, fetched once. Raises FetchError or BadImage."""
    picture = Picture.objects.filter(source_url=url).order_by("-pk").first()
    if picture:
        return picture
    fetched = (fetcher or make_fetcher()).fetch(url, limits=limits)
    return host_image(data=fetched.body, source_url=url, alt=alt, width=width)


def host_staff_image(image: AbstractImage) -> Picture:
    """Return our mail-sized copy of an image of the staff's library, made once for each version of its file.

    The picture of a story has its copy already. Raises MissingImage.
    """
    copied: StoryImage | None = getattr(image, "of_story", None)
    if copied is not None and copied.file == image.file.name:
        return copied.picture
    try:
        with image.file.open("rb") as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise MissingImage(
            "The file of the image “%(title)s” is missing. Choose another image, or upload this one again.",
            title=image.title,
        ) from error
    name = f"{LIBRARY_COPY.format(image=image.pk)}{hashlib.sha256(data).hexdigest()[:32]}"
    picture = Picture.objects.filter(source_url=name).first()
    return picture or host_image(data=data, source_url=name, alt=image.description)


def make_fetcher() -> Fetcher:
    """Return the guarded fetcher, with the exceptions of NEWSLETTER_FETCH_ALLOW."""
    return Fetcher(allow=settings.NEWSLETTER_FETCH_ALLOW)


def image_path(picture: Picture) -> Path:
    return Path(settings.MEDIA_ROOT) / picture.file


def make_file_name(encoded: EncodedImage) -> str:
    """Return the path of an image below the media folder."""
    return f"pictures/{encoded.sha256[:32]}.{'jpg' if encoded.format == 'jpeg' else encoded.format}"


def write_image_file(path: Path, data: bytes) -> None:
    """Write a file unless it exists. A reader never sees a part of it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
