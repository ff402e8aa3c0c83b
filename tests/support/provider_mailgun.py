"""Mailgun's send API for the fake provider: read and check the form, and fill in variables."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+")
_VARIABLE = re.compile(r"%recipient\.([^%\s]+)%")


class RequestRefused(Exception):
    """A request that the provider refuses, with a status and a message."""

    def __init__(self, status: int, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.name = name


@dataclass(frozen=True)
class ReceivedMail:
    """One recipient's final mail, with all variables filled in. ``variables`` are the ``v:`` ids that webhooks would carry."""

    to: str
    sender: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]
    variables: Mapping[str, str]
    tags: tuple[str, ...] = ()


class SendRequest(Protocol):
    """A parsed send request of any provider."""

    @property
    def recipients(self) -> list[str]: ...

    @property
    def own_id(self) -> str: ...

    @property
    def replay_key(self) -> str: ...

    @property
    def content(self) -> bytes: ...

    @property
    def refuses_replay(self) -> bool: ...

    def mail_for(self, address: str) -> ReceivedMail: ...

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]: ...


@dataclass(frozen=True)
class Form:
    """A parsed Mailgun request: every field with all its values in order."""

    fields: Mapping[str, list[str]] = field(repr=False)

    replay_key = ""
    content = b""
    refuses_replay = False

    @property
    def own_id(self) -> str:
        return self.one("h:Message-Id")

    def receipt(self, provider_id: str, refused: Mapping[str, int | str]) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps({"id": provider_id, "message": "Queued. Thank you."}).encode()

    def one(self, name: str) -> str:
        return self.fields.get(name, [""])[0]

    @cached_property
    def recipients(self) -> list[str]:
        return [part.strip() for value in self.fields.get("to", []) for part in value.split(",") if part.strip()]

    @cached_property
    def recipient_variables(self) -> Mapping[str, Mapping[str, str]]:
        table: Mapping[str, Mapping[str, str]] = json.loads(self.one("recipient-variables") or "{}")
        return table

    def mail_for(self, address: str) -> ReceivedMail:
        """Return the text with one recipient's variables filled in. An unknown one stays, as it does at Mailgun."""
        values = self.recipient_variables.get(address, {})

        def fill(text: str) -> str:
            return _VARIABLE.sub(lambda match: str(values.get(match.group(1), match.group(0))), text)

        def prefixed(prefix: str) -> dict[str, str]:
            return {n.removeprefix(prefix): fill(v[0]) for n, v in self.fields.items() if n.startswith(prefix)}

        return ReceivedMail(
            to=address,
            sender=self.one("from"),
            subject=fill(self.one("subject")),
            html=fill(self.one("html")),
            text=fill(self.one("text")),
            headers=prefixed("h:"),
            variables=prefixed("v:"),
            tags=tuple(self.fields.get("o:tag", [])),
        )


def read_form(body: bytes, *, content_type: str) -> Form:
    """Parse multipart/form-data. Raise RequestRefused if it is not that."""
    found = re.fullmatch(r'multipart/form-data; *boundary="?([^";]+)"?', content_type)
    if not found:
        raise RequestRefused(415, "multipart/form-data is needed")
    mark = b"--" + found.group(1).encode("ascii")
    pieces = body.split(mark)
    if len(pieces) < 2 or pieces[-1] != b"--\r\n":
        raise RequestRefused(400, "the form does not end")
    fields: dict[str, list[str]] = {}
    for piece in pieces[1:-1]:
        head, _, value = piece.partition(b"\r\n\r\n")
        named = re.search(rb'name="([^"]*)"', head)
        if not named or not value.endswith(b"\r\n"):
            raise RequestRefused(400, "a part of the form cannot be read")
        fields.setdefault(named.group(1).decode("ascii"), []).append(value[:-2].decode("utf-8"))
    return Form(fields)


def check_form(form: Form) -> None:
    """Raise RequestRefused for what Mailgun refuses, always the whole batch."""
    for name in ("from", "to", "subject"):
        if not form.one(name):
            raise RequestRefused(400, f"{name} parameter is missing")
    if not form.one("text") and not form.one("html"):
        raise RequestRefused(400, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified")
    if len(form.recipients) > 1000:
        raise RequestRefused(400, "too many recipients: at most 1000 are allowed")
    if any(not _ADDRESS.fullmatch(address) for address in form.recipients):
        raise RequestRefused(400, "to parameter is not a valid address. please check documentation")
    options = [(n, v) for n, values in form.fields.items() for v in values if n[:2] in ("o:", "h:", "v:", "t:")]
    if sum(len(name) + len(value.encode()) for name, value in options) > 16 * 1024:
        raise RequestRefused(400, "Send options (parameters starting with o:, h:, or v:) are limited to 16KB total")
    try:
        table = form.recipient_variables
    except ValueError:
        raise RequestRefused(400, "recipient-variables parameter is not valid JSON") from None
    if not isinstance(table, dict):
        raise RequestRefused(400, "recipient-variables parameter is not a dictionary")
