"""Check that the domain of From is that of the signature or of the return path, as far as the settings name them."""

from collections.abc import Iterator

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dmarc_records import walk_tree
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.findings import Finding


def check_alignment(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield one finding. Raise NoAnswer."""
    name = Message("alignment of %(domain)s", domain=sender.domain)
    signing, bounce = sender.known.signing, sender.known.bounce
    if signing and _is_aligned(sender.domain, signing, tag="adkim", dns=dns):
        says = Message("The signature is of %(signer)s, which DMARC accepts for this sender.", signer=signing)
        yield Finding(name, "ok", says, code=DomainCode.ALIGNMENT_GOOD)
    elif bounce and _is_aligned(sender.domain, bounce, tag="aspf", dns=dns):
        says = Message("The return path is of %(bounce)s, which DMARC accepts for this sender.", bounce=bounce)
        yield Finding(name, "ok", says, code=DomainCode.ALIGNMENT_GOOD)
    elif signing:
        yield Finding(
            name,
            "warning",
            Message("Mail is from %(domain)s, but signed by %(signer)s.", domain=sender.domain, signer=signing),
            Message("Use a sender address at %(signer)s, or let your provider sign for your domain.", signer=signing),
            means=Message("DMARC fails for it, and large mailbox providers refuse bulk mail for which it fails."),
            code=DomainCode.ALIGNMENT_MISSING,
        )
    elif bounce:
        yield Finding(
            name,
            "advice",
            Message("Mail is from %(domain)s, but bounces go to %(bounce)s.", domain=sender.domain, bounce=bounce),
            Message("Check that the signature is of your domain: newsletter doctor --message FILE"),
            means=Message("SPF does not count for DMARC, so everything depends on the signature."),
            code=DomainCode.ALIGNMENT_DKIM_ONLY,
        )
    else:
        yield Finding(
            name,
            "advice",
            Message("The settings do not say which domain signs the mail."),
            Message("Check a mail that arrived: newsletter doctor --message FILE"),
            means=Message("DMARC needs a signature of your own domain."),
            code=DomainCode.ALIGNMENT_UNKNOWN,
        )


def _is_aligned(sender: str, other: str, *, tag: str, dns: Dns) -> bool:
    """Return True if the domains are equal, or of one organisation unless the policy is strict."""
    if sender == other:
        return True
    walk = walk_tree(sender, dns)
    record = walk.policy_record
    if record is not None and record.tags.get(tag, "r").lower() == "s":
        return False
    return walk.organisational_domain == walk_tree(other, dns).organisational_domain
