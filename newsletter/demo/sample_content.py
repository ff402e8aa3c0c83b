"""The sample organisation's own data: its file, stories and events, dated relative to a given ``now``."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from html import escape
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

NAME = "Harbour Justice"
PARTNER_NAME = "Faro Común"

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEMO = files("newsletter.demo")


class DemoStory(BaseModel, frozen=True):
    """One story of a file. ``path`` begins with "/"; ``paragraphs`` are plain text, a quotation begins with "> ".

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
    picture: str = ""
    alt: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    feed: bool = True
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


class DemoEvent(BaseModel, frozen=True):
    """One event of a file, or the first of a series. Times are aware, in ``zone``; ``geo`` is (latitude, longitude)."""

    slug: str
    title: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    location: str = ""
    geo: tuple[float, float] | None = None
    online: bool = False
    all_day: bool = False
    cancelled: bool = False
    weekly: bool
    source: str = "calendar"

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
    spanish = _read_rows("spanish", "story")
    stories = [
        DemoStory(
            **row,
            path=f"/{section}/{row['slug']}/",
            paragraphs=_split_paragraphs(row["body"]),
            published_at=datetime.combine(today - timedelta(days=row["days"]), time(row["hour"]), tzinfo=UTC),
            language="es" if section == "partner" else "en",
            versions=tuple(
                ("es", _make_spanish_path(one["slug"])) for one in spanish if one["original"] == row["slug"]
            ),
        )
        for row in _read_rows(section, "story")
    ]
    return tuple(sorted(stories, key=lambda story: story.published_at, reverse=True))


def load_spanish_stories(*, now: datetime) -> tuple[DemoStory, ...]:
    """Return the organisation's own stories in Spanish, newest first; ``now`` is aware."""
    rows_by_original = {row["original"]: row for row in _read_rows("spanish", "story")}
    originals = sorted(
        (*load_stories("stories", now=now), *load_stories("field", now=now)),
        key=lambda story: story.published_at,
        reverse=True,
    )
    return tuple(
        DemoStory(
            **(original.model_dump(include={"published_at", "topics", "picture", "feed"}) | row),
            path=_make_spanish_path(row["slug"]),
            paragraphs=_split_paragraphs(row["body"]),
            language="es",
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
    events = [_read_event(row, now=now) for row in _read_rows("events", "event")]
    return tuple(sorted(events, key=lambda event: (event.starts_at, event.slug)))


def _read_event(row: Mapping[str, Any], *, now: datetime) -> DemoEvent:
    zone = ZoneInfo(row["zone"])
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    day = monday + timedelta(weeks=row["week"], days=_WEEKDAYS.index(row["weekday"]))
    all_day = row.get("all_day", False)
    starts_at = datetime.combine(day, time() if all_day else time.fromisoformat(row["start"]), tzinfo=zone)
    duration = timedelta(days=row.get("days", 1)) if all_day else timedelta(minutes=row["minutes"])
    weekly = row.get("repeat") == "weekly"
    return DemoEvent(**row, starts_at=starts_at, ends_at=starts_at + duration, weekly=weekly)


def _read_rows(file: str, table: str) -> Any:
    text = _DEMO.joinpath("content", f"{file}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)[table]
