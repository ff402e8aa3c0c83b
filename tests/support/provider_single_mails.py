"""The send APIs of MailerSend and Scaleway for the fake provider: one person's complete mail in a call."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.provider_accounts import PROJECT
from tests.support.provider_mailgun import ReceivedMail, RequestRefused

MAILERSEND = "/v1/email"
SCALEWAY = "/transactional-email/v1alpha1/regions/fr-par/emails"
SINGLE_MAIL_PATHS = (MAILERSEND, SCALEWAY)
# Twig's openings, and those of MailerSend's simple personalization.
_VARIABLE = re.compile(r"\{[{%#$]")
_SCALEWAY_MINIMUM = 10


@dataclass(frozen=True)
class MailerSendMail:
    """A complete mail. The answer is empty, with the id in a header, or a warning about the suppression list."""

    mail: dict[str, Any] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [self.mail["to"][0]["email"]]

    def mail_for(self, address: str) -> ReceivedMail:
        mail = self.mail
        assert mail["settings"] == {"track_clicks": False, "track_opens": False, "track_content": False}
        issue, batch = mail["tags"]
        headers = {row["name"]: row["value"] for row in mail["headers"]}
        if link := mail.get("list_unsubscribe", ""):
            headers |= {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        return ReceivedMail(
            to=address,
            sender=f'"{mail["from"]["name"]}" <{mail["from"]["email"]}>',
            subject=mail["subject"],
            html=mail["html"],
            text=mail["text"],
            headers={**headers, "Reply-To": mail.get("reply_to", {}).get("email", "")},
            variables={"batch": batch.removeprefix("batch_")},
            tags=(issue,),
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        (to,) = self.recipients
        if to not in refused:
            return 202, {"X-Message-Id": provider_id.strip("<>").partition("@")[0]}, b""
        people = [{"email": to, "name": None, "reasons": [str(refused[to])]}]
        warning = {
            "type": "ALL_SUPPRESSED",
            "warning": "All of the recipients have been suppressed.",
            "recipients": people,
        }
        return 202, {}, json.dumps({"message": "There are some warnings.", "warnings": [warning]}).encode()


@dataclass(frozen=True)
class ScalewayMail:
    """A complete mail. The answer has one row."""

    mail: dict[str, Any] = field(repr=False)
    own_id = replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def recipients(self) -> list[str]:
        return [self.mail["to"][0]["email"]]

    def mail_for(self, address: str) -> ReceivedMail:
        mail = self.mail
        headers = {row["key"]: row["value"] for row in mail["additional_headers"]}
        delivery, _, batch = headers["X-Newsletter-Delivery"].partition(" ")
        return ReceivedMail(
            to=address,
            sender=f'"{mail["from"]["name"]}" <{mail["from"]["email"]}>',
            subject=mail["subject"],
            html=mail["html"],
            text=mail["text"],
            headers=headers,
            variables={"delivery": delivery, "batch": batch},
        )

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        (to,) = self.recipients
        if to in refused:
            details = [{"argument_name": "to", "reason": "constraint", "help_message": "invalid recipient"}]
            told = {"details": details, "message": "invalid argument(s)", "type": "invalid_arguments"}
            return 400, {}, json.dumps(told).encode()
        row = {"id": provider_id, "message_id": f"m-{provider_id}", "project_id": PROJECT, "mail_rcpt": to}
        return 200, {}, json.dumps({"emails": [{**row, "rcpt_type": "to", "status": "new"}]}).encode()


def check_single_mail_key(path: str, headers: Any, *, key: str) -> None:
    """Raise RequestRefused if the key is wrong."""
    given = headers.get("Authorization") if path == MAILERSEND else headers.get("X-Auth-Token")
    if given != (f"Bearer {key}" if path == MAILERSEND else key):
        raise RequestRefused(401, f"Unauthenticated: {given}")


def read_single_mail(path: str, *, body: bytes) -> MailerSendMail | ScalewayMail:
    """Return a parsed request, or raise RequestRefused."""
    mail = json.loads(body)
    if len(mail["to"]) != 1:
        raise RequestRefused(422, "The to recipient limit is exceeded. #MS42205")
    if path == SCALEWAY:
        if mail["project_id"] != PROJECT:
            raise RequestRefused(403, "insufficient permissions")
        if any(len(mail[part]) < _SCALEWAY_MINIMUM for part in ("subject", "text", "html")):
            raise RequestRefused(400, "invalid argument(s): the subject is too short")
        return ScalewayMail(mail)
    for part in ("subject", "html", "text"):
        if _VARIABLE.search(mail[part]):
            raise RequestRefused(422, f"The value you provided in {part} failed to compile. #MS42213")
    names = {row["name"].lower() for row in mail["headers"]}
    if len(mail["tags"]) > 5 or names & {"list-unsubscribe", "list-unsubscribe-post", "subject", "from", "to"}:
        raise RequestRefused(422, f"The headers or tags cannot be taken: {names}, {mail['tags']}")
    return MailerSendMail(mail)
