"""The records of stories and of the consent of the people behind them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from newsletter.content.parsing.urls import normalise_url
from newsletter.issues.snapshot.records.fields import OMIT_NONE, OptionalDay, OptionalMoment, PictureRecord
from newsletter.models.content.stories import make_story_name


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """The consent of the person behind a story. ``gone`` says why its source no longer shows the story."""

    needed: bool
    channels: tuple[str, ...]
    identity: str
    given_by: str
    given_on: OptionalDay
    expires_on: OptionalDay
    form_holder: bool
    minor: bool
    embargo_until: OptionalMoment
    withdrawn: bool
    gone: Annotated[str | None, OMIT_NONE] = None


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """The case that a story belongs to, which readers can follow."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class StoryRecord:
    """A story as an issue shows it. ``title`` and ``teaser`` may be the issue's own words; ``own_title`` is the story's.

    ``url`` is where the headline leads. ``own_url`` is the story's own page if staff chose another link, else None.
    ``text`` is the whole text of a story that has no web page elsewhere, in paragraphs with a blank line between.
    ``media`` is "video" or "audio" for a recording, which lasts ``seconds``, or 0 if that is not known.
    Readers of ``excluded_regions`` (ISO 3166) must not see the story. ``topic_ids`` and ``other_picture``, the picture in
    the format of the other kind of story block, are set only if the choices of readers count. ``translation_id`` is the id of
    the row whose texts these are, if it is a translation of the story.
    """

    id: int
    title: str
    own_title: str
    url: str
    teaser: str
    picture: PictureRecord | None
    topic: str
    date: OptionalDay
    notes: tuple[str, ...]
    excluded_regions: Annotated[tuple[str, ...], Field(alias="not_in")]
    consent: Annotated[ConsentRecord, Field(alias="care")]
    own_url: Annotated[str | None, OMIT_NONE] = None
    topic_ids: Annotated[tuple[int, ...], Field(exclude_if=lambda ids: not ids)] = ()
    other_picture: Annotated[PictureRecord | None, OMIT_NONE] = None
    translation_id: Annotated[int | None, OMIT_NONE] = None
    case: Annotated[CaseRecord | None, OMIT_NONE] = None
    text: Annotated[str, Field(exclude_if=lambda text: not text)] = ""
    media: Annotated[str, Field(exclude_if=lambda media: not media)] = ""
    seconds: Annotated[int, Field(exclude_if=lambda seconds: not seconds)] = 0

    @property
    def is_whole(self) -> bool:
        """Return True if the mail shows the whole text, because the headline leads nowhere."""
        return bool(self.text and not self.url)

    @property
    def intro(self) -> str:
        """The teaser if it is more than the beginning of the text, else ""."""
        return "" if " ".join(self.text.split()).startswith(self.teaser.removesuffix("…")) else self.teaser

    @property
    def page_url(self) -> str:
        """The story's own page, wherever the headline leads, or a name that no other story has if it has none."""
        if self.text:
            return make_story_name(self.id)
        return self.url if self.own_url is None else self.own_url

    @property
    def page_key(self) -> str:
        """The normalised address of the story's own page."""
        return normalise_url(self.page_url)
