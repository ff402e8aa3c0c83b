"""Count the mails of a send that mail servers refused or delayed because of the sender, by cause."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Count, Q

from newsletter.models import Send, SenderDelay
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.sender_refusal_codes import WHAT_TO_CHANGE, SenderCause, find_cause


@dataclass(frozen=True)
class SenderRefusals:
    """The number of mails by cause, each mail once, and the codes of the mail servers."""

    by_cause: Mapping[SenderCause, int]
    statuses: frozenset[str] = field(default_factory=frozenset)

    @property
    def mails(self) -> int:
        return sum(self.by_cause.values())

    @property
    def what_to_change(self) -> str:
        """Return what to change for the commonest cause, "" without any."""
        if not self.by_cause:
            return ""
        return WHAT_TO_CHANGE[max(self.by_cause, key=lambda cause: (self.by_cause[cause], cause.value))]


def count_refusals(send: Send) -> SenderRefusals:
    """Return the mails of a send, without proofs, that a code of the form x.7.y refused or delayed."""
    is_code = Q(status__startswith="4.7.") | Q(status__startswith="5.7.")
    blocks = Bounce.objects.filter(
        is_code, delivery__batch__send=send, delivery__proof=False, bounce_class=Bounce.Class.BLOCK
    )
    bounced = Bounce.objects.filter(delivery__batch__send=send).values("delivery")
    delays = SenderDelay.objects.filter(delivery__batch__send=send, delivery__proof=False).exclude(delivery__in=bounced)
    by_status: Counter[str] = Counter()
    for rows in (blocks.values_list("status"), delays.values_list("status")):
        by_status.update(dict(rows.order_by().annotate(mails=Count("pk"))))
    by_cause: Counter[SenderCause] = Counter()
    for status, mails in by_status.items():
        by_cause[find_cause(status)] += mails
    return SenderRefusals(by_cause, frozenset(by_status))
