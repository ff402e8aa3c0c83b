"""Takes a story back: out of the queue, issues, archive and online views, its pictures also out of mails already delivered.

Whoever looks after a person's story must be able to do this at once; what cannot be called back is counted, not hidden.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message, Quantity
from newsletter.issues.approval.approve import hold_issue, withdraw_approvals
from newsletter.issues.snapshot.exposure import Reach, find_reach, find_variants_showing, shows_withdrawn_story
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Batch, Issue, IssueRevision, Picture, Send, Shown, Story, move

_WAITING = (Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED)


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did, and how many people may have the story in a mail already."""

    reach: list[Reach] = field(default_factory=list)
    held: list[Issue] = field(default_factory=list)
    paused: list[Issue] = field(default_factory=list)
    pictures: int = 0

    @property
    def people(self) -> int:
        """Mails, counted by issue: somebody who had it in two publications counts twice."""
        return sum(one.people for one in self.reach)


def withdraw_story(*, story: Story, by: Any, reason: str, now: datetime) -> Withdrawal:
    """Raises NotAllowed, or WrongState where it was withdrawn already."""
    _require_permission(by)
    with transaction.atomic():
        waiting = list(_find_waiting(story))
        taken = Story.objects.filter(
            Q(pk=story.pk) | Q(same_as=story.pk) | Q(twins=story.pk), withdrawn_at__isnull=True
        ).update(withdrawn_at=now, withdrawn_reason=reason[:300])
        if not taken:
            raise WrongState("“%(title)s” was withdrawn already.", title=story.title)
        story.refresh_from_db()
        pictures = _pictures_of(story).update(withdrawn_at=now)
        return Withdrawal(
            reach=find_reach(Shown.Kind.STORY, story.pk),
            held=[_hold(issue, story, reworded=reworded, now=now) for issue, reworded in waiting],
            paused=pause_withdrawn(),
            pictures=pictures,
        )


def reinstate_story(*, story: Story, by: Any) -> None:
    """It was withdrawn by mistake. Issues that were held and sends that were paused wait for a person."""
    _require_permission(by)
    with transaction.atomic():
        rows = Story.objects.filter(Q(pk=story.pk) | Q(same_as=story.pk) | Q(twins=story.pk))
        if not rows.filter(withdrawn_at__isnull=False).update(withdrawn_at=None, withdrawn_reason=""):
            raise WrongState("“%(title)s” is not withdrawn.", title=story.title)
        _pictures_of(story).update(withdrawn_at=None)
        story.refresh_from_db()


def pause_withdrawn() -> list[Issue]:
    """Pause, and say why, each send that has mails to go which show a withdrawn story: those are never claimed.

    Part of the sweep as well, for sends that are resumed.
    """
    waiting = Batch.objects.filter(shows_withdrawn_story(), state=Batch.State.PENDING)
    of = [Send.State.READY, Send.State.SUBMITTING]
    sends = Send.objects.filter(pk__in=waiting.values("send"), state__in=of).select_related("issue__publication")
    return [
        send.issue
        for send in sends
        if move(send, of=of, to=Send.State.PAUSED, reason=_describe_pause(waiting.filter(send=send)))
    ]


def _describe_pause(batches: QuerySet[Batch]) -> str:
    people = sum(batches.values_list("size", flat=True))
    return Message(
        "a story in it was withdrawn or is gone at its source: the mails of %(people)s people that show "
        "it do not leave any more. To end the send, cancel it. Whoever has it already cannot be called "
        "back",
        people=Quantity(people),
    )


def _find_waiting(story: Story) -> Iterator[tuple[Issue, IssueContent]]:
    """Issues that did not go out yet and have the story, each with its content as it is without it."""
    waiting = Issue.objects.filter(state__in=_WAITING).select_related("publication__brand", "slot")
    for issue in waiting:
        content = resolve_content(issue)
        without = remove_stories(content, stories={story.pk, story.url})
        if without is not content:
            yield issue, without


def _hold(issue: Issue, story: Story, *, reworded: IssueContent, now: datetime) -> Issue:
    """Its approvals are taken back, its subject tells of what is left, and a person must look before it goes out."""
    withdraw_approvals(issue=issue, now=now)
    if (issue.subject, issue.preheader) != (reworded.subject, reworded.preheader):
        issue.subject, issue.preheader = reworded.subject, reworded.preheader
        issue.save()
        issue.save_revision(log_action=False)
    hold_issue(
        issue=issue,
        reason=Message(
            "The story “%(title)s” was withdrawn and is no longer in it. Read the issue again, its subject "
            "too, then release it.",
            title=story.title[:200],
        ),
    )
    return issue


def _pictures_of(story: Story) -> QuerySet[Picture]:
    """Every copy of the story's pictures, by whatever name: its own, and those that issues showed in its place."""
    names = set()
    revisions = IssueRevision.objects.filter(variants__in=find_variants_showing(Shown.Kind.STORY, story.pk)).distinct()
    for data in revisions.values_list("content", flat=True):
        for shown_story in IssueContent.from_json(data).stories:
            if shown_story.id == story.pk and shown_story.picture:
                names.add(_find_picture_name(shown_story.picture.url))
    shown = Picture.objects.filter(Q(pk=story.picture_id) | Q(name__in=names))
    return Picture.objects.filter(sha256__in=list(shown.values_list("sha256", flat=True)))


def _find_picture_name(url: str) -> str:
    """A picture's name from its address on our site."""
    return url.removeprefix(f"{settings.NEWSLETTER_SITE_URL}/m/").rpartition(".")[0]


def _require_permission(by: Any) -> None:
    if not by.has_perm("newsletter.change_story"):
        raise NotAllowed(
            "%(by)s may not withdraw stories. An administrator can give the role “writer” or “editor”.", by=by
        )
