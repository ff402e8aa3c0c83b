"""Check the SPF record of the domain that bounces go to."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.spf_terms import (
    Term,
    add_mechanism,
    close_record,
    is_spf_record,
    merge_records,
    read_terms,
)
from newsletter.sending.deliverability.findings import Finding, Level, RecordToAdd

MAX_COPIED = 2_000
_NOT_USED = Message("Receivers cannot use the record, so SPF fails for all of your mail.")
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


def check_spf(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield the findings; none if neither the provider nor the settings say whose record counts. Raise NoAnswer."""
    if not sender.wanted.spf and not sender.known.bounce:
        return
    records = sorted(text for text in dns.find_txt(sender.spf_domain) if is_spf_record(text))
    if not records:
        yield _describe_missing(sender)
    elif len(records) > 1:
        yield Finding(
            _name(sender),
            "error",
            Message("There are %(records)s SPF records.", records=len(records)),
            Message("Replace them with one record that has the parts of all."),
            means=Message("Receivers use none of them, so SPF fails for all of your mail."),
            code=DomainCode.SPF_SEVERAL,
            records=_to_copy(sender, merge_records(records, sender.wanted.spf)),
        )
    else:
        yield from _check_record(sender, records[0], dns)


def _check_record(sender: Sender, record: str, dns: Dns) -> Iterator[Finding]:
    problems = [*_check_terms(sender, record)]
    yield from problems
    count = count_lookups(sender.spf_domain, record, dns)
    findings = [*_check_provider(sender, record, count), *_check_count(sender, count)]
    yield from findings
    if not problems and not findings:
        mechanism = sender.wanted.spf
        says = Message("The SPF record names the provider.") if mechanism else Message("There is one SPF record.")
        costs = Message(" It costs %(lookups)s of %(limit)s lookups.", lookups=count.lookups, limit=MAX_LOOKUPS)
        yield Finding(_name(sender), "ok", says + costs, code=DomainCode.SPF_GOOD)


def _check_terms(sender: Sender, record: str) -> Iterator[Finding]:
    terms = read_terms(record)
    invalid = [term.text for term in terms if not term.is_valid()]
    if invalid:
        yield Finding(
            _name(sender),
            _level(sender),
            Message("The SPF record has a part that SPF does not know: “%(part)s”.", part=invalid[0][:80]),
            Message("Correct this part, or take it out."),
            means=_NOT_USED,
            code=DomainCode.SPF_INVALID,
        )
    end = next((term for term in terms if term.ends_record), None)
    if end is None or (end.name == "all" and end.qualifier in "+?"):
        allows_all = end is not None and end.qualifier == "+"
        yield Finding(
            _name(sender),
            "warning" if allows_all else "advice",
            Message("The SPF record ends with “%(end)s”.", end=end.text)
            if end
            else Message("The SPF record has no “all” at its end."),
            Message("Let the record end with “~all”."),
            means=Message("It allows every server in the world to send in your name.")
            if allows_all
            else Message("It says nothing about servers that it does not name."),
            code=DomainCode.SPF_ALLOWS_ALL if allows_all else DomainCode.SPF_OPEN_END,
            records=_to_copy(sender, close_record(record)),
        )


def _check_provider(sender: Sender, record: str, count: LookupCount) -> Iterator[Finding]:
    mechanism = sender.wanted.spf
    is_named = mechanism.lower() in (term.text.lstrip("+").lower() for term in read_terms(record))
    if not mechanism or is_named or mechanism.lower().removeprefix("include:") in count.included:
        return
    yield Finding(
        _name(sender),
        "warning",
        Message("The SPF record does not name the provider."),
        Message("Add %(spf)s to the record, unless your provider sends bounces to a domain of its own.", spf=mechanism),
        means=Message("SPF fails for mail that the provider sends with this domain as its return path."),
        code=DomainCode.SPF_PROVIDER_MISSING,
        records=_to_copy(sender, add_mechanism(record, mechanism)),
    )


def _check_count(sender: Sender, count: LookupCount) -> Iterator[Finding]:
    if count.lookups > MAX_LOOKUPS:
        is_cut = count.lookups >= MAX_COUNTED
        values = {"lookups": count.lookups, "limit": MAX_LOOKUPS}
        yield Finding(
            _name(sender),
            _level(sender),
            Message("The SPF record costs at least %(lookups)s lookups; %(limit)s are allowed.", **values)
            if is_cut
            else Message("The SPF record costs %(lookups)s lookups; %(limit)s are allowed.", **values),
            Message("Take out services that no longer send for you. Each “include”, “a” and “mx” costs a lookup."),
            means=_NOT_USED,
            code=DomainCode.SPF_TOO_MANY_LOOKUPS,
        )
    if count.void > MAX_VOID_LOOKUPS:
        yield Finding(
            _name(sender),
            "warning",
            Message(
                "%(void)s lookups of the SPF record find nothing; %(limit)s are allowed.",
                void=count.void,
                limit=MAX_VOID_LOOKUPS,
            ),
            Message("Take out the names that no longer exist."),
            means=Message("Some receivers do not use such a record."),
            code=DomainCode.SPF_TOO_MANY_VOID_LOOKUPS,
        )
    for name in list(dict.fromkeys(count.broken))[:1]:
        yield Finding(
            _name(sender),
            _level(sender),
            Message("The SPF record includes %(name)s, which has no usable SPF record.", name=name),
            Message("Take this name out, or correct its spelling."),
            means=_NOT_USED,
            code=DomainCode.SPF_BROKEN_INCLUDE,
        )


def _describe_missing(sender: Sender) -> Finding:
    record = write_first_record(sender)
    do = (
        Message("Add this record, and compare it with your provider’s pages.")
        if sender.wanted.spf
        else Message("Add a record that names the servers that send your mail. Ask whoever runs your mail server.")
    )
    return Finding(
        _name(sender),
        _level(sender),
        Message("No SPF record says who may send for the domain."),
        do,
        means=Message("Mailbox providers trust the mail less, and some refuse it."),
        code=DomainCode.SPF_MISSING,
        records=_to_copy(sender, record) if record else (),
    )


def write_first_record(sender: Sender) -> str:
    """Return a record that names the provider or the mail server, "" if neither is known."""
    mechanism = sender.wanted.spf or _name_server(sender.known.server)
    return f"v=spf1 {mechanism} ~all" if mechanism else ""


def _name_server(server: str) -> str:
    if not server:
        return ""
    try:
        return f"ip{ipaddress.ip_address(server).version}:{server}"
    except ValueError:
        return f"a:{server}"


def _name(sender: Sender) -> Message:
    return Message("SPF of %(domain)s", domain=sender.spf_domain)


def _level(sender: Sender) -> Level:
    return "error" if sender.wanted.needs_spf else "warning"


def _to_copy(sender: Sender, value: str) -> tuple[RecordToAdd, ...]:
    """Return the record, or nothing if it is too long to be right."""
    return (RecordToAdd(sender.spf_domain, "TXT", value),) if len(value) <= MAX_COPIED else ()
