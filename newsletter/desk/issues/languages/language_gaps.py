"""The further languages of an issue as its pages list them: their recipients, and their texts without a translation."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from newsletter.common.errors import BadRule
from newsletter.common.translation import language_label
from newsletter.content.parsing.markup import plain_text
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.issues.snapshot.language_version import Gap, LanguageVersion
from newsletter.issues.snapshot.resolve import resolve_untranslated_content
from newsletter.issues.snapshot.versions import make_language_versions
from newsletter.issues.variants.recipient_groups import find_possible_recipients
from newsletter.models import Issue
from subscribers.audience.kept_counts import count_or_recall
from subscribers.models import Subscription

FIELD_LABELS = {
    "subject": _("Subject"),
    "preheader": _("Preheader"),
    "headline": _("Headline"),
    "heading": _("Heading"),
    "text": _("Text"),
    "alt": _("What the image shows"),
    "summary": _("Summary"),
    "button": _("Button"),
    "title": _("Title"),
    "url": _("Address"),
    "who": _("Who"),
    "note": _("Note"),
    "caption": _("Caption"),
    "label": _("Words on the button"),
    "story": _("Story"),
    "event": _("Event"),
    "appeal": _("Appeal"),
}
MAX_TEXT_LENGTH = 80


@dataclass(frozen=True)
class LanguageState:
    """A further language. Its ``people`` read ``gaps`` (where, text) in the publication's language."""

    code: str
    name: str
    people: int
    translated: int
    gaps: list[tuple[str, str]]
    url: str


class LanguagesContext(TypedDict):
    """The context of desk/parts/languages.html."""

    languages: list[LanguageState]
    own_language: str


NO_LANGUAGES: LanguagesContext = {"languages": [], "own_language": ""}


def languages_context(issue: Issue, *, now: datetime) -> LanguagesContext:
    """Return the further languages of an issue that can still change."""
    if not issue.publication.languages:
        return NO_LANGUAGES
    blocks = label_blocks(issue)
    versions = make_language_versions(resolve_untranslated_content(issue), issue=issue)
    states = [_describe(version, issue=issue, blocks=blocks, now=now) for version in versions]
    return {"languages": states, "own_language": language_label(issue.publication.language)}


def label_part(block: str, field: str, *, blocks: dict[str, str]) -> str:
    """Return where a text is: its block, and its field."""
    label = str(FIELD_LABELS.get(field, field.replace("_", " ").capitalize()))
    return f"{blocks[block]} · {label}" if block in blocks else label


def translate_url(issue: Issue, language: str) -> str:
    return reverse("newsletter_issue_translate", args=[issue.pk, language])


def _describe(version: LanguageVersion, *, issue: Issue, blocks: dict[str, str], now: datetime) -> LanguageState:
    code = version.language
    reads = Q(subscriber__language__iexact=code) | Q(subscriber__language__istartswith=f"{code}-")

    def select(at: datetime) -> QuerySet[Subscription]:
        return find_possible_recipients(issue, now=at).filter(reads)

    try:
        people = count_or_recall("language", select, lambda: select(now).count(), now=now)
    except BadRule:  # the issue's checks explain it
        people = 0
    gaps = {gap: _describe_gap(gap, blocks) for gap in version.gaps}
    return LanguageState(
        code=code,
        name=language_label(code),
        people=people,
        translated=version.translated,
        gaps=list(gaps.values()),
        url=translate_url(issue, code),
    )


def _describe_gap(gap: Gap, blocks: dict[str, str]) -> tuple[str, str]:
    text = Truncator(" ".join(plain_text(gap.text).split())).chars(MAX_TEXT_LENGTH)
    return label_part(gap.block, gap.field, blocks=blocks), text
