"""Mailgun: one call for a batch, personal values as recipient variables (documentation.mailgun.com, v3 messages).

A batch is accepted or refused as a whole. There is no idempotency key, so nothing here may try twice.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Self, Unpack
from urllib.parse import urlencode, urlsplit

import orjson

from newsletter.common.messages import Quantity
from newsletter.providers.base.batch_lookup import found_record, list_rows, no_record
from newsletter.providers.base.contract import (
    BatchCall,
    BatchLookup,
    Capabilities,
    DnsRecords,
    HttpRequest,
    MailDomains,
    Outcome,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadBatch, BadProviderUrl
from newsletter.providers.base.http_adapter import AdapterOptions, HttpAdapter
from newsletter.providers.base.issue_counts import MAX_NAMED_PEOPLE, Figure, IssueCounts, IssueRecords
from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_json_or_none
from newsletter.providers.base.mail.headers import format_mailbox, make_message_id, make_tag
from newsletter.providers.base.mail.multipart import build_multipart
from newsletter.providers.base.mail.tokens import rename_tokens
from newsletter.providers.base.prepared_batch import PreparedBatch, prepare_batch
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules
from newsletter.providers.base.suppression_lists import SuppressedAddress, SuppressionListQuery, make_suppressed
from newsletter.providers.base.webhooks.events import FeedbackKind
from newsletter.providers.mailgun.issue_counts import (
    find_next_events,
    make_events_query,
    make_metrics_query,
    read_events,
    read_metrics,
)
from newsletter.providers.mailgun.variables import (
    VARIABLES,
    RecipientVariables,
    check_variables,
    write_header,
    write_html,
    write_text,
)

MAX_OPTION_BYTES = 16 * 1024
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+", re.IGNORECASE)
_LISTS = {
    "bounces": FeedbackKind.BOUNCED,
    "complaints": FeedbackKind.COMPLAINED,
    "unsubscribes": FeedbackKind.UNSUBSCRIBED,
}


def _check_account(settings: ProviderSettings) -> None:
    if not _HOST.fullmatch(settings.domain):
        raise BadProviderUrl(
            "%(setting)s has no sending domain after the @, such as news.example.org. Write %(form)s.",
            form=Mailgun.url_rules.form,
        )


class Mailgun(HttpAdapter):
    """A sending domain at Mailgun."""

    label = "Mailgun"
    own_domain = "mailgun.net"
    dns = DnsRecords("include:mailgun.org", ("pic", "mta", "smtp", "k1", "krs", "mailo", "mg"), needs_spf=True)
    default_endpoint = "https://api.mailgun.net"
    url_rules = UrlRules("mailgun", max_batch=1000, account="KEY@DOMAIN", check_account=_check_account)
    offer = Capabilities(name="mailgun", merge="substitute", max_batch=500, max_bytes=25_000_000, reconcile="query")

    def __init__(self, *, key: str, domain: str, **options: Unpack[AdapterOptions]) -> None:
        super().__init__(key=key, **options)
        self._domain = domain
        self._auth = ("api", key)
        self.send_path = f"/v3/{domain}/messages"

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AdapterOptions]) -> Self:
        return cls(key=settings.key, domain=settings.domain, **options)

    @classmethod
    def find_domains(cls, settings: ProviderSettings, *, sender: str) -> MailDomains:
        return MailDomains(signing=settings.domain, bounce=settings.domain)

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for events with the batch's Message-ID. One is enough, as Mailgun accepts a batch as a whole."""
        message_id = make_message_id(key, domain=self._domain)
        begin = int((sent_at - timedelta(minutes=5)).timestamp())
        answer = self._query(
            f"/v3/{self._domain}/events",
            {"message-id": message_id, "begin": begin, "ascending": "yes", "limit": 10},
        )
        if isinstance(answer, BatchLookup):
            return answer
        for row in list_rows(answer, "items"):
            headers = as_mapping(as_mapping(row.get("message")).get("headers"))
            if str(headers.get("message-id") or "").strip("<> ") == message_id:
                return found_record(self.label, message_id)
        return no_record(self.label)

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the domain's bounces, complaints and unsubscribes, always from the beginning: Mailgun cannot filter."""
        for name, kind in _LISTS.items():
            yield from self._read_list(
                SuppressionListQuery(
                    f"/v3/{self._domain}/{name}?limit=1000",
                    rows="items",
                    parse_row=partial(_parse_suppression, kind),
                    find_next=_find_next_page,
                )
            )

    def count_issue(self, *, issue: str, since: datetime) -> IssueCounts:
        """Return the counts of the issue's tag. Raise IssueCountsError."""
        tag = make_tag(issue)
        query = make_metrics_query(domain=self._domain, tag=tag, since=since, now=self._clock())
        headers = {**self._headers(), "Content-Type": "application/json"}
        url = f"{self._endpoint}/v1/analytics/metrics"
        return read_metrics(
            self._ask_for_counts(HttpRequest("POST", url, headers, orjson.dumps(query), self._auth)), tag=tag
        )

    def list_records(self, *, issue: str, figure: Figure, since: datetime) -> IssueRecords:
        """Return the people whom the events of the issue's tag name; the last page is empty. Raise IssueCountsError."""
        tag, base = make_tag(issue), f"/v3/{self._domain}/events"
        path = f"{base}?{urlencode(make_events_query(tag=tag, figure=figure, since=since))}"
        records: dict[int, str] = {}
        events = 1
        while path and events and len(records) < MAX_NAMED_PEOPLE:
            parsed = self._ask_for_counts(self._get(f"{self._endpoint}{path}"))
            events, page = read_events(parsed, tag=tag)
            records.update(page)
            path = find_next_events(parsed, path=base)
        return IssueRecords(records, complete=not events)

    def list_fields(self, call: BatchCall) -> list[tuple[str, str]]:
        """Return the form's fields in order, before they become bytes; ``to`` comes once for each recipient."""
        prepared = prepare_batch(call, capabilities=self._capabilities)
        variables = RecipientVariables(prepared)
        return [*self._list_fields(prepared, variables), (VARIABLES, variables.as_json().decode())]

    def _build_payload(self, prepared: PreparedBatch) -> list[tuple[str, bytes]]:
        variables = RecipientVariables(prepared)
        fields = [(name, value.encode("utf-8")) for name, value in self._list_fields(prepared, variables)]
        return [*fields, (VARIABLES, variables.as_json())]

    def _encode(self, prepared: PreparedBatch) -> tuple[bytes, str]:
        return build_multipart(self._build_payload(prepared), key=prepared.call.key)

    def _read_message(self, answer: ProviderResponse) -> str:
        row = parse_json_or_none(answer.body)
        if isinstance(row, dict):
            return str(row.get("message") or row.get("error") or "")
        text = answer.body[:400].decode("utf-8", "replace")
        return "" if "<" in text else text

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        provider_id = as_mapping(parse_json_or_none(answer.body)).get("id")
        if not isinstance(provider_id, str) or not provider_id.strip("<> "):
            return None
        message = self._mask(self._read_message(answer))
        return Outcome(Verdict.ACCEPTED, message, provider_id=provider_id.strip("<> "))

    def _list_fields(self, prepared: PreparedBatch, variables: RecipientVariables) -> list[tuple[str, str]]:
        call, mail, shared = prepared.call, prepared.mail, variables.shared
        subject = write_text(rename_tokens(mail.subject, shared))
        html = write_html(rename_tokens(mail.html, shared))
        text = write_text(rename_tokens(mail.text, shared))
        headers = {name: write_header(rename_tokens(value, shared)) for name, value in prepared.headers.items()}
        check_variables([subject, html, text, *headers.values()], declared=set(variables.names))
        options = [
            *((f"h:{name}", value) for name, value in headers.items()),
            *([("h:Reply-To", mail.reply_to)] if mail.reply_to else []),
            ("h:Message-Id", f"<{make_message_id(call.key, domain=self._domain)}>"),
            ("o:tag", make_tag(call.issue)),
            ("o:tracking", "no"),
            ("o:tracking-clicks", "no"),
            ("o:tracking-opens", "no"),
            ("v:issue", write_text(call.issue)),
            ("v:variant", write_text(call.variant)),
            ("v:batch", write_text(call.key)),
            ("v:delivery", "%recipient.did%"),
        ]
        _check_options(options)
        return [
            ("from", format_mailbox(write_text(mail.from_name), mail.from_email)),
            *(("to", address) for address, _ in prepared.people),
            ("subject", subject),
            ("text", text),
            ("html", html),
            *options,
        ]


def _check_options(options: Sequence[tuple[str, str]]) -> None:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in options)
    if size > MAX_OPTION_BYTES:
        raise BadBatch(
            "The mail’s headers and ids make %(size)s bytes and Mailgun takes %(max_size)s. "
            "Nothing was sent; shorten the publication’s name or its other headers.",
            size=Quantity(size),
            max_size=Quantity(MAX_OPTION_BYTES),
        )


def _parse_suppression(kind: FeedbackKind, row: Row) -> SuppressedAddress | None:
    reason = f"{as_text(row.get('code'))} {as_text(row.get('error'))}".strip()
    return make_suppressed(row.get("address"), kind, at=_parse_mail_date(row.get("created_at")), reason=reason)


def _parse_mail_date(value: object) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(as_text(value))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _find_next_page(parsed: object, url: str, rows: int) -> str:
    """Return the next page; the last one is empty. Only its query is used, so that it cannot lead to another host."""
    following = as_text(as_mapping(as_mapping(parsed).get("paging")).get("next"), max_length=2000)
    query = urlsplit(following).query
    return f"{url.partition('?')[0]}?{query}" if rows and query else ""
