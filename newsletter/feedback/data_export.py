"""Add to a person's data export the issues and single mails that were sent to them, with the results."""

from datetime import datetime

from newsletter.models import Delivery, DeliveryException, SenderDelay, TemplateMail
from newsletter.models.feedback import Bounce
from newsletter.sending.settling.delivered_bitmap import find_delivered
from subscribers.models import CountedUnsubscribe, Subscriber
from subscribers.people.data_export import format_moment, register_export_section


def register() -> None:
    """Add this section to the export. The app calls it when it starts."""
    register_export_section("issues_sent", describe_deliveries)
    register_export_section("single_mails", describe_single_mails)


def describe_deliveries(person: Subscriber) -> list[dict[str, object]]:
    """Return one entry for each issue, the oldest first, as JSON data. Times are ISO 8601 in UTC."""
    rows = Delivery.objects.filter(subscriber_id=person.pk).select_related(
        "batch__send__issue__publication", "exception"
    )
    deliveries = list(rows.order_by("pk"))
    delivered = find_delivered({row.pk: row.batch.send_id for row in deliveries})
    bounces = {bounce.delivery_id: bounce for bounce in Bounce.objects.filter(delivery__subscriber_id=person.pk)}
    delays = {delay.delivery_id: delay for delay in SenderDelay.objects.filter(delivery__subscriber_id=person.pk)}
    unsubscribed = dict(CountedUnsubscribe.objects.filter(subscriber_id=person.pk).values_list("mailing", "at"))
    return [
        _describe(
            row,
            bounce=bounces.get(row.pk),
            delay=delays.get(row.pk),
            delivered=row.pk in delivered,
            unsubscribed_at=unsubscribed.get(row.batch.send_id),
        )
        for row in deliveries
    ]


def describe_single_mails(person: Subscriber) -> list[dict[str, object]]:
    """Return one entry for each mail from a template. Its address and values are kept until it is handed over."""
    rows = TemplateMail.objects.filter(address_hash=bytes(person.address_hash)).select_related("template")
    return [
        {
            "template": row.template.name,
            "email": row.email,
            "values": row.values,
            "language": row.language,
            "state": row.state,
            "reason": str(row.reason),
            "asked_at": format_moment(row.asked_at),
            "sent_at": format_moment(row.sent_at),
        }
        for row in rows.order_by("pk")
    ]


def _describe(
    row: Delivery,
    *,
    bounce: Bounce | None,
    delay: SenderDelay | None,
    delivered: bool,
    unsubscribed_at: datetime | None,
) -> dict[str, object]:
    """Return the entry of one issue. ``unsubscribed_at`` is when the person unsubscribed by its link."""
    exception: DeliveryException | None = getattr(row, "exception", None)
    unsubscribes = [moment for moment in (exception.unsubscribed_at if exception else None, unsubscribed_at) if moment]
    return {
        "issue": str(row.batch.send.issue),
        "proof": row.proof,
        "state": exception.state if exception and exception.state else row.batch.state,
        "reason": exception.reason if exception else "",
        "at": format_moment(row.batch.settled_at),
        "delivered": delivered,
        "bounced_at": format_moment(exception.bounced_at) if exception else None,
        "bounce": {"kind": bounce.bounce_class, "status": bounce.status, "reason": bounce.reason} if bounce else None,
        "delay": {"status": delay.status, "at": format_moment(delay.at)} if delay else None,
        "complained_at": format_moment(exception.complained_at) if exception else None,
        "left_at": format_moment(min(unsubscribes, default=None)),
    }
