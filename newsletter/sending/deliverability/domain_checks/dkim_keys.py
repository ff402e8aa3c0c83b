"""Check the DKIM keys that are published under the provider's usual names."""

import base64
import binascii
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.lookup import Dns, NoAnswer
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.tags import read_tags
from newsletter.sending.deliverability.findings import Finding, Level

MIN_KEY_BITS, RECOMMENDED_KEY_BITS = 1024, 2048
_ED25519_BYTES = 32
_LEVELS: tuple[Level, ...] = ("ok", "advice", "warning", "error")


def check_dkim(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield the finding of the best key; none if the provider's keys have no usual names.

    Raise NoAnswer if no key is good and a name could not be looked up.
    """
    if not sender.wanted.selectors:
        return
    findings: list[Finding] = []
    unanswered: NoAnswer | None = None
    for selector in sender.wanted.selectors:
        try:
            texts = dns.find_txt(f"{selector}._domainkey.{sender.dkim_domain}")
        except NoAnswer as problem:
            unanswered = problem
            continue
        keys = [text for text in texts if "p" in read_tags(text)]
        if keys:
            findings.append(_check_key(sender, selector, keys))
    best = min(findings, key=lambda finding: _LEVELS.index(finding.level), default=None)
    if unanswered is not None and (best is None or best.level != "ok"):
        raise unanswered
    yield best or Finding(
        _name(sender),
        "warning",
        Message("No signing key was found under the provider’s usual names."),
        Message(
            "Check on your provider’s pages that the domain is verified. Its keys may have names that are unknown here."
        ),
        means=Message("Without a key, receivers cannot check that the mail is yours."),
        code=DomainCode.DKIM_MISSING,
    )


def _check_key(sender: Sender, selector: str, keys: list[str]) -> Finding:
    record = f"{selector}._domainkey.{sender.dkim_domain}"
    tags = read_tags(keys[0])
    bits = _read_bits(tags) if tags["p"] else None
    if len(keys) > 1:
        return _find_several(sender, record, len(keys))
    if bits is None:
        return _find_unusable(sender, record, is_revoked=not tags["p"])
    if bits and bits < RECOMMENDED_KEY_BITS:
        return _find_short(sender, record, bits)
    if "y" in tags.get("t", "").split(":"):
        return _find_testing(sender, record)
    published = Message("A signing key is published (%(selector)s).", selector=selector)
    return Finding(_name(sender), "ok", published, code=DomainCode.DKIM_GOOD)


def _find_several(sender: Sender, record: str, keys: int) -> Finding:
    return Finding(
        _name(sender),
        "warning",
        Message("%(record)s has %(keys)s keys.", record=record, keys=keys),
        Message("Keep only the one on your provider’s pages."),
        means=Message("Receivers may use the wrong one, so signatures fail now and then."),
        code=DomainCode.DKIM_SEVERAL,
    )


def _find_unusable(sender: Sender, record: str, *, is_revoked: bool) -> Finding:
    return Finding(
        _name(sender),
        "warning",
        Message("The key at %(record)s is revoked: its p= is empty.", record=record)
        if is_revoked
        else Message("The key at %(record)s cannot be read.", record=record),
        Message("Copy the record again from your provider’s pages."),
        means=Message("Signatures with this key are not valid."),
        code=DomainCode.DKIM_REVOKED if is_revoked else DomainCode.DKIM_UNREADABLE,
    )


def _find_short(sender: Sender, record: str, bits: int) -> Finding:
    is_ignored = bits < MIN_KEY_BITS
    return Finding(
        _name(sender),
        "warning" if is_ignored else "advice",
        Message("The key at %(record)s has %(bits)s bits.", record=record, bits=bits),
        Message("Ask your provider for a key of %(bits)s bits.", bits=RECOMMENDED_KEY_BITS),
        means=Message("Receivers ignore signatures with so short a key.")
        if is_ignored
        else Message("Receivers still accept it, but a longer key is safer."),
        code=DomainCode.DKIM_TOO_SHORT if is_ignored else DomainCode.DKIM_SHORT,
    )


def _find_testing(sender: Sender, record: str) -> Finding:
    return Finding(
        _name(sender),
        "advice",
        Message("The key at %(record)s is marked as a test (t=y).", record=record),
        Message("Take t=y out of the record once your mail arrives signed."),
        means=Message("Receivers may treat the mail as if it were not signed."),
        code=DomainCode.DKIM_TESTING,
    )


def _read_bits(tags: dict[str, str]) -> int | None:
    """Return the size of an RSA key, 0 for an Ed25519 key, None if the key cannot be read."""
    try:
        raw = base64.b64decode("".join(tags["p"].split()), validate=True)
        if tags.get("k", "rsa").lower() == "ed25519":
            return 0 if len(raw) == _ED25519_BYTES else None
        key = load_der_public_key(raw)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None


def _name(sender: Sender) -> Message:
    return Message("DKIM of %(domain)s", domain=sender.dkim_domain)
