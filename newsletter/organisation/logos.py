"""Turn the organisation's logos, web addresses or files, into our own hosted copies."""

import hashlib
from pathlib import Path

from newsletter.common.errors import BadFile, DomainError
from newsletter.content.images.hosting import LOGO_WIDTH, fetch_image, host_image
from newsletter.models import Brand, Picture
from newsletter.organisation.schema import BrandEntry

BRAND = "default"
MAX_LOGO_FILE_BYTES = 10_000_000
Logos = dict[str, Picture | None]


def find_brand() -> Brand | None:
    """Return the brand that the file is about: the one with the slug “default”, or else the only one."""
    brand = Brand.objects.filter(slug=BRAND).select_related("logo", "logo_dark").first()
    if brand is None and Brand.objects.count() == 1:
        brand = Brand.objects.select_related("logo", "logo_dark").get()
    return brand


def host_logos(entry: BrandEntry | None, *, folder: Path, dry_run: bool) -> Logos:
    """Return our copies of the logos that the entry names, by key; None removes a logo. Raises BadFile.

    It may fetch, so call it before the transaction. A dry run fetches and writes nothing and returns unsaved rows.
    """
    if entry is None:
        return {}
    brand = find_brand()
    alt = entry.name or (brand.name if brand else "")
    logos: Logos = {}
    for key in sorted({"logo", "logo_dark"} & entry.model_fields_set):
        present: Picture | None = getattr(brand, key) if brand else None
        logos[key] = _host_logo(getattr(entry, key), present=present, folder=folder, alt=alt, dry_run=dry_run, key=key)
    return logos


def _host_logo(
    text: str, *, present: Picture | None, folder: Path, alt: str, dry_run: bool, key: str
) -> Picture | None:
    where = f"[brand]: {key}"
    if not text.strip():
        return None
    is_address = "://" in text
    if is_address and not text.startswith(("http://", "https://")):
        raise BadFile(
            "%(where)s: “%(text)s” must be an http or https address, or a file beside this one.",
            where=where,
            text=text[:80],
        )
    data = b"" if is_address else _read(folder / text, where=where)
    source_url = text if is_address else f"logo:{hashlib.sha256(data).hexdigest()[:32]}"
    if present and present.source_url == source_url:
        return present
    if dry_run:
        return Picture(source_url=source_url, file="", sha256="", width=1, height=1, alt=alt)
    try:
        if is_address:
            return fetch_image(url=text, alt=alt, width=LOGO_WIDTH)
        return host_image(data=data, source_url=source_url, alt=alt, width=LOGO_WIDTH)
    except DomainError as error:
        raise BadFile(
            "%(where)s: %(text)s cannot be used: %(error)s", where=where, text=text[:200], error=error
        ) from error


def _read(file: Path, *, where: str) -> bytes:
    try:
        if file.stat().st_size > MAX_LOGO_FILE_BYTES:
            raise BadFile(
                "%(where)s: %(file)s is larger than %(max_bytes)s MB. Make the image smaller.",
                where=where,
                file=file,
                max_bytes=MAX_LOGO_FILE_BYTES // 1000000,
            )
        return file.read_bytes()
    except FileNotFoundError as error:
        raise BadFile(
            "%(where)s: there is no file %(file)s. The path is relative to the organisation’s file.",
            where=where,
            file=file,
        ) from error
    except OSError as error:
        raise BadFile(
            "%(where)s: %(file)s cannot be read: %(strerror)s.", where=where, file=file, strerror=error.strerror
        ) from error
