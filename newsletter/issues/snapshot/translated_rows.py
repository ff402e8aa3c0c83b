"""Find the rows that translate the stories, events and appeals of a content, and its parts in one language."""

from typing import Any, TypeVar

from django.db.models import BigIntegerField, Q
from django.db.models.functions import Coalesce

from newsletter.common.languages import find_offered_language
from newsletter.content.ingesting.translated_events import has_same_location
from newsletter.issues.snapshot.records.blocks import AppealsBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Appeal, EventNotice, Story

_Row = TypeVar("_Row", Story, EventNotice, Appeal)
RowsByLanguage = dict[tuple[int, str], _Row]
"""Translations by the id of the original and the language."""


def find_translations(model: type[_Row], ids: set[int]) -> RowsByLanguage[_Row]:
    """Return the other rows of the same content that may be shown at all: translations, the original, and its others."""
    manager: Any = model._default_manager
    originals = dict(
        manager.filter(pk__in=ids).values_list("pk", Coalesce("translation_of", "pk", output_field=BigIntegerField()))
    )
    original_ids = set(originals.values())
    rows = manager.filter(Q(pk__in=original_ids) | Q(translation_of__in=original_ids)).select_related("translation_of")
    if model is EventNotice:
        rows = rows.select_related("translation_of", "source")
    if model is Story:
        rows = rows.filter(withdrawn_at__isnull=True, gone_at__isnull=True)
    by_original = {
        (row.translation_of_id or row.pk, find_offered_language(row.language)): row for row in rows.order_by("-pk")
    }
    return {
        (pk, language): row
        for pk, original in originals.items()
        for (of, language), row in by_original.items()
        if of == original and row.pk != pk
    }


def find_translated_location(event: EventNotice, *, original: EventNotice) -> str | None:
    """Return the words of a translation for the location, or None if it has none of its own, or may be elsewhere."""
    words = event.place_text
    return words if words and words != original.place_text and has_same_location(event, original) else None


def list_languages_of_appeals(content: IssueContent) -> dict[int, str]:
    """Return the language of each appeal that has one, by its id."""
    ids = {appeal.id for block in content.blocks if isinstance(block, AppealsBlock) for appeal in block.appeals}
    rows = Appeal.objects.filter(pk__in=ids).exclude(language="").values_list("pk", "language")
    return {pk: find_offered_language(language) for pk, language in rows}


def find_blocks_of_languages(content: IssueContent) -> dict[str, str]:
    """Return the language of each block that only readers of one language see, by its key: it is written in theirs."""
    return {
        block.key: find_offered_language(rule.value)
        for block in content.blocks
        for rule in block.shown_to
        if rule.kind == "language"
    }
