"""Find which details of an event each mail showed, and who needs a correction.

Each misinforming mail is corrected once for the same facts. A constraint ensures that for all publications, people and
processes that announce the change.
"""

from dataclasses import dataclass

from django.db import IntegrityError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.snapshot.exposure import find_possible_deliveries, find_variants_showing
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.variants.unreached import NEVER_HANDED_OVER
from newsletter.models import (
    Batch,
    CorrectedDelivery,
    Correction,
    Delivery,
    DeliveryException,
    Issue,
    IssueRevision,
    ShownItem,
    Variant,
)

_INSERT_CORRECTED = """
INSERT INTO newsletter_correcteddelivery (delivery_id, correction_delivery, correction_id, event_id, fingerprint)
SELECT mail.id, correction_delivery.id, %s, %s, %s
FROM ({mails}) AS mail
JOIN newsletter_delivery AS correction_delivery
    ON correction_delivery.subscriber_id = mail.subscriber_id AND correction_delivery.issue_id = %s
WHERE NOT correction_delivery.proof
"""
_NOT_ACCEPTED_STATES = (DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED)


class AlreadyCorrected(Exception):
    """Another correction notified one of these people of the same while this one was being frozen."""


@dataclass(frozen=True, eq=False)
class EventMention:
    """An event as the mails of a variant show it. Newer revisions have a higher ``revision_id``.

    ``event`` is None in an old correction whose content does not have the event; it says that it is cancelled.
    """

    variant_id: int
    revision_id: int
    issue_id: int
    publication_id: int
    facts: str
    event: EventRecord | None

    @property
    def cancelled(self) -> bool:
        return self.event is None or self.event.cancelled


def find_event_mentions(event_id: int | None) -> list[EventMention]:
    """Return the mentions of the event in all variants that show it, newest first. No event has none."""
    if event_id is None:
        return []
    announced = dict(Correction.objects.filter(event=event_id).values_list("issue", "fingerprint"))
    variants = find_variants_showing(ShownItem.Kind.EVENT, event_id) | Variant.objects.filter(issue__in=list(announced))
    rows = list(variants.order_by("-revision", "pk").values_list("pk", "revision", "issue", "issue__publication"))
    contents = IssueRevision.objects.filter(pk__in={row[1] for row in rows}).values_list("pk", "content")
    events = {pk: _find_event(IssueContent.from_json(data), event_id) for pk, data in contents.iterator()}
    mentions = []
    for variant, revision, issue, publication in rows:
        event = events[revision]
        facts = event.fingerprint() if event else announced.get(issue)
        if facts is not None:
            mentions.append(EventMention(variant, revision, issue, publication, facts, event))
    return mentions


def find_misinforming_deliveries(
    correction: Correction, *, mentions: list[EventMention] | None = None
) -> QuerySet[Delivery]:
    """Return the mails of the correction's publication that have the mistake, or show other details of the event.

    Mails that another correction has corrected are left out. Those that this one has corrected are not, so that the
    correction is for the same people before and after it is sent.
    """
    if correction.corrects:
        return find_reached(correction.corrects)
    all_mentions = find_event_mentions(correction.event_id) if mentions is None else mentions
    wrong = [
        mention.variant_id
        for mention in all_mentions
        if mention.publication_id == correction.publication_id and mention.facts != correction.fingerprint
    ]
    return find_possible_deliveries(wrong).filter(
        ~Exists(_find_already_corrected(correction).exclude(correction=correction.pk))
    )


def find_reached(issue: Issue) -> QuerySet[Delivery]:
    """Return the deliveries of this issue that arrived or may have arrived, without those of issues that complete it."""
    return find_possible_deliveries(Variant.objects.filter(issue=issue))


def record_corrected_deliveries(issue: Issue) -> None:
    """Record that a frozen correction corrects every mail that misinformed its people.

    Call it in the transaction of the freeze. Raises AlreadyCorrected if another correction notified somebody of the same first.
    A correction of a mistake needs no record: each is an issue of its own, which nobody gets twice.
    """
    correction = issue.correction
    if correction.event_id is None:
        return
    wrong = [
        mention.variant_id
        for mention in find_event_mentions(correction.event_id)
        if mention.facts != correction.fingerprint
    ]
    recipients = Delivery.objects.filter(issue=issue, proof=False).order_by().values("subscriber_id")
    mails = find_possible_deliveries(wrong).filter(subscriber_id__in=recipients)
    same_facts = CorrectedDelivery.objects.filter(event=correction.event_id, fingerprint=correction.fingerprint)
    same_facts.filter(_was_not_delivered(), delivery__in=mails.order_by().values("pk")).delete()
    left = mails.filter(~Exists(_find_already_corrected(correction))).order_by().values("id", "subscriber_id")
    sql, parameters = left.query.sql_with_params()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                _INSERT_CORRECTED.format(mails=sql),
                [correction.pk, correction.event_id, correction.fingerprint, *parameters, issue.pk],
            )
    except IntegrityError as error:
        raise AlreadyCorrected(str(issue)) from error


def _find_event(content: IssueContent, event_id: int) -> EventRecord | None:
    """Return an event as a content shows it: in one of its blocks, or in the announcement of a correction."""
    announced = content.issue.announces
    events = [*content.events, announced.event] if announced else content.events
    return next((event for event in events if event.id == event_id), None)


def _find_already_corrected(correction: Correction) -> QuerySet[CorrectedDelivery]:
    """Filter the rows of deliveries that were, or may have been, corrected for these facts."""
    return CorrectedDelivery.objects.filter(
        ~_was_not_delivered(), delivery=OuterRef("pk"), event=correction.event_id, fingerprint=correction.fingerprint
    )


def _was_not_delivered() -> Exists:
    """Filter rows whose correcting mail was rejected or skipped, or was never handed over and never will be."""
    alone = Q(exception__state__in=_NOT_ACCEPTED_STATES)
    return Exists(
        Delivery.objects.filter(
            NEVER_HANDED_OVER | alone | Q(batch__state=Batch.State.REJECTED), pk=OuterRef("correction_delivery")
        )
    )
