"""Hide the text of a correction if a story was withdrawn after it was sent: the text may be about the person in the story."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from newsletter.issues.archive.hidden_stories import find_hidden_for_each
from newsletter.issues.snapshot.consent_rules import EMAIL
from newsletter.issues.snapshot.exposure import shows_stopped_story_to_anybody
from newsletter.issues.snapshot.records.blocks import NoteBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.unreached import find_root, list_parts
from newsletter.models import Issue, IssueRevision, Story
from newsletter.rendering.phrases import reader_text


def list_corrected(issue: Issue) -> list[Issue]:
    """Return the issue whose mistake this one corrects. If that is a correction too, go on with what it corrects."""
    found: list[Issue] = []
    original: Issue | None = issue
    while original is not None and original.kind == Issue.Kind.CORRECTION:
        original = Issue.objects.filter(corrections__issue=find_root(original)).first()
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


def may_name_stopped_story(issue: Issue) -> bool:
    """Return True if a mail of the issue, or of an issue that it corrects, shows a story that was withdrawn or is gone."""
    return any(shows_stopped_story_to_anybody(shown) for shown in (issue, *list_corrected(issue)))


def may_name_hidden_story(correction: Issue, *, sent_at: datetime, at: datetime) -> bool:
    """Return True if a story of an issue that it corrects may not be shown at a moment, and was stopped after ``sent_at``.

    Staff knew of a withdrawal that is older, and may have written the correction because of it.
    """
    corrected = list_corrected(correction)
    if not corrected:
        return False
    revisions = IssueRevision.objects.filter(issue__in=corrected, variants__isnull=False).distinct()
    contents = [IssueContent.from_json(data) for data in revisions.values_list("content", flat=True)]
    hidden = set[int | str]().union(*find_hidden_for_each(contents, channel=EMAIL, at=at))
    ids = [story for story in hidden if isinstance(story, int)]
    return not hidden.issubset(Story.objects.stopped_before(sent_at).filter(pk__in=ids).values_list("pk", flat=True))


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
