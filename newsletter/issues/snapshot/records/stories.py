"""The records of stories and of the consent of the people behind them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from newsletter.issues.snapshot.records.fields import OMIT_NONE, OptionalDay, OptionalMoment, PictureRecord


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """The consent of the person behind a story. ``gone`` is why its source no longer shows the story."""

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
class StoryRecord:
    """A story as an issue tells it. ``title`` and ``teaser`` may be the issue's own words; ``own_title`` is the story's.

    ``url`` is where the headline leads. ``own_url`` is the story's own page if staff chose another link, else None.
    Readers of ``excluded_regions`` (ISO 3166) must not see the story.
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

    @property
    def page_url(self) -> str:
        """The story's own page, wherever the headline leads."""
        return self.url if self.own_url is None else self.own_url
