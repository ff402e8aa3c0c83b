"""Stop all sending from a copy of the database or after a restore from a backup.

Each machine keeps a send journal: a file in its data folder with the newest send and attempt that it saw. A database
that lacks them is older than what was already sent. Journals from before staff ended the last hold are ignored.
"""

import hashlib
import hmac
import logging
import os
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
from django.conf import settings
from django.db.models import F, Max

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.models import Attempt, Installation, Send
from newsletter.sending.repair_journal import try_to_repair_journal
from subscribers.erasing.journal_replay import replay_journal
from subscribers.identity import OtherAddressKey

log = logging.getLogger(__name__)
_REPLAYED: list[datetime | None] = []

COPY = Message(
    "this database belongs to an installation with another NEWSLETTER_ADDRESS_KEY, so it is probably a copy. Nothing "
    "is sent from it. On a copy, change nothing. In your own installation, set its key, restart, and run "
    "`newsletter doctor --after-restore --release`"
)
OLDER = Message(
    "the database is older than the last mail that was sent from here, so it was probably restored from a backup. "
    "Nothing is sent until you have checked it: run `newsletter doctor --after-restore`"
)


@dataclass(frozen=True)
class SendMark:
    """The progress of sending: the newest send, its issue's public id, the newest attempt, and the time of the note."""

    send: int
    issue: str
    attempt: int
    at: str

    def is_beyond(self, other: "SendMark | None") -> bool:
        return other is None or (self.send, self.attempt) > (other.send, other.attempt)


def get_installation(*, now: datetime) -> Installation:
    """Return the one row. The first process that asks makes it, with its address key."""
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"address_key_hash": _key_hash(), "changed_at": now})
    return row


def has_other_address_key(row: Installation) -> bool:
    """Return True if the address key of the settings is not the one of this database."""
    return not hmac.compare_digest(row.address_key_hash, _key_hash())


def require_key_of_database() -> None:
    """Raise OtherAddressKey if the address key of the settings is not the one of this database."""
    row = Installation.objects.filter(pk=1).first()
    if row and has_other_address_key(row):
        raise OtherAddressKey(
            "This database belongs to an installation with another NEWSLETTER_ADDRESS_KEY, so people in it are not recognised, "
            "and this was not done. Set the key that belongs to it, and restart."
        )


def check_installation(*, now: datetime) -> None:
    """Hold everything if this database is a copy or was restored. Call it before anything is sent."""
    row = get_installation(now=now)
    if has_other_address_key(row):
        hold_installation(reason=COPY, now=now)
    elif _is_database_older(read_send_journal(), released_at=row.released_at):
        hold_installation(reason=OLDER, now=now)
    else:
        _update_send_journal(now=now)
    _replay_suppressions(now=now)


def hold_installation(*, reason: str, now: datetime) -> None:
    """Stop all sending until `release_installation`. An earlier hold keeps its reason."""
    get_installation(now=now)
    Installation.objects.filter(pk=1, held=False).update(held=True, reason=reason, changed_at=now)


def release_installation(*, now: datetime) -> None:
    """Allow sending again and delete this machine's journal.

    Raise NotReady if the address key is not the one of this database.
    """
    row = Installation.objects.filter(pk=1).first()
    if row and has_other_address_key(row):
        raise NotReady("Sending stays stopped: %(copy)s.", copy=COPY)
    _journal_path().unlink(missing_ok=True)
    Installation.objects.filter(pk=1).update(held=False, reason="", changed_at=now, released_at=now)


def find_restore_marked_at() -> datetime | None:
    """Return when this hold marked what may have been sent since a backup, or None if it has not yet.

    If this machine's journal notes a later send, the database was restored once more since then: return None.
    """
    row = Installation.objects.filter(pk=1, held=True, restored_at__gte=F("changed_at")).first()
    if row is None or _is_database_older(read_send_journal(), released_at=row.restored_at):
        return None
    return row.restored_at


def was_restored(*, now: datetime) -> bool:
    """Return True if this database was restored from a backup in the last 60 days."""
    return Installation.objects.filter(restored_at__gt=now - timedelta(days=60)).exists()


def is_held() -> bool:
    """Return True if all sending is stopped."""
    return Installation.objects.filter(held=True).exists()


def require_not_held() -> None:
    """Raise NotReady if all sending is stopped."""
    row = Installation.objects.filter(pk=1, held=True).first()
    if row:
        raise NotReady("Everything is held: %(reason)s.", reason=row.reason)


def write_send_journal(send: Send, *, now: datetime) -> None:
    """Note in the data folder that this send is about to begin. Raise NotReady if the file cannot be written."""
    mark = SendMark(send.pk, send.issue.public_id, _newest_attempt(), now.isoformat())
    try:
        _write(mark)
    except OSError as error:
        raise NotReady(
            "The start of %(send)s cannot be noted in the data folder (%(strerror)s). Nothing was sent. Free some space, "
            "or let the program write there. The send then begins by itself.",
            send=send,
            strerror=error.strerror,
        ) from error


def read_send_journal() -> SendMark | None:
    """Return the newest note of this machine, or None if no note can be read."""
    try:
        note = orjson.loads(_journal_path().read_bytes())
        return SendMark(int(note["send"]), str(note["issue"]), int(note["attempt"]), str(note["at"]))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _replay_suppressions(*, now: datetime) -> None:
    """Replay this machine's suppression journal: once when the process starts, and once for each hold.

    At the start also retry entries that an earlier process could not write.
    """
    hold = Installation.objects.filter(pk=1, held=True).values_list("changed_at", flat=True).first()
    if _REPLAYED and _REPLAYED[-1] == hold:
        return
    if hold is not None or not _REPLAYED:
        replay_journal(now=now)
    if not _REPLAYED:
        try_to_repair_journal(now=now)
    _REPLAYED[:] = [hold]


def _update_send_journal(*, now: datetime) -> None:
    """Note what other machines sent too."""
    newest = Send.objects.exclude(started_at=None).order_by("-pk").values_list("pk", "issue__public_id").first()
    if newest is None:
        return
    mark = SendMark(newest[0], newest[1], _newest_attempt(), now.isoformat())
    if not mark.is_beyond(read_send_journal()):
        return
    try:
        _write(mark)
    except OSError as error:
        log.warning("The send journal in the data folder cannot be written: %s. Free some space there.", error)


def _is_database_older(mark: SendMark | None, *, released_at: datetime | None) -> bool:
    if mark is None or (released_at and datetime.fromisoformat(mark.at) <= released_at):
        return False
    has_send = Send.objects.filter(pk=mark.send, issue__public_id=mark.issue).exists()
    return not has_send or mark.attempt > _newest_attempt()


def _newest_attempt() -> int:
    return Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _write(mark: SendMark) -> None:
    path = _journal_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        part.write_bytes(orjson.dumps(asdict(mark)))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _journal_path() -> Path:
    return Path(settings.NEWSLETTER_DATA_DIR) / "last-send.json"


def hash_address_key(key: str) -> str:
    """Return the hash by which a database recognises its own address key."""
    return hmac.new(key.encode(), b"whose database", hashlib.sha256).hexdigest()


def _key_hash() -> str:
    return hash_address_key(settings.SUBSCRIBERS_ADDRESS_KEY)
