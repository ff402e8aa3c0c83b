"""Make a mail from a provider's post: the original mail (MIME), below the recipients of its envelope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsletter.inbound.errors import NoWholeMail
from newsletter.providers.base.json_values import as_text

MAX_MAILS = 1_000
"""The mails of one call that are taken. Providers post a few at once."""
MAX_RECIPIENTS = 20
HOW = {
    "brevo": "let the webhook have the type “inbound” and the event “inboundEmailProcessed”",
    "mailersend": "let the inbound route post to this address",
    "mailgun": "let the route post to the address that ends with /mime",
    "postmark": "tick “Include raw email content in JSON payload”",
    "sendgrid": "tick “POST the raw, full MIME message”",
    "sparkpost": "let a relay webhook post to this address",
}
"""What to do at each provider so that it posts whole mails."""


@dataclass(frozen=True)
class PostedMail:
    """A mail as it arrived. ``once`` is the single-use token of a provider that does not sign the mail itself."""

    raw: bytes
    once: str = ""


def make_mail(whole: object, *, provider: str, recipients: Sequence[object], once: str = "") -> PostedMail:
    """Return the mail below a field with the envelope's recipients, whom the mail need not name. Raise NoWholeMail."""
    raw = whole.encode("utf-8", "surrogateescape") if isinstance(whole, str) else whole
    if not isinstance(raw, bytes) or not raw.strip():
        raise lacks_mail(provider)
    cleaned = (as_text(recipient, max_length=254) for recipient in recipients[:MAX_RECIPIENTS])
    addresses = ", ".join(address for address in cleaned if address and address.isascii())
    head = f"X-Envelope-To: {addresses}\r\n".encode() if addresses else b""
    return PostedMail(head + raw.lstrip(b"\r\n"), once)


def lacks_mail(provider: str) -> NoWholeMail:
    """Return the error for a webhook without a whole mail."""
    return NoWholeMail(
        "A webhook of %(provider)s does not contain the whole mail, so we could not read it. At the provider, %(how)s.",
        provider=provider,
        how=HOW[provider],
    )


def check_count(mails: Sequence[object]) -> None:
    """Raise NoWholeMail if one call has more mails than any provider posts at once."""
    if len(mails) > MAX_MAILS:
        raise NoWholeMail(
            "The webhook has %(count)s mails at once, so we read none. Let the provider post at most %(limit)s at once.",
            count=len(mails),
            limit=MAX_MAILS,
        )


def make_mails(wholes: Iterable[tuple[object, Sequence[object]]], *, provider: str) -> Iterable[PostedMail]:
    """Yield each whole mail of several, given with its recipients. Raise NoWholeMail last, so that the others are kept."""
    lacking: NoWholeMail | None = None
    for whole, recipients in wholes:
        try:
            yield make_mail(whole, provider=provider, recipients=recipients)
        except NoWholeMail as error:
            lacking = error
    if lacking is not None:
        raise lacking
