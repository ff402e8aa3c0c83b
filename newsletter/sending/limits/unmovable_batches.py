"""Leave to staff the batches that stay with an account which the rest of their send does not use any more.

Such a batch may have been taken by its account, so no other account may send it. If that account takes no repeat, pausing
the send would stop all others too, and each resumption would end the same way.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from newsletter.common.messages import Message
from newsletter.models import Batch


def find_unmovable(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """Return those of the batches that an account has or may have, while others of their send have another account."""
    others = Batch.objects.filter(send=OuterRef("send")).exclude(account=OuterRef("account")).order_by()
    return batches.filter(Exists(others)).exclude(handed_to="")


def mark_unmovable_uncertain(batches: QuerySet[Batch], *, detail: str, now: datetime) -> int:
    """Make those of the batches uncertain that are pending and bound, while others of their send have another account.

    ``detail`` is what their account said, or why it cannot be called. Return how many.
    """
    bound = find_unmovable(batches).filter(state=Batch.State.PENDING)
    reason = Message(
        "an earlier call may have been accepted, and its account takes no repeat of it: %(detail)s", detail=detail
    )
    return bound.update(
        state=Batch.State.UNCERTAIN, reason=reason, code=Batch.Code.NONE, not_before=None, settled_at=now
    )
