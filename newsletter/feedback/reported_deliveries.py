"""Count the accepted and the delivered mails of sends by provider account, and decide which of the two to go by.

Some providers report no deliveries. Reports can also be set up in the middle of a send, be lost, or come late.
"""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from django.db.models import Count, Sum

from newsletter.models import Batch, Delivered, DeliveryException

ACCEPTED_STATES = (Batch.State.ACCEPTED, Batch.State.PARTIAL)
MIN_REPORTED_SHARE = 0.1
"""Accepted mails count as delivered if fewer of them than this are reported as delivered."""


class AccountMails(NamedTuple):
    """The mails of a send that one account accepted, even if they failed later, and those reported as delivered."""

    send: int
    account: str
    accepted: int
    delivered: int

    @property
    def reports_deliveries(self) -> bool:
        return self.delivered > 0 and self.delivered >= MIN_REPORTED_SHARE * self.accepted

    @property
    def having_the_mail(self) -> int:
        """Return how many people have the mail, as far as anybody can know."""
        return self.delivered if self.reports_deliveries else self.accepted


def count_by_account(sends: Collection[int]) -> list[AccountMails]:
    """Count the mails of the sends, without proofs."""
    accepted: Counter[tuple[int, str]] = Counter()
    batches = Batch.objects.filter(send__in=sends, state__in=ACCEPTED_STATES)
    for send, account, people in batches.values_list("send", "account").annotate(Sum("size")):
        accepted[send, account] += people
    failed = DeliveryException.objects.filter(delivery__batch__in=batches, delivery__proof=False).exclude(state="")
    grouped = failed.values_list("delivery__batch__send", "delivery__batch__account").annotate(Count("pk"))
    for send, account, people in grouped:
        accepted[send, account] -= people
    delivered: Counter[tuple[int, str]] = Counter()
    reported = Delivered.objects.filter(send__in=sends)
    for send, account, people in reported.values_list("send", "account").annotate(Sum("people")):
        delivered[send, account] += people
    return [AccountMails(*key, accepted[key], delivered[key]) for key in sorted({*accepted, *delivered})]
