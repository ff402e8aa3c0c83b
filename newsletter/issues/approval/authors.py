"""Find the authors of an issue: everybody who edited it, the content that it shows, or the rules of its audience.

If a publication needs another approver, an author's own approval does not count.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from wagtail.images.models import Image
from wagtail.models import Revision

from newsletter.common.database.one_reading import read_once
from newsletter.common.errors import BadRule, NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.content_links import find_linked_stories
from newsletter.issues.snapshot.own_texts import hash_text, list_own_texts
from newsletter.issues.snapshot.records.blocks import list_appeals
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import remove_filled_blocks, resolve_complete_content
from newsletter.models import (
    Appeal,
    Approval,
    ContentEdit,
    EventNotice,
    Issue,
    Source,
    Story,
    StoryImage,
    TextTranslation,
)
from subscribers.models import Case, MailingList, Segment, Topic
from subscribers.segments.resolve import resolve_rule

Parts = dict[str, set[int]]
"""Row ids by ``app.model``."""
_IMAGE = "wagtailimages.image"
_IMAGES = ("picture", "image", "logo", "logo_dark")
_MAX_NAMED = 3
_LABELS: dict[str, Callable[[str], Message]] = {
    "newsletter.issue": lambda name: Message("the issue"),
    "newsletter.story": lambda name: Message("the story “%(title)s”", title=name),
    "newsletter.eventnotice": lambda name: Message("the event “%(title)s”", title=name),
    "newsletter.appeal": lambda name: Message("the appeal “%(title)s”", title=name),
    "newsletter.publication": lambda name: Message("the publication"),
    "newsletter.brand": lambda name: Message("the brand"),
    "newsletter.source": lambda name: Message("the source “%(name)s”", name=name),
    "subscribers.mailinglist": lambda name: Message("the list “%(name)s”", name=name),
    "subscribers.segment": lambda name: Message("the segment “%(name)s”", name=name),
    "subscribers.topic": lambda name: Message("the topic “%(name)s”", name=name),
    "subscribers.case": lambda name: Message("the case “%(name)s”", name=name),
    _IMAGE: lambda name: Message("the image “%(name)s”", name=name),
}
"""What is edited in each kind of row, for a sentence. The order is that of the sentence."""


@dataclass(frozen=True)
class _Work:
    """The rows that record what staff did for an issue."""

    revisions: QuerySet[Revision]
    edits: QuerySet[ContentEdit]
    uploads: "QuerySet[Any]"
    translations: QuerySet[TextTranslation]


def find_authors(issue: Issue) -> set[int]:
    """Return the ids of the staff who edited the issue or a part of it since it was assembled.

    A person who ever wrote or edited a story or event without a source is an author: nobody else has read it.
    """
    return read_once("authors", lambda: _list_authors(_find_current_work(issue)), issue)


def find_authors_of_approved(issue: Issue, approval: Approval) -> set[int]:
    """Return the authors of the content that an approval is for, as of its time. The content is not read again."""
    contents = [IssueContent.from_json(approval.revision.content)]
    question = f"authors of approval {approval.pk}"
    return read_once(question, lambda: _list_authors(_find_work(issue, contents=contents, until=approval.at)), issue)


def describe_authors(issue: Issue) -> Message:
    """Return who edited which parts of the issue, as a clause such as “Ana edited the story “A new well””."""
    people = User.objects.filter(pk__in=find_authors(issue)).order_by("pk")
    return Message(
        "%(people)s edited %(parts)s",
        people=Message.joined([person.get_full_name() or person.get_username() for person in people], between=", "),
        parts=Message.joined(_name_parts(issue), between=", "),
    )


def _name_parts(issue: Issue) -> list[Message]:
    """Return the edited parts, with the number of those beyond the first three."""
    work = _find_current_work(issue)
    rows: Parts = defaultdict(set)
    for kind, row in work.edits.values_list("kind", "row_id"):
        rows[kind].add(row)
    rows[_IMAGE] |= set(work.uploads.values_list("pk", flat=True))
    if work.revisions.exists():
        rows[_name(Issue)].add(issue.pk)
    named = [part for kind in _LABELS for part in _label_rows(kind, rows[kind])]
    if work.translations.exists():
        named.append(Message("a translation"))
    if len(named) > _MAX_NAMED:
        named[_MAX_NAMED:] = [Message("and %(number)s more", number=len(named) - _MAX_NAMED)]
    return named or [Message("its content")]


def _label_rows(kind: str, rows: set[int]) -> list[Message]:
    found = apps.get_model(kind)._default_manager.filter(pk__in=rows).order_by("pk")
    return [_LABELS[kind](str(row)) for row in found]


def _find_current_work(issue: Issue) -> _Work:
    return _find_work(issue, contents=find_current_content(issue))


def _list_authors(work: _Work) -> set[int]:
    return {
        *work.translations.values_list("by_id", flat=True),
        *work.uploads.values_list("uploaded_by_user_id", flat=True),
        *work.revisions.values_list("user_id", flat=True),
        *work.edits.values_list("person_id", flat=True),
    }


def _find_work(issue: Issue, *, contents: Sequence[IssueContent], until: datetime | None = None) -> _Work:
    revisions = Revision.objects.for_instance(issue).filter(user__isnull=False)
    parts = find_issue_parts(issue, current=contents)
    edits = ContentEdit.objects.filter(Q(at__gte=issue.made_at) | _of_rows(_find_typed_rows(parts))).filter(
        _of_rows(parts)
    )
    uploads = Image.objects.filter(pk__in=parts[_IMAGE], created_at__gte=issue.made_at, uploaded_by_user__isnull=False)
    translations = TextTranslation.objects.filter(
        publication=issue.publication_id,
        at__gte=issue.made_at,
        by__isnull=False,
        source_sha256__in=_hash_texts(issue, contents=contents),
    )
    if until is not None:
        revisions, edits = revisions.filter(created_at__lte=until), edits.filter(at__lte=until)
        uploads, translations = uploads.filter(created_at__lte=until), translations.filter(at__lte=until)
    return _Work(revisions, edits, uploads, translations)


def _of_rows(parts: Parts) -> Q:
    of_rows = Q(pk__in=[])
    for kind, rows in parts.items():
        of_rows |= Q(kind=kind, row_id__in=rows)
    return of_rows


def _find_typed_rows(parts: Parts) -> Parts:
    """Return the stories and events without a source."""
    return {
        _name(model): set(
            model.objects.filter(pk__in=parts[_name(model)], source__isnull=True).values_list("pk", flat=True)
        )
        for model in (Story, EventNotice)
    }


def _hash_texts(issue: Issue, *, contents: Sequence[IssueContent]) -> set[str]:
    """Return the hashes of the texts of an issue that can be translated."""
    texts = {text.sha256 for content in contents for text in list_own_texts(content)}
    return texts | {hash_text(issue.publication.subject)}


def find_current_content(issue: Issue) -> list[IssueContent]:
    """Return the issue's content as it is now; nothing if a part is not complete."""
    with suppress(NotReady, OSError):
        return [resolve_complete_content(issue)]
    return []


def find_issue_parts(issue: Issue, *, current: Sequence[IssueContent]) -> Parts:
    """Return every row that the issue shows or showed before, and every row that decides who gets it.

    Every frozen content is read too, because an edit of removed content counts.
    """
    frozen = issue.content_revisions.values_list("content", flat=True).iterator()
    bodies = [issue.body.get_prep_value(), issue.assembled.get("body", [])]
    return _find_parts(issue, chain(current, map(IssueContent.from_json, frozen)), bodies)


def find_shown_parts(issue: Issue) -> Parts:
    """Return every row that the issue shows now, and every row that decides who gets it."""
    return _find_parts(issue, find_current_content(issue), [issue.body.get_prep_value()])


def _find_parts(issue: Issue, contents: Iterable[IssueContent], bodies: list[object]) -> Parts:
    parts: Parts = defaultdict(set)
    parts[issue._meta.label_lower].add(issue.pk)
    publication = issue.publication
    segments = [segment for segment in (publication.segment, issue.segment) if segment is not None]
    for row in (publication, publication.brand, publication.mailing_list, *segments):
        parts[row._meta.label_lower].add(row.pk)
    for segment in segments:
        _add_named(parts, segment)
    for content in contents:
        _add_shown(parts, remove_filled_blocks(content))
    for body in bodies:
        _add_chosen(parts, body)
    _add_parts_of_stories(parts)
    return parts


def _add_shown(parts: Parts, content: IssueContent) -> None:
    parts[_name(Story)] |= content.story_rows | find_linked_stories(content)
    announced = content.issue.announces
    events = [event for version in content.all_versions for event in version.events]
    events += [announced.event] if announced else []
    appeals = [appeal for block in content.all_blocks for appeal in list_appeals(block)]
    for kind, rows in ((EventNotice, events), (Appeal, appeals)):
        parts[_name(kind)] |= {row.id for row in rows} | {row.translation_id for row in rows if row.translation_id}


def _add_chosen(parts: Parts, value: object, *, name: str = "") -> None:
    """Add the rows that the body names by id, even if they are withdrawn, cancelled or switched off and so not shown."""
    match value:
        case {"type": "item", "value": item}:
            _add_chosen(parts, item, name=name)
        case dict():
            for key, item in value.items():
                _add_chosen(parts, item, name=key)
        case list():
            for item in value:
                _add_chosen(parts, item, name=name)
        case int() if name in _IMAGES:
            parts[_IMAGE].add(value)
        case int() if name == "story":
            parts[_name(Story)].add(value)
        case int() if name in ("event", "events"):
            parts[_name(EventNotice)].add(value)
        case int() if name == "appeals":
            parts[_name(Appeal)].add(value)


def _add_named(parts: Parts, segment: Segment) -> None:
    """Add the lists and topics that the segment's rule names."""
    try:
        _add_of_rule(parts, resolve_rule(segment.rule))
    except BadRule:
        return


def _add_of_rule(parts: Parts, rule: Mapping[str, Any]) -> None:
    for key, model in (("list", MailingList), ("topic", Topic)):
        if key in rule:
            parts[_name(model)].add(rule["id"])
    for group in ("all", "any", "none"):
        for part in rule.get(group, []):
            _add_of_rule(parts, part)


def _add_parts_of_stories(parts: Parts) -> None:
    stories, events = parts[_name(Story)], parts[_name(EventNotice)]
    sources = [
        *Story.objects.filter(pk__in=stories, source__isnull=False).values_list("source_id", flat=True),
        *EventNotice.objects.filter(pk__in=events, source__isnull=False).values_list("source_id", flat=True),
    ]
    parts[_name(Source)] |= set(sources)
    images = Story.objects.filter(pk__in=stories, library_image__isnull=False)
    parts[_IMAGE] |= set(images.values_list("library_image_id", flat=True))
    parts[_IMAGE] |= set(StoryImage.objects.filter(story__in=stories).values_list("image_id", flat=True))
    cases = Story.objects.filter(pk__in=stories, case__isnull=False)
    parts[_name(Case)] |= set(cases.values_list("case_id", flat=True))
    topics = Story.topics.through.objects.filter(story_id__in=stories)
    parts[_name(Topic)] |= set(topics.values_list("topic_id", flat=True))


def _name(model: type[Any]) -> str:
    return str(model._meta.label_lower)
