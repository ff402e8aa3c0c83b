"""Open the later hours of a send by readers' hours: check its stories and events again, and pause it if something is wrong.

It waits for other sites, so it may not run in a transaction. Part of the sweep; safe to repeat.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.messages import Message
from newsletter.content.ingesting.source_visibility import VisibilityReport, update_source_visibility
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.resolve_blocks import resolve_event
from newsletter.models import Batch, EventNotice, Send, ShownItem, Story, transition
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.freezing.recheck_content import recheck_events
from newsletter.sending.limits.each_send import act_on_each
from newsletter.sending.limits.running_sends import find_running_sends
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.mails_with_story import pause_withdrawn
from newsletter.sending.wake_up_signal import send_wake_up_signal


@acts_on(sends=Q(state=Send.State.SUBMITTING))
def open_due_hours(*, now: datetime) -> list[Send]:
    """Release the batches whose hour has come, unless their content is no longer right. Return the sends that continue."""
    due = find_rows(_find_sends_with_due_hour, now=now)
    opened = act_on_each(due, partial(_open_due_hour, now=now), failure="The hour of send %s was not opened")
    return [send for send, is_open in opened if is_open]


def _find_sends_with_due_hour(now: datetime) -> QuerySet[Send]:
    due = Batch.objects.filter(
        send=OuterRef("pk"), state=Batch.State.PENDING, due_at__lte=now, due_at__gt=OuterRef("checked_until")
    )
    sends = find_running_sends(now=now).filter(Exists(due))
    return sends.select_related("issue__publication", "revision").order_by("pk")


def _open_due_hour(send: Send, *, now: datetime) -> bool:
    recheck_events(send=send, now=now)
    checked = update_source_visibility(_find_stories_to_check(send), now=now)
    pause_withdrawn()
    reason = _find_reason_to_stop(send, checked=checked, now=now)
    if reason is not None:
        _pause(send, reason=reason, now=now)
        return False
    unchecked = dict(send.unchecked_stories) | {story.title: cause for story, cause in checked.unknown}
    opened = Send.objects.filter(pk=send.pk, state=Send.State.SUBMITTING).update(
        checked_until=now, unchecked_stories=[[title, cause] for title, cause in unchecked.items()]
    )
    if opened:
        send.refresh_from_db()
        send_wake_up_signal(send)
    return bool(opened)


def _find_reason_to_stop(send: Send, *, checked: VisibilityReport, now: datetime) -> Message | None:
    """Return why the next hour may not be sent as it is. After staff resumed the send, the same reason counts no more."""
    restricted = _find_restricted_story(send, now=now)
    if restricted is not None:
        return restricted
    earlier_pause = send.automatic_pauses.filter(rule=AutomaticPause.Rule.CONTENT).first()
    if checked.doubtful and earlier_pause is None:
        story, why = checked.doubtful[0]
        return Message(
            "“%(title)s”: %(why)s. The site may be broken. Look at it, then resume the send, or cancel it",
            title=story.title,
            why=why,
        )
    for event in _find_changed_events(send):
        row = EventNotice.objects.filter(pk=event.id).first()
        if earlier_pause is None or (
            row is not None and row.changed_at is not None and row.changed_at > earlier_pause.at
        ):
            return Message(
                "the event “%(title)s” changed after the first people got this issue. To tell the others the new details, "
                "choose “Stop permanently”, then correct the issue and send it to those not reached. To send it unchanged, "
                "resume it",
                title=event.title,
            )
    return None


def _find_restricted_story(send: Send, *, now: datetime) -> Message | None:
    required = send.issue.publication.consent_required
    for story in _find_waiting_stories(send):
        why = find_display_restriction(make_consent_record(story), channel=EMAIL, at=now, required=required)
        if why is not None:
            return Message(
                "“%(title)s” %(why)s. Correct its consent details and resume the send, or cancel it",
                title=story.title,
                why=why,
            )
    return None


def _find_changed_events(send: Send) -> Iterator[EventRecord]:
    """Yield the events of waiting mails whose day, hour or location is not what these mails say."""
    waiting = set(_find_shown(send, ShownItem.Kind.EVENT))
    rows = EventNotice.objects.in_bulk(waiting)
    for event in IssueContent.from_json(send.revision.content).events:
        row = rows.get(event.id)
        if event.id in waiting and (row is None or resolve_event(row).fingerprint() != event.fingerprint()):
            yield event


def _find_waiting_stories(send: Send) -> list[Story]:
    story_ids = _find_shown(send, ShownItem.Kind.STORY)
    return list(Story.objects.filter(pk__in=list(story_ids)).select_related("source").order_by("pk"))


def _find_stories_to_check(send: Send) -> list[Story]:
    story_ids = _find_shown(send, ShownItem.Kind.STORY)
    return list(Story.objects.with_originals(story_ids).select_related("source").order_by("pk"))


def _find_shown(send: Send, kind: str) -> QuerySet[ShownItem, int]:
    """Return the ids of the stories or events that the waiting mails show."""
    waiting = send.batches.filter(state=Batch.State.PENDING).values("variant")
    return ShownItem.objects.filter(kind=kind, variant__in=waiting).values_list("row_id", flat=True).distinct()


def _pause(send: Send, *, reason: Message, now: datetime) -> None:
    submitting = [Send.State.SUBMITTING]
    if transition(send, from_states=submitting, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE):
        AutomaticPause.objects.update_or_create(
            send=send, rule=AutomaticPause.Rule.CONTENT, defaults={"cases": 0, "at": now}
        )
