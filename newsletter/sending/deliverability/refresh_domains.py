"""Ask DNS about the domains that mail is sent from, and store what is found for `newsletter.sending.deliverability.domains`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Max

from newsletter.common.database.future_times import is_ahead
from newsletter.content.fetching.bounded_fetcher import BoundedFetcher
from newsletter.content.fetching.fetcher import Fetcher
from newsletter.models import DmarcReport, Publication, Send, SenderDomain
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.sending.deliverability.domain_checks.check_domain import check_sender_domain
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dmarc_records import walk_tree
from newsletter.sending.deliverability.domain_checks.dmarc_reports import MISSED_AFTER_DAYS
from newsletter.sending.deliverability.domain_checks.lookup import TOTAL_SECONDS, Dns, NoAnswer, SystemDns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domains import (
    domain_of,
    is_own_endpoint,
    list_further_senders,
    make_sender,
    read_provider,
)
from newsletter.sending.deliverability.findings import Finding

RECHECK_AFTER = timedelta(hours=6)
RECHECK_FAILED_AFTER = timedelta(minutes=10)
REPORTS_TAKE = timedelta(days=2)
"""How long receivers may take to report a day."""
_DOMAINS_A_RUN = 5


def add_report_state(sender: Sender, *, now: datetime) -> Sender:
    """Return the sender with what is known of its DMARC reports: when the last came, and if some must have come."""
    row = SenderDomain.objects.filter(domain=sender.domain).first()
    about = {sender.domain, row.policy_domain if row else ""}
    last = DmarcReport.objects.filter(domain__in=about).aggregate(last=Max("received_at"))["last"]
    since = now - timedelta(days=MISSED_AFTER_DAYS)
    is_silent = row is not None and row.reports_since is not None and row.reports_since <= since
    is_silent = is_silent and (last is None or last < since)
    return replace(sender, last_report_at=last, reports_missed=is_silent and _has_sent(sender.domain, since, now=now))


def _has_sent(domain: str, since: datetime, *, now: datetime) -> bool:
    publications = [
        pk for pk, address in Publication.objects.values_list("pk", "from_email") if domain_of(address) == domain
    ]
    sends = Send.objects.filter(issue__publication__in=publications, recipients__gt=0)
    return sends.filter(started_at__gte=since, started_at__lt=now - REPORTS_TAKE).exists()


def make_fetcher() -> Fetcher:
    """Return a fetcher for all web addresses that the checks of one domain read."""
    return BoundedFetcher(allow=settings.NEWSLETTER_FETCH_ALLOW, seconds=TOTAL_SECONDS)


def refresh_sender_domains(*, now: datetime, dns: Dns | None = None, even_if_checked: bool = False) -> int:
    """Ask DNS about sender domains that were not checked for some hours. Return how many were checked.

    With ``even_if_checked``, ask about those that were checked longest ago. Do nothing if mail does not go to a real
    provider. An error stays until DNS says that it is gone: no answer does not free an issue.
    """
    provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
    further = list_further_senders()
    if (provider is None or not is_own_endpoint(provider)) and not further:
        return 0
    addresses = Publication.objects.filter(enabled=True).values_list("from_email", flat=True)
    domains = {domain for address in addresses if (domain := domain_of(address))}
    SenderDomain.objects.bulk_create((SenderDomain(domain=domain) for domain in sorted(domains)), ignore_conflicts=True)
    rows = SenderDomain.objects.filter(domain__in=domains).order_by(F("looked_at").asc(nulls_first=True))
    scheme = provider.scheme if provider and is_own_endpoint(provider) else ""
    due = [
        row
        for row in rows
        if even_if_checked or _is_due(row, provider=scheme, accounts=further.get(row.domain, {}), now=now)
    ]
    for row in due[:_DOMAINS_A_RUN]:
        resolver = dns or SystemDns()
        changes = _find_policy(row, dns=resolver, now=now)
        if provider and scheme:
            sender = add_report_state(make_sender(row.domain, provider), now=now)
            earlier = row.findings if row.provider == scheme else []
            changes |= {"findings": _check(sender, resolver, earlier=earlier), "provider": scheme}
        SenderDomain.objects.filter(pk=row.pk).update(
            further={
                name: _check_for_account(row, name, account, dns=resolver, now=now)
                for name, account in further.get(row.domain, {}).items()
            },
            looked_at=now,
            **changes,
        )
    return len(due[:_DOMAINS_A_RUN])


def _check(sender: Sender, dns: Dns, *, earlier: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return the rows of what is found now, and of the earlier errors to which DNS gave no answer."""
    findings = list(check_sender_domain(sender, dns=dns, fetcher=make_fetcher()))
    findings += _find_unanswered_errors([Finding.from_row(row) for row in earlier or ()], findings)
    return [finding.to_row() for finding in findings]


def _check_for_account(
    row: SenderDomain, name: str, provider: ProviderSettings, *, dns: Dns, now: datetime
) -> dict[str, object]:
    sender = add_report_state(make_sender(row.domain, provider), now=now)
    stored = row.further.get(name, {})
    earlier = stored["findings"] if stored.get("provider") == provider.label else []
    return {"provider": provider.label, "findings": _check(sender, dns, earlier=earlier)}


def _find_policy(row: SenderDomain, *, dns: Dns, now: datetime) -> dict[str, object]:
    """Return the columns about the DMARC record that applies; none if DNS does not answer, so that they stay."""
    try:
        walk = walk_tree(row.domain, dns)
    except NoAnswer:
        return {}
    record = walk.policy_record
    if record is None:
        return {"policy_domain": "", "policy": "", "policy_tag": "", "reports_since": None}
    inbound_address = settings.NEWSLETTER_INBOUND_ADDRESS
    is_asked = bool(inbound_address) and inbound_address.lower() in record.report_addresses
    return {
        "policy_domain": record.domain,
        "policy": walk.applied_policy,
        "policy_tag": walk.deciding_tag,
        "reports_since": (row.reports_since or now) if is_asked else None,
    }


def _find_unanswered_errors(earlier: list[Finding], newest: list[Finding]) -> list[Finding]:
    """Return the earlier errors of checks to which DNS gave no answer now."""
    if not any(finding.code == DomainCode.NOT_LOOKED_UP for finding in newest):
        return []
    answered = {_name_check(finding) for finding in newest}
    return [finding for finding in earlier if finding.level == "error" and _name_check(finding) not in answered]


def _name_check(finding: Finding) -> str:
    return finding.code.partition(".")[0]


def _is_due(row: SenderDomain, *, provider: str, accounts: Mapping[str, ProviderSettings], now: datetime) -> bool:
    """Return True if the domain must be checked: soon if its issues wait for it, or if DNS did not answer."""
    findings = [
        *(row.findings or ()),
        *(finding for further in row.further.values() for finding in further["findings"]),
    ]
    has_errors = any(
        finding["level"] == "error" or finding.get("code") == DomainCode.NOT_LOOKED_UP for finding in findings
    )
    return (
        row.looked_at is None
        or bool(provider and row.provider != provider)
        or any(row.further.get(name, {}).get("provider") != account.label for name, account in accounts.items())
        or is_ahead(row.looked_at, now=now)
        or row.looked_at < now - (RECHECK_FAILED_AFTER if has_errors else RECHECK_AFTER)
    )
