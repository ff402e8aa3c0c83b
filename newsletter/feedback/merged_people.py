"""Reassign the mails and replies of a record to the person with whom it is merged."""

from newsletter.models import Batch, Delivery, InboundMail, TemplateMail
from subscribers.models import Subscriber

_UNSETTLED = (Batch.State.PENDING, Batch.State.SUBMITTING)


def reassign_mails(*, keep: Subscriber, absorb: Subscriber) -> None:
    """Let the mails that ``absorb`` got count for ``keep``, for stories already sent and the limit of mails. Replies move too.

    A mail that is still to be sent stays as it is: nobody is mailed for a record that is gone. So does one that bounced,
    because it says something about the mailbox of ``absorb``.
    """
    theirs = Delivery.objects.filter(subscriber_id=absorb.pk, proof=False, bounce__isnull=True)
    got_by_both = Delivery.objects.filter(subscriber_id=keep.pk, proof=False).values("issue")
    theirs.exclude(batch__state__in=_UNSETTLED).exclude(issue__in=got_by_both).update(subscriber_id=keep.pk)
    settled = TemplateMail.objects.filter(address_hash=bytes(absorb.address_hash), email="")
    settled.update(address_hash=bytes(keep.address_hash))
    InboundMail.objects.filter(sender_hash=bytes(absorb.address_hash)).update(sender_hash=bytes(keep.address_hash))
