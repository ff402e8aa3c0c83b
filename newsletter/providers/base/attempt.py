"""One attempt at one batch, the same for every provider: check the batch, call once, turn silence into a verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.addresses import ascii_address, split_by_valid_address
from newsletter.providers.base.contract import (
    BatchCall,
    Capabilities,
    HttpRequest,
    Mail,
    Outcome,
    Person,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch, BadMail, OutcomeUnknown, RequestNotSent
from newsletter.providers.base.headers import build_headers, check_mail
from newsletter.providers.base.tokens import check_tokens, check_values


class HttpCaller(Protocol):
    """What makes the call, as ``Transport`` does."""

    def call(self, request: HttpRequest) -> ProviderResponse: ...


@dataclass(frozen=True)
class PreparedBatch:
    """A batch that may go out.

    ``people`` pairs ASCII addresses with persons; ``refused`` is delivery -> reason of those whose address no provider
    takes; ``headers`` has the one-click pair; ``needed`` names every personal value that the mail uses.
    """

    call: BatchCall
    people: list[tuple[str, Person]]
    refused: Mapping[int, str]
    headers: Mapping[str, str]
    needed: set[str]


def prepare(call: BatchCall, *, capabilities: Capabilities) -> PreparedBatch:
    """Check a batch and its mail. Raises BadBatch or BadMail, which name what is wrong; nothing was sent then."""
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
    call = replace(call, mail=_in_ascii(call.mail))
    people, refused = split_by_valid_address(call.people)
    common = find_common_values(people)
    headers = build_headers(call.mail, values=common)
    needed = check_tokens(replace(call.mail, headers=headers))
    if not needed <= common:
        check_values((person for _, person in people), needed=needed)
    return PreparedBatch(call, people, refused, headers, needed)


def find_common_values(people: Sequence[tuple[str, Person]]) -> set[str]:
    """The names of the values that everybody has."""
    if not people:
        return set()
    shapes = {tuple(person.variables) for _, person in people}
    return set(shapes.pop()).intersection(*shapes)


def _in_ascii(mail: Mail) -> Mail:
    try:
        reply_to = ascii_address(mail.reply_to) if mail.reply_to else ""
        return replace(mail, from_email=ascii_address(mail.from_email), reply_to=reply_to)
    except ValueError as error:
        raise BadMail(
            "The sender's or the reply address cannot be used: %(error)s. Correct it in the publication.", error=error
        ) from error


def check_bytes(body: bytes, *, capabilities: Capabilities) -> None:
    """Raise BadBatch where a request is longer than the provider takes."""
    if len(body) > capabilities.max_bytes:
        raise BadBatch(
            "The batch makes %(body)s bytes; %(name)s takes %(max_bytes)s. Nothing was sent; use fewer "
            "people in a batch or a shorter issue.",
            body=Quantity(len(body)),
            name=capabilities.name,
            max_bytes=Quantity(capabilities.max_bytes),
        )


def attempt(
    prepared: PreparedBatch,
    *,
    transport: HttpCaller,
    build: Callable[[PreparedBatch], HttpRequest],
    read: Callable[[ProviderResponse, PreparedBatch], Outcome],
) -> Outcome:
    """Call the provider once. Only ``build`` may raise (BadBatch, BadMail), and then nothing was sent."""
    invalid_addresses = {delivery: (Verdict.REJECTED, why) for delivery, why in prepared.refused.items()}
    if not prepared.people:
        return Outcome(
            Verdict.REJECTED,
            Message("Nobody in this batch has an address that can be sent to."),
            people=invalid_addresses,
        )
    try:
        answer = transport.call(build(prepared))
    except RequestNotSent as error:
        return Outcome(Verdict.NOT_SENT, str(error), people=invalid_addresses)
    except OutcomeUnknown as error:
        return Outcome(Verdict.UNCERTAIN, str(error), people=invalid_addresses)
    outcome = read(answer, prepared)
    return replace(outcome, people={**outcome.people, **invalid_addresses})
