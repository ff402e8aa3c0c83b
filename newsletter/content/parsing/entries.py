"""The result of every parser: stories, events, and entries set aside with a reason.

Plain frozen data. Text is plain text with entities decoded once and markup removed; ``*_html`` is sanitised.
Times are aware datetimes in UTC unless there is a zone next to them.
"""

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

import orjson

_IDENTITY_FIELDS = frozenset({"addresses", "translations"})


@dataclass(frozen=True)
class StoryEntry:
    """A story of a source. ``external_id`` is stable for the source; ``pseudonyms`` are (name, note) pairs.

    ``addresses`` are other addresses of the same page: a canonical or short link, an identity that is an address.
    ``translations`` are (language, address) pairs of the same story in other languages. ``note`` tells staff what could not
    be read for certain. ``media`` is "video" or "audio" for a recording, which lasts ``seconds``, or 0 if that is not known.
    """

    external_id: str
    url: str
    title: str
    teaser: str = ""
    body_html: str = ""
    picture_url: str = ""
    picture_alt: str = ""
    author: str = ""
    published_at: datetime | None = None
    language: str = ""
    categories: tuple[str, ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    pseudonyms: tuple[tuple[str, str], ...] = ()
    addresses: tuple[str, ...] = ()
    translations: tuple[tuple[str, str], ...] = ()
    note: str = ""
    media: str = ""
    seconds: int = 0


@dataclass(frozen=True)
class EventEntry:
    """One occurrence of an event. ``starts_at`` is aware; ``zone`` is an IANA name or "". An all-day event has ``day`` set.

    A ``floating`` event is known by its wall clock only: its moments are labelled UTC until its location gives the zone.
    ``zone_note`` says why for staff. With ``unknown_zone`` it names a zone that is not known. With ``at_place`` its source
    says that the wall clock is that of the location.
    ``ends_at`` of an all-day event is the midnight after its last day.
    ``place`` is the whole address as text. ``street`` to ``country`` are its parts as the source gives them, not codes,
    each "" if the source does not say.
    """

    external_id: str
    title: str
    starts_at: datetime
    ends_at: datetime | None = None
    zone: str = ""
    all_day: bool = False
    day: date | None = None
    summary: str = ""
    url: str = ""
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    online: bool = False
    cancelled: bool = False
    note: str = ""
    floating: bool = False
    zone_note: str = ""
    unknown_zone: bool = False
    at_place: bool = False
    street: str = ""
    locality: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True)
class SetAside:
    """An entry that was not used, with the reason for staff. ``external_id`` is its identity, if it has one."""

    entry: str
    reason: str
    external_id: str = ""


@dataclass(frozen=True)
class Parsed:
    """All entries of one document. ``error`` is set if the document as a whole could not be read.

    ``complete_until``: events that start from then on may be missing because the document is too long to be read completely.
    ``private`` are the identities of events, or of all dates of a UID, that the source does not show to the public.
    ``listed`` counts the public entries of a document of events, also past ones. Entries whose series is not in
    ``series`` and that start from ``listed_until`` on may be missing because the source lists a limited number.
    """

    stories: tuple[StoryEntry, ...] = ()
    events: tuple[EventEntry, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    title: str = ""
    error: str = ""
    complete_until: datetime | None = None
    extra: dict[str, str] = field(default_factory=dict)
    private: tuple[str, ...] = ()
    listed: int = 0
    listed_until: datetime | None = None
    series: tuple[str, ...] = ()


def hash_entry(entry: StoryEntry | EventEntry) -> str:
    """Hash the content of an entry. Its other addresses and its translations are not content."""
    content = {name: value for name, value in asdict(entry).items() if name not in _IDENTITY_FIELDS}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
