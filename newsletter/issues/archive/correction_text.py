"""Hide the text of a correction if a story was withdrawn after it was sent: the text may be about the person in the story."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Q, QuerySet

from newsletter.issues.archive.hidden_stories import find_hidden_for_each
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.exposure import shows_stopped_story_to_anybody
from newsletter.issues.snapshot.records.blocks import NoteBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.unreached import find_root, list_parts
from newsletter.models import Correction, Issue, IssueRevision, Story, Variant
from newsletter.rendering.phrases import reader_text


def list_corrected(issue: Issue) -> list[Issue]:
    """Return the issue whose mistake this one corrects. If that is a correction too, go on with what it corrects.

    An issue that completes a correction corrects the same.
    """
    found: list[Issue] = []
    original: Issue | None = issue
    while original is not None:
        root = find_root(original)
        is_correction = root.kind == Issue.Kind.CORRECTION
        original = Issue.objects.filter(corrections__issue=root).first() if is_correction else None
        found += [original] if original else []
    return found


def list_corrections(issue_ids: Iterable[int]) -> list[int]:
    """Return the ids of the corrections of these issues' mistakes and of the mistakes in these, with what completes them."""
    found: list[int] = []
    newest = list(issue_ids)
    while newest:
        corrections = Issue.objects.filter(correction__corrects__in=newest)
        newest = [part for correction in corrections for part in list_parts(correction)]
        found += newest
    return found


def find_corrected(issue_ids: Iterable[int]) -> set[int]:
    """Return the ids of those of these issues whose mistakes have a correction, sent or not."""
    return set(Correction.objects.filter(corrects__in=list(issue_ids)).values_list("corrects", flat=True))


def may_name_stopped_story(issue: Issue) -> bool:
    """Return True if a mail of the issue, or of an issue that it corrects, shows a story that was withdrawn or is gone."""
    return any(shows_stopped_story_to_anybody(shown) for shown in (issue, *list_corrected(issue)))


def has_story_hidden_since(issues: list[Issue], *, since: datetime, at: datetime) -> bool:
    """Return True if a story of these issues may not be shown at a moment, unless that is known to be so since before ``since``.

    Nobody knows when a story was deleted or its consent was changed, so these count.
    """
    if not issues:
        return False
    variants = Variant.objects.filter(issue__in=issues)
    revisions = IssueRevision.objects.filter(pk__in=variants.values("revision"))
    contents = [IssueContent.from_json(data) for data in revisions.values_list("content", flat=True)]
    hidden = set[int | str]().union(*find_hidden_for_each(contents, channel=EMAIL, at=at))
    ids = {story for story in hidden if isinstance(story, int)}
    return not ids.issubset(_find_stopped_before(ids, moment=since))


def _find_stopped_before(ids: Iterable[int], *, moment: datetime) -> QuerySet[Story, int]:
    """Return the ids of those stories whose every stop was before the moment: a withdrawal, a removal, a consent that ran out."""
    day = moment.date()
    stopped = Story.objects.filter(
        Q(pk__in=Story.objects.withdrawn().values("pk"))
        | Q(pk__in=Story.objects.gone().values("pk"))
        | Q(consent_expires_on__lt=day)
        | Q(translation_of__consent_expires_on__lt=day),
        pk__in=ids,
    )
    return stopped.exclude(pk__in=Story.objects.stopped_since(moment).values("pk")).values_list("pk", flat=True)


def hide_text(content: IssueContent) -> IssueContent:
    """Return a correction's content with a sentence in place of its text, and a subject that names no story."""
    return replace(_hide_in_version(content), versions=tuple(map(_hide_in_version, content.versions)))


def _hide_in_version(version: IssueContent) -> IssueContent:
    language = version.publication.language
    note = NoteBlock(
        key="hidden",
        heading=reader_text("mistake_heading", language),
        html=f"<p>{reader_text('correction_hidden', language)}</p>",
    )
    subject = reader_text("mistake_subject", language, title=version.publication.name)
    return replace(
        version, subject=subject, preheader="", headline="", blocks=(note,), subject_test=None, untranslated=()
    )
