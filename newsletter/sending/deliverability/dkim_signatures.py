"""The DKIM signatures of one arrived message: whose they are, what they cover, and whether they hold. Asks DNS, sends nothing."""

import binascii
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import dkim

from newsletter.common.errors import NotReady
from newsletter.sending.deliverability.domain_records import FindTxtRecords

MAX_SIGNATURES = 5
_TEXT = "utf-8", "replace"
_UNREADABLE = (dkim.DKIMException, binascii.Error, ValueError, KeyError, IndexError, TypeError, OverflowError)
_quiet = logging.getLogger("newsletter.dkim")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass(frozen=True)
class Signature:
    """``fault`` says why it does not hold, "" where it does. ``headers`` are lower-case; ``bits`` is 0 of other keys than RSA."""

    domain: str
    selector: str
    headers: frozenset[str] = frozenset()
    bits: int = 0
    covers_part_of_body: bool = False
    fault: str = ""

    @property
    def record(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


def read_signatures(raw: bytes, *, find: FindTxtRecords) -> Iterator[Signature]:
    """The first few signatures of a message in its raw form, topmost first.

    Raises NoAnswer where DNS does not answer, NotReady where the head of the message cannot be read.
    """
    for index in range(MAX_SIGNATURES):
        message = _read(raw)
        try:
            prepared = message.verify_headerprep(index)
        except _UNREADABLE as error:
            yield _make_broken_signature(message, str(error) or type(error).__name__)
            continue
        if not prepared:
            return
        yield _verify(message, index, find=find)


def _read(raw: bytes) -> dkim.DKIM:
    try:
        return dkim.DKIM(raw, logger=_quiet, minkey=0)
    except _UNREADABLE as error:
        raise NotReady("A line in the head of the message is no header line. Give the source unchanged.") from error


def _verify(message: dkim.DKIM, index: int, *, find: FindTxtRecords) -> Signature:
    found = _make_broken_signature(message, "")
    key = next((text for text in find(found.record) if "p=" in text.replace(" ", "")), "")
    fault, bits = "", 0
    if not key:
        fault = f"there is no key at {found.record}"
    else:
        try:
            _key, size, kind, _report = dkim.evaluate_pk(found.record, key)
            bits = size if kind == b"rsa" else 0
            holds = message.verify(index, dnsfunc=lambda name, timeout: key.encode("ascii", "replace"))
            fault = "" if holds else "the signature does not match the message"
        except _UNREADABLE as error:
            fault = str(error) or type(error).__name__
    return Signature(
        domain=found.domain,
        selector=found.selector,
        headers=frozenset(name.strip().decode(*_TEXT) for name in message.include_headers),
        bits=bits,
        covers_part_of_body=b"l" in message.signature_fields,
        fault=fault,
    )


def _make_broken_signature(message: dkim.DKIM, fault: str) -> Signature:
    fields = message.signature_fields
    domain, selector = fields.get(b"d", b""), fields.get(b"s", b"")
    return Signature(domain=domain.decode(*_TEXT).lower(), selector=selector.decode(*_TEXT), fault=fault)
