"""Links that work once, mailed to the person who asked: fresh preferences, download, erasure, change of address.

It sends nothing; a sender picks the due rows up. Having a link of a newsletter is not enough for what these links do,
because newsletters are forwarded.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from subscribers.links.signed_links import LinkTarget, Purpose, make_link
from subscribers.models import MailedLink, MailingList, Subscriber, Suppression
from subscribers.unsubscribing.suppression import LIFTED_BY_CONFIRMING

Kind = MailedLink.Kind
PURPOSES = {
    Kind.PREFERENCES: Purpose.PREFERENCES,
    Kind.DOWNLOAD: Purpose.DOWNLOAD,
    Kind.ERASE: Purpose.ERASE,
    Kind.MOVE: Purpose.MOVE,
    Kind.ARRIVE: Purpose.ARRIVE,
}
APART = timedelta(minutes=10)
MOST_A_DAY = 5
WORTH_SENDING = timedelta(hours=1)


class SpentLink(DomainError):
    """A link that works once and has been used, or that was never mailed."""


@transaction.atomic
def ask_for_link(
    *, subscriber: Subscriber, mailing_list: MailingList, kind: MailedLink.Kind, now: datetime, new_email: str = ""
) -> bool:
    """Leaves a mail with a link to be sent; False, and silence, when one of the kind was asked for just now or often.

    `mailing_list` is the one whose sender writes it. `new_email` is for `ARRIVE` only: where the mail goes.
    """
    asked = MailedLink.objects.filter(subscriber=subscriber, kind=kind, asked_at__gt=now - timedelta(days=1))
    times = list(asked.order_by("-asked_at").values_list("asked_at", flat=True)[:MOST_A_DAY])
    if len(times) >= MOST_A_DAY or (times and now - times[0] < APART and kind != Kind.ARRIVE):
        return False
    MailedLink.objects.filter(subscriber=subscriber, kind=kind, sent_at__isnull=True).delete()
    MailedLink.objects.create(
        subscriber=subscriber, mailing_list=mailing_list, kind=kind, new_email=new_email, asked_at=now
    )
    return True


def due_links(*, now: datetime) -> QuerySet[MailedLink]:
    """The mails to send now, oldest first, to addresses that may get them. What waited for an hour is not sent."""
    blocked = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .exclude(reason__in=LIFTED_BY_CONFIRMING)
    )
    own = Q(kind=Kind.ARRIVE) | ~Exists(blocked)
    due = MailedLink.objects.due().filter(own, asked_at__gt=now - WORTH_SENDING)
    return due.select_related("subscriber", "mailing_list")


def mark_link_sent(*, link: MailedLink, now: datetime) -> bool:
    """Claims the row before the mail is handed over. False when somebody else has it: then do not send."""
    return MailedLink.objects.filter(pk=link.pk, sent_at__isnull=True).update(sent_at=now) == 1


def link_url(*, link: MailedLink, now: datetime) -> str:
    """The link that the mail carries; good for an hour from `now`, and 90 days for the preferences."""
    named = link.mailing_list.public_id if link.kind == Kind.PREFERENCES else link.public_id
    purpose = PURPOSES[Kind(link.kind)]
    return make_link(purpose=purpose, subscriber_uuid=link.subscriber.uuid, list_public_id=named, now=now)


def find_link(target: LinkTarget, *, kind: MailedLink.Kind) -> MailedLink:
    """The row of a link that works once. Raises `SpentLink` where it is used already or is not there."""
    rows = MailedLink.objects.filter(
        public_id=target.list_public_id, kind=kind, subscriber__uuid=target.subscriber_uuid
    )
    link = rows.select_related("subscriber__place", "mailing_list").first()
    if link is None or link.used_at is not None:
        raise SpentLink(_("This link works once and has been used. Ask for a new one on the page “Your mail from us”."))
    return link


def spend(link: MailedLink, *, now: datetime) -> None:
    """Uses the link up, within the transaction of what it does. Raises `SpentLink` for the later of two at once."""
    if not MailedLink.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=now):
        raise SpentLink(_("This link works once and has been used. Ask for a new one on the page “Your mail from us”."))
