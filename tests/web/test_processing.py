"""The record of processing: made from the settings and the data, it names no subscriber and marks what is missing."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from newsletter.api_keys import make_key
from newsletter.desk.staff.processing_record import RETENTION_LABELS, describe_processing, find_processor
from newsletter.models import Publication
from newsletter.providers.registry import read_provider_url
from newsletter.sending.settling import retention as send_retention
from subscribers.audience import count_cache
from subscribers.erasing import retention
from subscribers.models import Basis
from subscribers.segments.attributes import write_attributes
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers, make_publication
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.webhooks import make_endpoint

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P13")]
ROOT = Path(__file__).parents[2]
SES = "ses://AKIAEXAMPLE:very-secret@eu-west-1"


def read_lines(page: str) -> Iterator[str]:
    """Yield the text of the page: one line per paragraph, heading, list entry or table row."""
    main = page.split("nl-record", 1)[1].split("</main>", 1)[0].split(">", 1)[1]
    for part in re.split(r"</(?:p|h2|li|tr)>", main):
        cells = [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.split(r"</t[dh]>", part)]
        if said := " | ".join(cell for cell in cells if cell):
            yield said


def read_record(role: str = "data") -> list[str]:
    return list(read_lines(sign_in(role).get("/admin/processing/").content.decode()))


@override_settings(NEWSLETTER_PROVIDER_URL=SES, NEWSLETTER_PULSE_URL="https://pulse.example.net/a-secret-path")
def test_the_record_shows_the_settings_and_the_data(publication: Publication) -> None:
    weekly = publication.mailing_list
    publication.brand.postal_address = "1 Harbour Street, London"
    publication.brand.save()
    for number in range(2):
        make_member(weekly, f"p{number}@example.org")
    ends = {"expires_at": timezone.now() + timedelta(days=9)}
    implied = make_person("maple@example.org")
    subscribe(implied, weekly, basis=Basis.CASL_IMPLIED, **ends)
    subscribe(make_person("gone@example.org"), weekly, basis=Basis.CONTRACT, ended_at=NOW, end_reason="unsubscribe")
    subscribe(make_person("waiting@example.org"), weekly, basis=Basis.DOUBLE_OPT_IN)
    write_attributes([(implied.pk, {"membership": "gold"})])
    make_list("alerts", name="Alerts")
    make_key(name="Donor database", scope="people", by="kim", now=timezone.now())
    said = read_record()
    for line in (
        f"{publication.brand.name} , 1 Harbour Street, London",
        "Lists that no publication uses: Alerts",
        "consent | 2",
        "implied consent, for a time (Canada) | 1",
        "Extra fields: membership",
        "Amazon SES | each subscriber’s address and emails | eu-west-1",
        "pulse.example.net | a heartbeat, no personal data | to be filled in: region",
        "Donor database | through an API key: sign up, change and read people, and stop emails | to be filled in: region",
        f"address and details, after the person left the last list | {retention.UNSUBSCRIBED_RETENTION.days} days",
        f"who was sent which issue; after that, only totals | {send_retention.RETENTION.days} days",
    ):
        assert any(line in one for one in said), (line, said)
    assert any(publication.name in one and publication.from_email in one for one in said)
    text = " ".join(said)
    assert "contract" not in text  # its only subscription has ended
    assert "confirmed by mail |" not in text  # its only subscription is not confirmed
    for secret in ("very-secret", "AKIAEXAMPLE", "a-secret-path", "maple@", "p0@example.org", "gold"):
        assert secret not in text


@pytest.mark.parametrize("between", [", ", "\n"])
def test_an_address_that_begins_with_the_name_does_not_double_it(publication: Publication, between: str) -> None:
    publication.brand.postal_address = f"{publication.brand.name}{between}1 Harbour Street, London"
    publication.brand.save()
    assert any(f"{publication.brand.name} , 1 Harbour Street, London" in line for line in read_record())


def test_the_record_shows_the_retention_that_the_jobs_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(RETENTION_LABELS) == set(describe_processing(now=timezone.now()).retention_days)
    monkeypatch.setattr(retention, "UNSUBSCRIBED_RETENTION", timedelta(days=11))
    assert "address and details, after the person left the last list | 11 days" in read_record()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("outbox://", None),
        (SES, ("Amazon SES", "", "eu-west-1")),
        ("mailgun://k@news.example.org?endpoint=https://api.eu.mailgun.net", ("Mailgun", "api.eu.mailgun.net", "EU")),
        ("mailgun://k@news.example.org", ("Mailgun", "", "")),
        ("postmark://token@", ("Postmark", "", "")),
        ("smtp://u:p@mail.example.org:587", ("SMTP (STARTTLS, port 587)", "mail.example.org", "")),
    ],
)
def test_the_record_names_the_provider_and_its_region(url: str, said: tuple[str, str, str] | None) -> None:
    found = find_processor(read_provider_url(url))
    assert (found and (found.name, found.host, found.region)) == said


def test_an_empty_installation_has_a_record() -> None:
    said = " ".join(read_record("admin"))
    assert "to be filled in: the organisation" in said
    assert "Nobody is on a list." in said
    assert "No mail provider | emails are written to files on this machine | this machine" in said


@pytest.mark.parametrize("role", ["writer", "editor", "approver"])
def test_other_roles_cannot_open_the_record(role: str) -> None:
    assert sign_in(role).get("/admin/processing/").status_code in (302, 403)


def test_the_impact_assessment_template_has_every_part() -> None:
    page = (ROOT / "docs" / "reference/impact-assessment.md").read_text(encoding="utf-8")
    for part in ("Processing", "Necessity and proportion", "Who was asked", "Risks", "Measures", "Decision"):
        assert f"\n## {part}" in page
    assert "impact-assessment.md" in (ROOT / "docs/reference/privacy.md").read_text(encoding="utf-8")


def test_the_record_names_the_systems_that_receive_webhooks() -> None:
    make_endpoint()
    page = sign_in("admin").get("/admin/processing/").content.decode()
    assert "https://crm.example.org/hooks" in page


@override_settings(
    NEWSLETTER_PROVIDER_URL="mailgun://key@news.example.org",
    NEWSLETTER_FURTHER_PROVIDER_URLS={"backup": SES, "again": SES.replace("EXAMPLE", "OTHER")},
)
def test_the_record_names_the_provider_of_each_account_once(publication: Publication) -> None:
    said = [line for line in read_record() if "each subscriber’s address and emails" in line]
    assert len(said) == 2
    assert "eu-west-1" in said[1]


@pytest.fixture
def slow_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", -1)


@pytest.mark.usefixtures("slow_counts")
def test_the_record_says_when_a_long_list_was_counted() -> None:
    publication = make_publication()
    add_subscribers(publication, 2)
    now = timezone.now()
    assert describe_processing(now=now).bases_counted_at is None
    add_subscribers(publication, 3, start=2)
    kept = describe_processing(now=now + timedelta(minutes=1))
    assert (kept.bases, kept.bases_counted_at) == ([("consent", 2)], now)
    client, url = sign_in("admin"), reverse("newsletter_processing")
    assert "Counted at" in client.get(url).content.decode()
    assert "Counted at" not in client.get(url, {"count": "again"}).content.decode()
    assert describe_processing(now=now).bases == [("consent", 5)]
