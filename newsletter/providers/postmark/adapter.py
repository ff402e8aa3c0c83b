"""Postmark: one call for a batch of complete mails (postmarkapp.com/developer, batch API).

An answer of 200 has a verdict for each message, in our order. There is no idempotency key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Self, Unpack
from urllib.parse import urlencode

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.batch_lookup import combine_records, list_rows
from newsletter.providers.base.contract import BatchLookup, Capabilities, DnsRecords, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.http_adapter import AdapterOptions, HttpAdapter
from newsletter.providers.base.issue_counts import (
    MAX_NAMED_PEOPLE,
    Figure,
    IssueCounts,
    IssueRecords,
    add_counts,
    as_counts_row,
    make_unreadable,
    read_count,
)
from newsletter.providers.base.json_values import (
    Row,
    as_mapping,
    as_text,
    parse_delivery_id,
    parse_json_or_none,
    parse_time,
)
from newsletter.providers.base.mail.headers import format_mailbox
from newsletter.providers.base.prepared_batch import JsonMail, PreparedBatch, merge_json_mails
from newsletter.providers.base.provider_url import ProviderSettings, UrlOption, UrlRules
from newsletter.providers.base.responses import combine_row_verdicts
from newsletter.providers.base.suppression_lists import SuppressedAddress, SuppressionListQuery, make_suppressed
from newsletter.providers.base.webhooks.events import FeedbackKind

DEFAULT_STREAM = "broadcast"
_MAX_ID_LENGTH = 80
_RETRYABLE_ERRORS = {100, 429, 500, 503}
_ACCOUNT_ERRORS = {10, 400, 401, 405, 412, 413, 1235, 1236}
"""The key, the sender, the account, or a message stream that does not exist or takes no mail."""
PROVIDER = "Postmark"
MESSAGES_PER_PAGE = 500
_BOUNCES = ("HardBounce", "SoftBounce", "SMTPApiError")


class Postmark(HttpAdapter):
    """A message stream of a server at Postmark."""

    label = "Postmark"
    own_domain = "postmarkapp.com"
    dns = DnsRecords("include:spf.mtasv.net", ("pm",))
    default_endpoint = "https://api.postmarkapp.com"
    send_path = "/email/batch"
    may_bisect = False
    url_rules = UrlRules(
        "postmark",
        max_batch=500,
        options={"stream": UrlOption(r"[a-z0-9-]{1,64}", "the id of a message stream of Postmark's")},
    )
    offer = Capabilities(
        name="postmark", merge="full", max_batch=100, max_bytes=50_000_000, reconcile="query", atomic=False
    )

    def __init__(self, *, key: str, stream: str = DEFAULT_STREAM, **options: Unpack[AdapterOptions]) -> None:
        super().__init__(key=key, **options)
        self._stream = stream

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AdapterOptions]) -> Self:
        return cls(key=settings.key, stream=settings.own_options.get("stream") or DEFAULT_STREAM, **options)

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for the messages that carry the batch's id. Each recipient needs one; no message proves nothing."""
        batch = key[:_MAX_ID_LENGTH]
        answer = self._query(
            "/messages/outbound",
            {
                "count": self.url_rules.max_batch,
                "offset": 0,
                "messagestream": self._stream,
                "metadata_batch": batch,
                # Postmark reads a date in its own zone, so a day is added.
                "fromdate": (sent_at - timedelta(days=1)).date().isoformat(),
            },
        )
        if isinstance(answer, BatchLookup):
            return answer
        people: dict[int, Verdict] = {}
        provider_id = ""
        for row in list_rows(answer, "Messages"):
            ids = as_mapping(row.get("Metadata"))
            delivery = parse_delivery_id(ids.get("delivery"))
            if ids.get("batch") == batch and delivery is not None:
                people[delivery] = Verdict.ACCEPTED
                provider_id = provider_id or str(row.get("MessageID") or "")
        return combine_records(people, deliveries=deliveries, provider=self.label, provider_id=provider_id)

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the stream's list, which is one page. Raise SuppressionListError."""
        query = f"?{urlencode({'fromdate': since.date().isoformat()})}" if since else ""
        url = f"/message-streams/{self._stream}/suppressions/dump{query}"
        return self._read_list(SuppressionListQuery(url, rows="Suppressions", parse_row=_parse_suppression))

    def count_issue(self, *, issue: str, since: datetime) -> IssueCounts:
        """Return the counts of the issue's tag in this stream, by two calls. Raise IssueCountsError."""
        query = urlencode({"tag": _make_tag(issue), "messagestream": self._stream})
        overview, bounces = (
            self._ask_for_counts(self._get(f"{self._endpoint}/stats/outbound{path}?{query}"))
            for path in ("", "/bounces")
        )
        return read_stats(overview, bounces)

    def list_records(self, *, issue: str, figure: Figure, since: datetime) -> IssueRecords | None:
        """Return the people whose messages carry the issue's tag; None but for accepted mails. Raise IssueCountsError."""
        if figure is not Figure.ACCEPTED:
            return None
        tag = _make_tag(issue)
        query = {"count": MESSAGES_PER_PAGE, "tag": tag, "messagestream": self._stream}
        records: dict[int, str] = {}
        for offset in range(0, MAX_NAMED_PEOPLE, MESSAGES_PER_PAGE):
            url = f"{self._endpoint}/messages/outbound?{urlencode({**query, 'offset': offset})}"
            messages, page = read_messages(self._ask_for_counts(self._get(url)), tag=tag)
            records.update(page)
            if messages < MESSAGES_PER_PAGE:
                return IssueRecords(records, complete=True)
        return IssueRecords(records, complete=False)

    def _headers(self) -> dict[str, str]:
        return {"Accept": "application/json", "X-Postmark-Server-Token": self._key}

    def _build_payload(self, prepared: PreparedBatch) -> list[dict[str, object]]:
        return [self._build_message(prepared, personal) for personal in merge_json_mails(prepared)]

    def _build_message(self, prepared: PreparedBatch, personal: JsonMail) -> dict[str, object]:
        call, mail = prepared.call, prepared.mail
        message: dict[str, object] = {
            "From": format_mailbox(mail.from_name, mail.from_email),
            "To": personal.address,
            "Subject": personal.subject,
            "HtmlBody": personal.html,
            "TextBody": personal.text,
            "Headers": [{"Name": name, "Value": value} for name, value in personal.headers.items()],
            "Tag": _make_tag(call.issue),
            "TrackOpens": False,
            "TrackLinks": "None",
            "Metadata": {
                "delivery": str(personal.delivery),
                "batch": call.key[:_MAX_ID_LENGTH],
                "issue": call.issue[:_MAX_ID_LENGTH],
            },
            "MessageStream": self._stream,
        }
        if mail.reply_to:
            message["ReplyTo"] = mail.reply_to
        return message

    def _read_message(self, answer: ProviderResponse) -> str:
        return str(as_mapping(parse_json_or_none(answer.body)).get("Message") or "")

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        outcome = super()._read(answer, prepared)
        is_account_error = _read_error_code(parse_json_or_none(answer.body)) in _ACCOUNT_ERRORS
        return replace(outcome, stop=True) if is_account_error and outcome.verdict is Verdict.REJECTED else outcome

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        rows = parse_json_or_none(answer.body)
        if not isinstance(rows, list):
            return None
        if len(rows) != len(prepared.people):
            why = Message(
                "Postmark answered for %(rows)s messages and was given %(people)s.",
                rows=Quantity(len(rows)),
                people=Quantity(len(prepared.people)),
            )
            return Outcome(Verdict.UNCERTAIN, why + Message(" Which of them it accepted is not known."))
        pairs = [(address, recipient, row) for (address, recipient), row in zip(prepared.people, rows, strict=True)]
        ids = (str(row["MessageID"]) for row in rows if isinstance(row, Mapping) and row.get("MessageID"))
        return combine_row_verdicts(
            {recipient.delivery: self._read_verdict(row, address) for address, recipient, row in pairs},
            account_errors=[
                recipient.delivery for _, recipient, row in pairs if _read_error_code(row) in _ACCOUNT_ERRORS
            ],
            provider_id=next(ids, ""),
        )

    def _read_verdict(self, row: object, address: str) -> tuple[Verdict, str]:
        code = _read_error_code(row)
        if not isinstance(row, Mapping) or code is None:
            return Verdict.UNCERTAIN, Message("Postmark’s answer for this person cannot be read.")
        to = row.get("To")
        if isinstance(to, str) and to and to.lower() != address.lower():
            return Verdict.UNCERTAIN, Message("Postmark’s answer in this person’s place is about somebody else.")
        if code == 0:
            if isinstance(row.get("MessageID"), str) and row["MessageID"]:
                return Verdict.ACCEPTED, ""
            return Verdict.UNCERTAIN, Message("Postmark accepted this person without an id for the message.")
        message = self._mask(str(row.get("Message") or ""))
        if code in _RETRYABLE_ERRORS:
            return Verdict.THROTTLED, Message(
                'Postmark asked to try this person later. It said: "%(provider_message)s"', provider_message=message
            )
        return Verdict.REJECTED, Message(
            'Postmark refused this person (code %(code)s). It said: "%(provider_message)s"',
            code=code,
            provider_message=message,
        )


def _make_tag(issue: str) -> str:
    return issue[:1000]


def _read_error_code(row: object) -> int | None:
    code = as_mapping(row).get("ErrorCode")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _parse_suppression(row: Row) -> SuppressedAddress | None:
    """Return a row's address. Leave out what the organisation itself entered at Postmark, which it can enter here."""
    kinds = {"HardBounce": FeedbackKind.BOUNCED, "SpamComplaint": FeedbackKind.COMPLAINED}
    reason = as_text(row.get("SuppressionReason"))
    if reason == "ManualSuppression" and row.get("Origin") == "Recipient":
        kinds[reason] = FeedbackKind.UNSUBSCRIBED
    return make_suppressed(row.get("EmailAddress"), kinds.get(reason), at=parse_time(row.get("CreatedAt")))


def read_stats(overview: object, bounces: object) -> IssueCounts:
    """Return the counts in two answers (postmarkapp.com/developer, Stats API). Raise IssueCountsError.

    Without dates the counts are of all time, and a tag is one issue's. A tag that Postmark does not know has 0 of everything.
    Postmark has no count of delivered mails. Of bounces it counts some kinds only, and hears of others by webhook.
    """
    totals = as_counts_row(overview, provider=PROVIDER)
    # A tag without bounces is answered with an empty object, or without the kinds that it does not have.
    by_kind = as_mapping(bounces)
    if not isinstance(bounces, dict):
        raise make_unreadable(PROVIDER)
    return IssueCounts(
        accepted=read_count(totals, "Sent", provider=PROVIDER),
        bounced=add_counts([by_kind], *_BOUNCES, provider=PROVIDER),
        complained=read_count(totals, "SpamComplaints", provider=PROVIDER),
        at_least=(Figure.BOUNCED,),
    )


def read_messages(parsed: object, *, tag: str) -> tuple[int, dict[int, str]]:
    """Return a page's number of messages and, by delivery id, the batch's key. Raise IssueCountsError."""
    messages = as_counts_row(parsed, provider=PROVIDER).get("Messages")
    if not isinstance(messages, list):
        raise make_unreadable(PROVIDER)
    key_by_delivery: dict[int, str] = {}
    for message in map(as_mapping, messages):
        ids = as_mapping(message.get("Metadata"))
        delivery = parse_delivery_id(ids.get("delivery"))
        if delivery is not None and message.get("Tag") == tag:
            key_by_delivery[delivery] = as_text(ids.get("batch"), max_length=80)
    return len(messages), key_by_delivery
