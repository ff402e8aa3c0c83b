"""The domains about which reports are kept: those of senders, and those whose DMARC record applies to them."""

from newsletter.models import Publication, SenderDomain
from newsletter.sending.deliverability.domains import domain_of


def list_own_domains() -> set[str]:
    """Return the domains of all publications' senders and of their DMARC records, in ASCII and lower case."""
    addresses = Publication.objects.values_list("from_email", flat=True)
    senders = {domain.lower() for address in addresses if (domain := domain_of(address))}
    above = SenderDomain.objects.filter(domain__in=senders).exclude(policy_domain="")
    return senders | {domain.lower() for domain in above.values_list("policy_domain", flat=True)}
