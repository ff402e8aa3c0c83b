"""Links that work once, mailed to the person: preferences, download, erasure, change of address.

A newsletter's own link is not enough for these, because newsletters get forwarded.
`newsletter.jobs.link_mails` mails the due rows.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.confirmation_quota import give_back_confirmation_quota
from subscribers.links.signed_links import LinkTarget, Purpose, make_link
from subscribers.models import FormerIdentity, MailedLink, MailingList, Subscriber, Suppression
from subscribers.person_locks import lock_people
from subscribers.unsubscribing.suppression import REASONS_REMOVED_BY_CONFIRMING

Kind = MailedLink.Kind
REQUEST_INTERVAL = timedelta(minutes=10)
REPEAT_PERIOD = timedelta(minutes=1)
"""A second press within this time after the first is the same press: phones and hurried people press twice."""
MAX_LINKS_PER_DAY = 5
_DAY = timedelta(days=1)
USED_LINK = Message("This link works once and has been used. Ask for a new one on the page “Your mail from us”.")


class UsedLink(DomainError):
    """The link works once and has been used, or it was never mailed."""


@transaction.atomic
def request_mailed_link(
    *, subscriber: Subscriber, mailing_list: MailingList, kind: MailedLink.Kind, now: datetime, new_email: str = ""
) -> bool:
    """Queue a mail with a link. Return False if the person is gone, or if one was requested just now or too often.

    A mail that is not sent yet is replaced, so it does not count towards the five of a day. A link that was used does not
    count as requested just now, because it is of no more use to the person.

    The sender of `mailing_list` writes the mail. Only `CONFIRM_ADDRESS` has a `new_email`, to which that mail goes.
    """
    if not lock_people(Subscriber.objects.filter(pk=subscriber.pk)):
        return False
    earlier = MailedLink.objects.filter(subscriber=subscriber, kind=kind)
    forget_unsent_links(earlier, now=now)
    is_recent = earlier.filter(asked_at__gt=now - REQUEST_INTERVAL, used_at__isnull=True).exists()
    if (is_recent and kind != Kind.CONFIRM_ADDRESS) or find_next_request(earlier, now=now) > now:
        return False
    delete_unsent_links(earlier)
    MailedLink.objects.create(
        subscriber=subscriber, mailing_list=mailing_list, kind=kind, new_email=new_email, asked_at=now
    )
    return True


def find_next_request(links: QuerySet[MailedLink], *, now: datetime) -> datetime:
    """Return when the next of these links of one person and kind may be requested, by the limit of a day: `now`, or later."""
    sent = links.filter(sent_at__isnull=False, asked_at__gt=now - _DAY).order_by("-asked_at")
    times = list(sent.values_list("asked_at", flat=True)[:MAX_LINKS_PER_DAY])
    return times[-1] + _DAY if len(times) == MAX_LINKS_PER_DAY else now


@transaction.atomic
def forget_unsent_links(links: QuerySet[MailedLink], *, now: datetime) -> None:
    """Delete those of these links that were not sent in time. They count towards no limit. The caller has locked the people."""
    delete_unsent_links(links.filter(asked_at__lte=now - MailedLink.MAX_SENDING_DELAY))


@transaction.atomic
def delete_unsent_links(links: QuerySet[MailedLink]) -> None:
    """Delete those of these links that nobody claimed to send. New addresses that got no mail may get as many others.

    The caller has locked the people.
    """
    unsent = list(links.filter(sent_at__isnull=True).order_by("pk").select_for_update())
    MailedLink.objects.filter(pk__in=[link.pk for link in unsent]).delete()
    for link in unsent:
        if link.new_email:
            give_back_confirmation_quota(link.new_email, used_at=link.asked_at)


def list_due_links(*, now: datetime) -> QuerySet[MailedLink]:
    """Return the mails to send now, oldest first, to addresses that may get them. Mails older than an hour are not sent.

    A suppression of one list stops only that list: these mails are about the person. A link that got no answer from the
    provider is mailed again, unless the person used it or asked for another since.
    """
    blocked = (
        Suppression.objects.live()
        .filter(address_hash=OuterRef("subscriber__address_hash"), mailing_list__isnull=True)
        .exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING)
    )
    allowed = Q(kind=Kind.CONFIRM_ADDRESS) | ~Exists(blocked)
    newer = MailedLink.objects.filter(subscriber=OuterRef("subscriber"), kind=OuterRef("kind"), pk__gt=OuterRef("pk"))
    due = MailedLink.objects.filter(MailedLink.due_by(now), Q(sent_at__isnull=True) | ~Exists(newer), allowed)
    recent = due.filter(asked_at__gt=now - MailedLink.MAX_SENDING_DELAY)
    return recent.select_related("subscriber", "mailing_list").order_by("asked_at", "pk")


def make_mailed_link_url(*, link: MailedLink, now: datetime) -> str:
    """Return the link for the mail: valid for an hour from `now`, a new address for 7 days, preferences for 90."""
    public_id = link.mailing_list.public_id if link.kind == Kind.PREFERENCES else link.public_id
    return make_link(purpose=Purpose(link.kind), subscriber_uuid=link.subscriber.uuid, public_id=public_id, now=now)


def find_link(target: LinkTarget, *, kind: MailedLink.Kind, now: datetime | None = None) -> MailedLink:
    """Return the row of a link that works once. Raises `UsedLink` if it was used or does not exist.

    With ``now``, a link that was used less than `REPEAT_PERIOD` before is returned too.
    """
    link = find_link_row(target, kind=kind)
    if link is None or not _may_use(link, now=now):
        raise UsedLink(USED_LINK)
    return link


def find_link_row(target: LinkTarget, *, kind: MailedLink.Kind) -> MailedLink | None:
    """Return the row of a link, used or not; None if it does not exist."""
    former = FormerIdentity.objects.filter(uuid=target.subscriber_uuid).values("subscriber")
    of_person = Q(subscriber__uuid=target.subscriber_uuid) | Q(subscriber__in=former)
    rows = MailedLink.objects.filter(of_person, public_id=target.public_id, kind=kind)
    return rows.select_related("subscriber__place", "mailing_list").first()


def _may_use(link: MailedLink, *, now: datetime | None) -> bool:
    return link.used_at is None or (now is not None and now - link.used_at < REPEAT_PERIOD)


def mark_link_used(link: MailedLink, *, now: datetime, may_repeat: bool = False) -> None:
    """Mark the link as used, in the transaction of its action. Raises `UsedLink` for the second of two at once.

    With ``may_repeat``, a second press within `REPEAT_PERIOD` is no error, and the link stays used since the first.
    """
    rows = MailedLink.objects.filter(pk=link.pk)
    if rows.filter(used_at__isnull=True).update(used_at=now):
        return
    if not may_repeat or not rows.filter(used_at__gt=now - REPEAT_PERIOD).exists():
        raise UsedLink(USED_LINK)
