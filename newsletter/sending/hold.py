"""Whose database this is, and the hold under which nothing leaves it: after a restore, or where it is a copy.

The journal is a file in the data folder, beside the database and not in it: it names the newest send that was begun
here. A database that does not know that send is older than what was done with it.
"""

import hashlib
import hmac
from datetime import datetime
from pathlib import Path

import orjson
from django.conf import settings

from newsletter.errors import NotReady
from newsletter.models import Installation, Send

COPY = (
    "this database belongs to an installation with another NEWSLETTER_ADDRESS_KEY: it looks like a copy. "
    "Nothing is sent from it. Set the key that belongs to it"
)
OLDER = (
    "the database is older than the last send that was begun here: it looks restored from a backup. "
    "Nothing is sent until a person has looked: run `newsletter doctor --after-restore`"
)


def check_installation(*, now: datetime) -> None:
    """Hold everything where this database is a copy or was restored. Called before anything is sent."""
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"address_key_hash": _key_hash(), "changed_at": now})
    if not hmac.compare_digest(row.address_key_hash, _key_hash()):
        hold_everything(reason=COPY, now=now)
    elif (newest := read_journal()) and not _knows(newest):
        hold_everything(reason=OLDER, now=now)


def hold_everything(*, reason: str, now: datetime) -> None:
    Installation.objects.get_or_create(pk=1, defaults={"address_key_hash": _key_hash(), "changed_at": now})
    Installation.objects.filter(pk=1, held=False).update(held=True, reason=reason[:500], changed_at=now)


def release_everything(*, now: datetime) -> None:
    """A person has looked. The journal is begun anew. Raises NotReady where the key is not this database's own."""
    row = Installation.objects.filter(pk=1).first()
    if row and not hmac.compare_digest(row.address_key_hash, _key_hash()):
        raise NotReady(f"The hold stays: {COPY}.")
    _journal().unlink(missing_ok=True)
    Installation.objects.filter(pk=1).update(held=False, reason="", changed_at=now)


def require_no_hold() -> None:
    """Raises NotReady where nothing may be sent from here."""
    row = Installation.objects.filter(pk=1, held=True).first()
    if row:
        raise NotReady(f"Everything is held: {row.reason}.")


def write_journal(send: Send) -> None:
    """Remember, outside the database, that this send was begun."""
    path = _journal()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(
        orjson.dumps({"send": send.pk, "issue": send.issue.public_id, "made_at": send.made_at.isoformat()})
    )
    part.replace(path)


def read_journal() -> dict[str, str | int]:
    """The newest send that was begun here, or nothing."""
    try:
        found: dict[str, str | int] = orjson.loads(_journal().read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found


def _knows(newest: dict[str, str | int]) -> bool:
    return Send.objects.filter(pk=newest["send"], issue__public_id=newest["issue"]).exists()


def _journal() -> Path:
    return Path(settings.NEWSLETTER_DATA_DIR) / "last-send.json"


def _key_hash() -> str:
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), b"whose database", hashlib.sha256).hexdigest()
