"""Amazon SES v2: one call for a batch, personal values as template data (docs.aws.amazon.com/ses, SendBulkEmail).

An answer of 200 has a verdict for each entry, in our order. There is no idempotency key, so nothing here may try twice:
botocore (the ``ses`` extra) only signs the request, and our own transport makes the one call.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Self, Unpack
from urllib.parse import urlencode

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.contract import Capabilities, DnsRecords, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.http_adapter import AdapterOptions, HttpAdapter
from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_json_or_none, parse_time
from newsletter.providers.base.prepared_batch import PreparedBatch
from newsletter.providers.base.provider_url import ProviderSettings, UrlOption, UrlRules, is_plain_key
from newsletter.providers.base.responses import combine_row_verdicts, quote_provider
from newsletter.providers.base.suppression_lists import (
    SuppressedAddress,
    SuppressionListQuery,
    make_suppressed,
    replace_query,
)
from newsletter.providers.base.webhooks.events import FeedbackKind
from newsletter.providers.ses.payload import MAX_VARIABLE_BYTES, build_payload
from newsletter.providers.ses.signing import SigningTransport, make_signer

_QUOTA_WAIT_SECONDS = 3600.0
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,2}-\d")
_THROTTLED_STATUSES = {"TRANSIENT_FAILURE", "ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED"}
_REFUSED_STATUSES = {"MESSAGE_REJECTED", "INVALID_PARAMETER"}
_ACCOUNT_STATUSES = {
    "MAIL_FROM_DOMAIN_NOT_VERIFIED",
    "CONFIGURATION_SET_NOT_FOUND",
    "TEMPLATE_NOT_FOUND",
    "ACCOUNT_SUSPENDED",
    "INVALID_SENDING_POOL_NAME",
    "ACCOUNT_SENDING_PAUSED",
    "CONFIGURATION_SET_SENDING_PAUSED",
}
_THROTTLING_ERRORS = {"TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException"}
_ACCOUNT_ERRORS = {
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
_LIST_KINDS = {"BOUNCE": FeedbackKind.BOUNCED, "COMPLAINT": FeedbackKind.COMPLAINED}


def _check_account(settings: ProviderSettings) -> None:
    if not is_plain_key(settings.secret) or "/" in settings.key:
        raise BadProviderUrl(
            "%(setting)s has no usable secret after the key. Write %(form)s; if the secret "
            "holds / or +, write %%2F and %%2B.",
            form=Ses.url_rules.form,
        )
    if not _REGION.fullmatch(settings.domain):
        raise BadProviderUrl(
            "%(setting)s has no Amazon region after the @, such as eu-west-1. Write %(form)s.",
            form=Ses.url_rules.form,
        )


class Ses(HttpAdapter):
    """An account at Amazon SES, in one region."""

    label = "Amazon SES"
    no_counts = Message("Amazon SES counts by account, domain and configuration set.")
    own_domain = "amazonaws.com"
    dns = DnsRecords("include:amazonses.com")
    send_path = "/v2/email/outbound-bulk-emails"
    read_seconds = 60.0
    url_rules = UrlRules(
        "ses",
        max_batch=50,
        account="KEY:SECRET@REGION",
        check_account=_check_account,
        options={
            "configuration_set": UrlOption(r"[A-Za-z0-9_-]{1,64}", "the name of a configuration set of Amazon SES")
        },
    )
    offer = Capabilities(
        name="ses",
        merge="substitute",
        max_batch=50,
        max_bytes=10_000_000,
        max_variable_bytes=MAX_VARIABLE_BYTES,
        reconcile="events",
        atomic=False,
    )

    def __init__(
        self, *, key: str, secret: str, region: str, configuration_set: str = "", **options: Unpack[AdapterOptions]
    ) -> None:
        """Raise BadProviderUrl if the ``ses`` extra is not installed."""
        super().__init__(key=key, **options)
        self._secrets = (secret, key)
        self._endpoint = self._endpoint or build_endpoint(region)
        self._configuration_set = configuration_set
        self._transport = SigningTransport(self._transport, sign=make_signer(key=key, secret=secret, region=region))

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AdapterOptions]) -> Self:
        return cls(
            key=settings.key,
            secret=settings.secret,
            region=settings.domain,
            configuration_set=settings.own_options.get("configuration_set", ""),
            **options,
        )

    def list_suppressed(self, *, since: datetime | None) -> Iterator[list[SuppressedAddress]]:
        """Return the account's list. Raise SuppressionListError."""
        begin = {"StartDate": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if since else {}
        return self._read_list(
            SuppressionListQuery(
                f"/v2/email/suppression/addresses?{urlencode({'PageSize': 1000, **begin})}",
                rows="SuppressedDestinationSummaries",
                parse_row=_parse_suppression,
                find_next=_find_next_page,
            )
        )

    def _build_payload(self, prepared: PreparedBatch) -> dict[str, object]:
        payload = build_payload(prepared)
        if self._configuration_set:
            payload["ConfigurationSetName"] = self._configuration_set
        return payload

    def _read_message(self, answer: ProviderResponse) -> str:
        return f"{_read_error_type(answer)} {_read_error_text(answer)}".strip()

    def _read_message_and_fields(self, answer: ProviderResponse) -> str:
        return _read_error_text(answer)

    def _read_error(self, answer: ProviderResponse, *, provider_message: str) -> Outcome | None:
        error = _read_error_type(answer)
        if not 400 <= answer.status < 500:
            return None
        if error in _THROTTLING_ERRORS:
            return Outcome(
                Verdict.THROTTLED,
                quote_provider(
                    Message("Amazon SES asked us to slow down; this will be tried again."), provider_message
                ),
                retry_after=_QUOTA_WAIT_SECONDS if error == "LimitExceededException" else None,
            )
        if error in _ACCOUNT_ERRORS:
            why = Message(
                "Amazon SES does not send for us now. Check the key, its region, the sending domain and the account."
            )
            return Outcome(Verdict.REJECTED, quote_provider(why, provider_message), stop=True)
        return None

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        listed = as_mapping(parse_json_or_none(answer.body)).get("BulkEmailEntryResults")
        if not isinstance(listed, list):
            return None
        if len(listed) != len(prepared.people):
            why = Message(
                "Amazon SES answered for %(rows)s people and was given %(people)s.",
                rows=Quantity(len(listed)),
                people=Quantity(len(prepared.people)),
            )
            return Outcome(Verdict.UNCERTAIN, why + Message(" Which of them it accepted is not known."))
        rows = {
            recipient.delivery: as_mapping(row) for (_, recipient), row in zip(prepared.people, listed, strict=True)
        }
        statuses = {delivery: str(row.get("Status")) for delivery, row in rows.items()}
        return combine_row_verdicts(
            {delivery: self._read_verdict(row) for delivery, row in rows.items()},
            account_errors=[delivery for delivery, status in statuses.items() if status in _ACCOUNT_STATUSES],
            provider_id=next((str(row["MessageId"]) for row in rows.values() if row.get("MessageId")), ""),
            retry_after=_QUOTA_WAIT_SECONDS if "ACCOUNT_DAILY_QUOTA_EXCEEDED" in statuses.values() else None,
        )

    def _read_verdict(self, row: Row) -> tuple[Verdict, str]:
        if not row:
            return Verdict.UNCERTAIN, Message("Amazon SES’s answer for this person cannot be read.")
        status = str(row.get("Status") or "")
        message = self._mask(f"{status} {row.get('Error') or ''}".strip())
        if status == "SUCCESS":
            if isinstance(row.get("MessageId"), str) and row["MessageId"]:
                return Verdict.ACCEPTED, ""
            return Verdict.UNCERTAIN, Message("Amazon SES accepted this person without an id for the message.")
        if status in _THROTTLED_STATUSES:
            return Verdict.THROTTLED, quote_provider(Message("Amazon SES asked to try this person later."), message)
        if status in _REFUSED_STATUSES or status in _ACCOUNT_STATUSES:
            return Verdict.REJECTED, quote_provider(Message("Amazon SES refused this person."), message)
        why = Message("Amazon SES failed on this person in a way that it does not explain.")
        return Verdict.UNCERTAIN, quote_provider(why, message)


def build_endpoint(region: str) -> str:
    """Return the address of SES in a region."""
    return f"https://email.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _read_error_text(answer: ProviderResponse) -> str:
    row = as_mapping(parse_json_or_none(answer.body))
    return str(row.get("message") or row.get("Message") or "")


def _read_error_type(answer: ProviderResponse) -> str:
    """Return the name of the error, which is ``Name:uri`` in a header or ``namespace#Name`` in the body."""
    row = as_mapping(parse_json_or_none(answer.body))
    written = answer.headers.get("x-amzn-errortype") or str(row.get("__type") or row.get("code") or "")
    return written.split(":")[0].split("#")[-1].strip()


def _parse_suppression(row: Row) -> SuppressedAddress | None:
    kind = _LIST_KINDS.get(as_text(row.get("Reason")))
    return make_suppressed(row.get("EmailAddress"), kind, at=parse_time(row.get("LastUpdateTime")))


def _find_next_page(parsed: object, url: str, rows: int) -> str:
    token = as_text(as_mapping(parsed).get("NextToken"), max_length=4000)
    return replace_query(url, NextToken=token) if token else ""
