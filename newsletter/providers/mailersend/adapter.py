"""MailerSend: one call for each person's complete mail (developers.mailersend.com/api/v1/email, of 16 December 2025).

The answer has the result of the mail: 202 with an id; 202 with a warning if the address is on the account's
suppression list; 422 with a code (#MS42207) for each field that is wrong. There is no idempotency key. The call for 500
mails at once is not used: it accepts everything, checks it later, and tells the result under an id only (docs/decisions,
0053). A custom header, also List-Unsubscribe, needs a Professional or Enterprise plan.

The limit is 120 calls a minute (developers.mailersend.com/general, rate limits, of 13 August 2026).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from newsletter.common.messages import Message
from newsletter.providers.base.contract import (
    Capabilities,
    DnsRecords,
    MailDomains,
    Outcome,
    ProviderResponse,
    Verdict,
)
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_json_or_none
from newsletter.providers.base.mail.curly_variables import write_html, write_text
from newsletter.providers.base.mail.headers import encode_header, make_tag
from newsletter.providers.base.prepared_batch import PersonalMail, PreparedBatch, merge_personal_mails
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules
from newsletter.providers.base.responses import quote_provider
from newsletter.providers.base.single_mails import MAX_SINGLE_MAIL_BATCH, SINGLE_MAIL_BATCH, SingleMailAdapter

BATCH_TAG = "batch_"
"""What the tag begins with that names a batch. MailerSend gives back no other id of ours."""
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_CODE = re.compile(r"#MS(\d{5})")
_ACCOUNT_CODES = {"42204", "42207", "42216", "42222", "42225"}
"""Quota of the account, domain not verified, plan too small, quotas of a trial domain."""
_SUPPRESSED = "ALL_SUPPRESSED"
_ONE_CLICK_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")
_LINK = re.compile(r"<(https?://[^<>\s]+)>")
_DOLLAR_VARIABLE = re.compile(r"\{(?=\$)")


def _check_account(settings: ProviderSettings) -> None:
    if not _DOMAIN.fullmatch(settings.domain):
        raise BadProviderUrl(
            "%(setting)s has no sending domain after the @, such as news.example.org. Write mailersend://KEY@DOMAIN "
            "with the domain as MailerSend lists it."
        )


class MailerSend(SingleMailAdapter):
    """A sending domain at MailerSend."""

    label = "MailerSend"
    own_domain = "mailersend.com"
    dns = DnsRecords("include:_spf.mailersend.net", ("mlsend2", "mlsend"))
    limits = (
        Message(
            "MailerSend takes our headers, also the one to unsubscribe, only from an account with a Professional or Enterprise "
            "plan. With another plan it refuses every mail, and the send stops."
        ),
        Message(
            "MailerSend takes 120 mails a minute: 1,000 people need about 9 minutes. If your account may send faster, set "
            "people_per_second in the setting with the URL of the provider account, such as NEWSLETTER_PROVIDER_URL."
        ),
        Message(
            "MailerSend takes one way to unsubscribe in a mail’s header: the link. The address for it is left out."
        ),
    )
    no_counts = Message("MailerSend counts by tag, and does not say what counts as one mail.")
    default_endpoint = "https://api.mailersend.com"
    send_path = "/v1/email"
    receipt_status = 202
    url_rules = UrlRules(
        "mailersend",
        max_batch=MAX_SINGLE_MAIL_BATCH,
        account="KEY@DOMAIN",
        check_account=_check_account,
        without=frozenset({"calls_per_second"}),
    )
    offer = Capabilities(
        name="mailersend",
        merge="full",
        max_batch=SINGLE_MAIL_BATCH,
        max_bytes=2_000_000,
        reconcile="events",
        atomic=False,
        people_per_second=2.0,
    )

    @classmethod
    def find_domains(cls, settings: ProviderSettings, *, sender: str) -> MailDomains:
        """Mail is signed by the domain of the settings."""
        return MailDomains(signing=settings.domain)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}

    def _build_messages(self, prepared: PreparedBatch) -> Iterator[dict[str, object]]:
        return (self._build_message(prepared, personal) for personal in merge_personal_mails(prepared))

    def _build_message(self, prepared: PreparedBatch, personal: PersonalMail) -> dict[str, object]:
        call, mail = prepared.call, prepared.mail
        message: dict[str, object] = {
            "from": {"email": mail.from_email, **({"name": mail.from_name} if mail.from_name else {})},
            "to": [{"email": personal.address}],
            "subject": _write_text(personal.subject),
            "html": _write_html(personal.html),
            "text": _write_text(personal.text),
            "headers": [
                {"name": name, "value": encode_header(value)}
                for name, value in personal.headers.items()
                if name.lower() not in _ONE_CLICK_HEADERS
            ],
            "tags": [make_tag(call.issue), make_batch_tag(call.key)],
            "settings": {"track_clicks": False, "track_opens": False, "track_content": False},
        }
        if mail.reply_to:
            message["reply_to"] = {"email": mail.reply_to}
        if link := _find_link(personal.headers):
            # MailerSend adds List-Unsubscribe-Post to a link itself (mailersend.com/help/how-to-add-a-custom-unsubscribe-header).
            message["list_unsubscribe"] = link
        return message

    def _read_message(self, answer: ProviderResponse) -> str:
        """Return the errors of the fields, which have the codes, or the message if there are none."""
        texts_of_errors = [as_text(text) for texts in _list_errors(answer).values() for text in as_list(texts)]
        return "; ".join(texts_of_errors) or as_text(as_mapping(parse_json_or_none(answer.body)).get("message"))

    def _list_refused_fields(self, answer: ProviderResponse) -> Sequence[str]:
        return list(_list_errors(answer))

    def _read_error(self, answer: ProviderResponse, *, provider_message: str) -> Outcome | None:
        codes = set(_CODE.findall(self._read_message(answer)))
        if answer.status != 422 or not codes & _ACCOUNT_CODES:
            return None
        why = Message(
            "MailerSend does not send for this account now. Check the plan, the quota and the sending domain."
        )
        return Outcome(Verdict.REJECTED, quote_provider(why, provider_message), stop=True)

    def _read_receipt(self, answer: ProviderResponse, prepared: PreparedBatch) -> Outcome | None:
        message_id = as_text(answer.headers.get("x-message-id"), max_length=80)
        warnings = [as_mapping(row) for row in as_list(as_mapping(parse_json_or_none(answer.body)).get("warnings"))]
        if any(warning.get("type") == _SUPPRESSED for warning in warnings):
            rows = [as_mapping(row) for warning in warnings for row in as_list(warning.get("recipients"))]
            reasons = ", ".join(as_text(reason) for row in rows for reason in as_list(row.get("reasons")))
            why = Message("MailerSend has this address on its own suppression list and did not send.")
            return Outcome(Verdict.REJECTED, quote_provider(why, self._mask(reasons)))
        if not message_id or warnings:
            return None
        if answer.headers.get("x-send-paused", "").lower() == "true":
            why = Message(
                "MailerSend took the mail and has paused the account, so it may or may not send it. Ask MailerSend why."
            )
            return Outcome(Verdict.UNCERTAIN, why, provider_id=message_id)
        return self._accepted(message_id)


def make_batch_tag(key: str) -> str:
    """Return the tag that names a batch."""
    return f"{BATCH_TAG}{make_tag(key, max_length=80)}"


def _list_errors(answer: ProviderResponse) -> Row:
    """Return the errors by the field that they are about."""
    return as_mapping(as_mapping(parse_json_or_none(answer.body)).get("errors"))


def _write_html(text: str) -> str:
    """Return HTML in which MailerSend finds no variable, neither ``{{x}}`` nor ``{$x}``."""
    return _DOLLAR_VARIABLE.sub("&#123;", write_html(text))


def _write_text(text: str) -> str:
    return _DOLLAR_VARIABLE.sub("{\u2060", write_text(text))


def _find_link(headers: Mapping[str, str]) -> str:
    value = next((value for name, value in headers.items() if name.lower() == "list-unsubscribe"), "")
    match = _LINK.search(value)
    return match.group(1) if match else ""
