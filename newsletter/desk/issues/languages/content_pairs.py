"""The stories, events and appeals of an issue, each with its translation into one language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.languages import find_offered_language
from newsletter.issues.snapshot.language_version import LanguageVersion
from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    StoriesBlock,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.translated_rows import find_blocks_of_languages
from newsletter.models import Appeal, EventNotice, Story

Row = Story | EventNotice | Appeal
Model = type[Story] | type[EventNotice] | type[Appeal]


@dataclass(frozen=True)
class Side:
    """A row as the page shows it. ``edit_url`` is empty for people who may not edit it."""

    title: str
    text: str
    edit_url: str


@dataclass(frozen=True)
class ContentPair:
    """A row and its translation. ``add_url`` leads to the form for a missing one; it is empty for people who may not add it."""

    label: str
    original: Side
    translation: Side | None
    is_shown: bool
    button: str
    add_url: str


def list_content_pairs(
    content: IssueContent, version: LanguageVersion, *, user: User | AnonymousUser
) -> list[ContentPair]:
    """Return a pair for each row of the content that is not in the version's language, in the order of the mail.

    A block that only readers of one language see is left out: nobody else gets its rows.
    """
    translated_ids = {
        model: {record.translation_id for record in records}
        for model, records in _list_records(version.content).items()
    }
    pairs: list[ContentPair] = []
    for model, records in _list_records(content).items():
        ids = list(dict.fromkeys(record.id for record in records))
        rows: dict[int, Row] = _manager(model).in_bulk(ids)
        translations = _find_translations(model, rows.values(), language=version.language)
        for pk in filter(rows.__contains__, ids):
            if find_offered_language(rows[pk].language) != version.language:
                translation = translations.get(_original_of(rows[pk]))
                is_shown = translation is not None and translation.pk in translated_ids[model]
                pairs.append(_make_pair(rows[pk], translation, is_shown=is_shown, language=version.language, user=user))
    return pairs


def _list_records(content: IssueContent) -> dict[Model, list[Any]]:
    records: dict[Model, list[Any]] = {Story: [], EventNotice: [], Appeal: []}
    limited = find_blocks_of_languages(content)
    for block in content.blocks:
        if block.key in limited:
            continue
        match block:
            case LeadStoryBlock():
                records[Story].append(block.story)
            case StoriesBlock():
                records[Story].extend(block.stories)
            case EventsBlock() | EventCardBlock():
                records[EventNotice].extend(block.events)
            case AppealsBlock():
                records[Appeal].extend(block.appeals)
    return records


def _find_translations(model: Model, rows: Iterable[Row], *, language: str) -> dict[int, Row]:
    """Return the rows of the same content in the language by the id of the original, also those that no mail may show."""
    originals = {_original_of(row) for row in rows}
    same = _manager(model).filter(Q(pk__in=originals) | Q(translation_of__in=originals)).order_by("-pk")
    return {_original_of(row): row for row in same if find_offered_language(row.language) == language}


def _original_of(row: Row) -> int:
    return int(row.translation_of_id or row.pk)


def _make_pair(
    row: Row, translation: Row | None, *, is_shown: bool, language: str, user: User | AnonymousUser
) -> ContentPair:
    query = urlencode({"translation_of": _original_of(row), "language": language})
    label, button = _label(row)
    return ContentPair(
        label=label,
        original=_make_side(row, user),
        translation=_make_side(translation, user) if translation else None,
        is_shown=is_shown,
        button=button,
        add_url=f"{_url(row, 'add')}?{query}" if user.has_perm(f"newsletter.add_{row._meta.model_name}") else "",
    )


def _label(row: Row) -> tuple[str, str]:
    """Return the kind of the row, and the button that translates it."""
    match row:
        case Story():
            return _("Story"), _("Translate this story")
        case EventNotice():
            return _("Event"), _("Translate this event")
        case _:
            return _("Appeal"), _("Translate this appeal")


def _make_side(row: Row, user: User | AnonymousUser) -> Side:
    title, text = {
        Story: ("title", "teaser"),
        EventNotice: ("title", "summary"),
        Appeal: ("headline", "text"),
    }[type(row)]
    may_edit = user.has_perm(f"newsletter.change_{row._meta.model_name}")
    return Side(getattr(row, title), getattr(row, text), _url(row, "edit", row.pk) if may_edit else "")


def _url(row: Row, name: str, *args: int) -> str:
    return reverse(f"wagtailsnippets_newsletter_{row._meta.model_name}:{name}", args=args)


def _manager(model: Model) -> Any:
    return model._default_manager
