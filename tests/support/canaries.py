"""Canaries for tests: an IMAP server with several folders, an issue that goes to it, and its mail as a receiver stores it."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from newsletter.models import CanaryMail, CanaryMailbox, Issue, Send
from newsletter.providers.base.mail.mime import POLICY
from newsletter.sending.canaries.passwords import SEALER
from newsletter.sending.deliverability.message_check import SIGNED_HEADERS
from newsletter.sending.freezing.start import start_send
from subscribers.identity import identify
from tests.support.fixtures import NOW, add_subscribers, make_appeal, make_issue, make_publication, make_story
from tests.support.imap_server import PASSWORD, USER, ImapServer
from tests.support.provider_mailgun import ReceivedMail
from tests.support.repeated_rows import repeat_rows
from tests.support.web_site import Site

ADDRESS = "canary@mailboxes.example.net"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_FLAGS = {"Junk": r"\Junk", "Sent": r"\Sent", "All Mail": r"\All", "Shelf": r"\Noselect"}


@dataclass(frozen=True)
class StoredMail:
    raw: bytes
    at: datetime = NOW + timedelta(seconds=20)
    gmail_id: int = 0


@dataclass
class CanaryServer(ImapServer):
    """A mailbox with folders. ``tabs`` are the UIDs in a tab of Gmail's inbox; with ``gmail``, the server is Gmail's.

    ``denied`` names a command and a folder in which it is answered NO.
    """

    boxes: dict[str, list[StoredMail]] = field(default_factory=lambda: {"INBOX": [], "Junk": []})
    tabs: dict[str, list[int]] = field(default_factory=dict)
    gmail: bool = False
    selected: str = ""
    denied: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        if self.gmail:
            self.capabilities += " X-GM-EXT-1"

    def deliver(self, raw: bytes, *, folder: str = "INBOX", **values: Any) -> None:
        self.boxes.setdefault(folder, []).append(StoredMail(raw, **values))

    def _do(self, name: str, command: str) -> tuple[bytes, str]:
        if name == self.refuses:
            return b"", "NO [AUTHENTICATIONFAILED] not allowed"
        mails = self.boxes.get(self.selected, [])
        if name == "LIST":
            return "".join(f'* LIST ({_FLAGS.get(box, "")}) "/" "{box}"\r\n' for box in self.boxes).encode(), "OK done"
        if name == "EXAMINE":
            self.selected = command.partition(" ")[2].strip('"')
        if (name, self.selected) == self.denied:
            return b"", "NO [NOPERM] not allowed"
        if name == "EXAMINE":
            return f"* {len(self.boxes[self.selected])} EXISTS\r\n".encode(), "OK [READ-ONLY] done"
        if name == "SEARCH":
            tab = re.search(r"category:(\w+)", command)
            found = self.tabs.get(tab[1], []) if tab else range(1, len(mails) + 1)
            return f"* SEARCH {' '.join(str(uid) for uid in found)}\r\n".encode(), "OK done"
        if name in ("FETCH", "FIELDS"):
            uids = [int(uid) for uid in command.split(" ")[2].split(",")]
            return b"".join(self._show(uid, mails[uid - 1], command) for uid in uids), "OK done"
        assert name in ("CAPABILITY", "LOGIN", "LOGOUT"), f"{command} would change the mailbox"
        return super()._do(name, command)

    def _show(self, uid: int, mail: StoredMail, command: str) -> bytes:
        if "HEADER.FIELDS" not in command:
            return f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(mail.raw)}}}\r\n".encode() + mail.raw + b")\r\n"
        line = re.search(rb"(?mi)^x-entity-ref-id:.*\r?\n", mail.raw)
        header = (line[0] if line else b"") + b"\r\n"
        at = mail.at.strftime("%d-%b-%Y %H:%M:%S +0000")
        gmail = f" X-GM-MSGID {mail.gmail_id or uid}" if self.gmail else ""
        start = f'* {uid} FETCH (UID {uid}{gmail} INTERNALDATE "{at}" BODY[HEADER.FIELDS (X-ENTITY-REF-ID)]'
        return f"{start} {{{len(header)}}}\r\n".encode() + header + b")\r\n"


def make_mailbox(server: ImapServer, *, address: str = ADDRESS, **fields: Any) -> CanaryMailbox:
    return CanaryMailbox.objects.create(
        **{
            "address": address,
            "address_hash": identify(address),
            "host": "127.0.0.1",
            "port": server.port,
            "user": USER,
            "sealed_password": SEALER.seal(PASSWORD),
            "made_at": NOW,
            **fields,
        }
    )


def make_canary_issue(site: Site, **options: Any) -> Issue:
    """Create an approved issue of which every link and picture is on the site of the test."""
    return _make_issue_with_links(_put_pages(site), **options)


def start_canary_send(site: Site, **options: Any) -> Send:
    """Start the send of such an issue."""
    return _start_send_with_links(_put_pages(site), **options)


def _put_pages(site: Site) -> tuple[str, str, str]:
    return site.put("/", "home"), site.put("/story", "<p>story</p>"), site.put("/give", "give")


@repeat_rows
def _make_issue_with_links(
    links: tuple[str, str, str], *, recipients: int = 25, canary: str = "stop", **publication: Any
) -> Issue:
    home, story, give = links
    made = make_publication(canary=canary, **publication)
    made.brand.website = home
    made.brand.save()
    make_story("The first verdict", url=story)
    make_appeal(link=give)
    add_subscribers(made, recipients)
    return make_issue(made, approved=True)


@repeat_rows
def _start_send_with_links(links: tuple[str, str, str], **options: Any) -> Send:
    return start_send(issue=_make_issue_with_links(links, **options), now=NOW)


@lru_cache(maxsize=1)
def make_key() -> tuple[bytes, str]:
    """Return a private key in PEM, and the record of its public key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def sign(raw: bytes, *, domain: str = "news.example.org") -> bytes:
    """Return the mail with a DKIM signature of this domain, as its provider would send it."""
    headers = [name.lower().encode() for name in SIGNED_HEADERS]
    line: bytes = dkim.sign(raw, b"s1", domain.encode(), make_key()[0], include_headers=headers)
    return line + raw


def write_received(letter: ReceivedMail, *, signed: bool = True, change: Callable[[str], str] = str) -> bytes:
    """Return a mail of the fake provider as a mailbox stores it. ``change`` changes its HTML before it is signed."""
    mail = EmailMessage(policy=POLICY)
    mail["From"], mail["To"], mail["Subject"] = letter.sender, letter.to, letter.subject
    mail["Date"], mail["Message-ID"] = format_datetime(NOW), "<1@news.example.org>"
    for name, value in letter.headers.items():
        if name.lower() not in ("from", "to", "subject", "date", "message-id"):
            mail[name] = value
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(change(letter.html), subtype="html", cte="quoted-printable")
    raw = mail.as_bytes()
    return sign(raw) if signed else raw


class KeyDns:
    """DNS with the key of `sign` and nothing else."""

    def find_txt(self, name: str) -> list[str]:
        return [make_key()[1]] if name == "s1._domainkey.news.example.org" else []

    def find_addresses(self, name: str) -> list[str]:
        return []

    find_mail_hosts = find_names = find_addresses

    def exists(self, name: str) -> bool:
        return True


def make_unread_mailbox(**fields: Any) -> CanaryMailbox:
    """A mailbox whose server is never asked."""
    return make_mailbox(ImapServer(port=9), **fields)


def make_sample_results(send: Send, *, now: datetime) -> CanaryMailbox:
    """Three mailboxes with what they found of a send: one mail in the inbox, one in spam, and one that is missing."""
    spam = {
        "check": "DKIM signature",
        "level": "error",
        "says": "The message is not signed.",
        "do": "Verify your domain.",
    }
    good = {"check": "page to unsubscribe", "level": "ok", "says": "It opens. Opening it unsubscribes nobody."}
    found = {"arrived_at": now, "copies": 1, "measured_at": now, "sent_at": now - timedelta(seconds=14)}
    samples: dict[str, dict[str, Any]] = {
        "canary@mailboxes.example.net": {
            "result": "good",
            "placement": "inbox",
            "folder": "INBOX",
            "findings": [good],
            **found,
        },
        "canary@post.example.net": {
            "result": "spam",
            "placement": "spam",
            "folder": "Junk",
            "findings": [spam, good],
            **found,
        },
        "canary@letters.example.net": {"result": "missing", "sent_at": now - timedelta(days=1), "measured_at": now},
    }
    for number, (address, values) in enumerate(samples.items()):
        mailbox = make_unread_mailbox(address=address)
        CanaryMail.objects.create(
            send=send, mailbox=mailbox, turn="first", key=f"sample-{number}", state="accepted", made_at=now, **values
        )
    CanaryMailbox.objects.filter(pk=mailbox.pk).update(
        failing_since=now, error="mail.example.net refuses the user or the password. Enter the password again."
    )
    return CanaryMailbox.objects.get(address="canary@post.example.net")
