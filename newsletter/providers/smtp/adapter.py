"""A mail server by SMTP (RFC 5321): one complete mail for each person, over encrypted connections that are kept open.

There is no idempotency: a mail is handed over at most once, and one whose confirmation is lost stays uncertain. The standard
library's smtplib greets the server and signs in; it has no pipelining and does not say at which step a mail was lost, so our
own code hands over the mails.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self, Unpack

from newsletter.common.messages import Message
from newsletter.common.networks import is_loopback
from newsletter.providers.base.contract import BatchCall, Capabilities, MailDomains, Outcome, Verdict
from newsletter.providers.base.errors import AccountRefused
from newsletter.providers.base.mail.headers import make_message_id
from newsletter.providers.base.mail.mime import compose_message
from newsletter.providers.base.prepared_batch import (
    NO_VALID_ADDRESS,
    PersonalMail,
    PreparedBatch,
    check_bytes,
    merge_personal_mails,
    prepare_batch,
)
from newsletter.providers.base.provider_adapter import AccountOptions, ProviderAdapter
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.smtp.account import MailServer, make_url_rules, read_server
from newsletter.providers.smtp.answers import ConnectionLost, ServerRefused, ServerUnusable
from newsletter.providers.smtp.batch import MailBatch, ReadyMail
from newsletter.providers.smtp.connection import PhaseSeconds
from newsletter.providers.smtp.envelope import Envelope, write_content
from newsletter.providers.smtp.pool import ConnectionPool
from newsletter.providers.smtp.replies import read_refusal

LIMITS = (
    Message(
        "A mail is handed over at most once. If the connection breaks before the server confirms it, its recipient stays "
        "uncertain until staff decide."
    ),
    Message(
        "The mail server must sign the mail (DKIM), because this program does not. Check one that arrived: newsletter "
        "doctor --message FILE"
    ),
)
_OFFER = Capabilities(
    name="smtp",
    merge="full",
    max_batch=10,
    max_bytes=50_000_000,
    reconcile="none",
    atomic=False,
    international_addresses=True,
)


class Smtp(ProviderAdapter):
    """An account of a mail server. ``return_path`` is where bounces go; "" for the sender of the mail."""

    label = Message("SMTP (STARTTLS, port 587)")
    own_domain = ""
    url_rules = make_url_rules("smtp")
    offer = _OFFER
    limits = LIMITS
    no_counts = Message("A mail server does not count.")

    def __init__(
        self,
        *,
        server: MailServer,
        return_path: str = "",
        seconds: PhaseSeconds | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **options: Unpack[AccountOptions],
    ) -> None:
        super().__init__(**options)
        self._return_path = return_path
        self._clock = clock
        self._secrets, self._setting = (server.password,), server.setting
        self._pool = ConnectionPool(server, seconds=seconds or PhaseSeconds())

    @classmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AccountOptions]) -> Self:
        return_path = settings.own_options.get("return_path", "")
        return cls(server=read_server(settings), return_path=return_path, **options)

    @classmethod
    def find_host(cls, settings: ProviderSettings) -> str:
        return read_server(settings).host

    @classmethod
    def find_domains(cls, settings: ProviderSettings, *, sender: str) -> MailDomains:
        """Bounces go to the sender, unless ``return_path`` says otherwise. A server on this machine has no name to check."""
        bounce = settings.own_options.get("return_path", "").rpartition("@")[2].lower()
        host = read_server(settings).host
        return MailDomains(bounce=bounce or sender, server="" if is_loopback(host) else host)

    def deliver(self, call: BatchCall) -> Outcome:
        prepared = prepare_batch(call, capabilities=self._capabilities)
        if not prepared.people:
            return Outcome(Verdict.REJECTED, NO_VALID_ADDRESS, people=prepared.rejections)
        # All mails are made before the first is sent, so that one that cannot be made stops the batch with nobody mailed.
        mails = [self._make_mail(prepared, personal) for personal in merge_personal_mails(prepared)]
        outcome = MailBatch(self._pool, secrets=self._secrets, setting=self._setting).deliver(mails)
        return replace(outcome, people={**outcome.people, **prepared.rejections})

    def test_account(self) -> None:
        """Connect, encrypt and sign in. Raise AccountRefused."""
        try:
            connection = self._pool.connect()
        except ServerUnusable as error:
            raise AccountRefused(error.reason) from error
        except ServerRefused as error:
            refusal = read_refusal(error.stage, error.reply, secrets=self._secrets, setting=self._setting)
            raise AccountRefused(refusal.reason) from error
        except ConnectionLost as error:
            raise AccountRefused(
                "The mail server could not be reached: %(why)s. Check its name and port in %(setting)s.",
                why=error.reason,
                setting=self._setting,
            ) from error
        self._pool.put_back(connection)

    def close(self) -> None:
        self._pool.close()

    def _make_mail(self, prepared: PreparedBatch, personal: PersonalMail) -> ReadyMail:
        message_id = _make_message_id(prepared, personal)
        message = compose_message(
            mail=prepared.mail,
            to=personal.address,
            subject=personal.subject,
            html=personal.html,
            text=personal.text,
            headers=personal.headers,
            message_id=message_id,
            date=self._clock(),
        )
        content = write_content(message.as_bytes())
        check_bytes(content, capabilities=self._capabilities)
        envelope = Envelope(
            sender=self._return_path or prepared.mail.from_email,
            recipient=personal.address,
            envelope_id=message_id.partition("@")[0],
        )
        return ReadyMail(personal.delivery, envelope, content, message_id)


class Smtps(Smtp):
    """The same over a connection that is encrypted from its first byte."""

    label = Message("SMTP (TLS, port 465)")
    url_rules = make_url_rules("smtps")
    offer = replace(_OFFER, name="smtps")


def _make_message_id(prepared: PreparedBatch, personal: PersonalMail) -> str:
    """Return an id that a delivery keeps in every attempt, so that mailboxes can tell a repeat."""
    call = prepared.call
    name = f"{call.mailing or call.key}/{personal.delivery}"
    return make_message_id(
        hashlib.sha256(name.encode()).hexdigest()[:40], domain=prepared.mail.from_email.rpartition("@")[2]
    )
