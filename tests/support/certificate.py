"""Certificates for servers on loopback, signed by themselves."""

import base64
import datetime
import ipaddress
from pathlib import Path

import pytest


def make_certificate(folder: Path, *, address: str = "127.0.0.1") -> Path:
    """Write a certificate and its key for an IP address into one file. Skip the test without cryptography."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is needed to make a certificate")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"server-{address}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def change_version(pem: bytes) -> bytes:
    """Return a certificate with a version number that does not exist."""
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-----")))
    body = base64.encodebytes(der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"), 1))
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
