"""Brevo: one call for a batch, personal values as params of message versions (developers.brevo.com, smtp/email).

A batch is accepted or refused as a whole. Its idempotency key lives for half an hour (an older page says a quarter).
Until then Brevo refuses a repeat: that is safe, and says only that Brevo has seen the batch.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.common.personal_tokens import find_tokens
from newsletter.providers.base.batch_lookup import found_record, list_rows, no_record
from newsletter.providers.base.contract import (
    BatchLookup,
    Capabilities,
    DnsRecords,
    Outcome,
    ProviderResponse,
    Recipient,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.issue_counts import IssueCounts, as_counts_row, read_count
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_json_or_none, parse_time
from newsletter.providers.base.mail.curly_variables import write_html, write_text, write_value
from newsletter.providers.base.mail.headers import encode_header, make_tag
from newsletter.providers.base.mail.tokens import CompiledText
from newsletter.providers.base.prepared_batch import PreparedBatch
from newsletter.providers.base.provider_url import UrlRules
from newsletter.providers.base.responses import quote_provider
from newsletter.providers.base.suppression_lists import (
    SuppressedAddress,
    SuppressionListQuery,
    find_next_offset,
    make_suppressed,
)
from newsletter.providers.base.webhooks.events import FeedbackKind

MAX_VARIABLE_BYTES = 100_000
MAX_CALL_VARIABLE_BYTES = 1_000_000
_LIST_KINDS = {
    "hardBounce": FeedbackKind.BOUNCED,
    "contactFlaggedAsSpam": FeedbackKind.COMPLAINED,
    "unsubscribedViaEmail": FeedbackKind.UNSUBSCRIBED,
}


class Brevo(HttpAdapter):
    """An account at Brevo."""

    label = "Brevo"
    own_domain = "brevo.com"
    dns = DnsRecords("include:spf.brevo.com", ("brevo1", "brevo2", "mail"))
    default_endpoint = "https://api.brevo.com"
    send_path = "/v3/smtp/email"
    receipt_status = 201
    url_rules = UrlRules("brevo", max_batch=1000)
    offer = Capabilities(
        name="brevo",
        merge="substitute",
        max_batch=1000,
        max_bytes=10_000_000,
        max_variable_bytes=MAX_VARIABLE_BYTES,
        max_call_variable_bytes=MAX_CALL_VARIABLE_BYTES,
        idempotency_seconds=15 * 60,
        reconcile="replay",
        calls_per_second=100 / 60,
    )

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for events with the batch's tag. One is enough, as Brevo accepts a batch as a whole.

        Brevo's list of batches (smtp/emailStatus) knows only scheduled mail, so it is not asked.
        """
        tag = make_tag(key)
        # Dates are days of the account's time zone, which we do not know. So the days until Brevo's own today are asked for.
        days = (max(self._clock(), sent_at) - sent_at).days + 2
        query = {"tags": json.dumps([tag]), "days": days, "limit": 50}
        answer = self._query("/v3/smtp/statistics/events", query)
        if isinstance(answer, BatchLookup):
            return answer
        for row in list_rows(answer, "events"):
            if tag in _list_tags(row.get("tag")):
                return found_record(self.label, str(row.get("messageId") or ""))
        return no_record(self.label)

    def count_issue(self, *, issue: str, since: datetime) -> IssueCounts:
        """Return the counts of the issue's tag. Raise IssueCountsError.

        Brevo counts each failed attempt as a bounce, and we count people, so its bounces are not read.
        """
        query = {
            "tag": make_tag(issue),
            "startDate": (since - timedelta(days=1)).astimezone(UTC).date().isoformat(),
            "endDate": max(self._clock(), since).astimezone(UTC).date().isoformat(),
        }
        url = f"{self._endpoint}/v3/smtp/statistics/aggregatedReport?{urlencode(query)}"
        row = as_counts_row(self._ask_for_counts(self._get(url)), provider=self.label)
        return IssueCounts(
            accepted=read_count(row, "requests", provider=self.label),
            delivered=read_count(row, "delivered", provider=self.label),
            complained=read_count(row, "spamReports", provider=self.label),
        )

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the account's blocked contacts. Raise SuppressionListError."""
        dates = {"startDate": since.date().isoformat(), "endDate": self._clock().date().isoformat()} if since else {}
        query = urlencode({"limit": 100, "offset": 0, "sort": "asc", **dates})
        return self._read_list(
            SuppressionListQuery(
                f"/v3/smtp/blockedContacts?{query}",
                rows="contacts",
                parse_row=_parse_suppression,
                find_next=find_next_offset,
                missing_is_empty=True,
            )
        )

    def _headers(self) -> dict[str, str]:
        return {"api-key": self._key, "Accept": "application/json"}

    def _build_payload(self, prepared: PreparedBatch) -> dict[str, object]:
        return _build_payload(prepared)

    def _read_error(self, answer: ProviderResponse, *, provider_message: str) -> Outcome | None:
        if answer.status != 400:
            return None
        code = as_mapping(parse_json_or_none(answer.body)).get("code")
        if code in ("duplicate_parameter", "duplicate_request"):
            why = Message(
                "Brevo has seen this batch before and did not accept it again. It is not known whether it was mailed."
            )
            return Outcome(Verdict.UNCERTAIN, quote_provider(why, provider_message))
        if code in ("not_enough_credits", "account_under_validation", "permission_denied"):
            why = Message("Brevo does not send for this account now.")
            return Outcome(Verdict.REJECTED, quote_provider(why, provider_message), stop=True)
        return None

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        row = as_mapping(parse_json_or_none(answer.body))
        ids = row.get("messageIds") or ([row["messageId"]] if row.get("messageId") else [])
        valid = [message_id for message_id in as_list(ids) if isinstance(message_id, str) and message_id]
        return self._accepted(valid[0].strip("<>")) if len(valid) == len(prepared.people) else None


def make_batch_uuid(key: str) -> str:
    """Return a batch's key as Brevo wants it, a version 4 UUID. The same key makes the same UUID."""
    return str(uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16], version=4))


def _build_payload(prepared: PreparedBatch) -> dict[str, object]:
    call, mail = prepared.call, prepared.mail
    names = sorted(find_tokens(mail.html) | find_tokens(mail.text))
    subject = CompiledText(mail.subject)
    headers = {name: CompiledText(value) for name, value in prepared.headers.items()}
    versions = [
        _build_version(prepared, address, recipient, names, subject, headers) for address, recipient in prepared.people
    ]
    _check_params(versions)
    payload: dict[str, object] = {
        "sender": {"email": mail.from_email, **({"name": mail.from_name} if mail.from_name else {})},
        "subject": versions[0]["subject"],
        # Brevo escapes every value for HTML, in the text part too; ours are already escaped for where they stand.
        "htmlContent": _without_escaping(write_html(mail.html, make_variable=_make_param)),
        "textContent": _without_escaping(write_text(mail.text, make_variable=_make_param)),
        "messageVersions": versions,
        "tags": [make_tag(call.issue), make_tag(call.key)],
        "headers": {"idempotencyKey": make_batch_uuid(call.key)},
        "batchId": make_batch_uuid(call.key),
    }
    if mail.reply_to:
        payload["replyTo"] = {"email": mail.reply_to}
    return payload


def _build_version(
    prepared: PreparedBatch,
    address: str,
    recipient: Recipient,
    names: list[str],
    subject: CompiledText,
    headers: Mapping[str, CompiledText],
) -> dict[str, object]:
    values = prepared.values_of(recipient)
    ids = {"delivery": str(recipient.delivery), "batch": prepared.call.key, "issue": prepared.call.issue}
    version: dict[str, object] = {
        "to": [{"email": address}],
        "subject": write_text(subject.fill(values), make_variable=_make_param),
        "headers": {
            **{name: encode_header(compiled.fill(values)) for name, compiled in headers.items()},
            "X-Mailin-custom": json.dumps(ids, separators=(",", ":")),
        },
    }
    if names:
        version["params"] = {name: write_value(name, values[name]) for name in names}
    return version


def _check_params(versions: list[dict[str, object]]) -> None:
    sizes = [len(orjson.dumps(version.get("params", {}))) for version in versions]
    if max(sizes) > MAX_VARIABLE_BYTES or sum(sizes) > MAX_CALL_VARIABLE_BYTES:
        raise BadBatch(
            "The personal values of this batch come to %(total)s bytes, %(largest)s for one person; Brevo "
            "takes %(max_total)s and %(max_size)s. Nothing was sent; use fewer people in a batch.",
            total=Quantity(sum(sizes)),
            largest=Quantity(max(sizes)),
            max_total=Quantity(MAX_CALL_VARIABLE_BYTES),
            max_size=Quantity(MAX_VARIABLE_BYTES),
        )


def _make_param(name: str) -> str:
    return f"{{{{params.{name}}}}}"


def _without_escaping(text: str) -> str:
    return f"{{% autoescape off %}}{text}{{% endautoescape %}}"


def _list_tags(value: object) -> list[str]:
    """Return the tags of an event, which are one text: a plain tag, or a JSON list of tags."""
    text = value if isinstance(value, str) else ""
    listed = parse_json_or_none(text.encode())
    return [str(tag) for tag in listed] if isinstance(listed, list) else [text]


def _parse_suppression(row: Row) -> SuppressedAddress | None:
    reason = as_mapping(row.get("reason"))
    return make_suppressed(
        row.get("email"),
        _LIST_KINDS.get(as_text(reason.get("code"))),
        at=parse_time(row.get("blockedAt")),
        reason=as_text(reason.get("message")),
    )
