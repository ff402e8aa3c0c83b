"""Check the provider and the senders' domains. The provider's key is never shown."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from django.conf import settings

from newsletter.common.errors import BadAddress, DomainError
from newsletter.feedback.webhook_setup.silence import has_sent_before
from newsletter.feedback.webhook_setup.state import (
    WebhookSettings,
    advise_on_silence,
    explain_silence,
    list_webhook_settings,
)
from newsletter.models import Installation, Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.base.suppression_lists import SuppressionLister
from newsletter.providers.base.webhooks.verification import split_keys
from newsletter.providers.registry import ADAPTERS, OUTBOX, read_provider_url
from newsletter.sending.accounts import explain_unusable, list_accounts, list_usable_accounts
from newsletter.sending.adapters import find_account_tester, make_trial_adapter
from newsletter.sending.deliverability.domain_checks.check_domain import check_sender_domain
from newsletter.sending.deliverability.domain_checks.lookup import Dns, SystemDns
from newsletter.sending.deliverability.domains import (
    is_own_endpoint,
    list_further_senders,
    make_sender,
    read_provider,
)
from newsletter.sending.deliverability.findings import Finding, error, ok, warning
from newsletter.sending.deliverability.refresh_domains import add_report_state, make_fetcher
from newsletter.sending.limits.installation_hold import has_other_address_key
from newsletter.sending.limits.recipient_allowlist import is_provider_blocked, is_sending_blocked
from newsletter.sending.repair_journal import repair_whole_journal
from subscribers.addresses.normalise import to_ascii
from subscribers.audience.recipient_allowlist import get_recipient_allowlist
from subscribers.unsubscribing.suppression_journal import journal_path


def check_provider(url: str) -> Iterator[Finding]:
    try:
        provider = read_provider_url(url)
    except BadProviderUrl as failure:
        yield error("provider", str(failure), "Correct NEWSLETTER_PROVIDER_URL.")
        return
    if provider.scheme == OUTBOX:
        yield ok("provider", "outbox: mail is written to files, and nobody is mailed.")
        return
    where = f" at {provider.endpoint}" if provider.endpoint else ""
    yield ok("provider", f"{provider.label}{where}.")
    if provider.endpoint and not is_own_endpoint(provider):
        do = "Take the endpoint out of NEWSLETTER_PROVIDER_URL to mail real people."
        yield warning("provider", f"{provider.endpoint} is not {provider.scheme}'s own address.", do)
    for limit in ADAPTERS[provider.scheme].limits:
        yield ok("provider", str(limit))


def check_sign_in(url: str, *, now: datetime) -> Iterator[Finding]:
    """Sign in at the provider, if that is possible without sending."""
    if read_provider(url) is None or find_account_tester(url) is None:
        return
    connection = try_connection(url, now=now)
    if connection.state == "works":
        yield ok("provider sign-in", "The mail server took our connection.")
    else:
        yield error("provider sign-in", connection.reason, "Correct NEWSLETTER_PROVIDER_URL, then run this again.")


def check_further_accounts(*, now: datetime, sign_in: bool = True) -> Iterator[Finding]:
    """Check each further account: its URL and, if asked for, its sign-in."""
    for account in list_accounts()[1:]:
        check = f"account {account.name}"
        if account.problem or account.provider is None:
            do = f"Correct {account.setting}, or take it out. No publication can use this account before."
            yield error(check, f"{account.problem}.", do)
            continue
        where = f" at {account.provider.endpoint}" if account.provider.endpoint else ""
        yield ok(check, f"{account.label}{where}.")
        if is_provider_blocked(account.provider):
            text = "Nobody is mailed through it: this is not production, and the provider is a real one."
            yield error(
                check,
                text,
                "In production, set NEWSLETTER_PRODUCTION=true. Elsewhere, name test addresses in NEWSLETTER_ONLY_TO.",
            )
        if sign_in and find_account_tester(account.url) is not None:
            connection = try_connection(account.url, now=now, account=account.name)
            if connection.state == "works":
                yield ok(check, "The mail server took our connection.")
            else:
                yield error(check, connection.reason, f"Correct {account.setting}, then run this again.")


def check_publication_accounts() -> Iterator[Finding]:
    """Report publications whose provider accounts cannot be used."""
    for publication in Publication.objects.filter(enabled=True):
        for name in (publication.account, publication.second_account):
            if name not in ("", DEFAULT_ACCOUNT) and (problem := explain_unusable(name)):
                do = "Correct the setting, or choose another account in the publication's form."
                yield error(f"publication {publication.slug}", f"{problem[0].upper()}{problem[1:]}.", do)


def check_reports(*, now: datetime) -> Iterator[Finding]:
    """Report the webhook's address of each account, if its reports can be verified, and the time of the last one."""
    webhooks = {webhook.account: webhook for webhook in list_webhook_settings()}
    for account in list_usable_accounts():
        if account.name in webhooks:
            yield from _check_webhook(webhooks[account.name], now=now)
        elif silence := explain_silence(account.provider):
            check = "webhooks" if account.name == DEFAULT_ACCOUNT else f"webhooks, account {account.name}"
            yield warning(check, silence, advise_on_silence())


def _check_webhook(webhook: WebhookSettings, *, now: datetime) -> Iterator[Finding]:
    setting = webhook.chosen.setting
    how = webhook.obstacle or f"Run: newsletter provider webhooks --install. Or enter it at {webhook.label} by hand."
    if webhook.lost_key:
        text = (
            f"A key that verifies reports of {webhook.label} cannot be read with this installation's secret key, so reports are "
            "refused."
        )
        yield error("webhooks", text, "Put the old secret key back, or run: newsletter provider webhooks --install")
    elif not webhook.has_key:
        text = (
            f"No webhook key of {webhook.label} is known, so reports are refused: bounces and complaints are not heard of. "
            f"{webhook.url}"
        )
        do = f"{how} Then add webhook_key=… to {setting}." if webhook.obstacle else how
        yield warning("webhooks", text, do)
    elif webhook.last_report_at is None and has_sent_before(webhook, now=now):
        yield warning("webhooks", f"No report of {webhook.label} ever came to {webhook.url}", how)
    elif webhook.last_report_at is None:
        text = f"No report of {webhook.label} has come to {webhook.url} yet; the first comes with the first mail."
        yield ok("webhooks", f"{text} To see that it is set up, run: newsletter provider webhooks")
    else:
        last = f"{webhook.last_report_at:%Y-%m-%d %H:%M} UTC"
        yield ok("webhooks", f"The last report of {webhook.label} came on {last}. Its own address is {webhook.url}")
    keys = len(split_keys(webhook.chosen.provider.webhook_key)) if webhook.chosen.provider else 0
    if keys > 1:
        do = f"Take the older one out of {setting} once your provider uses the newer."
        yield ok("webhooks", f"Reports are taken with any of {keys} keys. {do}")


def check_recipient_allowlist() -> Finding:
    """Report if this installation may mail everybody, some people, or nobody."""
    only_to = get_recipient_allowlist()
    if is_sending_blocked():
        do = "In production, set NEWSLETTER_PRODUCTION=true. To try things out, name your own addresses in NEWSLETTER_ONLY_TO."
        return error("who is mailed", "Nobody: this is not production, and the provider is a real one.", do)
    if only_to is None:
        return ok("who is mailed", "Everyone who asked for it.")
    text = f"Only {only_to}."
    if settings.NEWSLETTER_PRODUCTION:
        return warning("who is mailed", text, "Take NEWSLETTER_ONLY_TO out of the settings to mail everyone.")
    return ok("who is mailed", f"{text} NEWSLETTER_ONLY_TO says so.")


def check_senders(url: str, *, dns: Dns | None) -> Iterator[Finding]:
    """Check the DNS records of the domains that the default account sends, unless its mail goes to files.

    ``dns`` is asked instead of the system's.
    """
    provider = read_provider(url)
    if provider is None or not is_own_endpoint(provider):
        yield ok("sender domains", "Not checked: mail does not go to a provider of its own.")
        return
    domains: set[str] = set()
    for publication in Publication.objects.filter(enabled=True):
        try:
            domain = to_ascii(publication.from_email).rpartition("@")[2]
        except BadAddress as failure:
            yield error(f"sender of {publication.slug}", str(failure), "Correct the publication's from_email.")
        else:
            if DEFAULT_ACCOUNT in (publication.account, publication.second_account):
                domains.add(domain)
    for domain in sorted(domains):
        sender = add_report_state(make_sender(domain, provider), now=datetime.now(UTC))
        yield from check_sender_domain(sender, dns=dns or SystemDns(), fetcher=make_fetcher())


def check_further_senders(*, dns: Dns | None) -> Iterator[Finding]:
    """Check the DNS records of the domains that further accounts of real providers send for."""
    for domain, accounts in sorted(list_further_senders().items()):
        for name, provider in sorted(accounts.items()):
            sender = add_report_state(make_sender(domain, provider), now=datetime.now(UTC))
            for finding in check_sender_domain(sender, dns=dns or SystemDns(), fetcher=make_fetcher()):
                yield replace(finding, check=f"{finding.check}, account {name}")


def check_journal(*, now: datetime) -> Finding:
    """Check the suppression journal, and add the missing entries."""
    path = journal_path()
    if path.parent.stat().st_uid != os.geteuid():
        return ok("unsubscribe journal", "Not checked: the data belongs to another user, who alone should write there.")
    try:
        added = repair_whole_journal(now=now)
    except OSError as failure:
        text = (
            f"{path} cannot be written: {failure.strerror}. After a restore, people who unsubscribed would be mailed."
        )
        do = "Make room, or give this user the right to write there. What is missing is then added by itself."
        return error("unsubscribe journal", text, do)
    noted = f"{added:,} lines that had found no room were added." if added else "It misses nothing."
    return ok("unsubscribe journal", f"{path}: {noted}")


def check_hold() -> Finding:
    """Report a hold of the whole installation."""
    row = Installation.objects.filter(held=True).first()
    if row is None:
        return ok("hold", "Mail may go out from this database.")
    if has_other_address_key(row):
        begin = "On a copy, change nothing. In your own installation, set its NEWSLETTER_ADDRESS_KEY and restart."
    else:
        begin = "First run `newsletter doctor --after-restore`, which says what to check."
    do = f"{begin} Then run: newsletter doctor --after-restore --release"
    return error("hold", f"Everything is held: {row.reason}.", do)


@dataclass(frozen=True)
class Connection:
    """``works``, ``refused`` with a reason, or ``untested`` for a provider with neither a sign-in nor a list to read."""

    state: Literal["works", "refused", "untested"]
    reason: str = ""


def try_connection(url: str, *, now: datetime, account: str = DEFAULT_ACCOUNT) -> Connection:
    """Call the provider once with the key of the URL. Nothing is sent and nothing is stored."""
    try:
        if tester := find_account_tester(url, account=account):
            with closing(tester):
                tester.test_account()
                return Connection("works")
        adapter = make_trial_adapter(url)
    except DomainError as error:
        return Connection("refused", error.message)
    with closing(adapter):
        if not isinstance(adapter, SuppressionLister):
            return Connection("untested")
        try:
            next(iter(adapter.list_suppressed(since=now)), None)
        except DomainError as error:
            return Connection("refused", error.message)
    return Connection("works")
