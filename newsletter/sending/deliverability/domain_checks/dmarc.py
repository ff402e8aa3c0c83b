"""Check the DMARC record that applies to a sender's domain (RFC 9989)."""

from collections.abc import Iterator, Mapping

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dmarc_records import DmarcRecord, TreeWalk, walk_tree
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.findings import Finding, RecordToAdd

OBSOLETE_TAGS = ("pct", "rf", "ri")
MAX_COPIED = 2_000
_VALUES = {
    "sp": ("none", "quarantine", "reject"),
    "np": ("none", "quarantine", "reject"),
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
}


def check_dmarc(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield the findings about the record that receivers apply. Raise NoAnswer."""
    walk = walk_tree(sender.domain, dns)
    record = walk.policy_record
    if record is None:
        yield _describe_missing(sender, walk)
        return
    problems = [*_check_policy(sender, record), *_check_values(sender, record), *_check_test(sender, record)]
    problems += _check_obsolete(sender, record)
    yield from problems
    if all(problem.level == "advice" for problem in problems):
        yield Finding(
            _name(sender),
            "ok",
            Message(
                "A policy is published at %(parent)s: %(policy)s.",
                parent=record.domain,
                policy=walk.applied_policy,
            ),
            code=DomainCode.DMARC_GOOD,
        )


def write_first_policy(sender: Sender) -> str:
    """Return the record for a domain without one. It asks for reports if an address of ours reads them."""
    return "v=DMARC1; p=none" + (f"; rua=mailto:{sender.reports_to}" if sender.reports_to else "")


def _describe_missing(sender: Sender, walk: TreeWalk) -> Finding:
    refused = Message("Large mailbox providers refuse bulk mail without a policy.")
    if walk.several:
        return Finding(
            _name(sender),
            "error",
            Message("_dmarc.%(domain)s has several DMARC records.", domain=walk.several[0]),
            Message("Keep one of them, and take out the others."),
            means=Message("Receivers use none of them. ") + refused,
            code=DomainCode.DMARC_SEVERAL,
        )
    if walk.misread:
        return Finding(
            _name(sender),
            "error",
            Message(
                "The record at _dmarc.%(domain)s does not begin with “v=DMARC1;” in just these letters.",
                domain=walk.misread[0],
            ),
            Message("Correct its beginning."),
            means=Message("Receivers ignore it. ") + refused,
            code=DomainCode.DMARC_UNREADABLE,
        )
    return Finding(
        _name(sender),
        "error",
        Message("No DMARC policy is published."),
        Message("Add this record. Make it stricter once the reports look right."),
        means=refused,
        code=DomainCode.DMARC_MISSING,
        records=(RecordToAdd(f"_dmarc.{sender.domain}", "TXT", write_first_policy(sender)),),
    )


def _check_policy(sender: Sender, record: DmarcRecord) -> Iterator[Finding]:
    if record.find_policy() is not None:
        return
    has_reports = bool(record.reports_to)
    yield Finding(
        _name(sender),
        "warning" if has_reports else "error",
        Message("The record at %(name)s has no valid policy (p=).", name=record.name),
        Message("Add p=none, p=quarantine or p=reject to the record."),
        means=Message("Receivers read it as p=none.")
        if has_reports
        else Message("Receivers treat the domain as if it had no DMARC record."),
        code=DomainCode.DMARC_NO_POLICY,
        records=write_changed(record, {"p": "none"}),
    )


def _check_values(sender: Sender, record: DmarcRecord) -> Iterator[Finding]:
    for tag, values in _VALUES.items():
        value = record.tags.get(tag)
        if value is not None and value.lower() not in values:
            yield Finding(
                _name(sender),
                "warning",
                Message(
                    "%(tag)s=%(value)s at %(name)s is not a value of this tag.",
                    tag=tag,
                    value=value[:40],
                    name=record.name,
                ),
                Message("Use one of these: %(values)s.", values=", ".join(values)),
                means=Message("Receivers ignore the tag, or the whole record."),
                code=DomainCode.DMARC_INVALID_TAG,
            )


def _check_test(sender: Sender, record: DmarcRecord) -> Iterator[Finding]:
    if record.is_test:
        yield Finding(
            _name(sender),
            "advice",
            Message("The policy at %(name)s is marked as a test (t=y).", name=record.name),
            Message("Take t=y out once the reports look right."),
            means=Message("Receivers apply the next weaker policy."),
            code=DomainCode.DMARC_TESTING,
            records=write_changed(record, {"t": ""}),
        )


def _check_obsolete(sender: Sender, record: DmarcRecord) -> Iterator[Finding]:
    tags = [tag for tag in OBSOLETE_TAGS if tag in record.tags]
    if tags:
        is_limited = record.tags.get("pct", "100") != "100"
        yield Finding(
            _name(sender),
            "advice",
            Message("The record at %(name)s has obsolete tags: %(tags)s.", name=record.name, tags=", ".join(tags)),
            Message(
                "Take them out if the policy may apply to all of your mail. If not, use a weaker policy (p=) until it may."
            )
            if is_limited
            else Message("Take them out."),
            means=Message("Receivers that follow RFC 9989 ignore them, so pct= no longer limits the policy."),
            code=DomainCode.DMARC_OBSOLETE_TAG,
            records=() if is_limited else write_changed(record, dict.fromkeys(tags, "")),
        )


def write_changed(record: DmarcRecord, changes: Mapping[str, str]) -> tuple[RecordToAdd, ...]:
    """Return the record with some tags changed, or taken out if the new value is "". The policy stays second."""
    tags = {name: value for name, value in {**record.tags, **changes}.items() if value and name != "v"}
    policy = {"p": tags.pop("p")} if "p" in tags else {}
    text = "; ".join(["v=DMARC1", *(f"{name}={value}" for name, value in {**policy, **tags}.items())])
    return (RecordToAdd(record.name, "TXT", text),) if len(text) <= MAX_COPIED else ()


def _name(sender: Sender) -> Message:
    return Message("DMARC of %(domain)s", domain=sender.domain)
