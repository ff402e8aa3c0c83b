"""Hold the corrections that wait to be sent if a story that they may be about was withdrawn or is gone."""

from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from newsletter.common.errors import WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.archive.correction_text import list_corrected, list_corrections
from newsletter.issues.assembly.restored_slots import HELD_AT_ASSEMBLY, HELD_FOR
from newsletter.issues.snapshot.exposure import find_variants_showing
from newsletter.models import Issue, Send, ShownItem, Story
from newsletter.models.content.stories import StoryQuerySet
from newsletter.rendering.phrases import reader_text


def find_corrections_about(rows: list[Story]) -> list[Issue]:
    """Return the corrections, newest first, of issues whose mails show one of these stories. They may be about it.

    Those that were cancelled before their send are left out.
    """
    showing = find_variants_showing(ShownItem.Kind.STORY, *(row.pk for row in rows))
    corrections = Issue.objects.filter(pk__in=list_corrections(showing.values_list("issue", flat=True).distinct()))
    never_sent = Q(state=Issue.State.CANCELLED) & ~Q(pk__in=Send.objects.values("issue"))
    return list(corrections.exclude(never_sent).select_related("publication").order_by("-made_at", "-pk"))


def hold_correction(correction: Issue, *, reason: Message, now: datetime) -> None:
    """Hold the correction and withdraw its approvals. Its subject no longer has the subject of the issue that it corrects.

    If it is held because it may have been sent before a restore, that reason stays: staff must not read that they can release it.
    Raises WrongState if its send has begun.
    """
    with transaction.atomic():
        withdraw_approvals(issue=correction, now=now)
        if any(
            corrected.subject and corrected.subject in correction.subject for corrected in list_corrected(correction)
        ):
            publication = correction.publication
            correction.subject = reader_text("mistake_subject", publication.language, title=publication.name)
            correction.save()
            correction.store_revision()
        if not correction.held or correction.held_reason not in (HELD_FOR, HELD_AT_ASSEMBLY):
            hold_issue(issue=correction, reason=reason)


def hold_corrections_of_gone_stories(*, now: datetime) -> list[Issue]:
    """Hold each waiting correction once after a story that it may be about is gone. Return the issues. Safe to repeat."""
    is_correction = Q(kind=Issue.Kind.CORRECTION) | Q(completes__isnull=False)
    waiting = Issue.objects.filter(is_correction, state__in=Issue.UNSENT_STATES, held=False)
    held = []
    for correction in waiting.select_related("publication"):
        read_at = correction.released_at or correction.made_at
        gone = _find_gone_stories(list_corrected(correction)).stopped_since(read_at).first()
        if gone is not None:
            reason = Message(
                "The story “%(title)s” is gone from its source. This correction may be about it. Read its text, and change it "
                "if it is. Then release it.",
                title=gone.title[:200],
            )
            with suppress(WrongState):  # its send has begun since it was read
                hold_correction(correction, reason=reason, now=now)
                held.append(correction)
    return held


def _find_gone_stories(issues: list[Issue]) -> StoryQuerySet:
    shown = ShownItem.objects.filter(kind=ShownItem.Kind.STORY, variant__issue__in=issues)
    return Story.objects.gone().filter(pk__in=shown.values("row_id"))
