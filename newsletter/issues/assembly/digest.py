"""The month in one mail, for readers who chose it: a slot a month, and the stories that the month's issues brought.

A story stands in one issue and in one digest of a publication at most. Whether an issue may go out is not decided here.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from babel.dates import format_skeleton
from django.db import IntegrityError, transaction

from newsletter.common.messages import Message
from newsletter.issues.assembly.schedule import Due, check_schedule, due_after
from newsletter.issues.assembly.selection import Choice, Reason, choose_appeals, choose_events
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.plain_text import escape_merge_fields, shorten
from newsletter.issues.variants.dates import get_babel_locale
from newsletter.models import Issue, PlacedStory, Publication, Send, Slot, Story
from subscribers.models import Frequency, Subscription

MOST_STORIES = 12
MAX_LOOK_BACK = timedelta(days=62)
"""How far back a digest looks at most, where the ones before were missed."""
FIRST_LOOK_BACK = timedelta(days=31)
NOTHING_SENT = Message("Nothing to tell: no issue with a story went out since the last digest.")


def has_monthly_subscribers(publication: Publication) -> bool:
    """Whether anybody on the list chose once a month."""
    on_list = Subscription.objects.filter(mailing_list=publication.mailing_list_id).open()
    return on_list.filter(frequency=Frequency.MONTHLY).exists()


def find_digest_due(*, publication: Publication, now: datetime, grace: timedelta) -> Due | None:
    """The digest to assemble now, if its time of assembly has come and it is not late by more than ``grace``."""
    if not publication.monthly_digest:
        return None
    schedule = check_schedule(schedule=publication.digest_schedule, zone=publication.zone)
    due = next(due_after(now - grace, schedule=schedule, zone=publication.zone))
    if due.at - timedelta(hours=publication.lead_hours) > now:
        return None
    known = publication.slots.filter(kind=Slot.Kind.DIGEST, period=make_digest_period(due)).exists()
    return None if known or not has_monthly_subscribers(publication) else due


def make_digest_slot(*, publication: Publication, due: Due, now: datetime) -> tuple[Slot, bool]:
    """The slot of the month in which a moment falls, and whether this call made it. A second one a month cannot be."""
    month = {"publication": publication, "kind": Slot.Kind.DIGEST, "period": make_digest_period(due)}
    try:
        with transaction.atomic():
            return Slot.objects.get_or_create(
                **month, defaults={"due_local": due.local, "due_at": due.at, "made_at": now}
            )
    except IntegrityError:
        return Slot.objects.get(**month), False


def make_digest_period(due: Due) -> str:
    """``YYYY-MM`` by the wall clock."""
    return due.local[:7]


def choose_digest_content(
    *, slot: Slot, now: datetime, exclude_issue: Issue | None = None
) -> tuple[Choice, dict[int, dict[str, Any]]]:
    """What the digest starts from, and how staff worded each of its stories in its issue, by story id.

    The lead stories come first, the newest issue's before the others'; then the rest in the same order.
    """
    publication = slot.publication
    since = find_digest_start(slot, now=now)
    told = list(_iter_sent_stories_since(publication, since))
    told.sort(key=lambda one: not one[2])
    rows = PlacedStory.objects.filter(publication=publication, kind=Slot.Kind.DIGEST)
    if exclude_issue is not None:
        rows = rows.exclude(issue=exclude_issue)
    placed = set(rows.values_list("story_id", flat=True))
    chosen: list[Story] = []
    words: dict[int, dict[str, Any]] = {}
    reasons: list[Reason] = []
    for issue, value, _ in told:
        story: Story = value["story"]
        if story.pk in words or any(reason.id == story.pk for reason in reasons):
            continue
        against = _find_exclusion_reason(story, publication, placed, slot.due_at)
        if not against and len(chosen) >= MOST_STORIES:
            against = Message("no room: a digest takes %(max_stories)s", max_stories=MOST_STORIES)
        if against:
            reasons.append(
                Reason("story", story.pk, story.title, False, Message("left out: %(against)s", against=against))
            )
            continue
        chosen.append(story)
        words[story.pk] = value
        reasons.append(
            Reason("story", story.pk, story.title, True, Message("went out in No. %(number)s", number=issue.number))
        )
    events, event_reasons = choose_events(publication=publication, due_at=slot.due_at, now=now)
    appeals, appeal_reasons = choose_appeals()
    return Choice(chosen, events, appeals, reasons + event_reasons + appeal_reasons), words


def find_digest_start(slot: Slot, *, now: datetime) -> datetime:
    """From when on issues belong to this digest: since the one before was assembled, so that none falls in between."""
    earlier = slot.publication.slots.filter(kind=Slot.Kind.DIGEST, state=Slot.State.ASSEMBLED).exclude(pk=slot.pk)
    last = earlier.order_by("-assembled_at").first()
    if last is None or last.assembled_at is None:
        return now - FIRST_LOOK_BACK
    return max(last.assembled_at, now - MAX_LOOK_BACK)


def make_digest_subject(*, slot: Slot, choice: Choice) -> str:
    """The month, and the first story."""
    month = format_digest_month(slot)
    return shorten(f"{month} · {escape_merge_fields(choice.stories[0].title)}" if choice.stories else month, 150)


def format_digest_month(slot: Slot) -> str:
    """The month that ends when the slot is due: a digest of 1 December is November's."""
    day = date.fromisoformat(slot.due_local[:10]) - timedelta(days=1)
    noon = datetime.combine(day, time(12), UTC)
    words = format_skeleton("yMMMM", noon, tzinfo=UTC, locale=get_babel_locale(slot.publication.language))
    return words[0].upper() + words[1:]


def _iter_sent_stories_since(publication: Publication, since: datetime) -> Iterator[tuple[Issue, dict[str, Any], bool]]:
    """(issue, the block value of a story, whether it led) of every issue that began to go out since then, newest first."""
    sent = Send.objects.filter(started_at__gte=since).exclude(state=Send.State.CANCELLED).values("issue")
    issues = publication.issues.filter(
        pk__in=sent, kind=Issue.Kind.ISSUE, state__in=[Issue.State.SENDING, Issue.State.SENT]
    )
    for issue in issues.order_by("-number"):
        for child in issue.body:
            if child.block_type == "lead_story" and child.value["story"]:
                yield issue, child.value, True
            elif child.block_type == "stories":
                yield from ((issue, value, False) for value in child.value["stories"] if value["story"])


def _find_exclusion_reason(story: Story, publication: Publication, placed: set[int], due_at: datetime) -> str:
    if story.pk in placed:
        return Message("already in an earlier digest")
    required = publication.consent_required
    consent = make_consent_record(story)
    return find_display_restriction(consent, channel=EMAIL, at=due_at, required=required) or ""
