"""Run every check of a sender's domain. A failure of DNS is a finding of its own, never a missing record."""

from collections.abc import Callable, Iterator

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.alignment import check_alignment
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dkim_keys import check_dkim
from newsletter.sending.deliverability.domain_checks.dmarc import check_dmarc
from newsletter.sending.deliverability.domain_checks.lookup import Dns, NoAnswer
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.spf import check_spf
from newsletter.sending.deliverability.findings import Finding, Level

Check = Callable[[Sender, Dns], Iterator[Finding]]
_CHECKS: tuple[tuple[str, Level, Check], ...] = (
    ("SPF", "warning", check_spf),
    ("DKIM", "warning", check_dkim),
    ("DMARC", "warning", check_dmarc),
    ("DMARC alignment", "advice", check_alignment),
)


def check_sender_domain(sender: Sender, *, dns: Dns) -> Iterator[Finding]:
    """Yield the findings of every check in order."""
    for label, level, check in _CHECKS:
        try:
            yield from check(sender, dns)
        except NoAnswer as problem:
            yield Finding(
                Message("DNS of %(domain)s", domain=sender.domain),
                level,
                Message("%(check)s could not be looked up. %(problem)s", check=label, problem=problem.message),
                Message("Check that this machine can reach DNS, then run this again."),
                means=Message("This does not say that a record is missing."),
                code=DomainCode.NOT_LOOKED_UP,
            )
