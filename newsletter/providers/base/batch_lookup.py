"""Ask a provider what became of a batch. Anything but a readable answer proves nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from newsletter.common.messages import Message, Quantity, describe_people
from newsletter.providers.base.contract import BatchLookup, HttpCaller, HttpRequest, Verdict
from newsletter.providers.base.errors import TransportError
from newsletter.providers.base.json_values import Row, as_list, as_mapping, parse_json_or_none
from newsletter.providers.base.responses import mask_provider_text, quote_provider, read_retry_after


def query_provider(
    request: HttpRequest, *, transport: HttpCaller, provider: str, secrets: tuple[str, ...], now: datetime
) -> Row | BatchLookup:
    """Return the JSON object of a good answer, else a BatchLookup that says why nothing was learned."""
    try:
        answer = transport.call(request)
    except TransportError as error:
        return BatchLookup(
            Verdict.UNCERTAIN, Message("%(provider)s could not be asked. %(error)s", provider=provider, error=error)
        )
    row = as_mapping(parse_json_or_none(answer.body)) if answer.complete else {}
    if answer.status == 200 and row:
        return row
    message = mask_provider_text(
        str(row.get("message") or row.get("Message") or row.get("errors") or ""), secrets=secrets
    )
    why = Message(
        "%(provider)s was asked about this batch and gave no usable answer (%(status)s).",
        provider=provider,
        status=answer.status,
    )
    return BatchLookup(Verdict.UNCERTAIN, quote_provider(why, message), retry_after=read_retry_after(answer, now=now))


def list_rows(answer: Row, name: str) -> list[Row]:
    """Return the objects in the list under ``name``, without anything that is not an object."""
    return [as_mapping(row) for row in as_list(answer.get(name)) if row and isinstance(row, Mapping)]


def no_record(provider: str) -> BatchLookup:
    """Return the result if the provider has no record: everybody stays uncertain."""
    return BatchLookup(
        Verdict.UNCERTAIN,
        Message(
            "%(provider)s has no record of this batch yet. Records come late, so this does not prove that it was not "
            "sent.",
            provider=provider,
        ),
    )


def found_record(provider: str, provider_id: str) -> BatchLookup:
    """Return that a batch accepted as a whole was accepted, because one record names it."""
    return BatchLookup(
        Verdict.ACCEPTED, Message("%(provider)s has records of this batch.", provider=provider), provider_id
    )


def combine_records(
    people: Mapping[int, Verdict], *, deliveries: Sequence[int], provider: str, provider_id: str
) -> BatchLookup:
    """Return the result for a batch with one record for each recipient. Without a record, a recipient stays uncertain."""
    verdicts = {delivery: people[delivery] for delivery in deliveries if delivery in people}
    if not verdicts:
        return no_record(provider)
    if len(verdicts) == len(set(deliveries)):
        not_accepted = {delivery: verdict for delivery, verdict in verdicts.items() if verdict is not Verdict.ACCEPTED}
        return BatchLookup(
            Verdict.ACCEPTED,
            Message("%(provider)s has records of everybody in it.", provider=provider),
            provider_id,
            people=not_accepted,
        )
    why = Message(
        "%(provider)s has records of %(known)s of %(deliveries)s in it so far.",
        provider=provider,
        known=Quantity(len(verdicts)),
        deliveries=describe_people(len(set(deliveries))),
    )
    return BatchLookup(Verdict.UNCERTAIN, why, provider_id, people=verdicts)
