"""The monthly digest, for subscribers who chose it: one slot a month, with the stories of the month's issues.

A story is in at most one digest of a publication.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from newsletter.common.messages import Message
from newsletter.common.schedule import Due, check_schedule, due_after
from newsletter.issues.assembly.selection import Choice, Reason, choose_appeals, choose_events
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.drafted_subjects import fill_digest_subject
from newsletter.issues.snapshot.filled_blocks import iterate_sent_stories
from newsletter.issues.snapshot.placements import find_released_placements
from newsletter.issues.variants.reader_zones import find_lead
from newsletter.models import Issue, Publication, Slot, Story, StoryPlacement
from subscribers.models import ConsentEvent, Frequency, Subscription
from subscribers.models.subscriptions import SubscriptionQuerySet

StoryTexts = Mapping[str, Any]
"""A story's value in an issue's body: the story and this issue's own texts for it."""
MAX_STORIES = 12
MAX_LOOK_BACK = timedelta(days=62)
"""How far back a digest looks if earlier ones were missed."""
FIRST_LOOK_BACK = timedelta(days=31)
NOTHING_SENT = Message("Nothing new: no issue with a story was sent since the last digest.")


def has_monthly_subscribers(publication: Publication) -> bool:
    """Return True if a subscriber of the list chose the monthly digest."""
    return _find_monthly(publication.mailing_list_id).exists()


def had_monthly_subscribers(publication: Publication, *, at: datetime) -> bool:
    """Return True if a subscriber of the list has the monthly digest since a moment or longer. Those who left do not count."""
    chosen_later = ConsentEvent.objects.filter(
        kind=ConsentEvent.Kind.PREFERENCES,
        at__gt=at,
        subscriber=OuterRef("subscriber"),
        data__has_key="frequency",
    )
    monthly = _find_monthly(publication.mailing_list_id).filter(~Exists(chosen_later), requested_at__lte=at)
    return monthly.exclude(import_batch__started_at__gt=at).exists()


def count_without_digest(mailing_list: int, *, without: Publication | None = None) -> int:
    """Return how many subscribers of the list chose the monthly digest, if no publication in use makes one for them.

    The publication ``without`` counts as not in use.
    """
    digests = Publication.objects.filter(mailing_list=mailing_list, enabled=True, monthly_digest=True)
    if without is not None:
        digests = digests.exclude(pk=without.pk)
    return 0 if digests.exists() else _find_monthly(mailing_list).mailable().count()


def _find_monthly(mailing_list: int) -> SubscriptionQuerySet:
    on_list = Subscription.objects.filter(mailing_list=mailing_list).open()
    return on_list.filter(frequency=Frequency.MONTHLY)


def find_digest_due(*, publication: Publication, now: datetime, grace: timedelta) -> Due | None:
    """Return the digest to assemble now: its lead time has begun and it is late by at most ``grace``."""
    if not publication.monthly_digest:
        return None
    schedule = check_schedule(schedule=publication.digest_schedule, zone=publication.zone)
    due = next(due_after(now - grace, schedule=schedule, zone=publication.zone))
    if due.at - find_lead(publication, now=now) > now:
        return None
    has_slot = publication.slots.filter(kind=Slot.Kind.DIGEST, period=make_digest_period(due)).exists()
    return None if has_slot or not has_monthly_subscribers(publication) else due


def make_digest_slot(*, publication: Publication, due: Due, now: datetime) -> tuple[Slot, bool]:
    """Return the slot of the month, and True if this call made it. The database allows one a month."""
    month = {"publication": publication, "kind": Slot.Kind.DIGEST, "period": make_digest_period(due)}
    try:
        with transaction.atomic():
            return Slot.objects.get_or_create(
                **month, defaults={"due_local": due.local, "due_at": due.at, "made_at": now}
            )
    except IntegrityError:
        return Slot.objects.get(**month), False


def make_digest_period(due: Due) -> str:
    """Return the month, ``YYYY-MM``, by the wall clock."""
    return due.local[:7]


def choose_digest_content(
    *, slot: Slot, now: datetime, exclude_issue: Issue | None = None
) -> tuple[Choice, dict[int, StoryTexts]]:
    """Return the digest's content, and the texts that staff gave its stories in their issues, by story id.

    Lead stories come first, then the others; both newest issue first.
    """
    publication = slot.publication
    since = find_digest_start(slot, now=now)
    sent = list(iterate_sent_stories(publication, since=since))
    sent.sort(key=lambda candidate: not candidate[2])
    rows = StoryPlacement.objects.filter(publication=publication, kind=Slot.Kind.DIGEST)
    rows = rows.exclude(pk__in=find_released_placements(now=now))
    if exclude_issue is not None:
        rows = rows.exclude(issue=exclude_issue)
    placed = set(rows.values_list("story_id", flat=True))
    chosen: list[Story] = []
    overrides: dict[int, StoryTexts] = {}
    reasons: list[Reason] = []
    for issue, value, _ in sent:
        story: Story = value["story"]
        if story.pk in overrides or any(reason.id == story.pk for reason in reasons):
            continue
        exclusion = _find_exclusion_reason(story, publication, placed, slot.due_at)
        if not exclusion and len(chosen) >= MAX_STORIES:
            exclusion = Message("a digest holds %(max_stories)s stories at most", max_stories=MAX_STORIES)
        if exclusion:
            reasons.append(
                Reason("story", story.pk, story.title, False, Message("left out: %(reason)s", reason=exclusion))
            )
            continue
        chosen.append(story)
        overrides[story.pk] = value
        reasons.append(
            Reason("story", story.pk, story.title, True, Message("sent in No. %(number)s", number=issue.number))
        )
    events, event_reasons = choose_events(publication=publication, due_at=slot.due_at, now=now)
    appeals, appeal_reasons = choose_appeals(publication=publication, due_at=slot.due_at)
    return Choice(chosen, events, appeals, reasons + event_reasons + appeal_reasons), overrides


def find_digest_start(slot: Slot, *, now: datetime) -> datetime:
    """Return when the issues of this digest begin: at the assembly of the last digest, at most 62 days ago."""
    earlier = slot.publication.slots.filter(kind=Slot.Kind.DIGEST, state=Slot.State.ASSEMBLED).exclude(pk=slot.pk)
    last = earlier.order_by("-assembled_at").first()
    if last is None or last.assembled_at is None:
        return now - FIRST_LOOK_BACK
    return max(last.assembled_at, now - MAX_LOOK_BACK)


def make_digest_subject(*, slot: Slot, choice: Choice) -> str:
    """Return the month and the first story's title."""
    lead = choice.stories[0].title if choice.stories else ""
    return fill_digest_subject(slot.due_local, lead=lead, language=slot.publication.language)


def _find_exclusion_reason(story: Story, publication: Publication, placed: set[int], due_at: datetime) -> str:
    if story.pk in placed:
        return Message("already in an earlier digest")
    required = publication.consent_required
    consent = make_consent_record(story)
    return find_display_restriction(consent, channel=EMAIL, at=due_at, required=required) or ""
