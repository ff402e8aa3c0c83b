"""Keeps our own copies of pictures: re-encoded bytes on disk, a row with an unguessable name in the database."""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from newsletter.content.fetching.fetcher import PICTURE, Fetcher, Limits
from newsletter.content.images.sandboxed import make_picture_in_sandbox
from newsletter.models import Picture

MAIL_WIDTH = 1200
LOGO_WIDTH = 600


def host_picture_bytes(*, data: bytes, source_url: str, alt: str = "", width: int = MAIL_WIDTH) -> Picture:
    """Our copy of a picture given as bytes. Raises BadPicture where it is not a picture we can use."""
    known = Picture.objects.filter(source_url=source_url).first() if source_url else None
    encoded = make_picture_in_sandbox(data, width=width)
    if known and known.sha256 == encoded.sha256:
        return known
    file = f"pictures/{encoded.sha256[:32]}.{'jpg' if encoded.format == 'jpeg' else encoded.format}"
    write_picture(Path(settings.MEDIA_ROOT) / file, encoded.data)
    return Picture.objects.create(
        source_url=source_url,
        file=file,
        sha256=encoded.sha256,
        width=encoded.width,
        height=encoded.height,
        alt=alt[:300],
        byte_size=len(encoded.data),
        withdrawn_at=_withdrawn_at(encoded.sha256),
    )


def _withdrawn_at(sha256: str) -> datetime | None:
    """A picture that was withdrawn stays so, by whatever address it comes back."""
    withdrawn = Picture.objects.filter(sha256=sha256, withdrawn_at__isnull=False)
    return withdrawn.values_list("withdrawn_at", flat=True).first()


def fetch_picture(
    *, url: str, alt: str = "", width: int = MAIL_WIDTH, fetcher: Fetcher | None = None, limits: Limits = PICTURE
) -> Picture:
    """Our copy of the picture at a URL, fetched once. Raises FetchError or BadPicture."""
    known = Picture.objects.filter(source_url=url).order_by("-pk").first()
    if known:
        return known
    fetched = (fetcher or make_fetcher()).fetch(url, limits=limits)
    return host_picture_bytes(data=fetched.body, source_url=url, alt=alt, width=width)


def host_staff_image(image: Any) -> Picture:
    """Our mail-sized copy of a picture from the staff's library, made once for each state of its file."""
    with image.file.open("rb") as file:
        data: bytes = file.read()
    name = f"library:{image.pk}:{hashlib.sha256(data).hexdigest()[:32]}"
    known = Picture.objects.filter(source_url=name).first()
    return known or host_picture_bytes(data=data, source_url=name, alt=image.description)


def make_fetcher() -> Fetcher:
    """The guarded fetcher with the exceptions of NEWSLETTER_FETCH_ALLOW."""
    return Fetcher(allow=settings.NEWSLETTER_FETCH_ALLOW)


def picture_path(picture: Picture) -> Path:
    return Path(settings.MEDIA_ROOT) / picture.file


def write_picture(path: Path, data: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
