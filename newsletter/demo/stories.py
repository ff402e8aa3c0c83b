"""The sample organisation's stories: read from the data files and dated relative to a given ``now``.

Data only: how a story is served is the business of the feeds and pages.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from html import escape
from importlib.resources import files

NAME = "Harbour Justice"
PARTNER_NAME = "Faro Común"

_SECTIONS = {"stories": "/stories", "field": "/field", "partner": "/partner"}


@dataclass(frozen=True)
class DemoStory:
    """One story. ``path`` begins with "/"; ``paragraphs`` are plain text, a quotation begins with "> "."""

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

    @property
    def picture_path(self) -> str:
        """The path of its picture on the site, or "" when it has none."""
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


def load_stories(section: str, *, now: datetime) -> tuple[DemoStory, ...]:
    """The stories of "stories", "field" or "partner", newest first; ``now`` is aware."""
    text = files("newsletter.demo").joinpath("content", f"{section}.toml").read_text(encoding="utf-8")
    language = "es" if section == "partner" else "en"
    today = now.astimezone(UTC).date()
    stories = [
        DemoStory(
            slug=row["slug"],
            path=f"{_SECTIONS[section]}/{row['slug']}/",
            title=row["title"],
            teaser=row["teaser"],
            paragraphs=tuple(part.replace("\n", " ") for part in row["body"].strip().split("\n\n")),
            published_at=datetime.combine(today - timedelta(days=row["days"]), time(row["hour"]), tzinfo=UTC),
            language=language,
            author=row["author"],
            topics=tuple(row["topics"]),
            picture=row.get("picture", ""),
            alt=row.get("alt", ""),
            notes=tuple(row.get("notes", ())),
            related=tuple(row.get("related", ())),
            in_feed=row.get("feed", True),
        )
        for row in tomllib.loads(text)["story"]
    ]
    return tuple(sorted(stories, key=lambda story: story.published_at, reverse=True))
