"""Rebuild the mail of one person with the code that sends, and say if it is proved to equal the mail that was sent.

The variant is stored. Name, town and address are those of today: the fingerprint of the attempt shows if one changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message, end_sentence
from newsletter.feedback.explaining.explain_exclusion import explain_left_out, was_frozen
from newsletter.feedback.explaining.explain_welcome import explain_step
from newsletter.feedback.explaining.find_delivery import find_delivery
from newsletter.models import Attempt, Delivery, DeliveryException, Issue
from newsletter.providers.base.contract import BatchCall, Mail, Recipient
from newsletter.providers.base.mail.tokens import fill_tokens
from newsletter.rendering.personal_values import PERSONAL_LINKS
from newsletter.sending.build_call import (
    ADDRESS_FIELD,
    RENDER_ERRORS,
    LocationNames,
    RecipientRow,
    build_call,
    prepare_variant,
)
from newsletter.sending.fingerprints import has_fingerprint, make_fingerprints
from subscribers.models import Subscriber

_STORED_HASH_BYTES = Delivery._meta.get_field("address_hash").max_length or 32


class MailNotShown(DomainError):
    """The issue has no mail of this person, or their mail cannot be made again."""


class Match(StrEnum):
    """The certainty that the mail made again is the one that was handed over."""

    EXACT = "exact"
    ONE_OF_SEVERAL = "one_of_several"
    CHANGED = "changed"
    OTHER_ADDRESS = "other_address"
    UNKNOWN = "unknown"


NOTES = {
    Match.EXACT: Message(
        "This is the mail as we handed it over, byte for byte: it matches the fingerprint that was kept then."
    ),
    Match.ONE_OF_SEVERAL: Message(
        "We tried several times to hand this mail over, and the mail is the one of one attempt, byte for byte. Another "
        "attempt had other values, or none are known of it. We cannot tell which one reached the person."
    ),
    Match.CHANGED: Message(
        "Something changed since this mail was sent: the name or town of the person, a setting such as the address of the "
        "site, or this program. The mail is the version that was sent, with the values of today."
    ),
    Match.OTHER_ADDRESS: Message(
        "This mail may have gone to another address of the person, which we no longer keep. The mail is the version that "
        "was sent, with the values of today. We cannot prove that name and town were the same."
    ),
    Match.UNKNOWN: Message(
        "No fingerprint was kept: the call to the provider is still running, or ended without an answer in time. The mail is "
        "the version that was sent, with the values of today. We cannot prove that name and town were the same."
    ),
}


@dataclass(frozen=True)
class RebuiltMail:
    """One person's mail. ``attempt`` handed it over, the newest if several did. `mail` has tokens in place of the values."""

    delivery: Delivery
    attempt: Attempt
    mail: Mail
    recipient: Recipient
    match: Match

    @property
    def subject(self) -> str:
        return fill_tokens(self.mail.subject, self.recipient.variables)

    @property
    def html(self) -> str:
        return fill_tokens(self.mail.html, self.recipient.variables)

    @property
    def text(self) -> str:
        return fill_tokens(self.mail.text, self.recipient.variables)


def rebuild_mail(issue: Issue, *, person: Subscriber) -> RebuiltMail:
    """Return the mail that was handed to the provider for this person.

    Raises MailNotShown if there is none, and InvariantViolated if the stored variant is not the one that was approved.
    """
    delivery = find_delivery(issue, person=person.pk)
    if delivery is None:
        raise MailNotShown(_explain_missing(issue, person=person))
    _refuse_unsent(delivery)
    made = delivery.batch.attempts.exclude(code=Attempt.Code.RENDER_FAILURE)
    attempts = list(made.exclude(outcome__in=("not_sent", "throttled"), fingerprints=b""))
    if not attempts:
        raise MailNotShown(
            "Nothing was handed to the provider for this person. If the send goes on, look again after it."
        )
    try:
        call = _build(delivery, person=person)
    except RENDER_ERRORS as error:
        raise MailNotShown(
            "The mail cannot be made again, because it needs a value of the person that is not stored any more."
        ) from error
    fingerprint = make_fingerprints(call)
    attempt = max(
        attempts,
        key=lambda one: (has_fingerprint(bytes(one.fingerprints), fingerprint), bool(one.fingerprints), one.number),
    )
    match = _compare(attempts, fingerprint, delivery=delivery, person=person)
    return RebuiltMail(delivery, attempt, call.mail, call.people[0], match)


def mask_links(rebuilt: RebuiltMail, *, link: str) -> RebuiltMail:
    """Return the mail with ``link`` in place of each personal link, so that nobody can unsubscribe the person by it."""
    masked = {
        token: link if token[2:] in (*PERSONAL_LINKS, ADDRESS_FIELD) else value
        for token, value in rebuilt.recipient.variables.items()
    }
    return replace(rebuilt, recipient=rebuilt.recipient._replace(variables=masked))


def _build(delivery: Delivery, *, person: Subscriber) -> BatchCall:
    row = RecipientRow(delivery.pk, person.uuid.bytes, person.email, person.name, person.place_id)
    prepared = prepare_variant(delivery.batch.variant)
    return build_call(batch=delivery.batch, recipients=[row], prepared=prepared, places=LocationNames())


def _compare(attempts: Sequence[Attempt], fingerprint: bytes, *, delivery: Delivery, person: Subscriber) -> Match:
    stored = [bytes(attempt.fingerprints) for attempt in attempts]
    matching = [has_fingerprint(fingerprints, fingerprint) for fingerprints in stored]
    if any(matching):
        return Match.EXACT if all(matching) else Match.ONE_OF_SEVERAL
    if bytes(delivery.address_hash) != bytes(person.address_hash)[:_STORED_HASH_BYTES]:
        return Match.OTHER_ADDRESS
    return Match.CHANGED if any(stored) else Match.UNKNOWN


def _refuse_unsent(delivery: Delivery) -> None:
    exception: DeliveryException | None = getattr(delivery, "exception", None)
    if exception and exception.was_not_handed_over:
        raise MailNotShown(
            "Nothing was handed to the provider for this person: %(reason)s", reason=end_sentence(exception.reason)
        )


def _explain_missing(issue: Issue, *, person: Subscriber) -> Message | str:
    if issue.is_welcome:
        return explain_step(issue, person=person)
    if issue.sends.filter(purged_at__isnull=False).exists():
        return Message(
            "We deleted who got this issue 90 days after it was sent, and kept only the numbers. Nobody’s mail of it can be "
            "shown any more."
        )
    if was_frozen(issue):
        return explain_left_out(issue, person=person)
    return Message("This issue was not sent yet. Its preview shows the mail as this person will get it.")
