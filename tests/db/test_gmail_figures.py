"""Google's figures are read once a day and stored once; whatever is missing stays unknown and is never 0."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from newsletter.models import PostmasterFigure, PostmasterReading, PostmasterRequirement, Publication
from newsletter.sending.deliverability.gmail_figures.fetch import _claim, fetch_due_figures
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import find_worst_rate
from tests.support.fixtures import NOW, make_publication
from tests.support.google_postmaster import EMAIL, REFUSED, Google, google_error, google_postmaster

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = NOW.date()
DAY = TODAY - timedelta(days=3)
DOMAIN = "example.org"


@pytest.fixture
def google() -> Iterator[Google]:
    with google_postmaster() as server:
        server.date = NOW
        yield server


@pytest.fixture
def publication(google: Google, settings: Any, tmp_path: Path) -> Publication:
    settings.NEWSLETTER_POSTMASTER = google.access(tmp_path)
    return add_sender(f"news@{DOMAIN}")


def add_sender(address: str, *, slug: str = "weekly") -> Publication:
    made = make_publication(slug=slug)
    Publication.objects.filter(pk=made.pk).update(from_email=address)
    made.refresh_from_db()
    return made


def read(now: Any = NOW) -> PostmasterReading:
    fetch_due_figures(now=now)
    return PostmasterReading.objects.get()


def list_rates() -> list[tuple[date, float]]:
    return list(PostmasterFigure.objects.order_by("day").values_list("day", "value"))


@pytest.mark.postgres
def test_figures_are_stored_with_their_day_and_moment(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {DAY: 0.0012, DAY - timedelta(days=1): 0}
    row = read()
    assert (row.domain, row.failure, row.read_at) == (DOMAIN, "", NOW)
    assert list_rates() == [(DAY - timedelta(days=1), 0.0), (DAY, 0.0012)]
    assert set(PostmasterFigure.objects.values_list("domain", "fetched_at")) == {(DOMAIN, NOW)}


def test_google_is_asked_once_a_day(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {}
    read()
    read(NOW + timedelta(hours=23))
    assert google.asked == [DOMAIN]
    read(NOW + timedelta(hours=24))
    assert google.asked == [DOMAIN, DOMAIN]


def test_a_clock_that_was_set_back_delays_nothing(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {}
    read()
    assert read(NOW - timedelta(days=30)).read_at == NOW - timedelta(days=30)


@pytest.mark.postgres
def test_a_figure_that_google_corrects_replaces_the_first(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {DAY: 0.004}
    read()
    google.rates[DOMAIN] = {DAY: 0.002}
    read(NOW + timedelta(days=1))
    assert list_rates() == [(DAY, 0.002)]
    assert PostmasterFigure.objects.get().fetched_at == NOW + timedelta(days=1)


def test_a_figure_that_comes_three_days_late_counts_for_its_day(google: Google, publication: Publication) -> None:
    for days in range(3):
        google.rates[DOMAIN] = {TODAY: None}
        read(NOW + timedelta(days=days))
        assert list_rates() == [], "A day without a figure is unknown, not 0."
    google.rates[DOMAIN] = {TODAY: 0.004}
    read(NOW + timedelta(days=3))
    assert list_rates() == [(TODAY, 0.004)]
    assert PostmasterFigure.objects.get().fetched_at == NOW + timedelta(days=3)


def test_a_day_without_a_value_has_no_figure(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {DAY: None}
    assert (read().failure, list_rates()) == ("", [])


def test_days_that_nobody_asked_for_are_left_out(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {TODAY + timedelta(days=1): 0.5, TODAY - timedelta(days=31): 0.5, TODAY: 0.001}
    read()
    assert list_rates() == [(TODAY, 0.001)]


def test_all_pages_are_read(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {TODAY - timedelta(days=age): 0.001 for age in range(7)}
    google.page_size = 3
    read()
    assert len(list_rates()) == 7


def test_pages_without_end_are_no_answer(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {TODAY - timedelta(days=age): 0.001 for age in range(12)}
    google.page_size = 1
    assert (read().failure, list_rates()) == ("unreadable", [])


def test_the_domain_above_is_asked_if_the_senders_is_unknown(
    google: Google, publication: Publication, settings: Any
) -> None:
    Publication.objects.update(from_email="news@mail.news.example.org")
    google.rates[DOMAIN] = {DAY: 0.001}
    row = read()
    assert (row.sender, row.domain) == ("mail.news.example.org", DOMAIN)
    assert google.asked == ["mail.news.example.org", "news.example.org", DOMAIN]


def test_a_domain_without_figures_gives_way_to_one_above(google: Google, publication: Publication) -> None:
    Publication.objects.update(from_email="news@mail.example.org")
    google.rates = {"mail.example.org": {}, DOMAIN: {DAY: 0.001}}
    assert read().domain == DOMAIN
    google.rates[DOMAIN] = {}
    assert read(NOW + timedelta(days=1)).domain == "mail.example.org"


def use_accounts(settings: Any, **domains: str) -> None:
    """Configure an account of Mailgun for each domain: ``default`` and others."""
    urls = {name: f"mailgun://key-{name}-0123456789@{domain}" for name, domain in domains.items()}
    settings.NEWSLETTER_PROVIDER_URL = urls.pop("default")
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = urls


def list_readings() -> list[tuple[str, str, str]]:
    rows = PostmasterReading.objects.order_by("sender", "signing")
    return list(rows.values_list("sender", "signing", "domain"))


@pytest.mark.postgres
def test_the_domain_of_each_account_is_asked(google: Google, publication: Publication, settings: Any) -> None:
    use_accounts(settings, default="mail.example.org", backup="backup.example.net")
    Publication.objects.update(second_account="backup")
    google.rates = {"mail.example.org": {DAY: 0.001}, "backup.example.net": {DAY: 0.005}}
    fetch_due_figures(now=NOW)
    assert list_readings() == [
        (DOMAIN, "backup.example.net", "backup.example.net"),
        (DOMAIN, "mail.example.org", "mail.example.org"),
    ]


def test_the_rate_is_that_of_the_account_in_use(google: Google, publication: Publication, settings: Any) -> None:
    use_accounts(settings, default="mail.example.org", backup="backup.example.net")
    Publication.objects.update(second_account="backup")
    google.rates = {"mail.example.org": {DAY: 0.001}, "backup.example.net": {DAY: 0.005}}
    fetch_due_figures(now=NOW)

    def find_rate(*accounts: str) -> float:
        worst = find_worst_rate(publication, now=NOW, accounts=accounts)
        return worst.value if worst else -1

    assert [find_rate(), find_rate("backup"), find_rate("default", "backup")] == [0.001, 0.005, 0.005]
    publication.account = "backup"
    assert find_rate() == 0.005
    assert find_rate("removed") == -1


def test_no_account_gets_the_rate_of_another(google: Google, publication: Publication, settings: Any) -> None:
    use_accounts(settings, default="mail.example.org", backup=DOMAIN)
    Publication.objects.update(account="backup")
    add_sender(f"news@{DOMAIN}", slug="other")
    google.rates = {"mail.example.org": {DAY: 0.01}}
    fetch_due_figures(now=NOW)
    assert list_readings() == [(DOMAIN, DOMAIN, ""), (DOMAIN, "mail.example.org", "mail.example.org")]
    google.rates = {DOMAIN: {DAY: 0.01}}
    use_accounts(settings, default="news.example.net", backup=DOMAIN)
    fetch_due_figures(now=NOW + timedelta(days=1))
    assert (DOMAIN, "news.example.net", "") in list_readings()


def test_an_account_that_is_not_configured_is_not_asked(google: Google, publication: Publication) -> None:
    Publication.objects.update(second_account="backup")
    google.rates[DOMAIN] = {}
    fetch_due_figures(now=NOW)
    assert list_readings() == [(DOMAIN, DOMAIN, DOMAIN)]


def test_a_changed_account_is_asked_at_once(google: Google, publication: Publication, settings: Any) -> None:
    google.rates = {DOMAIN: {DAY: 0.01}, "mail.example.org": {DAY: 0.001}}
    fetch_due_figures(now=NOW)
    use_accounts(settings, default="mail.example.org")
    assert find_worst_rate(publication, now=NOW) is None
    fetch_due_figures(now=NOW)
    worst = find_worst_rate(publication, now=NOW)
    assert worst is not None
    assert worst.domain == "mail.example.org"


def test_a_domain_that_is_not_verified_is_reported(google: Google, publication: Publication) -> None:
    row = read()
    assert (row.failure, row.domain, row.read_at, list_rates()) == ("not_verified", "", None, [])


@pytest.mark.postgres
def test_requirements_are_kept_as_google_says_now(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {}
    rows = {"SPF": "COMPLIANT", "DMARC_POLICY": "NEEDS_WORK", "ENCRYPTION": "STATE_UNSPECIFIED"}
    google.compliance[DOMAIN] = {
        "complianceData": {
            "rowData": [{"requirement": name, "status": {"status": state}} for name, state in rows.items()],
            "honorUnsubscribeVerdict": {"status": {"status": "NEEDS_WORK"}, "reason": "NOT_HONORING"},
        }
    }
    read()
    found = PostmasterRequirement.objects.order_by("name").values_list("name", "is_met")
    assert list(found) == [("DMARC_POLICY", False), ("HONOR_UNSUBSCRIBE", False), ("SPF", True)]
    google.compliance[DOMAIN] = {"subdomainComplianceData": {"rowData": []}, "complianceData": {"rowData": []}}
    read(NOW + timedelta(days=1))
    assert not PostmasterRequirement.objects.exists()


def test_a_subdomain_has_its_own_requirements(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {}
    row = {"requirement": "SPF", "status": {"status": "COMPLIANT"}}
    own = {"requirement": "SPF", "status": {"status": "NEEDS_WORK"}}
    google.compliance[DOMAIN] = {"complianceData": {"rowData": [row]}, "subdomainComplianceData": {"rowData": [own]}}
    read()
    assert PostmasterRequirement.objects.get().is_met is False


@pytest.mark.parametrize(
    ("place", "answer", "failure"),
    [
        ("token", (400, json.dumps(REFUSED).encode()), "key_refused"),
        ("token", (401, b'{"error": "deleted_client"}'), "key_refused"),
        ("token", (401, b'{"error": "unauthorized_client"}'), "person_refused"),
        ("token", (400, b'{"error": "invalid_scope"}'), "scope_missing"),
        ("token", (400, b'{"error": {"code": 1}}'), "key_refused"),
        ("token", (400, b"<html>"), "unreadable"),
        ("token", (429, b""), "quota"),
        ("token", (503, b""), "server_error"),
        ("token", (200, b"[]"), "unreadable"),
        ("token", (200, b'{"access_token": "a\\nb"}'), "unreadable"),
        ("stats", google_error(401, "UNAUTHENTICATED"), "key_refused"),
        ("stats", google_error(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), "api_off"),
        ("stats", google_error(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "scope_missing"),
        ("stats", google_error(404, "NOT_FOUND"), "not_verified"),
        ("stats", google_error(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"), "quota"),
        ("stats", google_error(403, "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), "quota"),
        ("stats", (500, b"oops"), "server_error"),
        ("stats", (400, b'{"error": []}'), "unreadable"),
        ("stats", (302, b""), "unreadable"),
        ("stats", (200, b"<html>not JSON"), "unreadable"),
        ("stats", (200, b"[]"), "unreadable"),
        ("stats", (200, b"[" * 100_000), "unreadable"),
        ("stats", (200, b'{"domainStats": {}}'), "unreadable"),
        ("stats", (200, b'{"domainStats": [1]}'), "unreadable"),
        ("stats", (200, b'{"domainStats": [{"metric": "spam_rate", "value": {"floatValue": 0.1}}]}'), "unreadable"),
        ("stats", (200, b'{"domainStats": [{"metric": "spam_rate", "value": {"floatValue": 30}}]}'), "unreadable"),
        ("stats", (200, b'{"domainStats": [{"metric": "spam_rate", "value": {"floatValue": "NaN"}}]}'), "unreadable"),
        ("stats", (200, b'{"domainStats": [{"metric": "spam_rate", "value": {"floatValue": true}}]}'), "unreadable"),
        ("stats", (200, b'{"domainStats": [{"metric": "other", "value": {"floatValue": 30}}]}'), ""),
        ("compliance", (200, b"no"), "unreadable"),
        ("compliance", (200, b'{"complianceData": [1]}'), "unreadable"),
        ("compliance", (200, b'{"complianceData": {"rowData": {}}}'), "unreadable"),
        ("compliance", (200, b'{"complianceData": {"rowData": [1, {"requirement": 1}]}}'), ""),
        ("compliance", google_error(429, "RESOURCE_EXHAUSTED"), "quota"),
    ],
)
def test_each_bad_answer_has_its_code(
    google: Google, publication: Publication, place: str, answer: tuple[int, bytes], failure: str
) -> None:
    google.rates[DOMAIN] = {}
    google.answers[place] = answer
    assert (read().failure, list_rates()) == (failure, [])


def test_known_figures_stay_when_google_fails(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {DAY: 0.001}
    read()
    google.answers["token"] = (400, json.dumps(REFUSED).encode())
    google.date = NOW + timedelta(days=1)
    row = read(NOW + timedelta(days=1))
    assert (row.failure, row.domain, row.read_at) == ("key_refused", DOMAIN, NOW)
    assert list_rates() == [(DAY, 0.001)]


def test_rates_count_if_only_the_requirements_fail(google: Google, publication: Publication) -> None:
    google.rates[DOMAIN] = {DAY: 0.01}
    google.answers["compliance"] = (503, b"")
    row = read()
    assert (row.domain, row.read_at, row.failure) == (DOMAIN, NOW, "server_error")
    worst = find_worst_rate(publication, now=NOW)
    assert worst is not None
    assert worst.value == 0.01
    google.answers.clear()
    assert read(NOW + timedelta(hours=1)).failure == ""


@pytest.mark.parametrize(("failure", "hours"), [((503, b""), 1), (google_error(429, "RESOURCE_EXHAUSTED"), 6)])
def test_a_failed_reading_is_tried_again(
    google: Google, publication: Publication, failure: tuple[int, bytes], hours: int
) -> None:
    google.rates[DOMAIN] = {DAY: 0.001}
    google.answers["stats"] = failure
    read()
    google.answers.clear()
    assert read(NOW + timedelta(hours=hours, minutes=-1)).failure != ""
    assert read(NOW + timedelta(hours=hours)).failure == ""


def test_a_quota_stops_the_run_for_all_domains(google: Google, publication: Publication) -> None:
    add_sender("news@other.example", slug="other")
    google.answers["stats"] = google_error(429, "RESOURCE_EXHAUSTED")
    fetch_due_figures(now=NOW)
    assert google.asked == [DOMAIN]
    assert set(PostmasterReading.objects.values_list("failure", flat=True)) == {"quota"}


def test_a_domain_that_fails_does_not_stop_others(google: Google, publication: Publication) -> None:
    add_sender("news@other.example", slug="other")
    google.rates["other.example"] = {DAY: 0.001}
    fetch_due_figures(now=NOW)
    assert dict(PostmasterReading.objects.values_list("sender", "failure")) == {
        DOMAIN: "not_verified",
        "other.example": "",
    }


def test_a_wrong_clock_is_distinguished_from_a_refused_key(google: Google, publication: Publication) -> None:
    google.answers["token"] = (400, json.dumps(REFUSED).encode())
    google.date = NOW + timedelta(minutes=6)
    assert read().failure == "clock"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_missing_answer_is_reported(
    google: Google, publication: Publication, settings: Any, tmp_path: Path, host: str
) -> None:
    settings.NEWSLETTER_POSTMASTER = google.access(tmp_path, token_uri=f"http://{host}:9/token")
    assert read().failure == "no_answer"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "external_account"},
        {"private_key": "nonsense"},
        {"private_key": 5},
        {"client_email": ""},
        {"token_uri": "http://example.org/token"},
        {"token_uri": "http://["},
        {"token_uri": "ftp://127.0.0.1/token"},
        {"type": "authorized_user"},
    ],
)
def test_a_file_that_is_not_a_key_file_is_reported(
    google: Google, publication: Publication, settings: Any, tmp_path: Path, change: dict[str, Any]
) -> None:
    settings.NEWSLETTER_POSTMASTER = google.access(tmp_path, **change)
    assert (read().failure, google.forms) == ("key_file", [])


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b'{"type": "' + b"x" * 70_000 + b'"}'])
def test_a_damaged_key_file_is_reported(
    google: Google, publication: Publication, settings: Any, tmp_path: Path, body: bytes
) -> None:
    settings.NEWSLETTER_POSTMASTER = access = google.access(tmp_path)
    assert access.key_file is not None
    access.key_file.write_bytes(body)
    assert read().failure == "key_file"
    access.key_file.unlink()
    assert read(NOW + timedelta(hours=1)).failure == "key_file"


def test_a_service_account_asks_in_its_own_name_or_a_persons(
    google: Google, publication: Publication, settings: Any, tmp_path: Path
) -> None:
    google.rates[DOMAIN] = {}
    read()
    settings.NEWSLETTER_POSTMASTER = google.access(tmp_path, person="ann@example.org")
    read(NOW + timedelta(days=1))
    first, second = google.claims
    assert (first["iss"], first.get("sub"), second["sub"]) == (EMAIL, None, "ann@example.org")
    assert first["scope"] == "https://www.googleapis.com/auth/postmaster.traffic.readonly"
    assert (first["aud"], first["iat"]) == (f"{google.url}/token", NOW.timestamp())


def test_a_person_can_authorise_instead(
    google: Google, publication: Publication, settings: Any, tmp_path: Path
) -> None:
    secrets = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
    settings.NEWSLETTER_POSTMASTER = google.access(tmp_path, type="authorized_user", **secrets)
    google.rates[DOMAIN] = {DAY: 0.001}
    assert read().failure == ""
    assert google.forms == [{"grant_type": "refresh_token", **secrets}]


def test_no_key_reaches_the_log(
    google: Google, publication: Publication, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    google.answers["token"] = (400, json.dumps(REFUSED).encode())
    read()
    settings.NEWSLETTER_POSTMASTER = google.access(tmp_path, private_key="nonsense")
    read(NOW + timedelta(hours=1))
    assert "key_refused" in caplog.text
    assert "nonsense" not in caplog.text
    assert "PRIVATE KEY" not in caplog.text


def test_without_a_key_nothing_is_asked(settings: Any) -> None:
    make_publication()
    assert fetch_due_figures(now=NOW) == 0
    assert not PostmasterReading.objects.exists()


def test_a_switched_off_publication_asks_nothing(google: Google, publication: Publication) -> None:
    Publication.objects.update(enabled=False)
    assert fetch_due_figures(now=NOW) == 0


@pytest.mark.postgres
def test_two_processes_ask_once(google: Google, publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    google.rates[DOMAIN] = {}
    module = "newsletter.sending.deliverability.gmail_figures.fetch"
    monkeypatch.setattr(f"{module}._claim", lambda row, now: False)
    assert fetch_due_figures(now=NOW) == 0
    monkeypatch.undo()
    stale = PostmasterReading.objects.get()
    assert [_claim(stale, now=NOW), _claim(stale, now=NOW)] == [True, False]


@pytest.mark.parametrize("value", [-0.1, 1.1])
@pytest.mark.postgres
def test_the_database_takes_shares_only(value: float, db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PostmasterFigure.objects.create(domain=DOMAIN, day=DAY, figure="spam_rate", value=value, fetched_at=NOW)


@pytest.mark.postgres
def test_the_database_keeps_one_figure_a_day(db: None) -> None:
    PostmasterFigure.objects.create(domain=DOMAIN, day=DAY, figure="spam_rate", value=0.1, fetched_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        PostmasterFigure.objects.create(domain=DOMAIN, day=DAY, figure="spam_rate", value=0.2, fetched_at=NOW)


@pytest.mark.postgres
def test_a_reading_without_failure_has_a_domain(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PostmasterReading.objects.create(sender=DOMAIN, signing=DOMAIN, asked_at=NOW, retry_at=NOW)


@pytest.mark.postgres
def test_a_sender_and_its_signing_domain_have_one_reading(db: None) -> None:
    values = {"sender": DOMAIN, "asked_at": NOW, "retry_at": NOW, "failure": "no_answer"}
    for signing in (DOMAIN, "mail.example.org"):
        PostmasterReading.objects.create(signing=signing, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        PostmasterReading.objects.create(signing=DOMAIN, **values)
