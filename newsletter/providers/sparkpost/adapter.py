"""SparkPost: one call for a batch, personal values as substitution data (developers.sparkpost.com, transmissions).

An answer of 200 may hold errors about single recipients. There is no idempotency key, so nothing here may try twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import orjson

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.batch_lookup import combine_records, list_rows
from newsletter.providers.base.contract import BatchLookup, Capabilities, Outcome, ProviderResponse, Recipient, Verdict
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.json_values import (
    Row,
    as_list,
    as_mapping,
    as_text,
    parse_delivery_id,
    parse_json_or_none,
    parse_time,
)
from newsletter.providers.base.mail.curly_variables import write_header, write_html, write_text, write_value
from newsletter.providers.base.mail.headers import make_batch_id
from newsletter.providers.base.prepared_batch import PreparedBatch
from newsletter.providers.base.provider_url import UrlRules
from newsletter.providers.base.responses import quote_provider
from newsletter.providers.base.suppression_lists import (
    SuppressedAddress,
    SuppressionListQuery,
    make_suppressed,
    parse_query,
    replace_query,
)
from newsletter.providers.base.webhooks.events import FeedbackKind

MAX_VARIABLE_BYTES = 100_000
_QUOTA_WAIT_SECONDS = 900.0
_MAX_CAMPAIGN_LENGTH = 64
_REFUSALS = {"generation_failure", "generation_rejection", "policy_rejection"}
_EVENTS = ("injection", "delivery", "bounce", "delay", *sorted(_REFUSALS))
_LIST_KINDS = {
    "Bounce Rule": FeedbackKind.BOUNCED,
    "Spam Complaint": FeedbackKind.COMPLAINED,
    "FBL": FeedbackKind.COMPLAINED,
    "List Unsubscribe": FeedbackKind.UNSUBSCRIBED,
    "Unsubscribe Link": FeedbackKind.UNSUBSCRIBED,
}


class SparkPost(HttpAdapter):
    """An account at SparkPost."""

    label = "SparkPost"
    no_counts = Message("SparkPost counts by campaign, and each of our batches is one.")
    own_domain = "sparkpost.com"
    default_endpoint = "https://api.sparkpost.com"
    send_path = "/api/v1/transmissions"
    url_rules = UrlRules("sparkpost", max_batch=2000)
    offer = Capabilities(
        name="sparkpost",
        merge="substitute",
        max_batch=1000,
        max_bytes=20_000_000,
        max_variable_bytes=MAX_VARIABLE_BYTES,
        reconcile="query",
        atomic=False,
    )

    def find_batch(self, *, key: str, deliveries: Sequence[int], sent_at: datetime) -> BatchLookup:
        """Ask for the events of the batch's campaign. Each recipient needs one; no event proves nothing."""
        campaign = make_campaign_id(key)
        begin = (sent_at - timedelta(minutes=5)).astimezone(UTC)
        answer = self._query(
            "/api/v1/events/message",
            {
                "campaigns": campaign,
                "events": ",".join(_EVENTS),
                "from": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
                "to": f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "per_page": 10_000,
            },
        )
        if isinstance(answer, BatchLookup):
            return answer
        # The search matches the words of a campaign's name, so events of other batches may be among them.
        rows = [row for row in list_rows(answer, "results") if row.get("campaign_id") == campaign]
        people: dict[int, Verdict] = {}
        for row in rows:
            delivery = parse_delivery_id(as_mapping(row.get("rcpt_meta")).get("delivery"))
            if delivery is None or row.get("type") not in _EVENTS:
                continue
            is_accepted = row["type"] not in _REFUSALS
            if is_accepted or delivery not in people:
                people[delivery] = Verdict.ACCEPTED if is_accepted else Verdict.REJECTED
        provider_id = next((str(row["transmission_id"]) for row in rows if row.get("transmission_id")), "")
        return combine_records(people, deliveries=deliveries, provider=self.label, provider_id=provider_id)

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the account's list. Raise SuppressionListError."""
        begin = {"from": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if since else {}
        query = urlencode({"cursor": "initial", "per_page": 10_000, **begin})
        return self._read_list(
            SuppressionListQuery(
                f"/api/v1/suppression-list?{query}",
                rows="results",
                parse_row=_parse_suppression,
                find_next=_find_next_page,
            )
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._key, "Accept": "application/json"}

    def _build_payload(self, prepared: PreparedBatch) -> dict[str, object]:
        call = prepared.call
        names = sorted(prepared.needed)
        return {
            "campaign_id": make_campaign_id(call.key),
            "options": {
                "open_tracking": False,
                "initial_open": False,
                "click_tracking": False,
                "transactional": False,
            },
            "metadata": {"batch": call.key, "issue": call.issue, "variant": call.variant},
            "recipients": [
                _build_recipient(prepared, address, recipient, names) for address, recipient in prepared.people
            ],
            "content": _build_content(prepared),
        }

    def _read_message(self, answer: ProviderResponse) -> str:
        return _join_errors(as_mapping(parse_json_or_none(answer.body)).get("errors"))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        outcome = super()._read(answer, prepared)
        if answer.status == 420 and outcome.retry_after is None:
            return replace(outcome, retry_after=_QUOTA_WAIT_SECONDS)
        return outcome

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        results = as_mapping(as_mapping(parse_json_or_none(answer.body)).get("results"))
        provider_id = results.get("id")
        accepted, refused = results.get("total_accepted_recipients"), results.get("total_rejected_recipients")
        if not isinstance(provider_id, str) or not provider_id or type(accepted) is not int or type(refused) is not int:
            return None
        if accepted < 0 or refused < 0 or accepted + refused != len(prepared.people):
            return None
        if not refused:
            return self._accepted(provider_id)
        errors = _join_errors(results.get("rcpt_to_errors"))
        message = self._mask(errors)
        if not accepted:
            why = Message("SparkPost accepted none of the people in this batch.")
            return Outcome(Verdict.REJECTED, quote_provider(why, message), provider_id=provider_id)
        words = {word.strip("'\"`.,;:()<>[]").lower() for word in errors.split()}
        deliveries = [recipient.delivery for address, recipient in prepared.people if address.lower() in words]
        if len(deliveries) != refused:
            why = Message(
                "SparkPost accepted %(accepted)s of %(people)s people and did not say which.",
                accepted=Quantity(accepted),
                people=Quantity(len(prepared.people)),
            )
            return Outcome(Verdict.UNCERTAIN, quote_provider(why, message), provider_id=provider_id)
        reason = quote_provider(Message("SparkPost refused this person."), message)
        return self._accepted(provider_id, people=dict.fromkeys(deliveries, (Verdict.REJECTED, reason)))


def make_campaign_id(key: str) -> str:
    """Return a batch's key as a campaign of SparkPost's, at most 64 bytes."""
    return make_batch_id(key, max_length=_MAX_CAMPAIGN_LENGTH)


def _build_content(prepared: PreparedBatch) -> dict[str, object]:
    mail = prepared.mail
    content: dict[str, object] = {
        "from": {"email": mail.from_email, **({"name": write_text(mail.from_name)} if mail.from_name else {})},
        "subject": write_text(mail.subject),
        "html": write_html(mail.html, make_variable=_make_raw_variable),
        "text": write_text(mail.text),
        "headers": {name: write_header(value) for name, value in prepared.headers.items()},
    }
    if mail.reply_to:
        content["reply_to"] = write_header(mail.reply_to)
    return content


def _build_recipient(
    prepared: PreparedBatch, address: str, recipient: Recipient, names: list[str]
) -> dict[str, object]:
    cleaned = prepared.values_of(recipient)
    values = {name: write_value(name, cleaned[name]) for name in names}
    size = len(orjson.dumps(values))
    if size > MAX_VARIABLE_BYTES:
        raise BadBatch(
            "Delivery %(delivery)s has personal values of %(size)s bytes; SparkPost takes "
            "%(max_size)s. Nothing of this batch was sent.",
            delivery=recipient.delivery,
            size=Quantity(size),
            max_size=Quantity(MAX_VARIABLE_BYTES),
        )
    return {
        "address": {"email": address},
        "metadata": {"delivery": str(recipient.delivery)},
        "substitution_data": values,
    }


def _make_raw_variable(name: str) -> str:
    """Return ``{{{name}}}``: SparkPost escapes the values of HTML parts only, unless they have three braces."""
    return f"{{{{{{{name}}}}}}}"


def _join_errors(rows: object) -> str:
    errors = (as_mapping(row) for row in as_list(rows)[:1000])
    texts = (f"{row.get('message') or ''}: {row.get('description') or ''}" for row in errors)
    return "; ".join(filter(None, (text.strip(": ") for text in texts)))


def _parse_suppression(row: Row) -> SuppressedAddress | None:
    return make_suppressed(
        row.get("recipient"),
        _LIST_KINDS.get(as_text(row.get("source"))),
        at=parse_time(row.get("updated")) or parse_time(row.get("created")),
        reason=as_text(row.get("description")),
    )


def _find_next_page(parsed: object, url: str, rows: int) -> str:
    links = as_mapping(parsed).get("links")
    for link in [links] if isinstance(links, Mapping) else as_list(links):
        link_fields = as_mapping(link)
        href = as_text(
            link_fields.get("next") or (link_fields.get("href") if link_fields.get("rel") == "next" else ""),
            max_length=4000,
        )
        cursor = parse_query(href).get("cursor", "")
        if rows and cursor:
            return replace_query(url, cursor=cursor)
    return ""
