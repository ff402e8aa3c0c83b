"""SparkPost: one call for a batch, personal values as substitution data (developers.sparkpost.com, transmissions).

An answer of 200 may hold errors about single people. No idempotency key exists, so nothing here may try twice.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base import curly_variables
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.batch_lookup import ask, combine_records, list_rows
from newsletter.providers.base.bisection import can_bisect
from newsletter.providers.base.contract import (
    BatchCall,
    BatchLookup,
    Capabilities,
    HttpRequest,
    Outcome,
    Person,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.responses import quote, read_json, read_refusal
from newsletter.providers.base.suppression_list_formats import sparkpost_list
from newsletter.providers.base.suppression_list_reader import SuppressedAddress, read_pages
from newsletter.providers.base.tokens import clean_value
from newsletter.providers.base.transport import Transport

ENDPOINT = "https://api.sparkpost.com"
MAX_BATCH_SIZE = 2000
MAX_REQUEST_BYTES = 20_000_000
MAX_PERSON_VALUE_BYTES = 100_000
QUOTA_WAIT = 900.0
_NOT_TAKEN = {"generation_failure", "generation_rejection", "policy_rejection"}
_EVENTS = ("injection", "delivery", "bounce", "delay", *sorted(_NOT_TAKEN))


class SparkPost:
    """The adapter. Safe to share between threads; ``close`` when done."""

    def __init__(
        self,
        *,
        key: str,
        endpoint: str = ENDPOINT,
        max_batch: int = 1000,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key = key
        self._endpoint = endpoint
        self._transport = transport or Transport()
        self._clock = clock
        self._capabilities = Capabilities(
            name="sparkpost",
            merge="substitute",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            max_variable_bytes=MAX_PERSON_VALUE_BYTES,
            reconcile="query",
            atomic=False,
            people_per_second=people_per_second,
            calls_per_second=calls_per_second,
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def deliver(self, call: BatchCall) -> Outcome:
        """Make one attempt. Raises BadMail or BadBatch, with nothing sent, where the call itself is at fault."""
        prepared = prepare(call, capabilities=self._capabilities)
        return attempt(prepared, transport=self._transport, build=self._request, read=self._read)

    def build(self, call: BatchCall) -> HttpRequest:
        """Give the request of a batch. The same batch gives the same bytes. Raises BadMail or BadBatch."""
        return self._request(prepare(call, capabilities=self._capabilities))

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for the events of the batch's campaign. Each person needs an event of her own; none proves nothing."""
        campaign = campaign_id(key)
        begin = (sent_at - timedelta(minutes=5)).astimezone(UTC)
        query = urlencode(
            {
                "campaigns": campaign,
                "events": ",".join(_EVENTS),
                "from": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
                "to": f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "per_page": 10_000,
            }
        )
        request = HttpRequest("GET", f"{self._endpoint}/api/v1/events/message?{query}", self._headers(), b"")
        answer = ask(request, transport=self._transport, provider="SparkPost", secrets=(self._key,), now=self._clock())
        if isinstance(answer, BatchLookup):
            return answer
        # The search takes a campaign's name by its words, so events of other batches may be among them.
        rows = [row for row in list_rows(answer, "results") if row.get("campaign_id") == campaign]
        people: dict[int, Verdict] = {}
        for row in rows:
            meta = row.get("rcpt_meta")
            delivery = str(meta.get("delivery") or "") if isinstance(meta, Mapping) else ""
            if not re.fullmatch(r"\d{1,18}", delivery) or row.get("type") not in _EVENTS:
                continue
            taken = row["type"] not in _NOT_TAKEN
            if taken or int(delivery) not in people:
                people[int(delivery)] = Verdict.ACCEPTED if taken else Verdict.REJECTED
        first = next((str(row["transmission_id"]) for row in rows if row.get("transmission_id")), "")
        return combine_records(people, deliveries=deliveries, provider="SparkPost", provider_id=first)

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the account's list. Raises SuppressionListError."""
        return read_pages(
            sparkpost_list(self._endpoint, since=since),
            request=lambda url: HttpRequest("GET", url, self._headers(), b""),
            transport=self._transport,
            provider="SparkPost",
            secrets=(self._key,),
        )

    def close(self) -> None:
        self._transport.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._key, "Accept": "application/json", "Content-Type": "application/json"}

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        body = orjson.dumps(_payload(prepared))
        check_bytes(body, capabilities=self._capabilities)
        url = f"{self._endpoint}/api/v1/transmissions"
        return HttpRequest("POST", url, self._headers(), body, None, (5.0, 90.0))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        parsed = read_json(answer.body)
        row: Mapping[str, object] = parsed if isinstance(parsed, Mapping) else {}
        words = _errors(row.get("errors"))
        said = quote(words, secrets=(self._key,))
        bisect = can_bisect(answer, words=words, people=len(prepared.people))
        refusal = read_refusal(answer, provider="SparkPost", said=said, now=self._clock(), bisect=bisect)
        if refusal is not None:
            if answer.status == 420 and refusal.retry_after is None:
                return Outcome(Verdict.THROTTLED, refusal.reason, retry_after=QUOTA_WAIT)
            return refusal
        results = row.get("results") if answer.status == 200 and answer.complete else None
        if isinstance(results, Mapping) and isinstance(results.get("id"), str) and results["id"]:
            outcome = self._read_results(results, prepared)
            if outcome is not None:
                return outcome
        why = Message(
            "SparkPost's answer (%(status)s) is not its usual receipt. It may or may not have taken this batch.",
            status=answer.status,
        )
        return Outcome(Verdict.UNCERTAIN, why)

    def _read_results(self, results: Mapping[str, object], prepared: PreparedBatch) -> Outcome | None:
        taken, refused = results.get("total_accepted_recipients"), results.get("total_rejected_recipients")
        if type(taken) is not int or type(refused) is not int or taken < 0 or refused < 0:
            return None
        if taken + refused != len(prepared.people):
            return None
        provider_id = str(results["id"])
        if not refused:
            return Outcome(Verdict.ACCEPTED, Message("Taken by SparkPost."), provider_id=provider_id)
        words = _errors(results.get("rcpt_to_errors"))
        said = quote(words, secrets=(self._key,))
        if not taken:
            why = Message('SparkPost took none of the people in this batch. It said: "%(said)s"', said=said)
            return Outcome(Verdict.REJECTED, why, provider_id=provider_id)
        named = {word.strip("'\"`.,;:()<>[]").lower() for word in words.split()}
        people = {person.delivery: address for address, person in prepared.people if address.lower() in named}
        if len(people) != refused:
            why = Message(
                "SparkPost took %(taken)s of %(people)s people and did not say which.",
                taken=Quantity(taken),
                people=Quantity(len(prepared.people)),
            )
            return Outcome(
                Verdict.UNCERTAIN, Message('%(why)s It said: "%(said)s"', why=why, said=said), provider_id=provider_id
            )
        each = (Verdict.REJECTED, Message('SparkPost refused this person. It said: "%(said)s"', said=said))
        return Outcome(
            Verdict.ACCEPTED,
            Message("Taken by SparkPost."),
            provider_id=provider_id,
            people=dict.fromkeys(people, each),
        )


def campaign_id(key: str) -> str:
    """Give a batch's key as a campaign of SparkPost's: at most 64 bytes."""
    return key if re.fullmatch(r"[A-Za-z0-9._:/-]{1,64}", key) else hashlib.sha256(key.encode()).hexdigest()


def _payload(prepared: PreparedBatch) -> dict[str, object]:
    call, mail = prepared.call, prepared.call.mail
    names = sorted(prepared.needed)
    content: dict[str, object] = {
        "from": {
            "email": mail.from_email,
            **({"name": curly_variables.plain(mail.from_name, write=_escaped)} if mail.from_name else {}),
        },
        "subject": curly_variables.plain(mail.subject, write=_escaped),
        "html": curly_variables.html(mail.html, write=_raw),
        "text": curly_variables.plain(mail.text, write=_escaped),
        "headers": {name: curly_variables.header(value, write=_escaped) for name, value in prepared.headers.items()},
    }
    if mail.reply_to:
        content["reply_to"] = curly_variables.header(mail.reply_to, write=_escaped)
    return {
        "campaign_id": campaign_id(call.key),
        "options": {"open_tracking": False, "initial_open": False, "click_tracking": False, "transactional": False},
        "metadata": {"batch": call.key, "issue": call.issue, "variant": call.variant},
        "recipients": [_recipient(address, person, names) for address, person in prepared.people],
        "content": content,
    }


def _recipient(address: str, person: Person, names: list[str]) -> dict[str, object]:
    values = {name: curly_variables.value(name, clean_value(name, person.variables[name])) for name in names}
    size = len(orjson.dumps(values))
    if size > MAX_PERSON_VALUE_BYTES:
        raise BadBatch(
            "Delivery %(delivery)s has personal values of %(size)s bytes; SparkPost takes "
            "%(most_value_bytes)s. Nothing of this batch was sent.",
            delivery=person.delivery,
            size=Quantity(size),
            most_value_bytes=Quantity(MAX_PERSON_VALUE_BYTES),
        )
    return {
        "address": {"email": address},
        "metadata": {"delivery": str(person.delivery)},
        "substitution_data": values,
    }


def _raw(name: str) -> str:
    return f"{{{{{{{name}}}}}}}"


def _escaped(name: str) -> str:
    """Only HTML parts are escaped by SparkPost, and there three braces are used."""
    return f"{{{{{name}}}}}"


def _errors(rows: object) -> str:
    if not isinstance(rows, list):
        return ""
    words = (
        f"{row.get('message') or ''}: {row.get('description') or ''}" for row in rows[:1000] if isinstance(row, Mapping)
    )
    return "; ".join(each.strip(": ") for each in words)
