"""Runs every check in order. What needs the database is left out where there is none to ask."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from newsletter.organisation.health.content import (
    check_brand,
    check_overdue,
    check_protected,
    check_publications,
    check_sources,
    check_staff,
)
from newsletter.organisation.health.machine import (
    check_data_folder,
    check_database,
    check_disk,
    check_site_url,
    check_templates,
)
from newsletter.organisation.health.sending import check_hold, check_provider, check_reach, check_senders
from newsletter.organisation.health.web_server import check_proxies
from newsletter.sending.domain_records import FindTexts, find_texts
from newsletter.sending.domains import OUTBOX, read_provider
from newsletter.sending.finding import Finding


def examine(*, find: FindTexts = find_texts) -> Iterator[Finding]:
    """Every finding, as it is made. `find` asks DNS for TXT records."""
    folder = Path(settings.NEWSLETTER_DATA_DIR)
    data = check_data_folder(folder)
    yield data
    if data.level == "ok":
        yield check_disk(folder)
    url = settings.NEWSLETTER_PROVIDER_URL
    yield from check_provider(url)
    yield check_reach()
    provider = read_provider(url)
    yield from check_site_url(
        settings.NEWSLETTER_SITE_URL,
        production=settings.ENV.production,
        mails_people=provider is not None and provider.scheme != OUTBOX,
    )
    yield check_proxies(settings.NEWSLETTER_SITE_URL, proxies=settings.SUBSCRIBERS_TRUSTED_PROXIES)
    yield check_templates()
    database = check_database()
    yield database
    if database.level != "error":
        yield check_hold()
        yield check_brand()
        yield check_staff()
        yield from check_publications()
        yield from check_sources()
        yield check_overdue(now=datetime.now(UTC))
        yield check_protected()
        yield from check_senders(url, find=find)
