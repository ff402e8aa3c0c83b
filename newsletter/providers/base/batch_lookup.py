"""One question to a provider about a batch that was sent before. Anything but a readable answer proves nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.contract import BatchLookup, HttpRequest, Verdict
from newsletter.providers.base.errors import TransportError
from newsletter.providers.base.responses import quote, read_json, read_retry_after
from newsletter.providers.base.transport import Transport

NO_RECORD = Message("has no record of this batch yet. Records come late, so this does not prove that it was not sent.")


def ask(
    request: HttpRequest, *, transport: Transport, provider: str, secrets: tuple[str, ...], now: datetime
) -> Mapping[str, Any] | BatchLookup:
    """Give the JSON object of a good answer, else the BatchLookup that says why nothing was learned."""
    try:
        answer = transport.call(request)
    except TransportError as error:
        return BatchLookup(
            Verdict.UNCERTAIN, Message("%(provider)s could not be asked. %(error)s", provider=provider, error=error)
        )
    parsed = read_json(answer.body) if answer.complete else None
    row: Mapping[str, Any] = parsed if isinstance(parsed, Mapping) else {}
    if answer.status == 200 and row:
        return row
    said = quote(str(row.get("message") or row.get("Message") or row.get("errors") or ""), secrets=secrets)
    why = Message(
        "%(provider)s was asked about this batch and gave no usable answer (%(status)s).",
        provider=provider,
        status=answer.status,
    )
    return BatchLookup(
        Verdict.UNCERTAIN,
        Message('%(why)s It said: "%(said)s"', why=why, said=said) if said else why,
        retry_after=read_retry_after(answer, now=now),
    )


def list_rows(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Give the rows under ``name``, leaving out what is none."""
    rows = answer.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def combine_records(
    people: Mapping[int, Verdict], *, deliveries: Sequence[int], provider: str, provider_id: str
) -> BatchLookup:
    """Give what is known of a batch whose people have records of their own; who has none stays uncertain."""
    known = {delivery: people[delivery] for delivery in deliveries if delivery in people}
    if not known:
        return BatchLookup(Verdict.UNCERTAIN, f"{provider} {NO_RECORD}")
    if len(known) == len(set(deliveries)):
        others = {delivery: verdict for delivery, verdict in known.items() if verdict is not Verdict.ACCEPTED}
        return BatchLookup(
            Verdict.ACCEPTED,
            Message("%(provider)s has records of everybody in it.", provider=provider),
            provider_id,
            people=others,
        )
    why = Message(
        "%(provider)s has records of %(known)s of the %(deliveries)s people in it so far.",
        provider=provider,
        known=Quantity(len(known)),
        deliveries=Quantity(len(set(deliveries))),
    )
    return BatchLookup(Verdict.UNCERTAIN, why, provider_id, people=known)
