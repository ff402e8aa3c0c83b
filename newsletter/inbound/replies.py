"""Take a reply that a person wrote: count it as a sign of life, and note whom it is sent on to."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.utils.timezone import localdate

from newsletter.common.errors import BadAddress
from newsletter.content.parsing.mails.parsed_mail import ParsedMail
from newsletter.inbound.addresses import find_issue, is_own_address
from newsletter.issues.approval.write_notices import list_staff_with_permission
from newsletter.models import Delivery, InboundForward, InboundMail, Issue, Publication, transition
from subscribers.addresses.normalise import normalise
from subscribers.identity import identify
from subscribers.models import Reply, Subscriber
from subscribers.people.replies import record_reply, was_sent
from subscribers.person_locks import lock_people

MAX_OF_SENDER_A_DAY = 20
"""How many replies of one address are forwarded in a day. Two programs that answer each other stop here."""
MAX_AN_HOUR = 300
"""How many replies are forwarded in an hour, from all people together."""
CAN_READ_REPLIES = "subscribers.view_subscriber"
"""The permission of the staff who get replies if the publication names no address for them."""
_State = InboundMail.State


def take_reply(row: InboundMail, parsed: ParsedMail, *, now: datetime) -> None:
    """Keep a reply until it is sent on, and record that the person wrote. Above a limit it is held for staff instead."""
    sender_hash = hash_sender(parsed.sender)
    issue = find_issue(parsed.recipients)
    person = next(iter(lock_people(Subscriber.objects.filter(address_hash=sender_hash))), None)
    publication = issue.publication if issue else _find_publication(person)
    is_taken = transition(
        row,
        from_states=[_State.WAITING],
        to=_State.HELD if _exceeds_limit(sender_hash, now=now) else _State.TO_SEND_ON,
        kind=InboundMail.Kind.REPLY,
        raw=None,
        read_at=now,
        sender_hash=sender_hash,
        sender=parsed.sender,
        sender_name=parsed.sender_name,
        subject=parsed.subject,
        text=parsed.text,
        attachments=list(parsed.attachments),
        cut=parsed.cut,
        publication=publication,
        issue=issue,
    )
    if not is_taken:
        return
    if person is not None:
        _record(person, issue=issue, now=now)
    if row.state == _State.TO_SEND_ON:
        address_forwards(row)


def address_forwards(row: InboundMail) -> None:
    """Note each address of staff that gets this reply. Without any, staff find it in the desk."""
    addresses = list_staff_addresses(row.publication)
    InboundForward.objects.bulk_create(
        [InboundForward(mail=row, email=email) for email in addresses], ignore_conflicts=True
    )
    if not addresses:
        transition(row, from_states=[_State.TO_SEND_ON], to=_State.NOT_SENT_ON)


def list_staff_addresses(publication: Publication | None) -> list[str]:
    """Return where replies are forwarded to: the publication's address for replies, else all staff who look after people."""
    reply_to = publication.reply_to if publication else ""
    if reply_to and not is_own_address(reply_to):
        return [reply_to]
    return sorted({person.email for person in list_staff_with_permission(CAN_READ_REPLIES)})


def hash_sender(address: str) -> bytes:
    """Return the keyed hash of the address; of text that is no address, a hash that no person has."""
    try:
        return identify(normalise(address))
    except BadAddress:
        return sha256(b"no address:" + address.encode("utf-8", "replace")).digest()


def _record(person: Subscriber, *, issue: Issue | None, now: datetime) -> None:
    issue_id = issue.pk if issue and was_sent(person, issue=issue.pk) else None
    record_reply(subscriber=person, replied_on=localdate(now), issue=issue_id, origin=Reply.Origin.MAIL, by="", now=now)


def _find_publication(person: Subscriber | None) -> Publication | None:
    """Return the publication whose mail the person got last, else the first one."""
    if person is not None:
        last = Delivery.objects.filter(subscriber_id=person.pk, proof=False).order_by("-pk")
        delivery = last.select_related("batch__send__issue__publication").first()
        if delivery is not None:
            return delivery.batch.send.issue.publication
    return Publication.objects.order_by("pk").first()


def _exceeds_limit(sender_hash: bytes, *, now: datetime) -> bool:
    replies = InboundMail.objects.filter(kind=InboundMail.Kind.REPLY)
    of_sender = replies.filter(sender_hash=sender_hash, received_at__gt=now - timedelta(days=1)).count()
    return of_sender >= MAX_OF_SENDER_A_DAY or (
        replies.filter(received_at__gt=now - timedelta(hours=1)).count() >= MAX_AN_HOUR
    )
