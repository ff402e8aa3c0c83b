"""`newsletter doctor` asks Google about each sender's domain, and says what to do if there is no answer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.google_postmaster.figures import FigureFailure
from newsletter.google_postmaster.settings import PostmasterAccess
from newsletter.models import PostmasterFigure, Publication
from newsletter.organisation.health.postmaster import check_postmaster
from newsletter.sending.deliverability.gmail_figures.advice import WHAT_TO_DO
from tests.support.fixtures import NOW, make_publication
from tests.support.google_postmaster import Google, google_error, google_postmaster

pytestmark = pytest.mark.django_db(transaction=True)
DOMAIN = "news.example.org"
DAY = NOW.date() - timedelta(days=3)


@pytest.fixture
def google(settings: Any, tmp_path: Path) -> Iterator[Google]:
    make_publication()
    with google_postmaster() as server:
        server.date = NOW
        settings.NEWSLETTER_POSTMASTER = access = server.access(tmp_path)
        assert access.key_file is not None
        access.key_file.chmod(0o600)
        yield server


def look() -> list[tuple[str, str]]:
    return [(finding.level, f"{finding.says} {finding.do}") for finding in check_postmaster(now=NOW)]


def test_a_good_rate_is_shown_with_its_day(google: Google) -> None:
    google.rates[DOMAIN] = {DAY: 0.0004, DAY - timedelta(days=1): 0.0002}
    [(level, text)] = look()
    assert level == "ok"
    assert "news.example.org: the highest rate since 2026-02-02 is 0.04 %, on 2026-03-01" in text
    assert not PostmasterFigure.objects.exists()


def test_a_tiny_rate_is_not_called_zero(google: Google) -> None:
    google.rates[DOMAIN] = {DAY: 0.00004}
    assert "is < 0.01 %, on 2026-03-01" in look()[0][1]


def test_a_rate_above_what_gmail_wants_is_a_warning(google: Google) -> None:
    google.rates[DOMAIN] = {DAY: 0.001}
    assert look()[0][0] == "warning"


def test_no_figure_is_never_called_zero(google: Google) -> None:
    google.rates[DOMAIN] = {}
    [(level, text)] = look()
    assert (level, "gives no figure" in text, "0%" in text) == ("ok", True, False)


def test_a_requirement_that_is_not_met_is_named(google: Google) -> None:
    google.rates[DOMAIN] = {DAY: 0}
    row = {"requirement": "DMARC_POLICY", "status": {"status": "NEEDS_WORK"}}
    google.compliance[DOMAIN] = {"complianceData": {"rowData": [row]}}
    [(level, text)] = look()
    assert (level, "DMARC_POLICY" in text) == ("warning", True)


def test_a_person_in_whose_name_nothing_asks_is_a_warning(settings: Any, tmp_path: Path) -> None:
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess(person="ann@example.org")
    [(level, text)] = look()
    assert (level, "NEWSLETTER_POSTMASTER_KEY_FILE names no key" in text) == ("warning", True)
    file = tmp_path / "key.json"
    file.write_text('{"type": "authorized_user", "client_id": "1", "client_secret": "s", "refresh_token": "r"}')
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess(
        key_file=file, person="ann@example.org", endpoint="http://127.0.0.1:9"
    )
    assert look()[0][0] == "warning"
    assert "NEWSLETTER_POSTMASTER_PERSON has no effect" in look()[0][1]


def test_a_person_for_the_key_of_a_service_account_is_no_warning(google: Google, settings: Any) -> None:
    google.rates[DOMAIN] = {}
    settings.NEWSLETTER_POSTMASTER = replace(settings.NEWSLETTER_POSTMASTER, person="ann@example.org")
    assert [level for level, _ in look()] == ["ok"]


def test_a_domain_that_is_not_verified_is_a_warning(google: Google) -> None:
    [(level, text)] = look()
    assert (level, "add the domain that signs your mail" in text) == ("warning", True)


@pytest.mark.parametrize("place", ["token", "stats"])
def test_a_failure_is_an_error_with_what_to_do(google: Google, place: str) -> None:
    google.answers[place] = google_error(403, "PERMISSION_DENIED", "SERVICE_DISABLED")
    if place == "token":
        google.answers[place] = (400, b'{"error": "invalid_grant"}')
    [(level, text)] = look()
    wanted = "Create a new one" if place == "token" else "Turn on the “Gmail Postmaster Tools API”"
    assert (level, wanted in text) == ("error", True)


def test_a_key_that_others_can_read_is_a_warning(google: Google, settings: Any) -> None:
    google.rates[DOMAIN] = {DAY: 0}
    file = settings.NEWSLETTER_POSTMASTER.key_file
    file.chmod(0o644)
    assert look()[0] == ("warning", f"Other users of this machine can read {file}. Run: chmod 600 {file}")


def test_a_key_file_that_is_not_there_is_an_error(google: Google, settings: Any) -> None:
    settings.NEWSLETTER_POSTMASTER.key_file.unlink()
    [(level, text)] = look()
    assert (level, "cannot be read" in text) == ("error", True)


@pytest.mark.parametrize(("url", "levels"), [("outbox://", []), ("postmark://token@", ["advice"])])
def test_a_key_is_advised_once_real_mail_goes_out(settings: Any, url: str, levels: list[str]) -> None:
    settings.NEWSLETTER_PROVIDER_URL = url
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess()
    assert [level for level, _ in look()] == levels


def test_a_key_is_advised_if_a_further_account_mails(settings: Any) -> None:
    make_publication(account="backup")
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key-0123456789@example.org?endpoint=http://127.0.0.1:9"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "mailgun://other-0123456789@backup.example.net"}
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess()
    assert [level for level, _ in look()] == ["advice"]


def test_the_domain_of_each_account_is_named(google: Google, settings: Any) -> None:
    Publication.objects.update(second_account="backup")
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key-0123456789@{DOMAIN}"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "mailgun://other-0123456789@backup.example.net"}
    google.rates[DOMAIN] = {DAY: 0.0004}
    found = look()
    assert [level for level, _ in found] == ["warning", "ok"]
    assert found[0][1].startswith("backup.example.net: ")


def test_each_failure_has_its_advice() -> None:
    assert set(WHAT_TO_DO) == set(FigureFailure)
