"""Who unsubscribed from one send: by its own links, or as the provider reports. Each person counts once.

The number of a send is the mailing that its links name.
"""

from datetime import datetime

from newsletter.models import DeliveryException, Send
from subscribers.models import CountedUnsubscribe


def count_unsubscribed(send: Send) -> int:
    """People of the send who unsubscribed by either way."""
    reported = DeliveryException.objects.filter(delivery__batch__send=send, unsubscribed_at__isnull=False)
    by_link = CountedUnsubscribe.objects.filter(mailing=send.pk).exclude(
        subscriber_id__in=reported.values("delivery__subscriber_id")
    )
    return reported.count() + by_link.count()


def find_unsubscribed(send: Send) -> dict[int, datetime]:
    """Subscriber id to when they unsubscribed by a link of the send."""
    return dict(CountedUnsubscribe.objects.filter(mailing=send.pk).values_list("subscriber_id", "at"))


def delete_unsubscribed(send: Send) -> None:
    """Delete the rows of people. The receipt has its final number by then."""
    CountedUnsubscribe.objects.filter(mailing=send.pk).delete()
