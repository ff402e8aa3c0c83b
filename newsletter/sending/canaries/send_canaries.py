"""Send an issue to the canary mailboxes before and after its recipients. Skip an address that is a recipient.

The rows are written first. A mail that may have been accepted is never sent again. None of them is a delivery.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.issues.snapshot.exposure import shows_withdrawn_story
from newsletter.models import Batch, CanaryMail, CanaryMailbox, Delivery, Publication, Send, Variant, transition
from newsletter.providers.base.contract import Adapter, BatchCall, Outcome, Recipient, Verdict
from newsletter.sending.adapters import can_mail_leave
from newsletter.sending.build_call import (
    RENDER_ERRORS,
    LocationNames,
    RecipientRow,
    describe_render_failure,
    plan_fields,
    prepare_variant,
)
from newsletter.sending.limits.each_send import act_on_each, run_each
from newsletter.sending.limits.running_sends import find_open_sends, find_unhindered_sends
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.notices.single_mails import deliver_single, must_wait
from subscribers.addresses.normalise import to_ascii
from subscribers.links.signed_links import Signer, link_keys
from subscribers.models import Subscriber

MAX_LAST_CANARY_DELAY = timedelta(hours=1)
"""Last canaries are not sent later than this after the send: their result would say nothing about it."""
LOST_AFTER = timedelta(minutes=5)
"""A mail that is being sent for longer was lost with its process."""
ISSUE_NAME = "canaries"
"""The name under which a provider counts these mails, so that its counts of the issue are about subscribers only."""
MARK_HEADER = "X-Entity-Ref-ID"
"""The header that names a canary's mail. Every issue has it, so a filter sees the same headers as in a subscriber's mail."""
IS_SUBSCRIBER = Message(
    "this address is a recipient of this send, so it gets the issue once, as a subscriber. Use an address that is on no list"
)
LOST = Message("the process stopped during the call, so it is unknown whether the provider accepted it")

_State, _Turn = CanaryMail.State, CanaryMail.Turn
_STORED_HASH_BYTES = Delivery._meta.get_field("address_hash").max_length or 32
_STATES = {Verdict.ACCEPTED: _State.ACCEPTED, Verdict.UNCERTAIN: _State.UNCERTAIN}


def _find_sends_for_last_canary(now: datetime) -> QuerySet[Send]:
    ended = Send.objects.filter(ended_at__gt=now - MAX_LAST_CANARY_DELAY)
    return ended.exclude(issue__publication__canary=Publication.Canary.OFF)


@acts_on(
    _find_sends_for_last_canary,
    lambda now: CanaryMail.objects.filter(state=_State.SENDING),
    sends=Q(state=Send.State.SUBMITTING),
)
def send_canaries(*, adapters: Mapping[str, Adapter], now: datetime) -> int:
    """Send the canary mails that are due. Return how many were accepted. ``adapters`` has those of all usable accounts."""
    CanaryMail.objects.filter(state=_State.SENDING, sent_at__lt=now - LOST_AFTER).update(
        state=_State.UNCERTAIN, reason=LOST
    )
    results: list[tuple[Send, int]] = []
    turns = ((_Turn.FIRST, find_sends_before), (_Turn.LAST, find_sends_after))
    failure = "The canaries of send %s were not sent"
    run_each(
        partial(
            act_on_each,
            find_rows(find_sends, now=now),
            partial(_send_turn, turn=turn, adapters=adapters, now=now),
            failure=failure,
            results=results,
        )
        for turn, find_sends in turns
    )
    return sum(count for _, count in results)


def find_sends_before(now: datetime) -> QuerySet[Send]:
    """Return the sends whose first canaries are due, because there is no final decision about them."""
    decisions = [Send.CanaryDecision.NONE, Send.CanaryDecision.WATCHED]
    return _select(find_open_sends(now=now).filter(canary_decision__in=decisions))


def find_sends_after(now: datetime) -> QuerySet[Send]:
    """Return the sends that ended a short time ago, which is when their last canaries are due."""
    ended = [Send.State.SUBMITTED, Send.State.NEEDS_ATTENTION]
    return _select(
        find_unhindered_sends().filter(state__in=ended, ended_at__gt=now - MAX_LAST_CANARY_DELAY, recipients__gt=0)
    )


def _select(sends: QuerySet[Send]) -> QuerySet[Send]:
    """Keep the sends of publications that use canaries. A welcome mail has none: it is sent to a few people each day."""
    used = sends.filter(period="").exclude(issue__publication__canary=Publication.Canary.OFF)
    return used.select_related("issue__publication__mailing_list").order_by("pk")


def _send_turn(send: Send, *, turn: CanaryMail.Turn, adapters: Mapping[str, Adapter], now: datetime) -> int:
    if not _find_waiting(send, turn).exists() and not _find_mailboxes_without_row(send, turn).exists():
        return 0
    chosen = _find_largest_part(send, turn)
    if chosen is None or chosen.account not in adapters or not can_mail_leave(chosen.account):
        # A send without its account is paused, and says why.
        return 0
    adapter = adapters[chosen.account]
    _write_rows(send, turn, variant=chosen.variant, now=now)
    accepted = 0
    for mail in _find_waiting(send, turn).select_related("mailbox"):
        if must_wait(adapter=adapter, now=now, account=chosen.account):
            break
        accepted += _send_mail(mail, chosen, send=send, adapter=adapter, now=now)
    return accepted


def _find_waiting(send: Send, turn: CanaryMail.Turn) -> QuerySet[CanaryMail]:
    return send.canary_mails.filter(turn=turn, state=_State.WAITING, mailbox__enabled=True)


def _find_mailboxes_without_row(send: Send, turn: CanaryMail.Turn) -> QuerySet[CanaryMailbox]:
    existing = CanaryMail.objects.filter(send=send, turn=turn, mailbox=OuterRef("pk"))
    return CanaryMailbox.objects.filter(~Exists(existing), enabled=True)


def find_canary_account(send: Send) -> str:
    """Return the account that the first canaries go through."""
    part = _find_largest_part(send, _Turn.FIRST)
    return part.account if part else send.issue.publication.account


class _Part(NamedTuple):
    """People of a send who get the same mail through the same provider account."""

    variant: Variant
    account: str


def _find_largest_part(send: Send, turn: CanaryMail.Turn) -> _Part | None:
    """Return the mail that most people get, and its account. Before the send, ignore batches that will not be sent."""
    batches = send.batches.filter(~shows_withdrawn_story())
    if turn == _Turn.FIRST:
        batches = batches.exclude(state__in=[Batch.State.REJECTED, Batch.State.WRITTEN_OFF])
    parts = batches.order_by().values("variant", "account").annotate(people=Sum("size"))
    largest = parts.order_by("-people", "variant", "account").first()
    if largest is None:
        return None
    variant = Variant.objects.select_related("revision", "issue__publication").get(pk=largest["variant"])
    return _Part(variant, largest["account"])


def _write_rows(send: Send, turn: CanaryMail.Turn, *, variant: Variant, now: datetime) -> None:
    """Write a row for each mailbox in use that has none. An address that is a recipient of the send is skipped."""
    mailboxes = list(_find_mailboxes_without_row(send, turn))
    if not mailboxes:
        return
    recipients = _find_recipients(send, mailboxes)
    CanaryMail.objects.bulk_create(
        (
            CanaryMail(
                send=send,
                mailbox=mailbox,
                turn=turn,
                key=f"canary-{secrets.token_hex(12)}",
                label_facts=variant.label_facts,
                state=_State.SKIPPED if bytes(mailbox.address_hash) in recipients else _State.WAITING,
                reason=IS_SUBSCRIBER if bytes(mailbox.address_hash) in recipients else "",
                made_at=now,
            )
            for mailbox in mailboxes
        ),
        ignore_conflicts=True,
    )


def _find_recipients(send: Send, mailboxes: Iterable[CanaryMailbox]) -> set[bytes]:
    """Return the hashes of the addresses that are recipients, as frozen or as changed since.

    In a send that completes another, the deliveries belong to the cancelled issue.
    """
    hashes = [bytes(mailbox.address_hash) for mailbox in mailboxes]
    people = dict(Subscriber.objects.filter(address_hash__in=hashes).values_list("pk", "address_hash"))
    frozen = Delivery.objects.filter(
        Q(address_hash__in=[address_hash[:_STORED_HASH_BYTES] for address_hash in hashes])
        | Q(subscriber_id__in=people),
        issue__in=[issue for issue in (send.issue_id, send.issue.completes_id) if issue],
        batch__send=send,
        proof=False,
    )
    hashes_of_recipients: set[bytes] = set()
    for subscriber, part in frozen.values_list("subscriber_id", "address_hash"):
        hashes_of_recipients |= {address_hash for address_hash in hashes if address_hash.startswith(bytes(part))}
        hashes_of_recipients |= {bytes(people[subscriber])} if subscriber in people else set()
    return hashes_of_recipients


def _send_mail(mail: CanaryMail, part: _Part, *, send: Send, adapter: Adapter, now: datetime) -> int:
    """Claim the mail and hand it over, in one attempt. Return 1 if the provider accepted it, else 0."""
    if not transition(mail, from_states=[_State.WAITING], to=_State.SENDING, sent_at=now):
        return 0
    try:
        call = _build_call(mail, send=send, variant=part.variant)
        outcome = deliver_single(adapter=adapter, call=call, now=now, account=part.account)
    except RENDER_ERRORS as error:
        outcome = Outcome(Verdict.REJECTED, describe_render_failure(error))
    except DomainError as error:
        outcome = Outcome(Verdict.REJECTED, error.message)
    if outcome.verdict in (Verdict.NOT_SENT, Verdict.THROTTLED):
        transition(mail, from_states=[_State.SENDING], to=_State.WAITING, sent_at=None, reason=outcome.reason)
        return 0
    state = _STATES.get(outcome.verdict, _State.FAILED)
    sent_at = None if state == _State.FAILED else now
    reason = "" if state == _State.ACCEPTED else outcome.reason
    transition(mail, from_states=[_State.SENDING], to=state, sent_at=sent_at, reason=reason)
    return int(state == _State.ACCEPTED)


def _build_call(mail: CanaryMail, *, send: Send, variant: Variant) -> BatchCall:
    """Build the mail as a subscriber of this variant gets it. Its links are signed for a person who does not exist."""
    prepared = prepare_variant(variant)
    signer = Signer(link_keys(), site_url=settings.NEWSLETTER_SITE_URL, issued=send.made_at)
    nobody = RecipientRow(delivery=1, uuid=secrets.token_bytes(16), email=mail.mailbox.address, name="", place=None)
    fields = plan_fields(prepared, signer=signer, mailing=0, places=LocationNames())([nobody])
    (values,) = prepared.values(fields)
    return BatchCall(
        key=mail.key,
        issue=ISSUE_NAME,
        variant=prepared.key,
        label=prepared.label,
        mail=replace(prepared.mail, headers={**prepared.mail.headers, MARK_HEADER: mail.key}),
        people=[Recipient(delivery=1, address=to_ascii(mail.mailbox.address), variables=values)],
    )
