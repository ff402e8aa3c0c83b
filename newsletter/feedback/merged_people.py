"""Reassign the mails, replies and counted unsubscribes of a record to the person with whom it is merged."""

from newsletter.models import Batch, Delivery, InboundMail, TemplateMail
from subscribers.models import CountedUnsubscribe, Subscriber


def reassign_mails(*, keep: Subscriber, absorb: Subscriber) -> None:
    """Count the mails that ``absorb`` got as mails to ``keep``: for stories already sent and for the limit of mails.

    Replies, and unsubscribes by links of these mails, move too. An unsent mail stays, because nobody is mailed for a deleted
    record. So does one that bounced, because it says something about the mailbox of ``absorb``.
    """
    their_mails = Delivery.objects.filter(subscriber_id=absorb.pk, proof=False, bounce__isnull=True)
    got_by_both = Delivery.objects.filter(subscriber_id=keep.pk, proof=False).values("issue")
    moved = their_mails.exclude(batch__state__in=Batch.OPEN_STATES).exclude(issue__in=got_by_both)
    sends = list(moved.values_list("batch__send", flat=True))
    moved.update(subscriber_id=keep.pk)
    counted = CountedUnsubscribe.objects.filter(subscriber_id=keep.pk).values("mailing")
    unsubscribes = CountedUnsubscribe.objects.filter(subscriber_id=absorb.pk, mailing__in=sends)
    unsubscribes.exclude(mailing__in=list(counted.values_list("mailing", flat=True))).update(subscriber_id=keep.pk)
    settled = TemplateMail.objects.filter(address_hash=bytes(absorb.address_hash), email="")
    settled.update(address_hash=bytes(keep.address_hash))
    InboundMail.objects.filter(sender_hash=bytes(absorb.address_hash)).update(sender_hash=bytes(keep.address_hash))
