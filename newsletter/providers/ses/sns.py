"""Verify that a message is from Amazon SNS and of our topic. Any account can have SNS sign a message.

Certificates are fetched from Amazon's own hosts only. The confirmation link is never opened here.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, InvalidVersion, load_pem_x509_certificate

from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.errors import BadWebhook, TransportError
from newsletter.providers.base.json_values import Row, as_text, parse_time
from newsletter.providers.base.transport import Transport
from newsletter.providers.base.webhooks.verification import WebhookCheckUnavailable, check_age, read_base64

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
_SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_MAX_CERTIFICATE_BYTES = 20_000
_MAX_CACHED_CERTIFICATES = 16


class Certificates:
    """A cache of SNS's certificates. ``rewrite_url`` turns a certificate's URL into the one that is called."""

    def __init__(
        self, *, transport: Transport | None = None, rewrite_url: Callable[[str], str] = lambda url: url
    ) -> None:
        self._transport = transport or Transport(max_response_bytes=_MAX_CERTIFICATE_BYTES)
        self._rewrite_url = rewrite_url
        self._cache: dict[str, Certificate] = {}

    def get(self, url: str) -> Certificate:
        """Return the certificate at ``url``. Raise WebhookCheckUnavailable if it cannot be fetched now."""
        if url not in self._cache:
            request = HttpRequest("GET", self._rewrite_url(url), {}, b"", None, (3.0, 5.0))
            try:
                answer = self._transport.call(request)
            except TransportError as error:
                raise WebhookCheckUnavailable(
                    "Amazon's certificate could not be fetched: %(error)s", error=error
                ) from error
            if answer.status != 200 or not answer.complete:
                raise WebhookCheckUnavailable(
                    "Amazon's certificate could not be fetched: its host answered %(status)s.", status=answer.status
                )
            if len(self._cache) >= _MAX_CACHED_CERTIFICATES:
                self._cache.clear()
            self._cache[url] = _load_certificate(answer.body)
        return self._cache[url]

    def close(self) -> None:
        self._transport.close()


def check_sns(message: Row, *, topics: Sequence[str], certificates: Certificates, now: datetime) -> None:
    """Raise BadWebhook unless the message is of one of our ``topics`` and was recently signed by SNS."""
    if message.get("TopicArn") not in topics:
        raise BadWebhook("The message is of another SNS topic than the one in webhook_key.")
    names = _SIGNED_FIELDS.get(as_text(message.get("Type")))
    if names is None:
        raise BadWebhook("The message is of a type that SNS does not have.")
    url = _read_certificate_url(message.get("SigningCertURL"))
    signature = read_base64(as_text(message.get("Signature"), max_length=2000), what="signature")
    lines = [f"{name}\n{message[name]}\n" for name in names if isinstance(message.get(name), str)]
    _check_signature(
        certificates.get(url),
        signature=signature,
        signed="".join(lines).encode(),
        version=as_text(message.get("SignatureVersion"), max_length=4),
        now=now,
    )
    made_at = parse_time(message.get("Timestamp"))
    if made_at is None:
        raise BadWebhook("The message has no time that can be read.")
    check_age(made_at, now=now)


def is_amazon(url: object) -> bool:
    """Return True if ``url`` leads to SNS itself, over HTTPS."""
    if not isinstance(url, str) or len(url) > 2000 or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = _HOST.fullmatch(parts.netloc.lower().removesuffix(":443"))
    return parts.scheme == "https" and host is not None and port in (None, 443)


def _read_certificate_url(url: object) -> str:
    if not isinstance(url, str) or not is_amazon(url) or not urlsplit(url).path.endswith(".pem"):
        raise BadWebhook("The message names a certificate that is not at Amazon SNS.")
    return url


def _load_certificate(pem: bytes) -> Certificate:
    try:
        return load_pem_x509_certificate(pem)
    except (ValueError, InvalidVersion) as error:
        raise WebhookCheckUnavailable("Amazon's host answered with something that is not a certificate.") from error


def _check_signature(certificate: Certificate, *, signature: bytes, signed: bytes, version: str, now: datetime) -> None:
    algorithm = {"1": SHA1(), "2": SHA256()}.get(version)  # noqa: S303 - version 1 is what SNS signs with unless told otherwise
    if algorithm is None:
        raise BadWebhook("The message is signed with a method that is not known here.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadWebhook("The certificate of the message is out of date, or this machine's clock is wrong.")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise BadWebhook("The certificate of the message is not of the kind that SNS uses.")
    try:
        key.verify(signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature as error:
        raise BadWebhook("The message's signature is wrong: SNS did not sign it.") from error
