"""The record of processing (GDPR, article 30), made from the settings and the database. It names no subscriber.

No setting says who runs the machine, so staff fill that in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy

from newsletter.common.translation import translate
from newsletter.desk.staff.staff_forms import ROLE_NAMES
from newsletter.feedback import event_retention
from newsletter.inbound import store as inbound_mails
from newsletter.models import ApiKey, Brand, Publication
from newsletter.outbound import replay
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.registry import ADAPTERS, read_provider_url
from newsletter.sending.accounts import list_accounts
from newsletter.sending.deliverability.dmarc_reports import store as dmarc_reports
from newsletter.sending.notices import template_mails
from newsletter.sending.settling import retention as send_retention
from subscribers.audience.count_cache import recall_or_count
from subscribers.confirmation_quota import CONFIRMATION_QUOTA_RETENTION
from subscribers.desk.count_again import counted_context, wants_count
from subscribers.desk.people_page import PeoplePage
from subscribers.erasing import retention
from subscribers.exporting import export_requests
from subscribers.importing.writing import import_steps
from subscribers.models import Basis, MailingList, Subscriber, Subscription, WebhookEndpoint
from subscribers.segments.attributes import attribute_keys

EU_HOST_LABELS = ("eu", "europe")
RETENTION_LABELS = {
    "left": gettext_lazy("address and details, after the person left the last list"),
    "unconfirmed": gettext_lazy("a sign-up that was not confirmed"),
    "held": gettext_lazy("a sign-up that waits for review"),
    "links": gettext_lazy("emailed links to download data, change an address or erase data"),
    "counts": gettext_lazy("number of sign-ups per network, as a keyed hash"),
    "askings": gettext_lazy("number of confirmation emails per mailbox, as a keyed hash"),
    "files": gettext_lazy("an import file, its refused lines and notes"),
    "exports": gettext_lazy("export requests: what, by whom and why"),
    "reports": gettext_lazy("the provider’s reports about emails"),
    "deliveries": gettext_lazy("who was sent which issue; after that, only totals"),
    "webhooks": gettext_lazy("what was told to other systems by webhook, without addresses"),
    "inbound": gettext_lazy("that a mail came in; what a reply says only until staff have it"),
    "dmarc": gettext_lazy("DMARC reports: addresses of mail servers, and counts"),
    "mails": gettext_lazy("that a single mail was sent, as a keyed hash; its values only until then"),
}
"""Labels for the names of `retention_days`."""


@dataclass(frozen=True)
class Processor:
    """An outside recipient of data. `region` is empty if no setting says it."""

    name: str
    host: str
    region: str


@dataclass(frozen=True)
class Controller:
    """An organisation that sends. `address` does not repeat its name."""

    name: str
    address: str
    website: str


@dataclass(frozen=True)
class ProcessingRecord:
    """The record as of `made_at`. `bases` and `staff` hold labels with numbers of people."""

    made_at: datetime
    controllers: list[Controller]
    purposes: list[Publication]
    other_lists: list[MailingList]
    people: int
    bases: list[tuple[str, int]]
    bases_counted_at: datetime | None
    attributes: list[str]
    provider: Processor | None
    further_providers: list[Processor]
    mailboxes: list[str]
    monitor: str
    keys: list[ApiKey]
    webhooks: list[WebhookEndpoint]
    site: str
    database: str
    staff: list[tuple[str, int]]
    retention_days: dict[str, int]


def describe_processing(*, now: datetime, again: bool = False) -> ProcessingRecord:
    """Return the record as it is at `now`. Raise BadProviderUrl if the provider's URL is invalid.

    A long list's subscriptions are those of the last 15 minutes, or with ``again`` those of `now`.
    """
    bases = recall_or_count("legal bases", lambda: _count_bases(now), now=now, again=again)
    publications = list(Publication.objects.select_related("mailing_list", "segment", "brand").order_by("name"))
    with_mail = {publication.mailing_list_id for publication in publications}
    return ProcessingRecord(
        made_at=now,
        controllers=[_make_controller(brand) for brand in Brand.objects.order_by("name")],
        purposes=publications,
        other_lists=list(MailingList.objects.exclude(pk__in=with_mail).order_by("name")),
        people=Subscriber.objects.count(),
        bases=[(str(Basis(basis).label), people) for basis, people in bases.value],
        bases_counted_at=bases.counted_at,
        attributes=attribute_keys(),
        provider=find_processor(read_provider_url(settings.NEWSLETTER_PROVIDER_URL)),
        further_providers=_find_further_processors(),
        mailboxes=sorted({mailbox.host for mailbox in settings.NEWSLETTER_INBOUND.mailboxes}),
        monitor=urlsplit(settings.NEWSLETTER_PULSE_URL or "").hostname or "",
        keys=list(ApiKey.objects.valid(now=now).order_by("name")),
        webhooks=list(WebhookEndpoint.objects.exclude(state=WebhookEndpoint.State.OFF)),
        site=settings.NEWSLETTER_SITE_URL,
        database="PostgreSQL" if connection.vendor == "postgresql" else "SQLite",
        staff=list(_count_staff()),
        retention_days=retention_days(),
    )


def _find_further_processors() -> list[Processor]:
    """Return the providers of the further accounts, each once."""
    processors = [find_processor(account.provider) for account in list_accounts()[1:] if account.provider]
    return list(dict.fromkeys(processor for processor in processors if processor))


def find_processor(provider: ProviderSettings) -> Processor | None:
    """Return the provider that sends the mail, or None if mail is written to files on this machine."""
    if provider.scheme == "outbox":
        return None
    adapter = ADAPTERS[provider.scheme]
    host = adapter.find_host(provider)
    region = provider.domain if provider.scheme == "ses" else "EU" if set(EU_HOST_LABELS) & set(host.split(".")) else ""
    return Processor(name=adapter.company or translate(adapter.label), host=host, region=region)


def retention_days() -> dict[str, int]:
    """Return the days for which each kind of data is kept: the same values that the retention jobs use."""
    spans: dict[str, timedelta] = {
        "left": retention.UNSUBSCRIBED_RETENTION,
        "unconfirmed": retention.UNCONFIRMED_RETENTION,
        "held": retention.HELD_SIGNUP_RETENTION,
        "links": retention.MAILED_LINK_RETENTION,
        "counts": retention.COUNTER_RETENTION,
        "askings": CONFIRMATION_QUOTA_RETENTION,
        "files": timedelta(days=import_steps.UPLOAD_RETENTION_DAYS),
        "exports": export_requests.EXPORT_RECORD_RETENTION,
        "reports": event_retention.RETENTION,
        "deliveries": send_retention.RETENTION,
        "webhooks": replay.RETENTION,
        "mails": template_mails.RETENTION,
        "inbound": inbound_mails.RETENTION,
        "dmarc": dmarc_reports.RETENTION,
    }
    return {name: span.days for name, span in spans.items()}


def _count_bases(now: datetime) -> list[tuple[str, int]]:
    """Return each legal basis in use with its number of subscriptions, the largest first."""
    mailable = Subscription.objects.mailable().exclude(expires_at__lte=now).order_by()
    rows = mailable.values_list("basis").annotate(people=Count("pk"))
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _count_staff() -> Iterator[tuple[str, int]]:
    """Yield the name of each role, the highest first, with the number of people who can sign in."""
    for role, name in ROLE_NAMES.items():
        people = User.objects.filter(groups__name=role, is_active=True).count()
        if people:
            yield str(name), people


class ProcessingPage(PeoplePage):
    template_name = "desk/processing.html"
    page_title = gettext_lazy("Record of processing")
    header_icon = "doc-full-inverse"
    required_permission = "subscribers.add_importbatch"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        record = describe_processing(now=timezone.now(), again=wants_count(self.request))
        retention = [(RETENTION_LABELS[name], days) for name, days in record.retention_days.items()]
        return {
            **super().get_context_data(**kwargs),
            "record": record,
            "retention": retention,
            **counted_context(self.request, record.bases_counted_at),
        }


def _make_controller(brand: Brand) -> Controller:
    name, address = (" ".join(text.split()) for text in (brand.name, brand.postal_address))
    rest = address.removeprefix(name)
    if not rest or rest[:1] in ", ;":
        address = rest.lstrip(",; ")
    return Controller(name, address, brand.website)
