"""Resend: one call for a batch of complete mails (resend.com/docs, batch), with a key that makes a replay harmless.

A batch is accepted or refused as a whole (strict mode, the default). The same bytes are sent once within a day.
"""

from collections.abc import Mapping

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Capabilities, DnsRecords, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.json_values import as_list, as_mapping, parse_json_or_none
from newsletter.providers.base.mail.headers import encode_header, format_mailbox, make_batch_id, make_dashed_tag
from newsletter.providers.base.prepared_batch import JsonMail, PreparedBatch, merge_json_mails
from newsletter.providers.base.provider_url import UrlRules
from newsletter.providers.base.responses import quote_provider, read_retry_after

_MAX_KEY_LENGTH = 256
_CONCURRENT_WAIT_SECONDS = 10.0
_DAILY_QUOTA_WAIT_SECONDS = 900.0


class Resend(HttpAdapter):
    """An account at Resend."""

    label = "Resend"
    own_domain = "resend.com"
    dns = DnsRecords("include:amazonses.com", ("resend",))
    no_counts = Message("Resend counts by domain, and its counts are not open to every account.")
    default_endpoint = "https://api.resend.com"
    send_path = "/emails/batch"
    url_rules = UrlRules("resend", max_batch=100)
    offer = Capabilities(
        name="resend",
        merge="full",
        max_batch=50,
        max_bytes=10_000_000,
        idempotency_seconds=24 * 3600,
        reconcile="replay",
        calls_per_second=2.0,
    )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    def _batch_headers(self, prepared: PreparedBatch) -> dict[str, str]:
        return {"Idempotency-Key": make_batch_id(prepared.call.key, max_length=_MAX_KEY_LENGTH)}

    def _build_payload(self, prepared: PreparedBatch) -> list[dict[str, object]]:
        return [_build_message(prepared, personal) for personal in merge_json_mails(prepared)]

    def _read_error(self, answer: ProviderResponse, *, provider_message: str) -> Outcome | None:
        name = as_mapping(parse_json_or_none(answer.body)).get("name")
        if answer.status == 429:
            return self._read_quota(answer, name=name, provider_message=provider_message)
        if answer.status != 409:
            return None
        if name == "concurrent_idempotent_requests":
            return Outcome(
                Verdict.THROTTLED,
                Message("Resend is still busy with an earlier attempt."),
                retry_after=read_retry_after(answer, now=self._clock()) or _CONCURRENT_WAIT_SECONDS,
            )
        # Somebody unsubscribed or moved between the two attempts: that concerns this batch, not the whole send.
        why = Message(
            'Resend was called with this batch before, and with other content. It said: "%(provider_message)s"',
            provider_message=provider_message,
        )
        return Outcome(Verdict.UNCERTAIN, why + Message(" Look at what it sent before sending again."))

    def _read_quota(self, answer: ProviderResponse, *, name: object, provider_message: str) -> Outcome | None:
        """Return what it means that the day's or the month's mails are used up. None for the limit of calls a second."""
        if name == "monthly_quota_exceeded":
            why = Message("The mails of this month are used up at Resend. Choose a larger plan there, then resume.")
            return Outcome(Verdict.REJECTED, quote_provider(why, provider_message), stop=True)
        if name == "daily_quota_exceeded":
            why = Message(
                "The mails of this day are used up at Resend. This batch is tried again until Resend takes it."
            )
            wait = max(read_retry_after(answer, now=self._clock()) or 0, _DAILY_QUOTA_WAIT_SECONDS)
            return Outcome(Verdict.THROTTLED, quote_provider(why, provider_message), retry_after=wait)
        return None

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        rows = as_list(as_mapping(parse_json_or_none(answer.body)).get("data"))
        ids = [row["id"] for row in rows if isinstance(row, Mapping) and isinstance(row.get("id"), str) and row["id"]]
        return self._accepted(ids[0]) if len(ids) == len(prepared.people) else None


def _build_message(prepared: PreparedBatch, personal: JsonMail) -> dict[str, object]:
    call, mail = prepared.call, prepared.mail
    tags = {"issue": call.issue, "batch": call.key, "delivery": str(personal.delivery)}
    message: dict[str, object] = {
        "from": format_mailbox(mail.from_name, mail.from_email),
        "to": [personal.address],
        "subject": personal.subject,
        "html": personal.html,
        "text": personal.text,
        "headers": {name: encode_header(value) for name, value in personal.headers.items()},
        "tags": [{"name": name, "value": make_dashed_tag(value)} for name, value in tags.items()],
    }
    if mail.reply_to:
        message["reply_to"] = mail.reply_to
    return message
