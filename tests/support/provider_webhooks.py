"""Make webhooks as providers post them, signed with a test's keys."""

import base64
import hashlib
import hmac
import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import BasicConstraints, Certificate, CertificateBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from newsletter.providers.base.webhooks.sns import SnsCertificates
from newsletter.providers.scaleway.webhooks import SCALEWAY_TOPICS
from newsletter.providers.ses.webhooks import AMAZON_SNS

SIGNING_KEY = "fake-signing-key"


def mailgun_event(event: str, *, address: str, delivery: int, batch: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Return the ``event-data`` of one event, carrying our ids the way Mailgun gives them back."""
    return {
        "id": f"{event}-{delivery}-{at.timestamp():.0f}",
        "event": event,
        "timestamp": at.timestamp(),
        "recipient": address,
        "user-variables": {"delivery": str(delivery), "batch": batch},
        **more,
    }


def sign_mailgun(event: dict[str, Any], *, now: datetime, token: str = "t" * 50, key: str = SIGNING_KEY) -> bytes:
    """Return the whole body of a webhook with its signature block."""
    timestamp = str(int(now.timestamp()))
    signature = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    block = {"timestamp": timestamp, "token": token, "signature": signature}
    return json.dumps({"signature": block, "event-data": event}).encode()


def sendgrid_keys() -> tuple[EllipticCurvePrivateKey, str]:
    """Return a signing key, and the verification key as SendGrid's page shows it."""
    private = generate_ec_key(SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, base64.b64encode(public).decode()


def sign_sendgrid(body: bytes, *, key: EllipticCurvePrivateKey, now: datetime) -> dict[str, str]:
    """Return the headers of a webhook."""
    timestamp = str(int(now.timestamp()))
    signature = base64.b64encode(key.sign(timestamp.encode() + body, ECDSA(SHA256()))).decode()
    return {
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "X-Twilio-Email-Event-Webhook-Signature": signature,
    }


def sendgrid_event(event: str, *, address: str, delivery: int, batch: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "email": address,
        "timestamp": int(at.timestamp()),
        "sg_event_id": f"id-{event}-{delivery}",
        "sg_message_id": f"mail-{delivery}",
        "delivery": str(delivery),
        "batch": batch,
        **more,
    }


def sign_svix(body: bytes, *, secret: str, now: datetime, name: str = "msg_1") -> dict[str, str]:
    """Return the headers of one of Resend's webhooks; ``secret`` is ``whsec_`` and base64."""
    timestamp = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256)).decode()
    return {"svix-id": name, "svix-timestamp": timestamp, "svix-signature": f"v1a,zzzz v1,{signature}"}


class FakeSns:
    """A fake Amazon SNS that signs messages and serves its certificate on loopback. ``stop`` it when done."""

    URL = "https://sns.eu-west-2.amazonaws.com/SimpleNotificationService-0123.pem"
    TOPIC = "arn:aws:sns:eu-west-2:123456789012:newsletter"
    SERVICE = AMAZON_SNS
    chain = b""

    def __init__(self, *, now: datetime, valid: timedelta = timedelta(days=30)) -> None:
        self._key = generate_rsa_key(public_exponent=65537, key_size=2048)
        name = Name([NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = CertificateBuilder().subject_name(name).public_key(self._key.public_key())
        builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + valid)
        self.pem = self.sign_certificate(builder, now=now).public_bytes(Encoding.PEM)
        self.status = 200
        self.fetched = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.fetched += 1
                body = fake.chain if self.path.endswith("chain.pem") else fake.pem
                self.send_response(fake.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.certificates = SnsCertificates(
            self.SERVICE,
            rewrite_url=lambda url: f"http://127.0.0.1:{self._server.server_port}/{url.rpartition('/')[2]}",
        )

    def sign_certificate(self, builder: CertificateBuilder, *, now: datetime) -> Certificate:
        """Return the certificate that signs messages, signed by its own key as Amazon's hosts need no authority."""
        return builder.issuer_name(Name([NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])).sign(
            self._key, SHA256()
        )

    def stop(self) -> None:
        self.certificates.close()
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def message(self, event: object, *, now: datetime, version: str = "2", **changes: Any) -> dict[str, Any]:
        """Return a signed message; ``changes`` are made before it is signed."""
        message = {
            "Type": "Notification",
            "MessageId": "19ba9823-d7f2-53c1-860e-cb10e0d13dfc",
            "TopicArn": self.TOPIC,
            "Message": event if isinstance(event, str) else json.dumps(event),
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": self.URL,
            **changes,
        }
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        algorithm = SHA1() if version == "1" else SHA256()
        message["Signature"] = base64.b64encode(self._key.sign(signed.encode(), PKCS1v15(), algorithm)).decode()
        return message


class FakeScalewayTopics(FakeSns):
    """A fake of Scaleway's Topics and Events: an authority of its own issues the certificate that signs."""

    URL = "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/sns_certificate_123.crt"
    TOPIC = "arn:scw:sns:fr-par:project-8c8bfa06-9d5f-4a3e-a6a5-1a4a4f2f0b7e:newsletter"
    SERVICE = SCALEWAY_TOPICS

    def __init__(self, *, now: datetime, may_issue: bool = True, is_current: bool = True) -> None:
        self._may_issue, self._is_current = may_issue, is_current
        super().__init__(now=now)

    def sign_certificate(self, builder: CertificateBuilder, *, now: datetime) -> Certificate:
        key = generate_rsa_key(public_exponent=65537, key_size=2048)
        name = Name([NameAttribute(NameOID.COMMON_NAME, "Scaleway MnQ")])
        end = now + timedelta(days=3650 if self._is_current else -1)
        authority = CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        authority = authority.serial_number(2).not_valid_before(now - timedelta(days=30)).not_valid_after(end)
        authority = authority.add_extension(BasicConstraints(ca=self._may_issue, path_length=None), critical=True)
        self.chain = authority.sign(key, SHA256()).public_bytes(Encoding.PEM)
        return builder.issuer_name(name).sign(key, SHA256())
