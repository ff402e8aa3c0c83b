"""Find the delivery of one person in an issue. Reads only."""

from newsletter.models import Delivery, Issue


def find_delivery(issue: Issue, *, person: int) -> Delivery | None:
    """Return the person's delivery with its batch, variant and send, or None, also if it was deleted.

    ``person`` is a row id. A corrected issue for those not reached has the rows of the issue that it completes.
    """
    rows = (
        Delivery.objects.filter(subscriber_id=person, proof=False)
        .select_related("batch__variant__revision", "batch__variant__issue__publication", "exception")
        .select_related("batch__send__issue__publication__mailing_list", "bounce")
        .order_by("-pk")
    )
    return rows.filter(batch__send__issue=issue).first() or rows.filter(issue=issue).first()
