"""Mailjet: one call for a batch of complete mails (Send API v3.1, dev.mailjet.com/email/guides/send-api-v31).

The answer has a verdict for each mail, in our order; its status is 400 if one of them was refused, and the others are sent
all the same. There is no idempotency key.
"""

from collections.abc import Mapping, Sequence
from typing import Self, Unpack

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Capabilities, DnsRecords, Outcome, ProviderResponse, Verdict
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.http_adapter import AdapterOptions, HttpAdapter
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_json_or_none
from newsletter.providers.base.mail.headers import encode_header
from newsletter.providers.base.prepared_batch import JsonMail, PreparedBatch, merge_json_mails
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules, is_plain_key
from newsletter.providers.base.responses import combine_row_verdicts, quote_provider

_ANSWERED = (200, 400)
_FORBIDDEN_HEADERS = {"list-id", "x-feedback-id"}
"""Headers of ours that Mailjet refuses, because it writes them itself."""
_ABOUT_ACCOUNT = (401, 402, 403)
_TOO_MANY = 429
_MAX_PAYLOAD = 200


def _check_account(settings: ProviderSettings) -> None:
    if not is_plain_key(settings.secret):
        raise BadProviderUrl(
            "%(setting)s has no secret key, or one that cannot be right. Write mailjet://KEY:SECRET@ with the API "
            "key and the secret key of Mailjet's page “API key management”."
        )


class Mailjet(HttpAdapter):
    """An API key of an account at Mailjet."""

    label = "Mailjet"
    own_domain = "mailjet.com"
    dns = DnsRecords("include:spf.mailjet.com", ("mailjet",))
    no_counts = Message("Mailjet counts by campaign, and our mails do not belong to one.")
    default_endpoint = "https://api.mailjet.com"
    send_path = "/v3.1/send"
    url_rules = UrlRules("mailjet", max_batch=50, account="KEY:SECRET@", check_account=_check_account)
    offer = Capabilities(
        name="mailjet", merge="full", max_batch=50, max_bytes=15_000_000, reconcile="events", atomic=False
    )

    def __init__(self, *, key: str, secret: str, **options: Unpack[AdapterOptions]) -> None:
        super().__init__(key=key, **options)
        self._auth = (key, secret)
        self._secrets = (secret, key)

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AdapterOptions]) -> Self:
        return cls(key=settings.key, secret=settings.secret, **options)

    def _build_payload(self, prepared: PreparedBatch) -> dict[str, object]:
        return {"Messages": [_build_message(prepared, personal) for personal in merge_json_mails(prepared)]}

    def _read_message(self, answer: ProviderResponse) -> str:
        parsed = as_mapping(parse_json_or_none(answer.body))
        return as_text(parsed.get("ErrorMessage")) or as_text(parsed.get("Message"))

    def _read(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome:
        rows = as_list(as_mapping(parse_json_or_none(answer.body)).get("Messages"))
        is_receipt = answer.complete and answer.status in _ANSWERED and len(rows) == len(prepared.people)
        if is_receipt and all(as_mapping(row).get("Status") in ("success", "error") for row in rows):
            return self._read_rows([as_mapping(row) for row in rows], prepared)
        if rows and answer.status in _ANSWERED:
            # Some of them may have been sent, although the answer says 400.
            return self._unusual_receipt(answer)
        return super()._read(answer, prepared)

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        return None

    def _read_rows(self, rows: Sequence[Row], prepared: PreparedBatch) -> Outcome:
        people: dict[int, tuple[Verdict, str]] = {}
        account_errors: set[int] = set()
        provider_id = ""
        for row, (address, recipient) in zip(rows, prepared.people, strict=True):
            if row.get("Status") == "success":
                sent_to = as_mapping(next(iter(as_list(row.get("To"))), None))
                people[recipient.delivery] = self._read_success(sent_to, address)
                provider_id = provider_id or as_text(sent_to.get("MessageID"), max_length=80)
                continue
            verdict, reason, is_account = self._read_row_errors(row)
            people[recipient.delivery] = (verdict, reason)
            if is_account:
                account_errors.add(recipient.delivery)
        return combine_row_verdicts(people, account_errors=account_errors, provider_id=provider_id)

    def _read_success(self, sent_to: Row, address: str) -> tuple[Verdict, str]:
        if as_text(sent_to.get("Email"), max_length=320).lower() == address.lower():
            return Verdict.ACCEPTED, Message("Accepted by %(provider)s.", provider=self.label)
        return Verdict.UNCERTAIN, Message("Mailjet’s answer is about somebody else, so it is not known what it sent.")

    def _read_row_errors(self, row: Row) -> tuple[Verdict, str, bool]:
        """Return verdict, reason, and whether our account or the mail is the cause instead of the person."""
        errors = [as_mapping(error) for error in as_list(row.get("Errors"))]
        first = errors[0] if errors else {}
        message = self._mask(as_text(first.get("ErrorMessage")))
        status = first.get("StatusCode")
        related = " ".join(as_text(field) for error in errors for field in as_list(error.get("ErrorRelatedTo")))
        if not errors or (isinstance(status, int) and status >= 500):
            why = Message("Mailjet had an error with this mail. It may or may not have accepted it.")
            return Verdict.UNCERTAIN, quote_provider(why, message), False
        if status == _TOO_MANY:
            why = Message("%(provider)s asked us to slow down; this will be tried again.", provider=self.label)
            return Verdict.THROTTLED, quote_provider(why, message), False
        if related.startswith("To") and status not in _ABOUT_ACCOUNT:
            return Verdict.REJECTED, quote_provider(Message("Mailjet refused this person."), message), False
        why = Message("Mailjet refused the mail because of our account or its content.")
        return Verdict.REJECTED, quote_provider(why, message), True


def _build_message(prepared: PreparedBatch, personal: JsonMail) -> dict[str, object]:
    call, mail = prepared.call, prepared.mail
    message: dict[str, object] = {
        "From": {"Email": mail.from_email, "Name": mail.from_name},
        "To": [{"Email": personal.address}],
        "Subject": personal.subject,
        "TextPart": personal.text,
        "HTMLPart": personal.html,
        "TemplateLanguage": False,
        "TrackOpens": "disabled",
        "TrackClicks": "disabled",
        "Headers": _select_headers(personal.headers),
        "CustomID": str(personal.delivery),
        "EventPayload": f"{personal.delivery} {call.key}"[:_MAX_PAYLOAD],
    }
    if mail.reply_to:
        message["ReplyTo"] = {"Email": mail.reply_to}
    return message


def _select_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: encode_header(value) for name, value in headers.items() if name.lower() not in _FORBIDDEN_HEADERS}
