"""Amazon SES v2: one call for a batch, personal values as template data (docs.aws.amazon.com/ses, SendBulkEmail).

An answer of 200 has one verdict for each entry, in our order. No idempotency key exists, so nothing here may try twice:
botocore (the ``ses`` extra) signs the request, and our own transport makes the one call.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base import curly_variables
from newsletter.providers.base.attempt import PreparedBatch, attempt, check_bytes, prepare
from newsletter.providers.base.bisection import can_bisect
from newsletter.providers.base.contract import (
    BatchCall,
    Capabilities,
    HttpRequest,
    Outcome,
    Person,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.headers import ascii_header, mailbox
from newsletter.providers.base.responses import quote, read_json, read_refusal
from newsletter.providers.base.row_verdicts import combine_row_verdicts
from newsletter.providers.base.suppression_list_formats import ses_list
from newsletter.providers.base.suppression_list_reader import SuppressedAddress, read_pages
from newsletter.providers.base.tags import make_ses_tag
from newsletter.providers.base.tokens import CompiledText, clean_value
from newsletter.providers.base.transport import Transport
from newsletter.providers.ses.signing import SigningTransport, make_signer

MAX_BATCH_SIZE = 50
MAX_REQUEST_BYTES = 10_000_000
MAX_PERSON_VALUE_BYTES = 262_144
MAX_HEADERS = 15
MAX_HEADER_BYTES = 995
MAX_HEADER_LINE_BYTES = 996
QUOTA_WAIT = 3600.0
_RETRYABLE_ERRORS = {"TRANSIENT_FAILURE", "ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED"}
_ACCOUNT_ERRORS = {
    "MAIL_FROM_DOMAIN_NOT_VERIFIED",
    "CONFIGURATION_SET_NOT_FOUND",
    "TEMPLATE_NOT_FOUND",
    "ACCOUNT_SUSPENDED",
    "INVALID_SENDING_POOL_NAME",
    "ACCOUNT_SENDING_PAUSED",
    "CONFIGURATION_SET_SENDING_PAUSED",
}
_REFUSED = {"MESSAGE_REJECTED", "INVALID_PARAMETER"}
_SLOW_DOWN = {"TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException"}
_STOP = {
    "AccountSuspendedException",
    "SendingPausedException",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "ExpiredTokenException",
}


class Ses:
    """The adapter. Safe to share between threads; ``close`` when done."""

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        region: str,
        endpoint: str = "",
        configuration_set: str = "",
        max_batch: int = MAX_BATCH_SIZE,
        people_per_second: float | None = None,
        calls_per_second: float | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises BadProviderUrl where the ``ses`` extra is not installed."""
        self._secrets = (secret, key)
        self._endpoint = endpoint or build_endpoint(region)
        self._url = f"{self._endpoint}/v2/email/outbound-bulk-emails"
        self._configuration_set = configuration_set
        self._transport = SigningTransport(
            transport or Transport(), sign=make_signer(key=key, secret=secret, region=region)
        )
        self._clock = clock
        self._capabilities = Capabilities(
            name="ses",
            merge="substitute",
            max_batch=max_batch,
            max_bytes=MAX_REQUEST_BYTES,
            max_variable_bytes=MAX_PERSON_VALUE_BYTES,
            reconcile="events",
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
        """Give the request of a batch before it is signed. The same batch gives the same bytes."""
        return self._request(prepare(call, capabilities=self._capabilities))

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Give the account's list. Raises SuppressionListError."""
        return read_pages(
            ses_list(self._endpoint, since=since),
            request=lambda url: HttpRequest("GET", url, {}, b""),
            transport=self._transport,
            provider="Amazon SES",
            secrets=self._secrets,
        )

    def close(self) -> None:
        self._transport.close()

    def _request(self, prepared: PreparedBatch) -> HttpRequest:
        payload = _payload(prepared)
        if self._configuration_set:
            payload["ConfigurationSetName"] = self._configuration_set
        body = orjson.dumps(payload)
        check_bytes(body, capabilities=self._capabilities)
        return HttpRequest("POST", self._url, {"Content-Type": "application/json"}, body, None, (5.0, 60.0))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        parsed = read_json(answer.body)
        row: Mapping[str, object] = parsed if isinstance(parsed, Mapping) else {}
        kind = _error_type(answer, row)
        words = str(row.get("message") or row.get("Message") or "")
        said = quote(f"{kind} {words}".strip(), secrets=self._secrets)
        if kind in _SLOW_DOWN and 400 <= answer.status < 500:
            wait = QUOTA_WAIT if kind == "LimitExceededException" else None
            why = Message("Amazon SES asked us to slow down; this batch will be tried again.")
            return Outcome(
                Verdict.THROTTLED, Message('%(why)s It said: "%(said)s"', why=why, said=said), retry_after=wait
            )
        if kind in _STOP and 400 <= answer.status < 500:
            why = Message(
                "Amazon SES does not send for us now. Check the key, its region, the sending domain and the account."
            )
            return Outcome(Verdict.REJECTED, Message('%(why)s It said: "%(said)s"', why=why, said=said), stop=True)
        bisect = can_bisect(answer, words=words, people=len(prepared.people))
        refusal = read_refusal(answer, provider="Amazon SES", said=said, now=self._clock(), bisect=bisect)
        if refusal is not None:
            return refusal
        rows = row.get("BulkEmailEntryResults")
        if answer.status != 200 or not answer.complete or not isinstance(rows, list):
            why = Message(
                "Amazon SES's answer (%(status)s) is not its usual receipt. It may have taken this batch.",
                status=answer.status,
            )
            return Outcome(Verdict.UNCERTAIN, why)
        if len(rows) != len(prepared.people):
            why = Message(
                "Amazon SES answered for %(rows)s people and was given %(people)s.",
                rows=Quantity(len(rows)),
                people=Quantity(len(prepared.people)),
            )
            return Outcome(Verdict.UNCERTAIN, why + Message(" Which of them it took is not known."))
        pairs = list(zip(prepared.people, rows, strict=True))
        statuses = {person.delivery: each.get("Status") for (_, person), each in pairs if isinstance(each, Mapping)}
        taken = (str(each["MessageId"]) for each in rows if isinstance(each, Mapping) and each.get("MessageId"))
        return combine_row_verdicts(
            {person.delivery: self._verdict(each) for (_, person), each in pairs},
            account_errors=[delivery for delivery, status in statuses.items() if str(status) in _ACCOUNT_ERRORS],
            provider_id=next(taken, ""),
            retry_after=QUOTA_WAIT if "ACCOUNT_DAILY_QUOTA_EXCEEDED" in statuses.values() else None,
        )

    def _verdict(self, row: object) -> tuple[Verdict, str]:
        if not isinstance(row, Mapping):
            return Verdict.UNCERTAIN, Message("Amazon SES's answer for this person cannot be read.")
        status = str(row.get("Status") or "")
        said = quote(f"{status} {row.get('Error') or ''}".strip(), secrets=self._secrets)
        if status == "SUCCESS":
            if isinstance(row.get("MessageId"), str) and row["MessageId"]:
                return Verdict.ACCEPTED, ""
            return Verdict.UNCERTAIN, Message("Amazon SES said yes without an id for the message.")
        if status in _RETRYABLE_ERRORS:
            return Verdict.THROTTLED, Message(
                'Amazon SES asked to try this person later. It said: "%(said)s"', said=said
            )
        if status in _REFUSED or status in _ACCOUNT_ERRORS:
            return Verdict.REJECTED, Message('Amazon SES refused this person. It said: "%(said)s"', said=said)
        return (
            Verdict.UNCERTAIN,
            Message(
                'Amazon SES failed on this person in a way that it does not explain. It said: "%(said)s"', said=said
            ),
        )


def build_endpoint(region: str) -> str:
    """Give where SES listens in a region."""
    return f"https://email.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _payload(prepared: PreparedBatch) -> dict[str, object]:
    call, mail = prepared.call, prepared.call.mail
    headers = {name: CompiledText(value) for name, value in prepared.headers.items()}
    payload: dict[str, object] = {
        "FromEmailAddress": _sender(mail.from_name, mail.from_email),
        "DefaultContent": {
            "Template": {
                "TemplateContent": {
                    "Subject": curly_variables.plain(mail.subject, write=_variable),
                    "Html": curly_variables.html(mail.html, write=_variable),
                    "Text": curly_variables.plain(mail.text, write=_variable),
                },
                "TemplateData": "{}",
            }
        },
        "DefaultEmailTags": [
            {"Name": "issue", "Value": make_ses_tag(call.issue)},
            {"Name": "batch", "Value": make_ses_tag(call.key)},
        ],
        "BulkEmailEntries": [
            _entry(prepared, address, person, sorted(prepared.needed), headers) for address, person in prepared.people
        ],
    }
    if mail.reply_to:
        payload["ReplyToAddresses"] = [mail.reply_to]
    return payload


def _entry(
    prepared: PreparedBatch, address: str, person: Person, names: list[str], headers: Mapping[str, CompiledText]
) -> dict[str, object]:
    values = {name: clean_value(name, person.variables[name]) for name in names}
    data = orjson.dumps({name: curly_variables.value(name, values[name]) for name in names}).decode()
    written = {name: ascii_header(compiled.fill(values)) for name, compiled in headers.items()}
    _check_entry(person.delivery, data=data, headers=written)
    tags = {
        "issue": make_ses_tag(prepared.call.issue),
        "batch": make_ses_tag(prepared.call.key),
        "delivery": str(person.delivery),
    }
    return {
        "Destination": {"ToAddresses": [address]},
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": data}},
        "ReplacementHeaders": [{"Name": name, "Value": value} for name, value in written.items()],
        # Whether an entry's tags add to the default ones or stand in their place is not documented, so all are here.
        "ReplacementTags": [{"Name": name, "Value": value} for name, value in tags.items()],
    }


def _check_entry(delivery: int, *, data: str, headers: Mapping[str, str]) -> None:
    if len(data.encode()) > MAX_PERSON_VALUE_BYTES:
        raise BadBatch(
            "Delivery %(delivery)s has personal values of %(data)s bytes; Amazon SES takes "
            "%(most_value_bytes)s. Nothing of this batch was sent.",
            delivery=delivery,
            data=Quantity(len(data.encode())),
            most_value_bytes=Quantity(MAX_PERSON_VALUE_BYTES),
        )
    if len(headers) > MAX_HEADERS:
        raise BadBatch(
            "The mail has %(headers)s headers of its own; Amazon SES takes %(most_headers)s. Nothing was sent.",
            headers=len(headers),
            most_headers=MAX_HEADERS,
        )
    for name, value in headers.items():
        if len(value) > MAX_HEADER_BYTES or len(name) + len(value) > MAX_HEADER_LINE_BYTES:
            raise BadBatch(
                "The header %(name)s of delivery %(delivery)s has %(value)s characters; Amazon SES takes "
                "%(longest_header)s. Nothing of this batch was sent; use a shorter site address or list name.",
                name=name,
                delivery=delivery,
                value=Quantity(len(value)),
                longest_header=MAX_HEADER_BYTES,
            )


def _sender(name: str, address: str) -> str:
    return mailbox(name, address) if name.isascii() else f"{ascii_header(name)} <{address}>"


def _variable(name: str) -> str:
    return f"{{{{{name}}}}}"


def _error_type(answer: ProviderResponse, row: Mapping[str, object]) -> str:
    """Give the name of the error, which comes as ``Name:uri`` in a header or as ``namespace#Name`` in the body."""
    written = answer.headers.get("x-amzn-errortype") or str(row.get("__type") or row.get("code") or "")
    return written.split(":")[0].split("#")[-1].strip()
