"""Draft the subject and the preheader of an issue from its headlines, and say if they still are as drafted.

A publication has a pattern of subjects: text with placeholders that each issue fills in.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Protocol

from babel.dates import format_skeleton

from newsletter.common.text import escape_merge_fields, shorten
from newsletter.models import Issue
from newsletter.rendering.phrases import get_babel_locale

PREHEADER_LENGTH = 100
SUBJECT_PLACEHOLDERS = ("lead_headline", "publication", "number")
_PLACEHOLDER = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_SINGLE_BRACES = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")


class Headed(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def teaser(self) -> str: ...
    @property
    def text(self) -> str: ...


def fill_subject(pattern: str, *, lead: str, publication: str, number: int) -> str:
    """Return a publication's pattern with its fields filled in. Braces in a title never become personal fields."""
    values = (escape_merge_fields(lead), escape_merge_fields(publication), str(number))
    for name, value in zip(SUBJECT_PLACEHOLDERS, values, strict=True):
        pattern = pattern.replace("{" + name + "}", value)
    return shorten(pattern, 150)


def fill_digest_subject(due_local: str, *, lead: str, language: str) -> str:
    """Return the month of a digest in this language and its first headline. One that is due on 1 December is about November."""
    day = date.fromisoformat(due_local[:10]) - timedelta(days=1)
    noon = datetime.combine(day, time(12), UTC)
    month = format_skeleton("yMMMM", noon, tzinfo=UTC, locale=get_babel_locale(language))
    month = month[0].upper() + month[1:]
    return shorten(f"{month} · {escape_merge_fields(lead)}" if lead else month, 150)


def draft_preheader(stories: Sequence[Headed]) -> str:
    """Return the other headlines; if there are none, the lead story's teaser or the beginning of its text."""
    teaser = stories[0].teaser or stories[0].text if stories else ""
    return join_headlines(story.title for story in stories[1:4]) or join_headlines([teaser])


def join_headlines(headlines: Iterable[str]) -> str:
    """Return the first headlines that fit whole into a preheader. Only a first one that is too long is cut, at a word."""
    lines = (" ".join(escape_merge_fields(headline).split()) for headline in headlines)
    joined = list(accumulate(filter(None, lines), "{} · {}".format))
    fitting = [text for text in joined if len(text) <= PREHEADER_LENGTH]
    return fitting[-1] if fitting else shorten("".join(joined[:1]), PREHEADER_LENGTH)


def is_drafted(issue: Issue, name: str) -> bool:
    """Return True if nobody changed the issue's ``subject`` or ``preheader`` since it was drafted from its headlines."""
    return (
        issue.kind in (Issue.Kind.ISSUE, Issue.Kind.DIGEST)
        and bool(issue.assembled)
        and issue.assembled.get(name) == getattr(issue, name)
    )


def find_unknown_placeholder(pattern: str) -> str:
    """Return the first word in single braces that is not a placeholder, or ""."""
    return next((word for word in _SINGLE_BRACES.findall(pattern) if word not in SUBJECT_PLACEHOLDERS), "")


def needs_translation(pattern: str) -> bool:
    """Return True if the pattern of subjects has words in addition to its placeholders."""
    return any(char.isalpha() for char in _PLACEHOLDER.sub("", pattern))


def find_missing_placeholder(pattern: str, translated: str) -> str:
    """Return the first placeholder of a pattern that its translation lacks, or ""."""
    names = [match[1] for match in _PLACEHOLDER.finditer(pattern)] if translated else []
    return next((name for name in names if "{" + name + "}" not in translated), "")
