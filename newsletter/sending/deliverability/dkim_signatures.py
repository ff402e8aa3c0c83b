"""Read and verify the DKIM signatures of a received message. It asks DNS for the keys."""

import binascii
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import dkim

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.lookup import FindTxtRecords

MAX_SIGNATURES = 5
_TEXT = "utf-8", "replace"
_UNREADABLE = (dkim.DKIMException, binascii.Error, ValueError, KeyError, IndexError, TypeError, OverflowError)
_quiet = logging.getLogger("newsletter.dkim")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True)
class Signature:
    """One signature. ``problem`` says why it is not valid, "" if it is.

    ``headers`` are in lower case. ``bits`` is the size of an RSA key, 0 for other keys.
    """

    domain: str
    selector: str
    headers: frozenset[str] = frozenset()
    bits: int = 0
    covers_part_of_body: bool = False
    problem: str = ""

    @property
    def record(self) -> str:
        """Return the DNS name of its key."""
        return f"{self.selector}._domainkey.{self.domain}"


def read_signatures(raw: bytes, *, find: FindTxtRecords) -> Iterator[Signature]:
    """Yield up to MAX_SIGNATURES signatures of a raw message, the topmost first.

    Raise NoAnswer if DNS does not answer, NotReady if the message's header cannot be read.
    """
    for index in range(MAX_SIGNATURES):
        message = _read(raw)
        try:
            prepared = message.verify_headerprep(index)
        except _UNREADABLE as error:
            yield _make_invalid_signature(message, str(error) or type(error).__name__)
            continue
        if not prepared:
            return
        yield _verify(message, index, find=find)


def _read(raw: bytes) -> dkim.DKIM:
    try:
        return dkim.DKIM(raw, logger=_quiet, minkey=0)
    except _UNREADABLE as error:
        raise NotReady(
            "The header of the message has a line that is not a header line. Give the unchanged source of the message."
        ) from error


def _verify(message: dkim.DKIM, index: int, *, find: FindTxtRecords) -> Signature:
    signature = _make_invalid_signature(message, "")
    key = next((text for text in find(signature.record) if "p=" in text.replace(" ", "")), "")
    problem, bits = "", 0
    if not key:
        problem = Message("there is no key at %(record)s", record=signature.record)
    else:
        try:
            _key, size, kind, _report = dkim.evaluate_pk(signature.record, key)
            bits = size if kind == b"rsa" else 0
            is_valid = message.verify(index, dnsfunc=lambda name, timeout: key.encode("ascii", "replace"))
            problem = "" if is_valid else Message("the signature does not match the message")
        except _UNREADABLE as error:
            problem = str(error) or type(error).__name__
    return Signature(
        domain=signature.domain,
        selector=signature.selector,
        headers=frozenset(name.strip().decode(*_TEXT) for name in message.include_headers),
        bits=bits,
        covers_part_of_body=b"l" in message.signature_fields,
        problem=problem,
    )


def _make_invalid_signature(message: dkim.DKIM, problem: str) -> Signature:
    fields = message.signature_fields
    domain, selector = fields.get(b"d", b""), fields.get(b"s", b"")
    return Signature(domain=domain.decode(*_TEXT).lower(), selector=selector.decode(*_TEXT), problem=problem)
