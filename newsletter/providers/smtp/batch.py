"""Hand the mails of one batch to a mail server, one after another, and say what became of each.

After anything that would hit every further mail too, the rest is not sent: trying it again is safe.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from newsletter.common.messages import Message, Quantity
from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.providers.base.responses import combine_row_verdicts
from newsletter.providers.smtp.answers import (
    AddressNotTaken,
    ConnectionLost,
    MailTooLarge,
    ServerRefused,
    ServerUnusable,
)
from newsletter.providers.smtp.connection import SmtpConnection
from newsletter.providers.smtp.envelope import Envelope
from newsletter.providers.smtp.pool import ConnectionPool
from newsletter.providers.smtp.replies import CLOSING, Refusal, read_refusal

BEGIN_SECONDS = 45.0
"""A batch begins no further mail after these seconds, so that a slow server does not outlast the lease of the batch."""


class ReadyMail(NamedTuple):
    """One mail as it is sent. ``message_id`` has no brackets."""

    delivery: int
    envelope: Envelope
    content: bytes
    message_id: str


class MailBatch:
    """The delivery of one batch over connections of ``pool``."""

    def __init__(self, pool: ConnectionPool, *, secrets: tuple[str, ...], setting: str) -> None:
        self._pool, self._secrets, self._setting = pool, secrets, setting
        self._connection: SmtpConnection | None = None
        self._people: dict[int, tuple[Verdict, str]] = {}
        self._about_us: set[int] = set()
        self._first_id = ""
        self._clock: Callable[[], float] = time.monotonic

    def deliver(self, mails: Sequence[ReadyMail]) -> Outcome:
        """Return the outcome for everybody in ``mails``."""
        began = self._clock()
        try:
            for mail in mails:
                ending = self._deliver_one(mail)
                if ending is None and self._clock() - began > BEGIN_SECONDS:
                    ending = Refusal(
                        Verdict.NOT_SENT, Message("The mail server is slow; the rest of the batch follows.")
                    )
                if ending is not None:
                    self._give_rest(ending, mails)
                    break
        finally:
            self._release()
        return self._combine()

    def _deliver_one(self, mail: ReadyMail) -> Refusal | None:
        """Record what became of one mail. Return what to say of the rest of the batch if it must not be sent now."""
        try:
            self._transmit(mail)
        except AddressNotTaken:
            why = Message("The mail server takes no addresses with such letters before the @ (SMTPUTF8).")
            return self._note(mail, Refusal(Verdict.REJECTED, why))
        except MailTooLarge as error:
            return self._note(mail, _describe_size(len(mail.content), error.limit))
        except ServerUnusable as error:
            return self._note(mail, Refusal(Verdict.REJECTED, error.reason, ends_batch=True, about_us=True))
        except ServerRefused as error:
            refusal = read_refusal(error.stage, error.reply, secrets=self._secrets, setting=self._setting)
            self._reset(is_closing=error.reply.code == CLOSING)
            return self._note(mail, refusal)
        except ConnectionLost as error:
            self._drop()
            return self._note_loss(mail, error)
        self._first_id = self._first_id or mail.message_id
        self._people[mail.delivery] = (Verdict.ACCEPTED, Message("Accepted by the mail server."))
        return None

    def _transmit(self, mail: ReadyMail) -> None:
        """Hand over one mail, once more over a new connection if the server ended an old one before it took the mail."""
        connection = self._connection = self._connection or self._pool.take()
        was_used = connection.sent > 0
        try:
            connection.transmit(mail.envelope, mail.content)
        except ConnectionLost as error:
            if error.after_dot or not was_used:
                raise
        except ServerRefused as error:
            if error.reply.code != CLOSING or not was_used:
                raise
        else:
            return
        self._drop()
        self._connection = self._pool.connect()
        self._connection.transmit(mail.envelope, mail.content)

    def _note(self, mail: ReadyMail, refusal: Refusal) -> Refusal | None:
        self._people[mail.delivery] = (refusal.verdict, refusal.reason)
        if refusal.about_us:
            self._about_us.add(mail.delivery)
        return refusal if refusal.ends_batch else None

    def _note_loss(self, mail: ReadyMail, error: ConnectionLost) -> Refusal:
        if error.after_dot:
            uncertain = Message(
                "The connection to the mail server was lost while it took the mail: %(why)s. It may or may not have "
                "accepted it.",
                why=error.reason,
            )
            self._note(mail, Refusal(Verdict.UNCERTAIN, uncertain))
            reason = Message("The connection to the mail server was lost before this mail: %(why)s.", why=error.reason)
            return Refusal(Verdict.NOT_SENT, reason)
        why = Message(
            "The connection to the mail server failed before it took the mail, so nothing was sent: %(why)s.",
            why=error.reason,
        )
        refusal = Refusal(Verdict.NOT_SENT, why)
        self._note(mail, refusal)
        return refusal

    def _give_rest(self, ending: Refusal, mails: Sequence[ReadyMail]) -> None:
        for mail in mails:
            if mail.delivery not in self._people:
                self._note(mail, ending)

    def _combine(self) -> Outcome:
        """Return one outcome. A refusal because of us stops the send, unless the server takes the mail of others."""
        verdicts = {verdict for verdict, _ in self._people.values()}
        is_taken = not verdicts.isdisjoint((Verdict.ACCEPTED, Verdict.UNCERTAIN))
        return combine_row_verdicts(
            self._people, account_errors=() if is_taken else self._about_us, provider_id=self._first_id
        )

    def _reset(self, *, is_closing: bool) -> None:
        if self._connection is None:
            return
        if is_closing:
            self._drop()
            return
        try:
            self._connection.reset()
        except ConnectionLost:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _release(self) -> None:
        if self._connection is not None:
            self._pool.put_back(self._connection)
            self._connection = None


def _describe_size(size: int, limit: int) -> Refusal:
    why = Message(
        "The mail has %(size)s bytes and the mail server takes %(limit)s. Make the issue shorter, or have the server take more.",
        size=Quantity(size),
        limit=Quantity(limit),
    )
    return Refusal(Verdict.REJECTED, why, ends_batch=True, about_us=True)
