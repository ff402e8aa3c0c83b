"""SendGrid: one call for a batch, personal values as substitutions (twilio.com/docs/sendgrid, v3 mail send).

A batch is accepted or refused as a whole. There is no idempotency key, so nothing here may try twice.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode

from newsletter.common.messages import Quantity
from newsletter.common.personal_tokens import TOKEN, find_tokens
from newsletter.providers.base.contract import Capabilities, DnsRecords, Outcome, ProviderResponse, Recipient
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.issue_counts import (
    IssueCounts,
    add_counts,
    make_unknown_issue,
    make_unreadable,
    read_count,
)
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_json_or_none, parse_time
from newsletter.providers.base.mail.headers import encode_header
from newsletter.providers.base.mail.tokens import CompiledText
from newsletter.providers.base.prepared_batch import PreparedBatch
from newsletter.providers.base.provider_url import UrlRules
from newsletter.providers.base.suppression_lists import (
    SuppressedAddress,
    SuppressionListQuery,
    find_next_offset,
    make_suppressed,
)
from newsletter.providers.base.webhooks.events import FeedbackKind

MAX_VARIABLE_BYTES = 10_000
_LISTS = {
    "bounces": FeedbackKind.BOUNCED,
    "spam_reports": FeedbackKind.COMPLAINED,
    "unsubscribes": FeedbackKind.UNSUBSCRIBED,
}
PROVIDER = "SendGrid"
_FAILED = ("bounces", "blocks", "bounce_drops", "spam_report_drops", "unsubscribe_drops", "invalid_emails")
"""What SendGrid reports as bounced or dropped."""


class SendGrid(HttpAdapter):
    """An account at SendGrid."""

    label = "SendGrid"
    company = "Twilio SendGrid"
    own_domain = "sendgrid.com"
    dns = DnsRecords("include:sendgrid.net", ("s1", "s2", "smtpapi"))
    default_endpoint = "https://api.sendgrid.com"
    send_path = "/v3/mail/send"
    receipt_status = 202
    url_rules = UrlRules("sendgrid", max_batch=1000)
    offer = Capabilities(
        name="sendgrid",
        merge="substitute",
        max_batch=1000,
        max_bytes=30_000_000,
        max_variable_bytes=MAX_VARIABLE_BYTES,
        reconcile="events",
    )

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the account's bounces, spam reports and global unsubscribes. Raise SuppressionListError."""
        begin = {"start_time": int(since.timestamp())} if since else {}
        for name, kind in _LISTS.items():
            yield from self._read_list(
                SuppressionListQuery(
                    f"/v3/suppression/{name}?{urlencode({'limit': 500, 'offset': 0, **begin})}",
                    parse_row=partial(_parse_suppression, kind),
                    find_next=find_next_offset,
                )
            )

    def count_issue(self, *, issue: str, since: datetime) -> IssueCounts:
        """Return the counts of the issue's category. Raise IssueCountsError."""
        category = make_category(issue)
        query = urlencode(make_stats_query(category=category, since=since))
        url = f"{self._endpoint}/v3/categories/stats?{query}"
        return read_stats(self._ask_for_counts(self._get(url)), category=category)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def _build_payload(self, prepared: PreparedBatch) -> dict[str, object]:
        return _build_payload(prepared)

    def _read_message(self, answer: ProviderResponse) -> str:
        return "; ".join(str(row.get("message") or "") for row in _list_errors(answer))

    def _read_message_and_fields(self, answer: ProviderResponse) -> str:
        # A field of a recipient (personalizations.0.substitutions) may be ours, but the error is about that recipient.
        fields = "; ".join(str(row.get("field") or "") for row in _list_errors(answer))
        return f"{self._read_message(answer)}; {fields}"

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        provider_id = answer.headers.get("x-message-id", "").strip()
        return self._accepted(provider_id) if provider_id else None


def _build_payload(prepared: PreparedBatch) -> dict[str, object]:
    call, mail = prepared.call, prepared.mail
    prefix = "pv" + hashlib.sha256(call.key.encode()).hexdigest()[:12]
    parts = (mail.subject, mail.html, mail.text)
    if any(prefix in part for part in parts):
        raise BadMail(
            "The mail contains the characters that mark personal fields, so it cannot be sent. Prepare the send again."
        )

    def write(text: str) -> str:
        return TOKEN.sub(lambda match: f"%%{prefix}_{match.group(1)}%%", text)

    marks = {f"%%{prefix}_{name}%%": name for name in sorted(set().union(*map(find_tokens, parts)))}
    personal = {name: CompiledText(value) for name, value in prepared.headers.items() if find_tokens(value)}
    common = {name: encode_header(value) for name, value in prepared.headers.items() if name not in personal}
    payload: dict[str, object] = {
        "personalizations": [
            _build_personalization(prepared, address, recipient, marks, personal)
            for address, recipient in prepared.people
        ],
        "from": {"email": mail.from_email, **({"name": mail.from_name} if mail.from_name else {})},
        "subject": write(mail.subject),
        "content": [
            {"type": "text/plain", "value": write(mail.text)},
            {"type": "text/html", "value": write(mail.html)},
        ],
        "categories": [make_category(call.issue)],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }
    if common:
        payload["headers"] = common
    if mail.reply_to:
        payload["reply_to"] = {"email": mail.reply_to}
    return payload


def _build_personalization(
    prepared: PreparedBatch,
    address: str,
    recipient: Recipient,
    marks: Mapping[str, str],
    headers: Mapping[str, CompiledText],
) -> dict[str, object]:
    values = prepared.values_of(recipient)
    substitutions = {mark: values[name] for mark, name in marks.items()}
    size = sum(len(mark) + len(value.encode("utf-8")) for mark, value in substitutions.items())
    if size > MAX_VARIABLE_BYTES:
        raise BadBatch(
            "Delivery %(delivery)s has personal values of %(size)s bytes; SendGrid takes "
            "%(max_size)s. Nothing of this batch was sent.",
            delivery=recipient.delivery,
            size=Quantity(size),
            max_size=Quantity(MAX_VARIABLE_BYTES),
        )
    entry: dict[str, object] = {
        "to": [{"email": address}],
        "custom_args": {"delivery": str(recipient.delivery), "batch": prepared.call.key, "issue": prepared.call.issue},
    }
    if substitutions:
        entry["substitutions"] = substitutions
    if headers:
        entry["headers"] = {name: encode_header(compiled.fill(values)) for name, compiled in headers.items()}
    return entry


def _list_errors(answer: ProviderResponse) -> list[Row]:
    rows = as_list(as_mapping(parse_json_or_none(answer.body)).get("errors"))
    return [as_mapping(row) for row in rows[:5]]


def _parse_suppression(kind: FeedbackKind, row: Row) -> SuppressedAddress | None:
    reason = f"{as_text(row.get('status'))} {as_text(row.get('reason'))}".strip()
    return make_suppressed(row.get("email"), kind, at=parse_time(row.get("created")), reason=reason)


def make_category(issue: str) -> str:
    """Return the name of an issue in printable ASCII, as SendGrid asks for."""
    return re.sub(r"[^\x21-\x7e]+", "-", issue)[:255] or "newsletter"


def make_stats_query(*, category: str, since: datetime) -> dict[str, object]:
    """Return the query of the counts until today. SendGrid's days are in its own zone, so the day before is asked for too."""
    start = (since - timedelta(days=1)).date().isoformat()
    return {"categories": category, "start_date": start, "aggregated_by": "day"}


def read_stats(parsed: object, *, category: str) -> IssueCounts:
    """Return the sum of the days of the category, not of another (twilio.com/docs/sendgrid, category statistics).

    Raise IssueCountsError.
    """
    if not isinstance(parsed, list):
        raise make_unreadable(PROVIDER)
    stats = [as_mapping(row) for day in parsed for row in as_list(as_mapping(day).get("stats"))]
    rows = [as_mapping(row.get("metrics")) for row in stats if row.get("name") == category]
    if not rows:
        raise make_unknown_issue(PROVIDER)
    for row in rows:
        read_count(row, "requests", provider=PROVIDER)
    return IssueCounts(
        accepted=add_counts(rows, "requests", provider=PROVIDER),
        delivered=add_counts(rows, "delivered", provider=PROVIDER),
        bounced=add_counts(rows, *_FAILED, provider=PROVIDER),
        complained=add_counts(rows, "spam_reports", provider=PROVIDER),
    )
