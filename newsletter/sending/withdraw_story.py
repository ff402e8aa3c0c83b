"""Withdraw a story and its translations from waiting issues, running sends, the archive and online views.

Its pictures also disappear from delivered mails. The mails themselves cannot be recalled; they are counted.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message
from newsletter.common.text import require_length
from newsletter.content.parsing.urls import normalise_url
from newsletter.issues.approval.approve import withdraw_approvals
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.write_notices import notify_hold
from newsletter.issues.assembly.restored_slots import HELD_AT_ASSEMBLY, HELD_FOR
from newsletter.issues.corrections.hold_corrections import find_corrections_about
from newsletter.issues.corrections.people_of_story import Reach, find_reach
from newsletter.issues.snapshot.exposure import find_variants_showing
from newsletter.issues.snapshot.records.blocks import list_pictures
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Issue, IssueRevision, Picture, ShownItem, Story
from newsletter.outbound.publishing_facts import report_story
from newsletter.sending.mails_with_story import find_paused_with, find_unsent_with, pause_withdrawn
from newsletter.sending.withdraw_corrections import hold_waiting_corrections, pause_corrections
from newsletter.sending.withdrawal_journal import find_copies, find_lost_withdrawals, journal_withdrawal
from subscribers.models import EventKind

LOST_IN_RESTORE = Message("It was withdrawn after the backup that was restored.")
MAX_REASON = 300


@dataclass(frozen=True)
class Withdrawal:
    """The changes of a withdrawal: ``held`` and ``paused`` issues, ``pictures``, and the ``reach`` of sent mails.

    ``corrections`` are those of issues that show the story: they may be about it.
    """

    reach: list[Reach] = field(default_factory=list)
    held: list[Issue] = field(default_factory=list)
    paused: list[Issue] = field(default_factory=list)
    pictures: int = 0
    corrections: list[Issue] = field(default_factory=list)

    @property
    def mails_sent(self) -> int:
        """Return the number of mails that already show the story. Somebody who had it in two issues counts twice."""
        return sum(reached.people for reached in self.reach)

    @property
    def is_most(self) -> bool:
        """Return True if `mails_sent` is an upper limit, not an exact number."""
        return any(reached.is_most for reached in self.reach)


def withdraw_story(*, story: Story, by: User | AnonymousUser, reason: str, now: datetime) -> Withdrawal:
    """Withdraw the story and all its copies, and stop its translations. Pictures of versions that stay are kept.

    Raise NotAllowed, BadValue if the reason is too long, or WrongState if it is withdrawn already.
    """
    _require_permission(by)
    require_length(reason, limit=MAX_REASON, name="reason")
    return _withdraw(story, by=by, reason=reason, now=now)


def withdraw_again(*, now: datetime) -> list[Story]:
    """Withdraw the stories that were withdrawn after the backup that was restored, and return them."""
    lost = find_lost_withdrawals()
    for story in lost:
        if Story.objects.filter(pk=story.pk, withdrawn_at__isnull=True).exists():  # not with another row of the list
            _withdraw(story, by=AnonymousUser(), reason=LOST_IN_RESTORE, now=now)
    return lost


def _withdraw(story: Story, *, by: User | AnonymousUser, reason: str, now: datetime) -> Withdrawal:
    with transaction.atomic():
        rows = list(Story.objects.stopped_with(story))
        waiting = list(find_unsent_with(story, rows))
        corrections = find_corrections_about(rows)
        copies = find_copies(story).filter(withdrawn_at__isnull=True)
        journal_withdrawal(copies, now=now)
        if not copies.update(withdrawn_at=now, withdrawn_reason=reason):
            raise WrongState("“%(title)s” was withdrawn already. Nothing was changed.", title=story.title)
        story.refresh_from_db()
        _report(EventKind.STORY_WITHDRAWN, story, now=now)
        files = _list_stopped_pictures(story)
        pictures = Picture.objects.filter(sha256__in=files, withdrawn_at=None).update(withdrawn_at=now)
        held = [_hold(issue, visible, reworded=reworded, by=by, now=now) for issue, visible, reworded in waiting]
        others = [correction for correction in corrections if correction not in held]
        return Withdrawal(
            reach=find_reach(story),
            held=[*held, *hold_waiting_corrections(others, story=story, by=by, now=now)],
            paused=[*_pause_with(story), *pause_corrections(corrections, story=story)],
            pictures=pictures,
            corrections=corrections,
        )


def reinstate_story(*, story: Story, by: User | AnonymousUser) -> None:
    """Undo a withdrawal. Issues that were held and sends that were paused stay so until staff release them.

    Pictures that were withdrawn at another time, such as a deleted upload, stay withdrawn. So do those of another story that
    is withdrawn.
    Raise NotAllowed, or WrongState if the story is not withdrawn.
    """
    _require_permission(by)
    with transaction.atomic():
        copies = find_copies(story).filter(withdrawn_at__isnull=False)
        moments = set(copies.values_list("withdrawn_at", flat=True))
        journal_withdrawal(copies, now=timezone.now(), removed=True)
        if not copies.update(withdrawn_at=None, withdrawn_reason=""):
            raise WrongState("“%(title)s” is not withdrawn. Nothing was changed.", title=story.title)
        pictures = Picture.objects.filter(withdrawn_at__in=moments)
        shown_pictures = pictures.filter(sha256__in=_list_pictures(_list_shown_versions(story)))
        back = list(shown_pictures.values_list("pk", flat=True))
        shown_pictures.update(withdrawn_at=None)
        for withdrawn_story in _find_others_with(back, story=story) if back else []:
            shared = Picture.objects.filter(pk__in=back, sha256__in=_list_stopped_pictures(withdrawn_story))
            shared.update(withdrawn_at=withdrawn_story.withdrawn_at)
        story.refresh_from_db()
        if story.translation_of and story.translation_of.withdrawn_at:
            waiting = pictures.filter(sha256__in=_list_pictures([story]))
            waiting.update(withdrawn_at=story.translation_of.withdrawn_at)
        _report(EventKind.STORY_CORRECTED, story, now=timezone.now())


def _pause_with(story: Story) -> list[Issue]:
    """Pause the sends whose remaining mails show the story. Return their issues, and those of sends that were paused before."""
    paused = pause_withdrawn()
    return [*paused, *(issue for issue in find_paused_with(story) if issue not in paused)]


def _hold(issue: Issue, story: Story, *, reworded: IssueContent, by: User | AnonymousUser, now: datetime) -> Issue:
    """Withdraw the issue's approvals, adapt its subject and preheader, hold it for staff to read, and notify the approvers."""
    withdraw_approvals(issue=issue, now=now)
    if (issue.subject, issue.preheader) != (reworded.subject, reworded.preheader):
        issue.subject, issue.preheader = reworded.subject, reworded.preheader
        issue.save()
        issue.store_revision()
    if issue.held and issue.held_reason in (HELD_FOR, HELD_AT_ASSEMBLY):
        return issue  # it may have been sent already: staff must not read that they can release it
    hold_issue(
        issue=issue,
        reason=Message(
            "The story “%(title)s” was withdrawn and is no longer in it. Read the issue and its subject again, then "
            "release it.",
            title=story.title[:200],
        ),
    )
    notify_hold(issue, now=now, by=by)
    return issue


def _list_shown_versions(story: Story) -> list[Story]:
    """Return the rows of the story, its original and its translations that are not withdrawn."""
    return list(Story.objects.stopped_with(story.translation_of or story).exclude(pk__in=Story.objects.withdrawn()))


def _list_stopped_pictures(story: Story) -> set[str]:
    """Return the sha256 of the pictures that the withdrawn story and its translations had and no version that stays has."""
    stopped = list(Story.objects.stopped_with(story))
    return _list_pictures(stopped) - _list_pictures(_list_shown_versions(story))


def _find_others_with(pictures: Collection[int], *, story: Story) -> list[Story]:
    """Return the other withdrawn stories that have one of these pictures, or were shown in an issue with it.

    They are found by few statements: to read the pictures of each withdrawn story takes long, and the database waits.
    """
    files = Picture.objects.filter(pk__in=pictures).values("sha256")
    same = dict(Picture.objects.filter(sha256__in=files).values_list("pk", "name"))
    others = Story.objects.filter(withdrawn_at__isnull=False)
    others = others.exclude(pk__in=Story.objects.stopped_with(story.translation_of or story))
    rows = {other: set(Story.objects.stopped_with(other).values_list("pk", flat=True)) for other in others}
    items = ShownItem.objects.filter(kind=ShownItem.Kind.STORY, row_id__in=set().union(*rows.values()))
    revisions = set(items.values_list("variant__revision", flat=True))
    conditions = reduce(or_, (Q(raw__contains=name) for name in same.values()))
    searched = IssueRevision.objects.annotate(raw=Cast("content", TextField())).filter(conditions, pk__in=revisions)
    beside = items.filter(variant__revision__in=list(searched.values_list("pk", flat=True)))
    own = Story.objects.filter(Q(picture__in=same) | Q(images__picture__in=same))
    found = {*own.values_list("pk", flat=True), *beside.values_list("row_id", flat=True)}
    return [other for other, versions in rows.items() if not found.isdisjoint(versions)]


def _list_pictures(rows: list[Story]) -> set[str]:
    """Return the sha256 of the stories' own pictures and of the pictures that issues showed for them or from them."""
    names = set()
    ids = {story.pk for story in rows}
    pages = {normalise_url(story.address) for story in rows}
    revisions = IssueRevision.objects.filter(variants__in=find_variants_showing(ShownItem.Kind.STORY, *ids)).distinct()
    for data in revisions.values_list("content", flat=True):
        content = IssueContent.from_json(data)
        of_stories = [shown_story.picture for shown_story in content.stories if shown_story.id in ids]
        elsewhere = [
            picture
            for block in content.blocks
            for picture in list_pictures(block)
            if picture.story_url and normalise_url(picture.story_url) in pages
        ]
        names |= {_find_picture_name(picture.url) for picture in [*of_stories, *elsewhere] if picture}
    own_pictures = Q(pk__in={story.picture_id for story in rows}) | Q(library_images__story__in=ids)
    return set(Picture.objects.filter(own_pictures | Q(name__in=names)).values_list("sha256", flat=True))


def _report(kind: EventKind, story: Story, *, now: datetime) -> None:
    for row in (story, *story.translations.all()):
        report_story(kind, row, now=now)


def _find_picture_name(url: str) -> str:
    """Return the name of a picture from its URL on our site."""
    return url.removeprefix(f"{settings.NEWSLETTER_SITE_URL}/m/").rpartition(".")[0]


def _require_permission(by: User | AnonymousUser) -> None:
    if not by.has_perm("newsletter.change_story"):
        raise NotAllowed(
            "%(by)s may not withdraw stories. An administrator can give the role “writer” or “editor”.", by=by
        )
