"""Read single values of a report. A value that is missing or impossible ends the reading."""

import re
from ipaddress import IPv6Address, ip_address
from xml.etree.ElementTree import Element

from newsletter.content.parsing.aggregate_reports.report import ReportProblem
from newsletter.content.parsing.aggregate_reports.unpack import CannotRead

_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_MAX_LENGTH = 1_000


def strip_namespaces(element: Element) -> Element:
    """Return the element with tags in lower case and without namespaces: reports use several, or none."""
    for descendant in element.iter():
        descendant.tag = descendant.tag.rpartition("}")[2].lower()
    return element


def require(element: Element, name: str) -> Element:
    """Return a child. Raise CannotRead if it is missing."""
    child = element.find(name)
    if child is None:
        raise CannotRead(ReportProblem.MISSING_FIELD)
    return child


def read_text(element: Element | None) -> str:
    """Return the text on one line, without characters that cannot be shown. Raise CannotRead if there is none."""
    text = find_text(element)
    if not text:
        raise CannotRead(ReportProblem.MISSING_FIELD)
    return text


def find_text(element: Element | None) -> str:
    """Return the text like `read_text`, "" if there is none."""
    text = (element.text or "")[:_MAX_LENGTH] if element is not None else ""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def read_word(element: Element | None) -> str:
    """Return a text in lower case, as receivers differ in it."""
    return read_text(element).lower()


def read_number(element: Element | None, *, limit: int) -> int:
    """Return a whole number from 0 to the limit. Raise CannotRead for any other."""
    text = read_text(element)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(limit)) and int(text) <= limit):
        raise CannotRead(ReportProblem.BAD_VALUE)
    return int(text)


def read_address(element: Element | None) -> str:
    """Return an IP address in its usual form."""
    try:
        address = ip_address(read_text(element))
    except ValueError as error:
        raise CannotRead(ReportProblem.BAD_VALUE) from error
    if isinstance(address, IPv6Address):
        if address.scope_id:
            raise CannotRead(ReportProblem.BAD_VALUE)
        address = address.ipv4_mapped or address
    return str(address)


def read_domain(element: Element | None) -> str:
    """Return a domain in lower case, without a dot at its end. Raise CannotRead if it is none."""
    domain = read_word(element).rstrip(".")
    if not _DOMAIN.fullmatch(domain):
        raise CannotRead(ReportProblem.BAD_VALUE)
    return domain


def find_domain(element: Element | None) -> str:
    """Return a domain like `read_domain`, "" if there is none or it is not one."""
    domain = find_text(element).lower().rstrip(".")
    return domain if _DOMAIN.fullmatch(domain) else ""


def is_below(name: str, domain: str) -> bool:
    """Return True if the name is the domain or below it."""
    return name == domain or name.endswith(f".{domain}")
