"""Scaleway Transactional Email: one call for each person's complete mail (scaleway.com/en/developers/api/transactional-email).

A mail to several people shows each of them all addresses, so a call has one. The answer has a row for the person with an id.
There is no idempotency key, no tracking, and no list of mails that names ours. Limits: 2 MB for a mail, no rate that is
documented (scaleway.com/en/docs/transactional-email/reference-content/tem-capabilities-and-limits, of 29 October 2025).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Self, Unpack

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Capabilities, DnsRecords, Outcome, ProviderResponse
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.http_adapter import AdapterOptions
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_json_or_none
from newsletter.providers.base.mail.headers import encode_header
from newsletter.providers.base.prepared_batch import JsonMail, PreparedBatch, merge_json_mails
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules
from newsletter.providers.base.single_mails import MAX_SINGLE_MAIL_BATCH, SINGLE_MAIL_BATCH, SingleMailAdapter

ID_HEADER = "X-Newsletter-Delivery"
"""The header with our ids, ``7 1-1-ab``, which comes back in Scaleway's reports."""
REGION = "fr-par"
"""The only region of the service."""
_PROJECT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUEUED = ("new", "sending", "sent")


def _check_account(settings: ProviderSettings) -> None:
    if not _PROJECT.fullmatch(settings.domain):
        raise BadProviderUrl(
            "%(setting)s has no Scaleway project after the @. Write scaleway://SECRET_KEY@PROJECT_ID with the "
            "id of the project, such as 8c8bfa06-9d5f-4a3e-a6a5-1a4a4f2f0b7e."
        )


class Scaleway(SingleMailAdapter):
    """A project at Scaleway Transactional Email."""

    label = "Scaleway Transactional Email"
    company = "Scaleway"
    own_domain = "scaleway.com"
    dns = DnsRecords("include:_spf.tem.scaleway.com", needs_spf=True)
    limits = (
        Message(
            "Scaleway takes one mail in a call, so an issue takes longer than with other providers. A new account may send "
            "10,000 mails a month: ask Scaleway for more before you need it."
        ),
        Message("Scaleway refuses a mail whose subject has fewer than 10 characters, and the send stops."),
        Message("Scaleway reports no spam complaints, so nobody hears of them here."),
    )
    no_counts = Message("Scaleway counts by project and domain, not by issue.")
    default_endpoint = "https://api.scaleway.com"
    send_path = f"/transactional-email/v1alpha1/regions/{REGION}/emails"
    url_rules = UrlRules(
        "scaleway",
        max_batch=MAX_SINGLE_MAIL_BATCH,
        account="SECRET_KEY@PROJECT_ID",
        check_account=_check_account,
        without=frozenset({"calls_per_second"}),
    )
    offer = Capabilities(
        name="scaleway",
        merge="full",
        max_batch=SINGLE_MAIL_BATCH,
        max_bytes=2_000_000,
        reconcile="events",
        atomic=False,
    )

    def __init__(self, *, key: str, project: str, **options: Unpack[AdapterOptions]) -> None:
        super().__init__(key=key, **options)
        self._project = project

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AdapterOptions]) -> Self:
        return cls(key=settings.key, project=settings.domain, **options)

    def _headers(self) -> dict[str, str]:
        return {"X-Auth-Token": self._key}

    def _build_messages(self, prepared: PreparedBatch) -> Iterator[dict[str, object]]:
        return (self._build_message(prepared, personal) for personal in merge_json_mails(prepared))

    def _build_message(self, prepared: PreparedBatch, personal: JsonMail) -> dict[str, object]:
        mail = prepared.mail
        headers = {**personal.headers, ID_HEADER: f"{personal.delivery} {prepared.call.key}"}
        if mail.reply_to:
            headers["Reply-To"] = mail.reply_to
        return {
            "project_id": self._project,
            "from": {"email": mail.from_email, **({"name": mail.from_name} if mail.from_name else {})},
            "to": [{"email": personal.address}],
            "subject": personal.subject,
            "text": personal.text,
            "html": personal.html,
            "additional_headers": [{"key": name, "value": encode_header(value)} for name, value in headers.items()],
        }

    def _read_message(self, answer: ProviderResponse) -> str:
        """Return the message with its details: it is the same for a wrong address and a short subject."""
        details = (
            f"{as_text(row.get('argument_name'))}: {as_text(row.get('help_message'))}" for row in _list_details(answer)
        )
        return "; ".join([as_text(as_mapping(parse_json_or_none(answer.body)).get("message")), *details])

    def _list_refused_fields(self, answer: ProviderResponse) -> Sequence[str]:
        return [name for row in _list_details(answer) if (name := as_text(row.get("argument_name")))]

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        rows = as_list(as_mapping(parse_json_or_none(answer.body)).get("emails"))
        row = as_mapping(rows[0]) if len(rows) == 1 else {}
        email_id = as_text(row.get("id"), max_length=80)
        (address, _), *_ = prepared.people
        # The documents name the field of the address in two ways.
        sent_to = as_text(row.get("mail_rcpt") or row.get("rcpt_to"), max_length=320)
        is_known = row.get("status") in _QUEUED and sent_to.lower() == address.lower()
        return self._accepted(email_id) if email_id and is_known else None


def _list_details(answer: ProviderResponse) -> Sequence[Row]:
    """Return what a refusal says of each argument that is wrong."""
    return [as_mapping(row) for row in as_list(as_mapping(parse_json_or_none(answer.body)).get("details"))]
