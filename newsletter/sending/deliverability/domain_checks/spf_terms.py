"""Read and rewrite the terms of an SPF record (RFC 7208)."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

_WITH_NAME = frozenset({"include", "exists"})
_WITH_OPTIONAL_NAME = frozenset({"a", "mx", "ptr"})
_ADDRESSES = {"ip4": ipaddress.IPv4Network, "ip6": ipaddress.IPv6Network}


@dataclass(frozen=True)
class Term:
    """One term. ``mark`` is : for mechanisms, = for modifiers, "" without a value. ``name`` is in lower case."""

    text: str
    qualifier: str
    name: str
    mark: str
    value: str

    @property
    def target(self) -> str:
        """The name that it looks up, in lower case and without the length of a network; "" for the record's own."""
        return self.value.partition("/")[0].rstrip(".").lower()

    @property
    def ends_record(self) -> bool:
        return self.name == "all" or (self.name == "redirect" and self.mark == "=")

    def is_valid(self) -> bool:
        """Return True if receivers know the term. Unknown modifiers are valid: receivers skip them."""
        if self.mark == "=":
            return self.name not in ("redirect", "exp") or bool(self.value)
        if self.name in _WITH_NAME:
            return bool(self.target)
        if self.name in _WITH_OPTIONAL_NAME:
            return not self.mark or bool(self.value)
        if self.name in _ADDRESSES:
            return self._is_network()
        return self.name == "all" and not self.mark

    def _is_network(self) -> bool:
        try:
            _ADDRESSES[self.name](self.value, strict=False)
        except ValueError:
            return False
        return True


def is_spf_record(text: str) -> bool:
    return text.lower().split(" ")[0] == "v=spf1"


def read_terms(record: str) -> list[Term]:
    """Return the terms after the version, up to and with ``all``: receivers ignore mechanisms behind it."""
    terms: list[Term] = []
    for text in record.split()[1:]:
        term = _read_term(text)
        terms.append(term)
        if term.name == "all":
            break
    return terms


def add_mechanism(record: str, mechanism: str) -> str:
    """Return the record with a mechanism before its end."""
    terms = read_terms(record)
    return _write([term for term in terms if not term.ends_record], mechanism, end=_find_end(terms))


def merge_records(records: Iterable[str], mechanism: str) -> str:
    """Return one record that allows what each of several allows, and the mechanism. A redirect becomes an include."""
    terms = [_replace_redirect(term) for record in records for term in read_terms(record)]
    return _write([term for term in terms if not term.ends_record], mechanism, end="~all")


def close_record(record: str) -> str:
    """Return the record with an end that does not let others send."""
    return _write([term for term in read_terms(record) if not term.ends_record], "", end="~all")


def _replace_redirect(term: Term) -> Term:
    is_redirect = term.name == "redirect" and term.mark == "="
    return _read_term(f"include:{term.value}") if is_redirect else term


def _write(terms: Iterable[Term], mechanism: str, *, end: str) -> str:
    added = [mechanism] if mechanism else []
    return " ".join(dict.fromkeys(["v=spf1", *(term.text for term in terms), *added, end]))


def _find_end(terms: list[Term]) -> str:
    return next((term.text for term in terms if term.ends_record), "~all")


def _read_term(text: str) -> Term:
    qualifier, rest = (text[0], text[1:]) if text[0] in "+-~?" else ("+", text)
    for index, character in enumerate(rest):
        if character in ":=/":
            mark = "" if character == "/" else character
            value = rest[index:] if character == "/" else rest[index + 1 :]
            return Term(text, qualifier, rest[:index].lower(), mark, value)
    return Term(text, qualifier, rest.lower(), "", "")
