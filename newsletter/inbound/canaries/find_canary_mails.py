"""Look for canary mails in all folders of a mailbox by IMAP. Nothing in the mailbox is changed, moved or marked as read."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from newsletter.models import CanaryMail
from newsletter.sending.canaries.check_arrived_mail import FoundMail
from newsletter.sending.canaries.send_canaries import MARK_HEADER

log = logging.getLogger(__name__)
MAX_FOLDERS, MAX_MESSAGES = 40, 200
MAX_BYTES = 5_000_000
_PART = f"BODY.PEEK[]<0.{MAX_BYTES}>"
_ANSWER = b"BODY[]<0>"
_MARK = f"BODY.PEEK[HEADER.FIELDS ({MARK_HEADER.upper()})]"
_SEARCHED_BACK = timedelta(days=2)
_GMAIL, _GMAIL_ID = "X-GM-EXT-1", "X-GM-MSGID"
_GMAIL_TABS = ("promotions", "social", "updates", "forums")
_LEFT_OUT = {
    rb"\noselect",
    rb"\nonexistent",
    rb"\all",
    rb"\drafts",
    rb"\sent",
    rb"\trash",
    rb"\flagged",
    rb"\important",
}
_JUNK = rb"\junk"
_JUNK_NAMES = {"junk", "spam", "junk e-mail", "junk email", "bulk", "bulk mail", "spamverdacht", "correo no deseado"}
_Placement = CanaryMail.Placement


@dataclass(frozen=True)
class Folder:
    """A folder to look into."""

    name: str
    placement: CanaryMail.Placement


@dataclass
class Sighting:
    """All placements of one mail in a mailbox, and the source of the mail at the first of them."""

    placements: dict[object, FoundMail] = field(default_factory=dict)
    raw: bytes = b""

    @property
    def found(self) -> FoundMail:
        """The worst placement, with the number of copies: one copy in spam says that readers' mail may be there."""
        placements = list(self.placements.values())
        order = [_Placement.SPAM, _Placement.INBOX, _Placement.CATEGORY]
        worst = min(placements, key=lambda placed: order.index(placed.placement))
        arrived_at = min(placed.arrived_at for placed in placements)
        return FoundMail(worst.placement, worst.folder, arrived_at, copies=len(placements))


def find_mails(
    client: IMAPClient, keys: Collection[str], *, sources_of: Collection[str], now: datetime
) -> dict[str, Sighting]:
    """Return where the mails with these keys are. ``sources_of`` are the keys whose source is read too.

    A folder that may not be read is left out, unless it is the inbox. Raise errors of the library.
    """
    client.normalise_times = False
    is_gmail = client.has_capability(_GMAIL)
    sightings: dict[str, Sighting] = defaultdict(Sighting)
    for folder in list_folders(client):
        uids = _list_recent(client, folder, now=now)
        if not uids:
            continue
        fields = [_MARK, "INTERNALDATE", *([_GMAIL_ID] if is_gmail else [])]
        ours: dict[int, tuple[str, object, FoundMail]] = {}
        for uid, data in client.fetch(uids, fields).items():
            key = _read_mark(data)
            if key in keys:
                identity = data.get(_GMAIL_ID.encode()) or (folder.name, uid)
                arrived_at = data.get(b"INTERNALDATE")
                moment = arrived_at.astimezone(UTC) if isinstance(arrived_at, datetime) else now
                ours[uid] = key, identity, FoundMail(folder.placement, folder.name, moment, copies=1)
        tabs = _find_tabs(client, ours) if is_gmail and folder.placement == _Placement.INBOX else {}
        for uid, (key, identity, mail) in ours.items():
            if uid in tabs:
                mail = FoundMail(_Placement.CATEGORY, tabs[uid], mail.arrived_at, copies=1)
            sightings[key].placements.setdefault(identity, mail)
            if key in sources_of and not sightings[key].raw:
                sightings[key].raw = _read_source(client, uid)
    return dict(sightings)


def list_folders(client: IMAPClient) -> list[Folder]:
    """Return the folders in which mail arrives, the inbox and spam first: not those of sent, deleted or all mail."""
    folders: list[Folder] = []
    for flags, delimiter, name in client.list_folders():
        kinds = {bytes(flag).lower() for flag in flags}
        last = str(name).rpartition(delimiter.decode() if delimiter else "\0")[2].lower()
        if str(name).upper() == "INBOX":
            folders.append(Folder("INBOX", _Placement.INBOX))
        elif _JUNK in kinds or last in _JUNK_NAMES:
            folders.append(Folder(str(name), _Placement.SPAM))
        elif not kinds & _LEFT_OUT:
            folders.append(Folder(str(name), _Placement.CATEGORY))
    order = [_Placement.INBOX, _Placement.SPAM, _Placement.CATEGORY]
    return sorted(folders, key=lambda folder: order.index(folder.placement))[:MAX_FOLDERS]


def _list_recent(client: IMAPClient, folder: Folder, *, now: datetime) -> list[int]:
    """Select the folder and return its newest messages, none if the server answers that the folder may not be read."""
    try:
        client.select_folder(folder.name, readonly=True)
        return sorted(client.search(["SINCE", (now - _SEARCHED_BACK).date()]))[-MAX_MESSAGES:]
    except IMAPClientAbortError:
        raise  # the connection is gone, so no other folder can be read either
    except IMAPClientError as error:
        if folder.placement == _Placement.INBOX:
            raise
        log.info("The folder %s of a canary mailbox is left out: %s", folder.name, error)
        return []


def _read_mark(data: dict[bytes, object]) -> str:
    """Return the value of the header that names a canary's mail, or ""."""
    fields = (value for name, value in data.items() if name.startswith(b"BODY[HEADER.FIELDS"))
    header = next(fields, b"")
    value = message_from_bytes(header).get(MARK_HEADER) if isinstance(header, bytes) else None
    return str(value or "").strip()


def _find_tabs(client: IMAPClient, uids: Collection[int]) -> dict[int, str]:
    """Return the tab of Gmail's inbox in which each of these messages is, for those that are not in the first one."""
    return {uid: tab for tab, in_tab in _search_tabs(client) for uid in in_tab if uid in uids} if uids else {}


def _search_tabs(client: IMAPClient) -> Iterator[tuple[str, list[int]]]:
    for tab in _GMAIL_TABS:
        yield f"Gmail: {tab}", list(client.gmail_search(f"category:{tab} newer_than:2d"))


def _read_source(client: IMAPClient, uid: int) -> bytes:
    source = client.fetch([uid], [_PART]).get(uid, {}).get(_ANSWER)
    return source if isinstance(source, bytes) else b""
