"""The sample organisation's own data: its file, stories and events, dated relative to a given ``now``."""

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from html import escape
from importlib.resources import files
from typing import Any, Literal, NotRequired, TypedDict
from zoneinfo import ZoneInfo

NAME = "Harbour Justice"
PARTNER_NAME = "Faro Común"

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEMO = files("newsletter.demo")


class _StoryRow(TypedDict):
    """A story of the file. It was published ``days`` ago at ``hour`` o'clock UTC."""

    slug: str
    title: str
    teaser: str
    body: str
    days: int
    hour: int
    author: str
    topics: list[str]
    picture: NotRequired[str]
    alt: NotRequired[str]
    notes: NotRequired[list[str]]
    related: NotRequired[list[str]]
    feed: NotRequired[bool]


class _SpanishStoryRow(TypedDict):
    """A story in Spanish. What is not here is that of the story with the slug ``original``."""

    slug: str
    original: str
    title: str
    teaser: str
    body: str
    author: str
    alt: str
    notes: NotRequired[list[str]]


class _EventRow(TypedDict):
    """An event of the file. Week 1 is the calendar week after now; ``start`` is wall clock in ``zone``."""

    slug: str
    title: str
    summary: str
    week: int
    weekday: str
    start: str
    minutes: int
    zone: str
    location: NotRequired[str]
    geo: NotRequired[list[float]]
    days: NotRequired[int]
    repeat: NotRequired[str]
    source: NotRequired[str]
    online: NotRequired[bool]
    all_day: NotRequired[bool]
    cancelled: NotRequired[bool]


@dataclass(frozen=True)
class DemoStory:
    """One story. ``path`` begins with "/"; ``paragraphs`` are plain text, a quotation begins with "> ".

    ``versions`` are the language and path of the same story in each other language.
    """

    slug: str
    path: str
    title: str
    teaser: str
    paragraphs: tuple[str, ...]
    published_at: datetime
    language: str
    author: str
    topics: tuple[str, ...]
    picture: str
    alt: str
    notes: tuple[str, ...]
    related: tuple[str, ...]
    in_feed: bool
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def picture_path(self) -> str:
        """The path of its picture on the site, or "" if it has none."""
        return f"/pictures/{self.picture}.jpg" if self.picture else ""

    @property
    def body_html(self) -> str:
        """The paragraphs and, last, the pseudonym notes, as HTML."""
        parts = [
            f"<blockquote><p>{escape(text[2:])}</p></blockquote>" if text.startswith("> ") else f"<p>{escape(text)}</p>"
            for text in self.paragraphs
        ]
        parts += [f"<p><em>{escape(note)}</em></p>" for note in self.notes]
        return "\n".join(parts)

    def feed_html(self, site: str) -> str:
        """Return the body as feeds carry it: after the picture, which has its description there. The templates call it."""
        if not self.picture:
            return self.body_html
        image = f'<img src="{site}{self.picture_path}" alt="{escape(self.alt)}" width="1200" height="675"/>'
        return f"<p>{image}</p>\n{self.body_html}"


@dataclass(frozen=True)
class DemoEvent:
    """One event, or the first of a series. Times are aware, in ``zone``; ``geo`` is (latitude, longitude)."""

    slug: str
    title: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    location: str
    geo: tuple[float, float] | None
    online: bool
    all_day: bool
    cancelled: bool
    weekly: bool
    source: str

    @property
    def path(self) -> str:
        """The path of its page on the site."""
        return f"/events/{self.slug}/"

    @property
    def last_day(self) -> date:
        """The last day of an all-day event. Schema.org's end date is inclusive, iCalendar's is not."""
        return self.ends_at.date() - timedelta(days=1)


def write_organisation(*, site: str) -> str:
    """Return the organisation's file as TOML, with every link under ``site`` (a base URL without a last "/")."""
    return _DEMO.joinpath("organisation.toml").read_text(encoding="utf-8").replace("{site}", site)


def load_stories(section: str, *, now: datetime) -> tuple[DemoStory, ...]:
    """Return the stories of "stories", "field" or "partner", newest first; ``now`` is aware."""
    today = now.astimezone(UTC).date()
    rows: list[_StoryRow] = _read_rows(section, "story")
    spanish: list[_SpanishStoryRow] = _read_rows("spanish", "story")
    stories = [
        DemoStory(
            slug=row["slug"],
            path=f"/{section}/{row['slug']}/",
            title=row["title"],
            teaser=row["teaser"],
            paragraphs=_split_paragraphs(row["body"]),
            published_at=datetime.combine(today - timedelta(days=row["days"]), time(row["hour"]), tzinfo=UTC),
            language="es" if section == "partner" else "en",
            author=row["author"],
            topics=tuple(row["topics"]),
            picture=row.get("picture", ""),
            alt=row.get("alt", ""),
            notes=tuple(row.get("notes", ())),
            related=tuple(row.get("related", ())),
            in_feed=row.get("feed", True),
            versions=tuple(
                ("es", _make_spanish_path(one["slug"])) for one in spanish if one["original"] == row["slug"]
            ),
        )
        for row in rows
    ]
    return tuple(sorted(stories, key=lambda story: story.published_at, reverse=True))


def load_spanish_stories(*, now: datetime) -> tuple[DemoStory, ...]:
    """Return the organisation's own stories in Spanish, newest first; ``now`` is aware."""
    rows: list[_SpanishStoryRow] = _read_rows("spanish", "story")
    rows_by_original = {row["original"]: row for row in rows}
    originals = sorted(
        (*load_stories("stories", now=now), *load_stories("field", now=now)),
        key=lambda story: story.published_at,
        reverse=True,
    )
    return tuple(
        replace(
            original,
            slug=row["slug"],
            path=_make_spanish_path(row["slug"]),
            title=row["title"],
            teaser=row["teaser"],
            paragraphs=_split_paragraphs(row["body"]),
            language="es",
            author=row["author"],
            alt=row["alt"],
            notes=tuple(row.get("notes", ())),
            related=(),
            versions=(("en", original.path),),
        )
        for original in originals
        if (row := rows_by_original.get(original.slug))
    )


def load_spanish_texts(table: Literal["event", "text"]) -> dict[str, str]:
    """Return the Spanish titles of events, or other Spanish texts, by the English ones."""
    return {row["title"]: row["text"] for row in _read_rows("spanish", table)}


def _make_spanish_path(slug: str) -> str:
    return f"/es/{slug}/"


def _split_paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.replace("\n", " ") for part in text.strip().split("\n\n"))


def load_events(*, now: datetime) -> tuple[DemoEvent, ...]:
    """Return all events, earliest first; ``now`` is aware. Those of week 1 and later lie in the future."""
    rows: list[_EventRow] = _read_rows("events", "event")
    events = [_read_event(row, now=now) for row in rows]
    return tuple(sorted(events, key=lambda event: (event.starts_at, event.slug)))


def _read_event(row: _EventRow, *, now: datetime) -> DemoEvent:
    zone = ZoneInfo(row["zone"])
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    day = monday + timedelta(weeks=row["week"], days=_WEEKDAYS.index(row["weekday"]))
    all_day = row.get("all_day", False)
    starts_at = datetime.combine(day, time() if all_day else time.fromisoformat(row["start"]), tzinfo=zone)
    duration = timedelta(days=row.get("days", 1)) if all_day else timedelta(minutes=row["minutes"])
    return DemoEvent(
        slug=row["slug"],
        title=row["title"],
        summary=row["summary"],
        starts_at=starts_at,
        ends_at=starts_at + duration,
        zone=row["zone"],
        location=row.get("location", ""),
        geo=(row["geo"][0], row["geo"][1]) if "geo" in row else None,
        online=row.get("online", False),
        all_day=all_day,
        cancelled=row.get("cancelled", False),
        weekly=row.get("repeat") == "weekly",
        source=row.get("source", "calendar"),
    )


def _read_rows(file: str, table: str) -> Any:
    text = _DEMO.joinpath("content", f"{file}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)[table]
