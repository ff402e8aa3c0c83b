"""Check the certificate of a BIMI logo (VMC or CMC): its time, its purpose and its domain. Its issuer is not verified."""

from datetime import datetime

from cryptography import x509

from newsletter.common.messages import Message

PURPOSE = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.31")
MAX_CERTIFICATES = 8


def find_certificate_problem(raw: bytes, *, domains: frozenset[str], now: datetime) -> Message | None:
    """Return why receivers refuse the certificate, None if nothing is wrong. ``domains`` are those it may name."""
    if raw.count(b"-----BEGIN") > MAX_CERTIFICATES:
        return Message("the file has more than %(limit)s certificates", limit=MAX_CERTIFICATES)
    try:
        certificate = x509.load_pem_x509_certificates(raw)[0]
        purposes = list(_find_purposes(certificate))
        named = {name.lower() for name in _find_names(certificate)}
    except (ValueError, x509.InvalidVersion, x509.UnsupportedGeneralNameType, x509.DuplicateExtension):
        return Message("the file is no certificate in PEM form")
    if certificate.not_valid_after_utc < now:
        return Message("it expired on %(day)s", day=certificate.not_valid_after_utc.date())
    if certificate.not_valid_before_utc > now:
        return Message("it is not valid before %(day)s", day=certificate.not_valid_before_utc.date())
    if PURPOSE not in purposes:
        return Message("it is not for BIMI")
    if not named & domains:
        return Message("it is not for your domain")
    return None


def _find_purposes(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | tuple[()]:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()


def _find_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)
