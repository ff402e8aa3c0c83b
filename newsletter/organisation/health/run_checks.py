"""Run every check in order. Without a database, checks that need it are skipped."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from newsletter.organisation.health.backup import check_backup
from newsletter.organisation.health.configuration import (
    check_extensions,
    check_keys,
    check_monitor,
    check_proxies,
    check_quotes,
    check_repeated_names,
    check_setting_names,
    check_settings_file,
)
from newsletter.organisation.health.content import (
    check_brand,
    check_overdue,
    check_privacy_notice,
    check_protected_terms,
    check_publications,
    check_sources,
    check_staff,
)
from newsletter.organisation.health.identity_provider import check_identity_provider, check_way_back
from newsletter.organisation.health.inbound import check_inbound, check_mailboxes
from newsletter.organisation.health.machine import (
    check_data_folder,
    check_database,
    check_disk,
    check_owner,
    check_privacy,
    check_site_url,
    check_templates,
)
from newsletter.organisation.health.postmaster import check_postmaster
from newsletter.organisation.health.sending import (
    check_further_accounts,
    check_further_senders,
    check_hold,
    check_journal,
    check_provider,
    check_publication_accounts,
    check_recipient_allowlist,
    check_reports,
    check_senders,
    check_sign_in,
)
from newsletter.organisation.private_folder import DataPaths
from newsletter.providers.registry import OUTBOX
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domains import read_provider
from newsletter.sending.deliverability.findings import Finding

LEFT_OUT_IF_QUICK = (
    *("identity provider", "sign-in at the mail provider", "mailboxes", "domains of senders", "spam rate at Gmail"),
    "templates",
)
"""What `examine` leaves out if it is quick: checks that ask another server than the database, and one that renders a mail."""


def examine(*, dns: Dns | None = None, quick: bool = False) -> Iterator[Finding]:
    """Yield every finding as it is made. `dns` is asked instead of this machine's name servers.

    ``quick`` leaves out `LEFT_OUT_IF_QUICK`.
    """
    yield from _check_configuration()
    folder = Path(settings.NEWSLETTER_DATA_DIR)
    data = check_data_folder(folder)
    yield data
    if data.level == "ok":
        yield check_privacy(DataPaths(folder, settings.NEWSLETTER_DATABASE_FILE))
        yield check_owner(folder)
        yield check_disk(folder)
        if not quick:
            yield from check_identity_provider()
    yield from check_extensions()
    url = settings.NEWSLETTER_PROVIDER_URL
    yield from check_provider(url)
    if not quick:
        yield from check_sign_in(url, now=datetime.now(UTC))
    yield from check_further_accounts(now=datetime.now(UTC), sign_in=not quick)
    yield check_recipient_allowlist()
    provider = read_provider(url)
    yield from check_site_url(
        settings.NEWSLETTER_SITE_URL,
        production=settings.ENV.production,
        sends_real_mail=provider is not None and provider.scheme != OUTBOX,
    )
    if not quick:
        yield check_templates()
        yield from check_mailboxes()
    database = check_database()
    yield database
    if database.level != "error":
        yield from _check_content(keeps_journal=data.level == "ok")
        if not quick:
            yield from check_senders(url, dns=dns)
            yield from check_postmaster(now=datetime.now(UTC))
            yield from check_further_senders(dns=dns)


def _check_content(*, keeps_journal: bool) -> Iterator[Finding]:
    """Check the content of the database. No other server is asked."""
    now = datetime.now(UTC)
    yield check_hold()
    if keeps_journal:
        yield check_journal(now=now)
    yield check_backup(now=now)
    yield from check_reports(now=now)
    yield from check_inbound(now=now)
    yield check_brand()
    yield from check_privacy_notice()
    yield check_staff()
    yield from check_way_back()
    yield from check_publications()
    yield from check_publication_accounts()
    yield from check_sources()
    yield check_overdue(now=now)
    yield check_protected_terms()


def _check_configuration() -> Iterator[Finding]:
    setting_names = set(settings.ENV.by_name())
    yield check_settings_file(settings.ENV.env_file, folder=Path.cwd())
    yield from check_setting_names(
        environ=os.environ, in_file=settings.ENV.names_in_file(), setting_names=setting_names
    )
    yield from check_repeated_names(settings.ENV.repeated_in_file(), file=settings.ENV.env_file)
    yield from check_quotes(environ=os.environ, setting_names=setting_names)
    yield check_keys(settings.ENV.weak_keys(), production=settings.ENV.production)
    yield from check_monitor(settings.NEWSLETTER_PULSE_URL, allowed=settings.NEWSLETTER_FETCH_ALLOW)
    yield check_proxies(settings.NEWSLETTER_SITE_URL, proxies=settings.SUBSCRIBERS_TRUSTED_PROXIES)
