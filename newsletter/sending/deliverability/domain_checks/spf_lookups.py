"""Count the DNS lookups that an SPF record costs a receiver, with all records that it includes (RFC 7208, 4.6.4)."""

from dataclasses import dataclass, field

from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.spf_terms import Term, is_spf_record, read_terms

MAX_LOOKUPS = 10
MAX_VOID_LOOKUPS = 2
MAX_COUNTED = 20
_LOOKUPS = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})


@dataclass
class LookupCount:
    """``lookups`` is not counted beyond MAX_COUNTED. ``broken`` are included names that have no usable record."""

    lookups: int = 0
    void: int = 0
    included: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def count_lookups(domain: str, record: str, dns: Dns) -> LookupCount:
    """Return the count of a domain's record. Names with macros are counted, and not looked up. Raise NoAnswer."""
    count = LookupCount()
    _add_record(domain, record, dns, count)
    return count


def _add_record(domain: str, record: str, dns: Dns, count: LookupCount) -> None:
    terms = read_terms(record)
    has_all = any(term.name == "all" for term in terms)
    for term in terms:
        if term.name not in _LOOKUPS or (term.name == "redirect" and has_all) or not term.is_valid():
            continue
        if count.lookups >= MAX_COUNTED:
            return
        count.lookups += 1
        if "%" not in term.value:
            _look_up(term, term.target or domain, dns, count)


def _look_up(term: Term, name: str, dns: Dns, count: LookupCount) -> None:
    if term.name in ("include", "redirect"):
        count.included.append(name)
        texts = dns.find_txt(name)
        records = [text for text in texts if is_spf_record(text)]
        count.void += not texts
        if len(records) == 1:
            _add_record(name, records[0], dns, count)
        else:
            count.broken.append(name)
    elif term.name == "mx":
        count.void += not dns.find_mail_hosts(name)
    elif term.name in ("a", "exists"):
        count.void += not dns.find_addresses(name)
