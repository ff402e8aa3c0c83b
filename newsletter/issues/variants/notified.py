"""What people were told of an event, by issues and by corrections, and who has yet to be told what is so now.

Each mail that told of it otherwise is put right once for the same facts: a row with a constraint makes that so, whichever
publications, staff and processes announce it.
"""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.snapshot.event_fingerprint import find_event_in_content, fingerprint
from newsletter.issues.snapshot.exposure import find_possible_deliveries, find_variants_showing
from newsletter.models import (
    Batch,
    CorrectedDelivery,
    Correction,
    Delivery,
    DeliveryException,
    Issue,
    IssueRevision,
    Send,
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
    """Another correction told one of these people the same between our look and our writing."""


@dataclass(frozen=True, eq=False)
class EventMention:
    """What the mails of a variant say of an event; newer revisions have higher ``revision_id``.

    ``event`` is None in a correction that only says that it is cancelled, made before its content kept the event.
    """

    variant_id: int
    revision_id: int
    issue_id: int
    publication_id: int
    facts: str
    event: dict[str, Any] | None

    @property
    def cancelled(self) -> bool:
        return self.event is None or bool(self.event["cancelled"])


def find_event_mentions(event_id: int) -> list[EventMention]:
    """Every variant that tells of the event, newest first."""
    announced = dict(Correction.objects.filter(event=event_id).values_list("issue", "fingerprint"))
    variants = find_variants_showing(ShownItem.Kind.EVENT, event_id) | Variant.objects.filter(issue__in=list(announced))
    rows = list(variants.order_by("-revision", "pk").values_list("pk", "revision", "issue", "issue__publication"))
    contents = IssueRevision.objects.filter(pk__in={row[1] for row in rows}).values_list("pk", "content")
    events = {pk: find_event_in_content(content, event_id) for pk, content in contents.iterator()}
    mentions = []
    for variant, revision, issue, publication in rows:
        event = events[revision]
        facts = fingerprint(event) if event else announced.get(issue)
        if facts is not None:
            mentions.append(EventMention(variant, revision, issue, publication, facts, event))
    return mentions


def find_misinforming_deliveries(
    correction: Correction, *, mentions: list[EventMention] | None = None
) -> QuerySet[Delivery]:
    """The mails by which the correction's publication told of its event otherwise, and which nothing has put right yet.

    What this correction itself has put right counts, so that it is for the same people before and after it went out.
    """
    known = find_event_mentions(correction.event_id) if mentions is None else mentions
    wrong = [
        one.variant_id
        for one in known
        if one.publication_id == correction.publication_id and one.facts != correction.fingerprint
    ]
    return find_possible_deliveries(wrong).filter(
        ~Exists(_find_already_corrected(correction).exclude(correction=correction.pk))
    )


def record_corrected_deliveries(issue: Issue) -> None:
    """Note of every mail that told the people of a frozen correction otherwise that it is put right.

    Belongs into the transaction of the freeze. Raises AlreadyCorrected where somebody was told the same by another meanwhile.
    """
    correction = issue.correction
    wrong = [one.variant_id for one in find_event_mentions(correction.event_id) if one.facts != correction.fingerprint]
    people = Delivery.objects.filter(issue=issue, proof=False).order_by().values("subscriber_id")
    mails = find_possible_deliveries(wrong).filter(subscriber_id__in=people)
    for_these = CorrectedDelivery.objects.filter(event=correction.event_id, fingerprint=correction.fingerprint)
    for_these.filter(_reached_nobody(), delivery__in=mails.order_by().values("pk")).delete()
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


def _find_already_corrected(correction: Correction) -> QuerySet[CorrectedDelivery]:
    """Of a delivery: it was put right for these facts, or may have been."""
    return CorrectedDelivery.objects.filter(
        ~_reached_nobody(), delivery=OuterRef("pk"), event=correction.event_id, fingerprint=correction.fingerprint
    )


def _reached_nobody() -> Exists:
    """Of a mail that was put right: what was to do it was refused, skipped, or never handed over and never will be."""
    cancelled = Q(batch__state=Batch.State.PENDING, batch__send__state=Send.State.CANCELLED)
    alone = Q(exception__state__in=_NOT_ACCEPTED_STATES)
    return Exists(
        Delivery.objects.filter(
            cancelled | alone | Q(batch__state=Batch.State.REJECTED), pk=OuterRef("correction_delivery")
        )
    )
