"""Check a batch before it is sent, and merge personal values for providers that take complete mails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.contract import BatchCall, Capabilities, Mail, Recipient, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.mail.addresses import ascii_address, split_by_valid_address
from newsletter.providers.base.mail.headers import build_headers, check_mail
from newsletter.providers.base.mail.json_texts import JsonText, compile_json_text
from newsletter.providers.base.mail.tokens import CompiledText, check_tokens, check_values, clean_values

NO_VALID_ADDRESS = Message("No address here can be sent to.")


@dataclass(frozen=True)
class PreparedBatch:
    """A batch that has passed all checks.

    ``people`` has each address, as it is sent, with its recipient; ``refused`` gives a reason for each delivery whose
    address no provider accepts; ``headers`` has the one-click pair; ``needed`` names every personal value of the mail.
    """

    call: BatchCall
    people: list[tuple[str, Recipient]]
    refused: Mapping[int, str]
    headers: Mapping[str, str]
    needed: set[str]

    @property
    def mail(self) -> Mail:
        return self.call.mail

    @property
    def rejections(self) -> dict[int, tuple[Verdict, str]]:
        return {delivery: (Verdict.REJECTED, reason) for delivery, reason in self.refused.items()}

    def values_of(self, recipient: Recipient) -> dict[str, str]:
        """Return the recipient's values that the mail needs, without line breaks and control characters."""
        return clean_values(recipient, names=self.needed)


@dataclass(frozen=True)
class PersonalMail:
    """One recipient's complete mail. ``address`` is in ASCII form, except the part before the @ of some providers."""

    delivery: int
    address: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JsonMail:
    """One recipient's complete mail for ``write_json``, which puts the values into HTML and text. Else a ``PersonalMail``."""

    delivery: int
    address: str
    subject: str
    html: JsonText
    text: JsonText
    headers: Mapping[str, str]


def prepare_batch(call: BatchCall, *, capabilities: Capabilities) -> PreparedBatch:
    """Check a batch and its mail. Raise BadBatch or BadMail, which name the error; then nothing was sent."""
    if not call.people:
        raise BadBatch("The batch has nobody in it.")
    if len(call.people) > capabilities.max_batch:
        raise BadBatch(
            "The batch has %(people)s people; %(name)s takes %(max_batch)s at once. Nothing was sent; the "
            "send must be cut into smaller batches.",
            people=Quantity(len(call.people)),
            name=capabilities.name,
            max_batch=Quantity(capabilities.max_batch),
        )
    check_mail(call.mail)
    call = replace(call, mail=_to_ascii_senders(call.mail))
    people, refused = split_by_valid_address(call.people, international=capabilities.international_addresses)
    common = _find_common_values(people)
    headers = build_headers(call.mail, values=common)
    needed = check_tokens(replace(call.mail, headers=headers))
    if not needed <= common:
        check_values((recipient for _, recipient in people), needed=needed)
    return PreparedBatch(call, people, refused, headers, needed)


def check_bytes(body: bytes, *, capabilities: Capabilities) -> None:
    """Raise BadBatch if a request is larger than the provider accepts."""
    if len(body) > capabilities.max_bytes:
        raise BadBatch(
            "The batch makes %(body)s bytes; %(name)s takes %(max_bytes)s. Nothing was sent; use fewer "
            "people in a batch or a shorter issue.",
            body=Quantity(len(body)),
            name=capabilities.name,
            max_bytes=Quantity(capabilities.max_bytes),
        )


def merge_personal_mails(prepared: PreparedBatch) -> Iterator[PersonalMail]:
    """Return each recipient's complete mail, in the batch's order."""
    html, text = CompiledText(prepared.mail.html), CompiledText(prepared.mail.text)
    for envelope, values in _address_envelopes(prepared):
        yield PersonalMail(html=html.fill(values), text=text.fill(values), **envelope)


def merge_json_mails(prepared: PreparedBatch) -> Iterator[JsonMail]:
    """Return each recipient's complete mail, in the batch's order, for a provider that accepts it as JSON without changes."""
    html, text = compile_json_text(prepared.mail.html), compile_json_text(prepared.mail.text)
    for envelope, values in _address_envelopes(prepared):
        yield JsonMail(html=JsonText(html, values), text=JsonText(text, values), **envelope)


class _Envelope(TypedDict):
    """The values that both kinds of mail have."""

    delivery: int
    address: str
    subject: str
    headers: Mapping[str, str]


def _address_envelopes(prepared: PreparedBatch) -> Iterator[tuple[_Envelope, dict[str, str]]]:
    """Yield each recipient's envelope and values, in the batch's order."""
    subject = CompiledText(prepared.mail.subject)
    headers = {name: CompiledText(value) for name, value in prepared.headers.items()}
    for address, recipient in prepared.people:
        values = prepared.values_of(recipient)
        envelope = _Envelope(
            delivery=recipient.delivery,
            address=address,
            subject=subject.fill(values),
            headers={name: compiled.fill(values) for name, compiled in headers.items()},
        )
        yield envelope, values


def _find_common_values(people: Sequence[tuple[str, Recipient]]) -> set[str]:
    if not people:
        return set()
    shapes = {tuple(recipient.variables) for _, recipient in people}
    return set(shapes.pop()).intersection(*shapes)


def _to_ascii_senders(mail: Mail) -> Mail:
    try:
        reply_to = ascii_address(mail.reply_to) if mail.reply_to else ""
        return replace(mail, from_email=ascii_address(mail.from_email), reply_to=reply_to)
    except ValueError as error:
        raise BadMail(
            "The sender’s or the reply address cannot be used: %(error)s. Correct it in the publication.", error=error
        ) from error
