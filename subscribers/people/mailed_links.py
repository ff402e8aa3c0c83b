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
from subscribers.unsubscribing.suppression import REASONS_REMOVED_BY_CONFIRMING

Kind = MailedLink.Kind
PURPOSES = {
    Kind.PREFERENCES: Purpose.PREFERENCES,
    Kind.DOWNLOAD: Purpose.DOWNLOAD,
    Kind.ERASE: Purpose.ERASE,
    Kind.MOVE: Purpose.MOVE,
    Kind.ARRIVE: Purpose.ARRIVE,
}
REQUEST_INTERVAL = timedelta(minutes=10)
MAX_LINKS_PER_DAY = 5
MAX_SENDING_DELAY = timedelta(hours=1)


class UsedLink(DomainError):
    """A link that works once and has been used, or that was never mailed."""


@transaction.atomic
def request_mailed_link(
    *, subscriber: Subscriber, mailing_list: MailingList, kind: MailedLink.Kind, now: datetime, new_email: str = ""
) -> bool:
    """Leaves a mail with a link to be sent; False, and silence, when one of the kind was asked for just now or often.

    `mailing_list` is the one whose sender writes it. `new_email` is for `ARRIVE` only: where the mail goes.
    """
    asked = MailedLink.objects.filter(subscriber=subscriber, kind=kind, asked_at__gt=now - timedelta(days=1))
    times = list(asked.order_by("-asked_at").values_list("asked_at", flat=True)[:MAX_LINKS_PER_DAY])
    if len(times) >= MAX_LINKS_PER_DAY or (times and now - times[0] < REQUEST_INTERVAL and kind != Kind.ARRIVE):
        return False
    MailedLink.objects.filter(subscriber=subscriber, kind=kind, sent_at__isnull=True).delete()
    MailedLink.objects.create(
        subscriber=subscriber, mailing_list=mailing_list, kind=kind, new_email=new_email, asked_at=now
    )
    return True


def list_due_links(*, now: datetime) -> QuerySet[MailedLink]:
    """The mails to send now, oldest first, to addresses that may get them. What waited for an hour is not sent."""
    blocked = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"))
        .exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING)
    )
    own = Q(kind=Kind.ARRIVE) | ~Exists(blocked)
    due = MailedLink.objects.due().filter(own, asked_at__gt=now - MAX_SENDING_DELAY)
    return due.select_related("subscriber", "mailing_list")


def claim_mailed_link(*, link: MailedLink, now: datetime) -> bool:
    """Claims the row before the mail is handed over. False when somebody else has it: then do not send."""
    return MailedLink.objects.filter(pk=link.pk, sent_at__isnull=True).update(sent_at=now) == 1


def make_mailed_link_url(*, link: MailedLink, now: datetime) -> str:
    """The link that the mail carries; good for an hour from `now`, and 90 days for the preferences."""
    named = link.mailing_list.public_id if link.kind == Kind.PREFERENCES else link.public_id
    purpose = PURPOSES[Kind(link.kind)]
    return make_link(purpose=purpose, subscriber_uuid=link.subscriber.uuid, list_public_id=named, now=now)


def find_link(target: LinkTarget, *, kind: MailedLink.Kind) -> MailedLink:
    """The row of a link that works once. Raises `UsedLink` where it is used already or is not there."""
    rows = MailedLink.objects.filter(
        public_id=target.list_public_id, kind=kind, subscriber__uuid=target.subscriber_uuid
    )
    link = rows.select_related("subscriber__place", "mailing_list").first()
    if link is None or link.used_at is not None:
        raise UsedLink(_("This link works once and has been used. Ask for a new one on the page “Your mail from us”."))
    return link


def mark_link_used(link: MailedLink, *, now: datetime) -> None:
    """Uses the link up, within the transaction of what it does. Raises `UsedLink` for the later of two at once."""
    if not MailedLink.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=now):
        raise UsedLink(_("This link works once and has been used. Ask for a new one on the page “Your mail from us”."))
