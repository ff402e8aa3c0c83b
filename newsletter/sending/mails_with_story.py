"""Find the unsent issues and the sends that show a story, and pause the sends whose story was withdrawn."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.messages import Message, describe_people
from newsletter.issues.snapshot.exposure import find_variants_showing, shows_withdrawn_story
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Batch, Issue, Send, ShownItem, Story, transition

_RUNNING = (Send.State.READY, Send.State.SUBMITTING)


def find_unsent_with(story: Story, rows: list[Story]) -> Iterator[tuple[Issue, Story, IssueContent]]:
    """Yield the unsent issues that contain one of the rows, each with the row that it shows and its content without the rows."""
    waiting = Issue.objects.filter(state__in=Issue.UNSENT_STATES).select_related("publication__brand", "slot")
    stopped = {key for row in rows for key in (row.pk, row.address)}
    for issue in waiting:
        content = resolve_content(issue)
        without = remove_stories(content, stories=stopped)
        if without is not content:
            story_ids = {record.id for record in content.stories}
            yield issue, next((row for row in rows if row.pk in story_ids), story), without


def find_held_with(story: Story) -> list[Issue]:
    """Return the unsent issues on hold that show the story or one of its translations."""
    waiting = find_unsent_with(story, list(Story.objects.stopped_with(story)))
    return [issue for issue, _shown, _reworded in waiting if issue.held]


def find_paused_with(story: Story) -> list[Issue]:
    """Return the issues whose send is paused while mails that show the story or one of its translations wait in it."""
    return _find_sends_with(story, states=[Send.State.PAUSED])


def find_stoppable_with(story: Story) -> list[Issue]:
    """Return the issues that a withdrawal of the story holds, or whose sends it pauses or keeps paused."""
    unsent = [issue for issue, _, _ in find_unsent_with(story, list(Story.objects.stopped_with(story)))]
    sends = _find_sends_with(story, states=[*_RUNNING, Send.State.PAUSED])
    return [*unsent, *(issue for issue in sends if issue not in unsent)]


def _find_sends_with(story: Story, *, states: Collection[Send.State]) -> list[Issue]:
    """Return the issues of the sends in these states while mails that show the story or a translation wait in them."""
    rows = Story.objects.stopped_with(story).values_list("pk", flat=True)
    variants = find_variants_showing(ShownItem.Kind.STORY, *rows)
    waiting = Batch.objects.filter(state=Batch.State.PENDING, variant__in=variants)
    sends = Send.objects.filter(pk__in=waiting.values("send"), state__in=states).order_by("pk")
    return [send.issue for send in sends.select_related("issue__publication")]


def find_withdrawn_in(send: Send) -> QuerySet[Story]:
    """Return the withdrawn stories that mails of the send show or would show."""
    shown = ShownItem.objects.filter(variant__revision=send.revision_id, kind=ShownItem.Kind.STORY, only_linked=False)
    return Story.objects.withdrawn().filter(pk__in=shown.values("row_id")).order_by("pk")


def pause_withdrawn() -> list[Issue]:
    """Pause each send whose remaining mails show a withdrawn story. Return the issues of the sends it paused.

    Such mails are never claimed. Part of the sweep too, for stories that are gone at their source.
    """
    paused = []
    for send in find_rows(_find_running_with_withdrawn, now=timezone.now()):
        reason = explain_withdrawn(send)
        if reason is None:
            continue
        if transition(send, from_states=_RUNNING, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE):
            paused.append(send.issue)
    return paused


def _find_running_with_withdrawn(_: datetime) -> QuerySet[Send]:
    sends = Send.objects.filter(pk__in=_find_waiting_with_withdrawn().values("send"), state__in=_RUNNING)
    return sends.select_related("issue__publication")


def _find_waiting_with_withdrawn() -> QuerySet[Batch]:
    return Batch.objects.filter(shows_withdrawn_story(), state=Batch.State.PENDING)


def explain_withdrawn(send: Send) -> Message | None:
    """Return why the send cannot go on if its remaining mails show a withdrawn story, None if they show none."""
    people = sum(_find_waiting_with_withdrawn().filter(send=send).values_list("size", flat=True))
    if not people:
        return None
    return Message(
        "a story in it was withdrawn or is gone at its source, so its mails to %(people)s are not "
        "sent. Mails that were already sent cannot be recalled. To mail the others without it, choose “Stop permanently”, "
        "then correct the issue and send it to those not reached",
        people=describe_people(people),
    )
