"""Read a mail server's refusal: is it about the recipient, about us or the mail, or only about this moment.

Codes decide. A refusal because of the sender or the mail says nothing about the recipient.
"""

import re
from dataclasses import dataclass

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Verdict
from newsletter.providers.base.responses import mask_provider_text, quote_provider
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_enhanced_status
from newsletter.providers.base.webhooks.events import BounceClass
from newsletter.providers.base.webhooks.sender_refusal_codes import SenderCause, find_cause, find_sender_status
from newsletter.providers.smtp.answers import Reply, Stage

CLOSING = 421
_ABOUT_RECIPIENT = re.compile(r"[45]\.[12]\.\d{1,3}")
_SERVER_IS_BUSY = re.compile(r"4\.(?:3\.\d{1,3}|4\.5)")
_MAIL_TOO_LARGE = "5.3.4"
_SIGN_IN_REQUIRED = (530, 535, 538)
_SESSION_STAGES = (Stage.GREETING, Stage.ENCRYPTION, Stage.SIGN_IN, Stage.SENDER)


@dataclass(frozen=True)
class Refusal:
    """A refusal's meaning. ``ends_batch``: the server would refuse every mail now. ``about_us``: it refuses the sender."""

    verdict: Verdict
    reason: str
    ends_batch: bool = False
    about_us: bool = False


def read_refusal(stage: Stage, reply: Reply, *, secrets: tuple[str, ...], setting: str) -> Refusal:
    """Return what a reply of 4xx or 5xx means for the recipient and for the rest of the batch.

    ``setting`` is the name of the setting with user and password.
    """
    if reply.code < 500:
        return _read_delay(stage, reply, secrets)
    if stage in _SESSION_STAGES or reply.code in _SIGN_IN_REQUIRED:
        reason = _quote(_describe_session_refusal(stage, reply, setting=setting), reply, secrets)
        return Refusal(Verdict.REJECTED, reason, ends_batch=True, about_us=True)
    if _is_about_us(stage, reply):
        why = Message(
            "The mail server refused the mail because of its sender or content (answer %(code)s); this says nothing about the "
            "recipient.",
            code=reply.code,
        )
        is_size = find_enhanced_status(reply.text) == _MAIL_TOO_LARGE
        return Refusal(Verdict.REJECTED, _quote(why, reply, secrets), ends_batch=is_size, about_us=True)
    why = Message("The mail server refused the recipient (answer %(code)s).", code=reply.code)
    return Refusal(Verdict.REJECTED, _quote(why, reply, secrets))


def _read_delay(stage: Stage, reply: Reply, secrets: tuple[str, ...]) -> Refusal:
    status = find_enhanced_status(reply.text)
    sender_status = find_sender_status(reply.text)
    is_rate = bool(sender_status) and find_cause(sender_status) is SenderCause.RATE
    if reply.code == CLOSING or stage in _SESSION_STAGES or is_rate or _SERVER_IS_BUSY.fullmatch(status):
        why = Message("The mail server asked us to come again later (answer %(code)s).", code=reply.code)
        return Refusal(Verdict.THROTTLED, _quote(why, reply, secrets), ends_batch=True)
    why = Message(
        "The mail server did not take the mail for this recipient now (answer %(code)s); it is tried again.",
        code=reply.code,
    )
    return Refusal(Verdict.NOT_SENT, _quote(why, reply, secrets))


def _is_about_us(stage: Stage, reply: Reply) -> bool:
    status = find_enhanced_status(reply.text)
    if status == _MAIL_TOO_LARGE or classify_bounce(f"{reply.code} {reply.text}") is BounceClass.BLOCK:
        return True
    # The recipient was accepted before, so only a code about mailboxes is about them.
    return stage is Stage.CONTENT and not _ABOUT_RECIPIENT.fullmatch(status)


def _describe_session_refusal(stage: Stage, reply: Reply, *, setting: str) -> Message:
    if stage is Stage.SIGN_IN:
        return Message(
            "The mail server did not accept our user and password (answer %(code)s). Check both in %(setting)s.",
            code=reply.code,
            setting=setting,
        )
    if reply.code in _SIGN_IN_REQUIRED:
        return Message(
            "The mail server wants us to sign in (answer %(code)s). Add user and password to %(setting)s.",
            code=reply.code,
            setting=setting,
        )
    if stage is Stage.SENDER:
        return Message(
            "The mail server did not accept the sender or the return path (answer %(code)s). Check that the account may "
            "send as it.",
            code=reply.code,
        )
    return Message(
        "The mail server did not accept our connection (answer %(code)s). Ask whoever runs it.", code=reply.code
    )


def _quote(why: Message, reply: Reply, secrets: tuple[str, ...]) -> str:
    return quote_provider(why, mask_provider_text(reply.text, secrets=secrets))
