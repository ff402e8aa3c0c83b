"""People who unsubscribed from one send: by its links, or as the provider reports. Each person counts once.

The links of a send carry its number as their mailing.
"""

from datetime import datetime

from newsletter.models import DeliveryException, Send
from subscribers.models import CountedUnsubscribe


def count_unsubscribed(send: Send) -> int:
    """Count the people of the send who unsubscribed either way."""
    reported = DeliveryException.objects.filter(delivery__batch__send=send, unsubscribed_at__isnull=False)
    by_link = CountedUnsubscribe.objects.filter(mailing=send.pk).exclude(
        subscriber_id__in=reported.values("delivery__subscriber_id")
    )
    return reported.count() + by_link.count()


def find_unsubscribed(send: Send) -> dict[int, datetime]:
    """Map the id of each subscriber who used a link of the send to when they unsubscribed."""
    return dict(CountedUnsubscribe.objects.filter(mailing=send.pk).values_list("subscriber_id", "at"))


def delete_unsubscribed(send: Send) -> None:
    """Delete these rows of people once the receipt has its final number."""
    CountedUnsubscribe.objects.filter(mailing=send.pk).delete()
