"""The rule that chooses the appeal of a reader, in one order. An issue shows each reader at most one appeal.

1. Publication: an appeal that names publications is for these only, and only while it is in use.
2. Day: the day on which the issue is due is none before its first day or after its last.
3. Language: it is written in a language of the publication, or in none.
4. Giving status: an appeal for readers of exactly this status comes before one for everybody.
5. Reader's language: an appeal in it, or translated into it, comes before others.
6. Priority: of those left, the highest number comes first. Staff may change this order in the issue.

Steps 1 to 3 choose the appeals of an issue, when it is made and again whenever its content is read. Steps 4 to 6 choose among
them for each group of readers.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Protocol, TypeVar

from newsletter.common.messages import Message
from newsletter.models import Appeal, Publication

EVERYBODY = Appeal.Audience.ALL.value


class _HasAudience(Protocol):
    @property
    def audience(self) -> str: ...


_Appeal = TypeVar("_Appeal")
_ForSome = TypeVar("_ForSome", bound=_HasAudience)


def list_by_priority() -> list[Appeal]:
    """Return the appeals in use, the highest priority first (step 6)."""
    rows = Appeal.objects.filter(enabled=True).order_by("-priority", "slug")
    return list(rows.select_related("translation_of").prefetch_related("publications", "translations"))


def find_reason_against(appeal: Appeal, *, publication: Publication, day: date) -> str:
    """Return why no issue of this publication on this day has the appeal (steps 1 to 3), or ""."""
    if not appeal.is_for(publication.pk):
        return Message("it is for other publications")
    languages = [publication.language.split("-")[0], *publication.languages]
    if appeal.language and appeal.language.split("-")[0] not in languages:
        return Message("written in another language (%(language)s)", language=appeal.language)
    if appeal.first_day and day < appeal.first_day:
        return Message("it begins on %(day)s", day=appeal.first_day)
    if appeal.last_day and day > appeal.last_day:
        return Message("it ended on %(day)s", day=appeal.last_day)
    return ""


def is_for_issue(appeal: Appeal, *, publication_id: int, day: date) -> bool:
    """Return True if an issue that contains the appeal may still show it (steps 1 and 2)."""
    return appeal.is_open(day) and appeal.is_for(publication_id)


def put_readers_language_first(
    appeals: Iterable[_Appeal], *, is_in_it: Callable[[_Appeal], bool]
) -> tuple[_Appeal, ...]:
    """Return the appeals with those in the reader's language before the others (step 5), each in the order of priority."""
    return tuple(sorted(appeals, key=lambda appeal: not is_in_it(appeal)))


def choose_for_giving(giving: str, *, appeals: Iterable[_ForSome]) -> _ForSome | None:
    """Return the first appeal for this giving status, else the first for everybody (step 4)."""
    listed = list(appeals)
    for audience in (giving, EVERYBODY):
        for appeal in listed:
            if appeal.audience == audience:
                return appeal
    return None
