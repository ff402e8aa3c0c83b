"""Set up, the sending domain: what DNS says now, and what has to be added. The checks are those of `doctor`."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.desk.setup.pages import StepPage
from newsletter.models import Publication, SenderDomain
from newsletter.providers.base.contract import DnsRecords
from newsletter.providers.registry import ADAPTERS
from newsletter.sending.deliverability.domains import (
    domain_of,
    is_own_endpoint,
    read_provider,
    refresh_sender_domains,
)
from newsletter.sending.deliverability.findings import Finding


@dataclass(frozen=True)
class DnsRecord:
    """A record to add: its name, its type, and its value, or where to find it."""

    name: str
    kind: str
    value: str


class DomainStep(StepPage):
    step_slug = "domain"
    template_name = "desk/setup/domain.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        domains = sorted({domain_of(one) for one in Publication.objects.values_list("from_email", flat=True)} - {""})
        provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
        real = provider is not None and is_own_endpoint(provider)
        rows = SenderDomain.objects.filter(domain__in=domains, looked_at__isnull=False) if real else ()
        return {
            "domains": [(domain, list_records(domain, provider.scheme if provider else "")) for domain in domains],
            "checks": [(row, [Finding(**found) for found in row.findings or ()]) for row in rows],
            "is_real": real,
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Ask DNS now."""
        SenderDomain.objects.update(looked_at=None)
        if refresh_sender_domains(now=timezone.now()):
            messages.success(request, _("We asked DNS again."))
        return self.go_on() if self.step.is_done() else self.show()


def list_records(domain: str, provider: str) -> list[DnsRecord]:
    """Return the records that a domain needs, as far as they are known for the provider."""
    wanted = ADAPTERS[provider].dns if provider in ADAPTERS else DnsRecords()
    spf = (
        f"v=spf1 {wanted.spf} ~all"
        if wanted.spf
        else _("Your provider shows this value once you add the domain there.")
    )
    selector = f"{wanted.selectors[0] if wanted.selectors else '…'}._domainkey.{domain}"
    return [
        DnsRecord(domain, "TXT (SPF)", spf),
        DnsRecord(selector, "TXT (DKIM)", _("Your provider shows this value once you add the domain there.")),
        DnsRecord(f"_dmarc.{domain}", "TXT (DMARC)", "v=DMARC1; p=none"),
    ]
