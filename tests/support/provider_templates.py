"""The send APIs of Brevo, SparkPost and Amazon SES for the fake provider, each with its own rules for variables."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from html import escape
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.provider_accounts import REGION
from tests.support.provider_mailgun import ReceivedMail, RequestRefused, SendRequest

BREVO, SPARKPOST, SES = "/v3/smtp/email", "/api/v1/transmissions", "/v2/email/outbound-bulk-emails"
TEMPLATE_PATHS = (BREVO, SPARKPOST, SES)
SECRET = "fake-secret/with+signs"
_CURLY = re.compile(r"\{\{(\{?)\s*([^{}]+?)\s*\}\}(\}?)")


def fill_curly(text: str, values: Mapping[str, Any], *, safe: bool) -> str:
    """Return the text with ``{{name}}`` escaped for HTML unless ``safe``, and ``{{{name}}}`` unescaped; unknown names stay."""

    def replace(match: re.Match[str]) -> str:
        raw, name, _ = match.groups()
        if name not in values:
            return match.group(0)
        return str(values[name]) if raw or safe else escape(str(values[name]))

    return _CURLY.sub(replace, text)


@dataclass(frozen=True)
class BrevoSend:
    """One mail with a message version for each recipient. Values are escaped unless that is switched off."""

    payload: dict[str, Any] = field(repr=False)
    content: bytes = b""
    own_id = ""
    refuses_replay = True

    @property
    def replay_key(self) -> str:
        return str(self.payload["headers"]["idempotencyKey"])

    @property
    def recipients(self) -> list[str]:
        return [version["to"][0]["email"] for version in self.payload["messageVersions"]]

    def mail_for(self, address: str) -> ReceivedMail:
        version = next(each for each in self.payload["messageVersions"] if each["to"][0]["email"] == address)
        params = {f"params.{name}": value for name, value in version.get("params", {}).items()}

        def fill(text: str) -> str:
            pieces = re.split(r"\{% autoescape off %\}(.*?)\{% endautoescape %\}", text, flags=re.DOTALL)
            return "".join(fill_curly(piece, params, safe=bool(n % 2)) for n, piece in enumerate(pieces))

        sender = self.payload["sender"]
        return ReceivedMail(
            to=address,
            sender=f'"{sender.get("name", "")}" <{sender["email"]}>',
            subject=fill(version["subject"]),
            html=fill(self.payload["htmlContent"]),
            text=fill(self.payload["textContent"]),
            headers={**version["headers"], "Reply-To": self.payload.get("replyTo", {}).get("email", "")},
            variables=json.loads(version["headers"]["X-Mailin-custom"]),
            tags=tuple(self.payload["tags"]),
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        ids = [f"{provider_id}-{n}" for n in range(len(self.recipients))]
        return 201, {}, json.dumps({"messageIds": ids}).encode()


@dataclass(frozen=True)
class SparkPostSend:
    """One mail with substitution data for each recipient. Two braces escape in HTML, three do not."""

    payload: dict[str, Any] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [each["address"]["email"] for each in self.payload["recipients"]]

    def mail_for(self, address: str) -> ReceivedMail:
        content = self.payload["content"]
        recipient = next(each for each in self.payload["recipients"] if each["address"]["email"] == address)

        def fill(text: str, *, safe: bool = True) -> str:
            return fill_curly(text, recipient["substitution_data"], safe=safe)

        headers = {name: fill(value) for name, value in content["headers"].items()}
        return ReceivedMail(
            to=address,
            sender=f'"{content["from"].get("name", "")}" <{content["from"]["email"]}>',
            subject=fill(content["subject"]),
            html=fill(content["html"], safe=False),
            text=fill(content["text"]),
            headers={**headers, "Reply-To": content.get("reply_to", "")},
            variables={**self.payload["metadata"], **recipient["metadata"]},
            tags=(self.payload["campaign_id"],),
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        bad = [address for address in self.recipients if address in refused]
        results: dict[str, Any] = {
            "total_rejected_recipients": len(bad),
            "total_accepted_recipients": len(self.recipients) - len(bad),
            "id": provider_id,
        }
        answer: dict[str, Any] = {"results": results}
        if bad:
            results["rcpt_to_errors"] = [
                {"message": "invalid data", "description": f"'{address}' cannot be used", "code": "1300"}
                for address in bad
            ]
            answer["errors"] = [{"message": "transmission created, but with validation errors", "code": "2000"}]
        return 200, {}, json.dumps(answer).encode()


@dataclass(frozen=True)
class SesSend:
    """One template with an entry for each recipient. Values are not escaped."""

    payload: dict[str, Any] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [entry["Destination"]["ToAddresses"][0] for entry in self.payload["BulkEmailEntries"]]

    def mail_for(self, address: str) -> ReceivedMail:
        template = self.payload["DefaultContent"]["Template"]["TemplateContent"]
        entry = next(
            each for each in self.payload["BulkEmailEntries"] if each["Destination"]["ToAddresses"] == [address]
        )
        data = json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])

        def fill(text: str) -> str:
            return fill_curly(text, data, safe=True)

        headers = {each["Name"]: each["Value"] for each in entry["ReplacementHeaders"]}
        return ReceivedMail(
            to=address,
            sender=str(make_header(decode_header(self.payload["FromEmailAddress"]))),
            subject=fill(template["Subject"]),
            html=fill(template["Html"]),
            text=fill(template["Text"]),
            headers={**headers, "Reply-To": "".join(self.payload.get("ReplyToAddresses", []))},
            variables={each["Name"]: each["Value"] for each in entry["ReplacementTags"]},
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        rows = [
            {"Status": str(refused[to]), "Error": f"not possible for {to}"}
            if to in refused
            else {"Status": "SUCCESS", "MessageId": f"{provider_id}-{n}"}
            for n, to in enumerate(self.recipients)
        ]
        return 200, {}, json.dumps({"BulkEmailEntryResults": rows}).encode()


def check_template_key(path: str, *, body: bytes, headers: Any, key: str, url: str, method: str = "POST") -> None:
    """Raise RequestRefused if the key or the signature is wrong."""
    if path.startswith("/v2/"):
        check_signature(body, headers=headers, key=key, url=url, method=method)
    elif (headers.get("Authorization") if path.startswith("/api/v1/") else headers.get("api-key")) != key:
        raise RequestRefused(401, "The key is not valid", name="unauthorized")


def check_signature(body: bytes, *, headers: Any, key: str, url: str, method: str = "POST") -> None:
    """Sign the request again with the account's secret, and compare. Raise RequestRefused."""
    given = dict(re.findall(r"(\w+)=([^, ]+)", headers.get("Authorization") or ""))
    auth: Any = SigV4Auth(Credentials(key, SECRET), "ses", REGION)
    signed = {name: headers.get(name, "") for name in given.get("SignedHeaders", "").split(";") if name}
    request = AWSRequest(method, url, headers=signed, data=body)
    request.context["timestamp"] = headers.get("X-Amz-Date", "")
    wanted = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if given.get("Credential", "").split("/")[0] != key or given.get("Signature") != wanted:
        raise RequestRefused(403, "The request signature we calculated does not match", name="SignatureDoesNotMatch")


def read_template_send(path: str, *, body: bytes) -> SendRequest:
    """Return a parsed request, or raise RequestRefused as the provider of that path does."""
    parsed = json.loads(body)
    if path == BREVO:
        return _read_brevo(parsed, body)
    if path == SPARKPOST:
        if len(parsed["campaign_id"].encode()) > 64:
            raise RequestRefused(400, "campaign_id is too long")
        return SparkPostSend(parsed)
    entries = parsed["BulkEmailEntries"]
    if len(entries) > 50:
        raise RequestRefused(400, "At most 50 destinations", name="BadRequestException")
    _check_ses(entries)
    return SesSend(parsed)


def _read_brevo(parsed: dict[str, Any], body: bytes) -> BrevoSend:
    versions = parsed["messageVersions"]
    sizes = [len(json.dumps(version.get("params", {}), separators=(",", ":"))) for version in versions]
    if len(versions) > 1000 or sum(sizes) > 1_000_000:
        raise RequestRefused(400, "messageVersions are too many or too big", name="invalid_parameter")
    values = [value for version in versions for value in version["headers"].values()]
    if any(not value.isascii() for value in values):
        raise RequestRefused(400, "headers must be ASCII", name="invalid_parameter")
    return BrevoSend(parsed, body)


def _check_ses(entries: list[dict[str, Any]]) -> None:
    good: Callable[[str], object] = re.compile(r"[ -~]{1,995}").fullmatch
    for entry in entries:
        headers = entry["ReplacementHeaders"]
        if len(headers) > 15 or any(not good(each["Value"]) for each in headers):
            raise RequestRefused(400, "Invalid header", name="BadRequestException")
        if any(not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", each["Value"]) for each in entry["ReplacementTags"]):
            raise RequestRefused(400, "Invalid tag", name="BadRequestException")
