"""Say what to do about mail that failed, and when a stricter DMARC policy is safe. Staff decide; nothing follows by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.common.messages import Message, Quantity
from newsletter.models import DmarcReport, SenderDomain
from newsletter.sending.deliverability.dmarc_reports.store import list_own_domains
from newsletter.sending.deliverability.dmarc_reports.summary import FailingSource, SourceKind, Summary, summarise

LOOK_BACK_DAYS = 30
COVERED_WEEKS = 4
"""Each of the last four weeks must have a report: one old report says nothing about the time since."""
MIN_MAILS = 100
MAX_OWN_FAILING = 0.005
"""The share of our own mail that may fail before a stricter policy is safe: some is always damaged on the way."""
_NEXT = {"none": "quarantine", "quarantine": "reject", "reject": ""}
"""The next stricter policy of each, the weakest first."""


class PolicyStep(StrEnum):
    """The next step towards a stricter policy."""

    NOT_CHECKED = "not-checked"
    TOO_EARLY = "too-early"
    REPAIR_OWN = "repair-own"
    ASK_ABOUT_SERVERS = "ask-about-servers"
    READY = "ready"
    STRICTEST = "strictest"


@dataclass(frozen=True)
class PolicyAdvice:
    """The policy that the last check of the domain found, and the next step."""

    step: PolicyStep
    text: Message


def describe_source(failing: FailingSource) -> Message:
    """Return in one sentence how many mails of a server failed, and what it seems to be."""
    mails, server = Quantity(failing.source.mails), failing.source.name
    match failing.kind:
        case SourceKind.FORWARDED:
            return Message("%(mails)s from %(server)s failed: forwarded mail.", mails=mails, server=server)
        case SourceKind.BROKEN_SIGNATURE:
            return Message("%(mails)s from %(server)s failed: signature broken.", mails=mails, server=server)
        case SourceKind.OWN:
            return Message(
                "%(mails)s from %(server)s failed: other mail of yours from there passes.", mails=mails, server=server
            )
        case SourceKind.SERVICE:
            return Message(
                "%(mails)s from %(server)s failed: a service that sends as %(service)s.",
                mails=mails,
                server=server,
                service=", ".join(sorted(failing.source.vouching)[:3]),
            )
        case SourceKind.UNKNOWN:
            return Message("%(mails)s from %(server)s failed: unknown sender.", mails=mails, server=server)


def advise_on_source(kind: SourceKind) -> Message:
    """Return what to do about a server whose mail failed."""
    return {
        SourceKind.FORWARDED: Message(
            "Forwarding is normal. It sends mail from another server and often changes it. There is nothing to do."
        ),
        SourceKind.BROKEN_SIGNATURE: Message(
            "The mail has a signature (DKIM) of your domain that does not verify: it was forwarded, changed on the way, signed "
            "with a wrong key, or forged. If the server sends for you, compare the key there with the one in DNS. If it does "
            "not, there is nothing to repair, but a stricter policy can stop this mail."
        ),
        SourceKind.OWN: Message(
            "Other mail from there passes. Check that each of your systems that sends there signs with your domain (DKIM)."
        ),
        SourceKind.SERVICE: Message(
            "If your organisation uses this service, set up DKIM for your domain there. If it does not, somebody else uses "
            "your name; a stricter policy stops that."
        ),
        SourceKind.UNKNOWN: Message(
            "If it is a system of yours, add it to SPF and DKIM, or stop it. If it is not, somebody else uses your name; a "
            "stricter policy stops that."
        ),
    }[kind]


def advise_on_policy(domain: str, *, now: datetime) -> PolicyAdvice:
    """Return whether a stricter policy is safe for a domain, by its reports of the last 30 days and the last check of DNS."""
    checked = _find_weakest(domain)
    if checked is None:
        return PolicyAdvice(
            PolicyStep.NOT_CHECKED,
            Message(
                "The DMARC policy at %(domain)s is not known here, so there is no advice about it. Set up › Sending domain "
                "shows the records of your senders.",
                domain=domain,
            ),
        )
    step, text = _find_step(summarise(domain, days=LOOK_BACK_DAYS, now=now), checked, now=now)
    return PolicyAdvice(step, Message.joined([_describe_policy(checked), text], between=" "))


def _find_weakest(domain: str) -> SenderDomain | None:
    """Return the sender's domain with the weakest policy by the record at a domain: its tag can get stricter."""
    checked = SenderDomain.objects.filter(policy_domain=domain, domain__in=list_own_domains()).exclude(policy="")
    return min(checked, key=lambda row: (list(_NEXT).index(row.policy), row.domain), default=None)


def _describe_policy(checked: SenderDomain) -> Message:
    names = {"domain": checked.policy_domain, "policy": checked.policy}
    if checked.policy_tag == "p":
        return Message("The policy at %(domain)s is %(policy)s.", **names)
    if checked.policy_tag == "t":
        return Message(
            "The record _dmarc.%(domain)s is marked as a test (t=y). So the policy for %(sender)s is %(policy)s, one step less.",
            sender=checked.domain,
            **names,
        )
    return Message(
        "The policy for %(sender)s is %(policy)s, by %(tag)s= in the record _dmarc.%(domain)s.",
        sender=checked.domain,
        tag=checked.policy_tag,
        **names,
    )


def _describe_change(checked: SenderDomain) -> Message:
    """Return what to change, by the tag that decides: to change another one could make the record weaker."""
    if checked.policy_tag == "t":
        return Message(
            "In the record _dmarc.%(domain)s, take out t=y and leave its other parts as they are.",
            domain=checked.policy_domain,
        )
    return Message(
        "In the record _dmarc.%(domain)s, set %(tag)s=%(next)s and leave its other parts as they are.",
        domain=checked.policy_domain,
        tag=checked.policy_tag,
        next=_NEXT[checked.policy],
    )


def _find_step(summary: Summary, checked: SenderDomain, *, now: datetime) -> tuple[PolicyStep, Message]:
    if not _NEXT[checked.policy]:
        return PolicyStep.STRICTEST, Message("No policy is stricter.")
    if not _is_covered(summary.domain, now=now) or summary.passed + summary.failed < MIN_MAILS:
        return PolicyStep.TOO_EARLY, Message(
            "Keep it until reports of at least %(mails)s mails are here, some in each of the last four weeks.",
            mails=MIN_MAILS,
        )
    own_failing = summary.count_failed(SourceKind.OWN)
    if own_failing > (summary.passed + own_failing) * MAX_OWN_FAILING:
        return PolicyStep.REPAIR_OWN, Message(
            "Keep it until your own mail passes: %(mails)s in 30 days failed from servers that also send mail of yours.",
            mails=Quantity(own_failing),
        )
    change = _describe_change(checked)
    if summary.count_failed(SourceKind.BROKEN_SIGNATURE, SourceKind.SERVICE, SourceKind.UNKNOWN):
        return PolicyStep.ASK_ABOUT_SERVERS, Message.joined(
            [
                Message(
                    "Look at each service, unknown sender and broken signature below first: a stricter policy stops their mail."
                ),
                Message("If none of them is yours, it is safe."),
                change,
            ],
            between=" ",
        )
    return PolicyStep.READY, Message.joined(
        [Message("A stricter policy is safe by these reports."), change], between=" "
    )


def _is_covered(domain: str, *, now: datetime) -> bool:
    """Return True if reports cover the last four weeks. A report counts for its last day, however long it is."""
    since = now - timedelta(weeks=COVERED_WEEKS)
    ends = DmarcReport.objects.filter(domain=domain, ends_at__gt=since).values_list("ends_at", flat=True).distinct()
    ages = {max(0, (now - end).days) for end in ends}
    return len({age // 7 for age in ages}) == COVERED_WEEKS
