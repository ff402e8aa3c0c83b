"""A change of address: requested from the old mailbox or by staff, and confirmed from the new one."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timezone import localtime

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.addresses.domains import make_mailbox_key
from subscribers.addresses.normalise import normalise
from subscribers.confirmation_quota import (
    CONFIRMATION_INTERVAL,
    find_next_confirmation,
    give_back_confirmation_quota,
    reset_confirmation_quota,
    use_confirmation_quota,
)
from subscribers.consent.throttle import increment_counter, read_counter
from subscribers.consent_events import record_consent_event
from subscribers.identity import identify, require_own_key
from subscribers.models import ConsentEvent, EndReason, MailedLink, MailingList, Reason, Subscriber, Suppression
from subscribers.models.throttles import MAX_CONFIRMATION_REQUESTS
from subscribers.people.mailed_links import (
    REPEAT_PERIOD,
    USED_LINK,
    Kind,
    UsedLink,
    find_next_request,
    forget_unsent_links,
    mark_link_used,
    request_mailed_link,
)
from subscribers.people.merge import merge_people
from subscribers.person_locks import lock_current, lock_people_to_delete
from subscribers.unsubscribing.suppression import (
    REASONS_REMOVED_BY_CONFIRMING,
    end_subscriptions,
    is_all_mail_blocked,
    write_suppression,
)
from subscribers.unsubscribing.suppression_journal import AddressChange, journal_after_commit

REASONS_TO_CARRY_OVER = (Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.ERASURE, Reason.STAFF, Reason.LEGAL)
"""Suppressions that follow a person to another address. The others say something about the mailbox left behind."""


class AddressNotAsked(DomainError):
    """No mail went to the new address."""


class SameAddress(AddressNotAsked):
    """The new address is the current one."""


class NewAddressSuppressed(AddressNotAsked):
    """The new address is suppressed for a reason that its owner cannot remove."""


class CannotAskNewAddress(AddressNotAsked):
    """Staff cannot have this address confirmed now."""


@transaction.atomic
def request_address_change(*, link: MailedLink, email: str, now: datetime) -> str:
    """Mail a confirmation to the new address. Return the address in its stored form.

    If the new address is suppressed or over its quota it gets no mail, and the person reads the same text. A second press
    mails nothing, and its answer does not reveal if a mail was sent either.

    Raises:
        BadAddress: The text is no address.
        SameAddress: The address is the current one.
        UsedLink: The link was used before, or the person was deleted since.
        OtherAddressKey: Nothing was changed.
    """
    require_own_key()
    address = normalise(email)
    person = lock_current(link.subscriber)
    if person is None:
        raise UsedLink(USED_LINK)
    if identify(address) == bytes(person.address_hash):
        raise SameAddress("This is the address that we have. Write the new one.")
    try:
        mark_link_used(link, now=now)
    except UsedLink:
        if _is_second_press(link, address, now=now):
            return address
        raise
    increment_counter(_name_press(link, address), now=now)
    if not is_all_mail_blocked(address_hash=identify(address)):
        _request_confirmation(person, address, mailing_list=link.mailing_list, now=now)
    return address


def _is_second_press(link: MailedLink, address: str, *, now: datetime) -> bool:
    """Return True if the link asked for this address just now, also if no mail was sent."""
    uses = MailedLink.objects.filter(pk=link.pk, used_at__gt=now - REPEAT_PERIOD)
    used_at = uses.values_list("used_at", flat=True).first()
    return used_at is not None and read_counter(_name_press(link, address), now=used_at) > 0


def _name_press(link: MailedLink, address: str) -> str:
    """Return the subject of a counter, which is stored as a keyed hash, so the address is not."""
    return f"new address {link.pk} {address}"


@transaction.atomic
def request_correction(*, person: Subscriber, email: str, now: datetime) -> None:
    """Mail a confirmation to the address that staff entered. Until it is confirmed, the person keeps the old one.

    Raises:
        BadAddress: The text is no address.
        SameAddress: The address is the current one.
        NewAddressSuppressed: Nobody may mail the new address.
        CannotAskNewAddress: The person was never on a list, or the address got too many confirmations.
        OtherAddressKey: Nothing was changed.
    """
    require_own_key()
    address = normalise(email)
    if identify(address) == bytes(person.address_hash):
        raise SameAddress("This is the address that we have. Enter the corrected one.")
    if is_all_mail_blocked(address_hash=identify(address)):
        raise NewAddressSuppressed(
            "This address is suppressed: no mail may go to it. The person keeps the old address."
        )
    newest = person.subscriptions.select_related("mailing_list").order_by("-requested_at", "-pk").first()
    if newest is None:
        raise CannotAskNewAddress(
            "This person was never on a list, so no list can write to them. Add them to a list first."
        )
    lock_current(person)
    if not _request_confirmation(person, address, mailing_list=newest.mailing_list, now=now):
        raise _explain_refusal(person, address, now=now)


def _request_confirmation(person: Subscriber, address: str, *, mailing_list: MailingList, now: datetime) -> bool:
    """Queue the mail to the new address. Return False if its mailbox or the person had as many as they may get.

    The caller has locked the person.
    """
    kind = Kind.CONFIRM_ADDRESS
    forget_unsent_links(MailedLink.objects.filter(subscriber=person, kind=kind), now=now)
    if not use_confirmation_quota(address, now=now):
        return False
    queued = request_mailed_link(subscriber=person, mailing_list=mailing_list, kind=kind, new_email=address, now=now)
    if not queued:
        give_back_confirmation_quota(address, used_at=now)
    return queued


def _explain_refusal(person: Subscriber, address: str, *, now: datetime) -> CannotAskNewAddress:
    """Return a text: why no mail is sent to this address now, and what staff can do."""
    possible_at = find_next_confirmation(address, now=now)
    if possible_at > now and _is_mail_waiting(address):
        return CannotAskNewAddress(
            "A mail that asks to confirm is waiting to be sent already. If it cannot be sent, try again in two hours. "
            "The person keeps the old address until they confirm the new one."
        )
    if possible_at - now > CONFIRMATION_INTERVAL:
        return CannotAskNewAddress(
            "Nobody confirmed the %(limit)s mails that this mailbox got, so it gets no other until %(day)s. The person keeps the "
            "old address. If they write to you from the new one, choose Subscribers → Add people, and name their message as "
            "evidence.",
            limit=MAX_CONFIRMATION_REQUESTS,
            day=localtime(possible_at).date(),
        )
    links = MailedLink.objects.filter(subscriber=person, kind=Kind.CONFIRM_ADDRESS)
    return CannotAskNewAddress(
        "Too many confirmations were asked for. Try again after this time: %(moment)s. The person keeps the old address.",
        moment=_round_up(localtime(max(possible_at, find_next_request(links, now=now)))),
    )


def _round_up(moment: datetime) -> datetime:
    """Return the next whole minute, which is all that a reader sees."""
    return (moment + timedelta(seconds=59)).replace(second=0, microsecond=0)


def _is_mail_waiting(address: str) -> bool:
    """Return True if a mail to this mailbox, in any spelling, is not sent yet.

    It counts until it is sent or forgotten: after an hour, by that person's next request or the hourly purge.
    """
    waiting = MailedLink.objects.unsent().filter(kind=Kind.CONFIRM_ADDRESS).values_list("new_email", flat=True)
    return make_mailbox_key(address) in {make_mailbox_key(waiting_address) for waiting_address in waiting}


def confirm_address_change(*, link: MailedLink, now: datetime) -> Subscriber:
    """Move the person to the new address. A subscriber who already has that address is merged into the person.

    Suppressions of both addresses stay in force.

    Raises:
        UsedLink: The link was used before, or the person was deleted since.
        NewAddressSuppressed, OtherAddressKey: Nothing was changed.
    """
    try:
        return _move_person(link, now=now)
    except IntegrityError:
        # Somebody signed up at the new address, or moved to it, after this looked for them. Now they are found.
        return _move_person(link, now=now)


@transaction.atomic
def _move_person(link: MailedLink, *, now: datetime) -> Subscriber:
    require_own_key()
    new_hash = identify(link.new_email)
    both = Subscriber.objects.filter(Q(pk=link.subscriber_id) | Q(address_hash=new_hash))
    locked = {person.pk: person for person in lock_people_to_delete(both)}
    person = locked.pop(link.subscriber_id, None)
    if person is None:
        raise UsedLink(USED_LINK)
    mark_link_used(link, now=now)
    old_hash = bytes(person.address_hash)
    if is_all_mail_blocked(address_hash=new_hash):
        raise NewAddressSuppressed("We may not send mail to this address. Your old address stays as it was.")
    for duplicate in locked.values():
        merge_people(keep=person, absorb=duplicate, now=now, new_email=link.new_email)
    person.email, person.address_hash = link.new_email, new_hash
    person.save(update_fields=["email", "address_hash"])
    if new_hash != old_hash:
        journal_after_commit([AddressChange(old_hash, new_hash, now)])
    _carry_suppressions(old_hash=old_hash, new_hash=new_hash, now=now)
    _end_unsubscribed_lists(person, now=now)
    reset_confirmation_quota(link.new_email)
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.MOVED,
            subscriber=person,
            address_hash=new_hash,
            at=now,
            source=Message("link in a mail to the new address"),
            data={"from": old_hash.hex()},
        )
    )
    return person


def _carry_suppressions(*, old_hash: bytes, new_hash: bytes, now: datetime) -> None:
    carried = Suppression.objects.live().filter(address_hash=old_hash, reason__in=REASONS_TO_CARRY_OVER)
    for suppression in carried.select_related("mailing_list"):
        write_suppression(
            address_hash=new_hash,
            reason=Reason(suppression.reason),
            now=now,
            mailing_list=suppression.mailing_list,
            note=Message("carried over when the person changed address"),
        )


def _end_unsubscribed_lists(person: Subscriber, *, now: datetime) -> None:
    """End lists that either address unsubscribed from. An open one would keep the person from signing up again.

    If the mail was reported as spam, that is the reason for each ended subscription.
    """
    suppressions = Suppression.objects.live().filter(
        address_hash=person.address_hash, reason__in=REASONS_REMOVED_BY_CONFIRMING
    )
    for suppression in sorted(
        suppressions.select_related("mailing_list"), key=lambda row: row.reason != Reason.COMPLAINT
    ):
        reason = EndReason.COMPLAINT if suppression.reason == Reason.COMPLAINT else EndReason.UNSUBSCRIBE
        end_subscriptions(subscriber=person, reason=reason, now=now, mailing_list=suppression.mailing_list)
