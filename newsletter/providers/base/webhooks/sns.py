"""Verify that a message in SNS's form is from its service and of our topic. Any account can have a service sign a message.

Certificates are fetched from the service's own hosts only. The confirmation link is never opened here.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    ExtensionNotFound,
    InvalidVersion,
    load_pem_x509_certificate,
    load_pem_x509_certificates,
)

from newsletter.common.messages import Message
from newsletter.providers.base.contract import HttpRequest
from newsletter.providers.base.errors import BadWebhook, TransportError
from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_time
from newsletter.providers.base.transport import Transport
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json
from newsletter.providers.base.webhooks.events import Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookCheckUnavailable, check_age, read_signature

_SIGNED_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_MAX_CERTIFICATE_BYTES = 20_000
_MAX_CACHED_CERTIFICATES = 16


@dataclass(frozen=True)
class SnsService:
    """A service that posts messages in SNS's form.

    ``host`` is the pattern of its own hosts, ``certificate_host`` of those that have its certificates. With a ``chain_url``,
    a certificate is believed only if an authority at that address issued it.
    """

    name: str
    host: re.Pattern[str]
    certificate_host: re.Pattern[str]
    chain_url: str = ""

    def is_own(self, url: object) -> bool:
        """Return True if ``url`` leads to the service itself, over HTTPS."""
        return _leads_to(url, self.host)

    def read_certificate_url(self, url: object) -> str:
        """Return the address of a certificate. Raise BadWebhook if it is not at the service."""
        is_known = isinstance(url, str) and _leads_to(url, self.certificate_host)
        if not isinstance(url, str) or not is_known or not urlsplit(url).path.endswith((".pem", ".crt")):
            raise BadWebhook(
                "The message names a certificate that is not at %(service)s, so it was ignored. If reports are missing, ask "
                "the support of %(service)s where its certificates are.",
                service=self.name,
            )
        return url


class SnsCertificates:
    """A cache of a service's certificates. ``rewrite_url`` turns a certificate's URL into the one that is called."""

    def __init__(
        self,
        service: SnsService,
        *,
        transport: Transport | None = None,
        rewrite_url: Callable[[str], str] = lambda url: url,
    ) -> None:
        self.service = service
        self._transport = transport or Transport(max_response_bytes=_MAX_CERTIFICATE_BYTES)
        self._rewrite_url = rewrite_url
        self._cache: dict[str, Certificate] = {}

    def get(self, url: str, *, now: datetime) -> Certificate:
        """Return the certificate at ``url``.

        Raise WebhookCheckUnavailable if it cannot be fetched now, BadWebhook if no authority of the service issued it.
        """
        if url not in self._cache:
            certificate = self._load(url)
            if self.service.chain_url:
                self._check_issuer(certificate, now=now)
            if len(self._cache) >= _MAX_CACHED_CERTIFICATES:
                self._cache.clear()
            self._cache[url] = certificate
        return self._cache[url]

    def close(self) -> None:
        self._transport.close()

    def _load(self, url: str) -> Certificate:
        try:
            return load_pem_x509_certificate(self._fetch(url))
        except (ValueError, InvalidVersion) as error:
            raise self._not_a_certificate() from error

    def _check_issuer(self, certificate: Certificate, *, now: datetime) -> None:
        try:
            authorities = load_pem_x509_certificates(self._fetch(self.service.chain_url))
        except (ValueError, InvalidVersion) as error:
            raise self._not_a_certificate() from error
        if not any(_has_issued(authority, certificate, now=now) for authority in authorities):
            raise BadWebhook(
                "The certificate of the message was not issued by %(service)s, so the message was ignored. If reports are "
                "missing, ask the support of %(service)s who issues its certificates.",
                service=self.service.name,
            )

    def _fetch(self, url: str) -> bytes:
        request = HttpRequest("GET", self._rewrite_url(url), {}, b"", None, (3.0, 5.0))
        try:
            answer = self._transport.call(request)
        except TransportError as error:
            raise WebhookCheckUnavailable(
                "A certificate of %(service)s could not be fetched, so a message was not checked and is asked for again. Check "
                "that this machine can reach %(service)s: %(error)s",
                service=self.service.name,
                error=error,
            ) from error
        if answer.status != 200 or not answer.complete:
            raise WebhookCheckUnavailable(
                "A certificate of %(service)s could not be fetched: its host answered %(status)s. A message was not checked and "
                "is asked for again. If this goes on, ask the support of %(service)s.",
                service=self.service.name,
                status=answer.status,
            )
        return answer.body

    def _not_a_certificate(self) -> WebhookCheckUnavailable:
        return WebhookCheckUnavailable(
            "A host of %(service)s answered with something that is not a certificate. A message was not checked and is asked "
            "for again. If this goes on, check that no proxy answers instead of %(service)s.",
            service=self.service.name,
        )


def check_sns(message: Row, *, topics: Sequence[str], certificates: SnsCertificates, now: datetime) -> None:
    """Raise BadWebhook unless the message is of one of our ``topics`` and was recently signed by the service."""
    service = certificates.service
    if message.get("TopicArn") not in topics:
        raise BadWebhook(
            "The message is of another SNS topic than the one in webhook_key, so it was ignored. Compare the ARN in webhook_key "
            "with the topic in the console of %(service)s.",
            service=service.name,
        )
    names = _SIGNED_FIELDS.get(as_text(message.get("Type")))
    if names is None:
        raise BadWebhook(
            "The message is of a type that SNS does not have, so it was ignored. Let only the topic of %(service)s post to this "
            "address.",
            service=service.name,
        )
    url = service.read_certificate_url(message.get("SigningCertURL"))
    signature = read_signature(as_text(message.get("Signature"), max_length=2000))
    lines = [f"{name}\n{message[name]}\n" for name in names if isinstance(message.get(name), str)]
    _check_signature(
        certificates.get(url, now=now),
        signature=signature,
        signed="".join(lines).encode(),
        version=as_text(message.get("SignatureVersion"), max_length=4),
        now=now,
    )
    made_at = parse_time(message.get("Timestamp"))
    if made_at is None:
        raise BadWebhook(
            "The message has no time that can be read, so it was ignored. If reports are missing, ask the support of "
            "%(service)s.",
            service=service.name,
        )
    check_age(made_at, now=now)


def read_message_id(message: Row) -> str:
    """Return the id of a message, or its fingerprint if it has none."""
    return as_text(message.get("MessageId"), max_length=100) or fingerprint(message)


def parse_event(message: Row) -> Row:
    """Return the event in a message, {} without one: services also post plain sentences, such as for a test."""
    event = message.get("Message")
    try:
        return as_mapping(parse_json(event.encode("utf-8", "replace"))) if isinstance(event, str) else {}
    except BadWebhook:
        return {}


def read_confirmation(link: str) -> tuple[str, str]:
    """Return the token and the ARN of the topic in the link that confirms a subscription, "" for a missing one."""
    query = parse_qs(urlsplit(link).query)
    return query.get("Token", [""])[0], query.get("TopicArn", [""])[0]


def parse_subscription(message: Row, *, service: SnsService, provider: str) -> Feedback | None:
    """Return a topic's request to post here, None if the message is no such request.

    Raise BadWebhook if the link that says yes does not lead to the service.
    """
    if message.get("Type") != "SubscriptionConfirmation":
        return None
    url = message.get("SubscribeURL")
    if not isinstance(url, str) or not service.is_own(url):
        raise BadWebhook(
            "The confirmation's link does not lead to %(service)s, so it was ignored and no topic was confirmed. Look at the "
            "subscription of the topic in the console of %(service)s, and let it ask again if it is not confirmed.",
            service=service.name,
        )
    return Feedback(
        provider=provider,
        key=make_key(read_message_id(message)),
        kind=FeedbackKind.SUBSCRIPTION,
        at=parse_time(message.get("Timestamp")),
        reason=Message(
            "%(service)s asks if %(topic)s may send its reports here.",
            service=service.name,
            topic=as_text(message.get("TopicArn"), max_length=200),
        ),
        link=url,
    )


def _leads_to(url: object, hosts: re.Pattern[str]) -> bool:
    if not isinstance(url, str) or len(url) > 2000 or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = hosts.fullmatch(parts.netloc.lower().removesuffix(":443"))
    return parts.scheme == "https" and host is not None and port in (None, 443)


def _has_issued(authority: Certificate, certificate: Certificate, *, now: datetime) -> bool:
    """Return True if a valid authority signed the certificate."""
    try:
        may_issue = authority.extensions.get_extension_for_class(BasicConstraints).value.ca
        certificate.verify_directly_issued_by(authority)
    except (ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return may_issue and authority.not_valid_before_utc <= now <= authority.not_valid_after_utc


def _check_signature(certificate: Certificate, *, signature: bytes, signed: bytes, version: str, now: datetime) -> None:
    algorithm = {"1": SHA1(), "2": SHA256()}.get(version)  # noqa: S303 - version 1 is what SNS signs with unless told otherwise
    if algorithm is None:
        raise BadWebhook(
            "The message is signed with a method that is not known here, so it was ignored. Set the topic's SignatureVersion to "
            "1 or 2."
        )
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise BadWebhook(
            "The certificate of the message is out of date, or this machine's clock is wrong, so the message was ignored. "
            "Compare the clock with the right time."
        )
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise BadWebhook(
            "The certificate of the message is not of the kind that SNS uses, so the message was ignored. If reports are "
            "missing, ask the support of the service that sends them."
        )
    try:
        key.verify(signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature as error:
        raise BadWebhook(
            "The message's signature is wrong: SNS did not sign it, so it was ignored. If reports are missing, check that no "
            "proxy changes what is posted to this address."
        ) from error
