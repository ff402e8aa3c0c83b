"""What the publishing side holds about one reader: which issues were sent to them, what became of each, what they followed."""

from datetime import datetime

from newsletter.models import Delivery, DeliveryException
from newsletter.models.clicks import ReaderClick
from newsletter.models.feedback import Bounce
from newsletter.sending.settling.delivered import find_delivered
from subscribers.models import CountedUnsubscribe, Subscriber
from subscribers.people.data_export import register_export_section


def register() -> None:
    """Has it told with everything else that is held about a person."""
    register_export_section("issues_sent", describe_deliveries)
    register_export_section("links_followed", describe_clicks)


def describe_deliveries(person: Subscriber) -> list[dict[str, object]]:
    """One entry an issue, the oldest first, fit for JSON; times are ISO 8601 in UTC."""
    rows = Delivery.objects.filter(subscriber_id=person.pk).select_related("issue__publication", "batch", "exception")
    found = list(rows.order_by("pk"))
    delivered = find_delivered({row.pk: row.batch.send_id for row in found})
    bounces = {bounce.delivery_id: bounce for bounce in Bounce.objects.filter(delivery__subscriber_id=person.pk)}
    left = dict(CountedUnsubscribe.objects.filter(subscriber_id=person.pk).values_list("mailing", "at"))
    return [
        _describe(row, bounce=bounces.get(row.pk), delivered=row.pk in delivered, left_at=left.get(row.batch.send_id))
        for row in found
    ]


def describe_clicks(person: Subscriber) -> list[dict[str, object]]:
    """The links that a reader who agreed to it followed."""
    rows = ReaderClick.objects.filter(subscriber=person).select_related("issue__publication").order_by("at", "pk")
    return [{"issue": str(row.issue), "link": row.link, "at": _format_time(row.at)} for row in rows]


def _describe(row: Delivery, *, bounce: Bounce | None, delivered: bool, left_at: datetime | None) -> dict[str, object]:
    """``left_at`` is when the person unsubscribed by a link of this issue."""
    own: DeliveryException | None = getattr(row, "exception", None)
    left = [moment for moment in (own.unsubscribed_at if own else None, left_at) if moment]
    return {
        "issue": str(row.issue),
        "proof": row.proof,
        "state": own.state if own and own.state else row.batch.state,
        "reason": own.reason if own else "",
        "at": _format_time(row.batch.settled_at),
        "delivered": delivered,
        "bounced_at": _format_time(own.bounced_at) if own else None,
        "bounce": {"kind": bounce.bounce_class, "status": bounce.status, "reason": bounce.reason} if bounce else None,
        "complained_at": _format_time(own.complained_at) if own else None,
        "left_at": _format_time(min(left, default=None)),
    }


def _format_time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
