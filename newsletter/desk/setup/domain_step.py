"""Set up, the sending domain: its current DNS records, and the records to add. The checks are those of `doctor`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.desk.sends.gmail_figures import GmailContext, list_figures
from newsletter.desk.setup.pages import StepPage
from newsletter.models import Publication, SenderDomain
from newsletter.sending.deliverability.domain_checks.dmarc import write_first_policy
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.spf import write_first_record
from newsletter.sending.deliverability.domains import (
    domain_of,
    is_own_endpoint,
    list_default_domains,
    list_further_senders,
    make_sender,
    read_provider,
)
from newsletter.sending.deliverability.findings import Finding, RecordToAdd
from newsletter.sending.deliverability.gmail_figures.signing import list_signed_senders
from newsletter.sending.deliverability.refresh_domains import refresh_sender_domains

GMAIL_DAYS = 10


class DomainStep(StepPage):
    step_slug = "domain"
    template_name = "desk/setup/domain.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        domains = sorted(
            {domain_of(address) for address in Publication.objects.values_list("from_email", flat=True)} - {""}
        )
        provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
        real = provider is not None and is_own_endpoint(provider)
        default, further = list_default_domains(), list_further_senders()
        records: list[tuple[str, str, list[RecordToAdd]]] = []
        checks: list[tuple[str, str, list[Finding]]] = []
        rows = {row.domain: row for row in SenderDomain.objects.filter(domain__in=domains, looked_at__isnull=False)}
        for domain in domains:
            row, findings_by_account = rows.get(domain), further.get(domain, {})
            if domain in default or not findings_by_account:
                label = provider.label if provider and findings_by_account else ""
                records.append(
                    (domain, label, list_records(make_sender(domain, provider) if provider else Sender(domain)))
                )
                if row and real:
                    checks.append((domain, label, _read_findings(row.findings)))
            for name, account in findings_by_account.items():
                records.append((domain, account.label, list_records(make_sender(domain, account))))
                if row and row.further.get(name, {}).get("provider") == account.label:
                    checks.append((domain, account.label, _read_findings(row.further[name]["findings"])))
        return {
            "domains": records,
            "checks": checks,
            "is_real": real or bool(further),
            "other_server": provider.endpoint if provider is not None and not real else "",
            "unknown_value": _describe_unknown_value(),
            "gmail": _list_gmail_figures(),
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Ask DNS now."""
        if refresh_sender_domains(now=timezone.now(), even_if_checked=True):
            messages.success(request, _("We asked DNS again."))
        return self.go_on() if self.step.is_done() else self.show()


def _read_findings(rows: Sequence[Mapping[str, object]] | None) -> list[Finding]:
    return [Finding.from_row(row) for row in rows or ()]


def _list_gmail_figures() -> list[GmailContext]:
    """Return Google's figures of the last days, the newest first."""
    today = timezone.now().astimezone(UTC).date()
    days = [today - timedelta(days=age) for age in range(GMAIL_DAYS)]
    return list_figures(list_signed_senders(Publication.objects.all()), days, now=timezone.now())


def list_records(sender: Sender) -> list[RecordToAdd]:
    """Return the records that a domain needs. For a value that only the provider knows, show a sentence."""
    from_provider = _describe_unknown_value()
    required = sender.wanted
    selector = f"{required.selectors[0] if required.selectors else '…'}._domainkey.{sender.dkim_domain}"
    return [
        RecordToAdd(sender.spf_domain, "TXT (SPF)", write_first_record(sender) or from_provider),
        RecordToAdd(selector, "TXT (DKIM)", from_provider),
        RecordToAdd(f"_dmarc.{sender.domain}", "TXT (DMARC)", write_first_policy(sender)),
    ]


def _describe_unknown_value() -> str:
    return _("Your provider shows this value once you add the domain there.")
