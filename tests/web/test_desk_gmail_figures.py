"""The desk shows Google's figures with their day and age, never 0 for an unknown day, and asks why a pause is lifted."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from newsletter.desk.home.gmail_tasks import find_gmail_tasks
from newsletter.desk.sends.gmail_figures import REQUIREMENTS, list_send_figures
from newsletter.google_postmaster.settings import PostmasterAccess
from newsletter.jobs.notices.about_sends import notify_spam_rates
from newsletter.models import (
    PaceStep,
    PostmasterFigure,
    PostmasterReading,
    PostmasterRequirement,
    Publication,
    Send,
    StaffNotice,
)
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.organisation.accounts.roles import ROLES
from newsletter.sending.limits.gmail_spam_rate import pause_reported
from tests.support.desk import list_messages, sign_in
from tests.support.feedback_reports import make_send
from tests.support.fixtures import make_approver, make_publication
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db(transaction=True)
DOMAIN = "news.example.org"


@pytest.fixture(autouse=True)
def _key(settings: Any, tmp_path: Path) -> None:
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess(key_file=tmp_path / "google.json")


@pytest.fixture
def admin(request: pytest.FixtureRequest) -> Client:
    """Sign in after the send is made: rows of a sign-in are random, so the send would be built in each test."""
    if "send" in request.fixturenames:
        request.getfixturevalue("send")
    return sign_in("admin")


@pytest.fixture
def send() -> Send:
    made = make_send(recipients=3)
    then = timezone.now() - timedelta(days=8)
    Send.objects.filter(pk=made.pk).update(started_at=then, ended_at=then, state=Send.State.SUBMITTED)
    return Send.objects.get(pk=made.pk)


def today() -> date:
    return timezone.now().date()


def reading(
    *, failure: str = "", days_ago: float = 0.1, domain: str = DOMAIN, signing: str = DOMAIN
) -> PostmasterReading:
    at = timezone.now() - timedelta(days=days_ago)
    return PostmasterReading.objects.create(
        sender=DOMAIN,
        signing=signing,
        domain=domain,
        asked_at=at,
        retry_at=at,
        read_at=at if domain else None,
        failure=failure,
    )


def rate(value: float, *, days_ago: int = 1) -> None:
    PostmasterFigure.objects.create(
        domain=DOMAIN,
        day=today() - timedelta(days=days_ago),
        figure="spam_rate",
        value=value,
        fetched_at=timezone.now(),
    )


def report(admin: Client, send: Send) -> str:
    return compact_html(admin.get(f"/admin/issues/{send.issue_id}/report/").content.decode())


def test_the_report_shows_the_days_of_the_send(admin: Client, send: Send) -> None:
    reading()
    rate(0.0004, days_ago=8)
    rate(0.0012, days_ago=7)
    rate(0.0031, days_ago=6)
    rate(0.5, days_ago=5)
    page = report(admin, send)
    for words in ("Gmail about news.example.org", "0.04 %", "0.12 %", "0.31 %", "too high", "Counted by Google"):
        assert words in page
    assert "50.0 %" not in page


def test_an_unknown_day_is_never_zero(send: Send) -> None:
    reading()
    Send.objects.update(started_at=timezone.now() - timedelta(days=6), ended_at=timezone.now())
    days = list_send_figures(Send.objects.get(), now=timezone.now())[0]["gmail_days"]
    assert [one.rate for one in days] == [""] * 7
    assert [one.note.partition(":")[0] for one in days] == [
        *["Google gives no figure"] * 2,
        *["No figures for that day yet"] * 5,
    ]


def test_a_known_zero_is_shown_as_such(send: Send) -> None:
    reading()
    rate(0, days_ago=8)
    assert list_send_figures(send, now=timezone.now())[0]["gmail_days"][0].rate == "0 %"


def test_a_long_send_shows_two_weeks(send: Send) -> None:
    reading()
    Send.objects.update(started_at=timezone.now() - timedelta(days=40), ended_at=None)
    assert len(list_send_figures(Send.objects.get(), now=timezone.now())[0]["gmail_days"]) == 14


def test_without_a_question_to_google_the_page_is_silent(admin: Client, send: Send) -> None:
    assert "Gmail about" not in report(admin, send)


SIGNING = "backup.example.net"


@pytest.fixture
def backup(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key-0123456789@{DOMAIN}"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": f"mailgun://other-0123456789@{SIGNING}"}


def test_the_report_shows_the_domain_of_each_account(admin: Client, send: Send, backup: None) -> None:
    reading()
    reading(domain=SIGNING, signing=SIGNING)
    send.batches.update(account="backup", handed_to="backup")
    page = report(admin, send)
    assert ("Gmail about backup.example.net" in page, "Gmail about news.example.org" in page) == (True, False)


def test_pages_show_a_domain_of_two_accounts_once(admin: Client, backup: None) -> None:
    make_publication(second_account="backup")
    reading(domain="example.org")
    reading(domain="example.org", signing=SIGNING)
    assert admin.get("/admin/setup/domain/").content.decode().count("Gmail about example.org") == 1


def test_home_names_the_domain_of_the_second_account(admin: Client, backup: None) -> None:
    make_publication(second_account="backup")
    reading(failure="key_refused", domain="", signing=SIGNING)
    assert [title for title, _ in tasks()] == ["Google’s figures of backup.example.net cannot be read"]
    PostmasterReading.objects.update(failure="", domain=DOMAIN, read_at=timezone.now())
    rate(0.004)
    assert [tone for _, tone in tasks()] == ["urgent"]
    Publication.objects.update(second_account="")
    assert tasks() == []


def test_requirements_are_named_in_words(admin: Client, send: Send) -> None:
    reading()
    for name, is_met in (("SPF", True), ("DMARC_POLICY", False), ("A_NEW_ONE", False)):
        PostmasterRequirement.objects.create(domain=DOMAIN, name=name, is_met=is_met, fetched_at=timezone.now())
    assert "not met:</strong> A_NEW_ONE, DMARC policy." in report(admin, send)
    PostmasterRequirement.objects.filter(is_met=False).delete()
    assert "Google says that 1 requirement for senders is met." in report(admin, send)


def test_requirements_older_than_the_rates_are_unknown(admin: Client, send: Send) -> None:
    reading(failure="server_error")
    before = timezone.now() - timedelta(days=1)
    PostmasterRequirement.objects.create(domain=DOMAIN, name="SPF", is_met=True, fetched_at=before)
    assert list_send_figures(send, now=timezone.now())[0]["gmail_met"] == 0


@pytest.mark.parametrize("failure", PostmasterReading.Failure.values)
def test_each_failure_says_what_to_do(admin: Client, send: Send, failure: str) -> None:
    reading(failure=failure, domain="")
    page = report(admin, send)
    assert str(PostmasterReading.Failure(failure).label) in page
    assert "have not answered yet" in page


def test_a_removed_key_is_reported(admin: Client, send: Send, settings: Any) -> None:
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess()
    reading()
    assert "Google is no longer asked" in report(admin, send)


def test_the_sending_domain_page_shows_the_last_days(admin: Client) -> None:
    make_publication()
    reading()
    rate(0.0012)
    page = admin.get("/admin/setup/domain/").content.decode()
    assert page.count('id="nl-gmail"') == 1
    assert "0.12 %" in page
    assert "No figures for that day yet" in page


def tasks(days: int = 0) -> list[tuple[str, str]]:
    person = User.objects.get(username="admin@example.org")
    found = find_gmail_tasks(now=timezone.now() + timedelta(days=days), person=person)
    return [(one.title, one.tone) for one in found]


@pytest.mark.parametrize(("value", "tones"), [(0.0009, []), (0.001, ["waits"]), (0.004, ["urgent"])])
def test_home_names_a_high_rate(admin: Client, value: float, tones: list[str]) -> None:
    make_publication()
    make_publication(slug="second")
    reading()
    rate(value)
    assert [tone for _, tone in tasks()] == tones
    assert ("report mail of news.example.org as spam" in admin.get("/admin/").content.decode()) == bool(tones)


@pytest.mark.parametrize(
    ("failure", "days_ago", "named"),
    [("key_refused", 0, True), ("not_verified", 0, True), ("no_answer", 2.9, False), ("no_answer", 3.1, True)],
)
def test_home_names_a_failure_that_stays(admin: Client, failure: str, days_ago: float, named: bool) -> None:
    make_publication()
    reading(failure=failure, days_ago=days_ago)
    assert bool(tasks()) == named


def test_home_is_quiet_without_a_key(admin: Client, settings: Any) -> None:
    make_publication()
    reading(failure="key_refused")
    settings.NEWSLETTER_POSTMASTER = PostmasterAccess()
    assert tasks() == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_only_those_who_set_up_have_the_tasks(role: str) -> None:
    make_publication()
    reading(failure="key_refused")
    assert "cannot be read" not in sign_in(role).get("/admin/").content.decode()


def test_staff_get_one_notice_for_each_day() -> None:
    make_approver()
    make_publication()
    make_publication(slug="second")
    reading()
    for value, days_ago, notices in ((0.0009, 3, 0), (0.001, 2, 1), (0.004, 1, 2)):
        rate(value, days_ago=days_ago)
        notify_spam_rates(now=timezone.now())
        notify_spam_rates(now=timezone.now())
        assert StaffNotice.objects.count() == notices
    assert "The next issue pauses" in str(StaffNotice.objects.latest("pk").paragraphs)


def pause() -> Send:
    send = make_send(recipients=3)
    Send.objects.update(started_at=timezone.now())
    reading()
    rate(0.0031)
    assert pause_reported(now=timezone.now())
    return send


def test_resuming_asks_for_a_reason_and_shows_it() -> None:
    send = pause()
    approver = sign_in("approver")
    page = approver.get(reverse("newsletter_issue_overview", args=[send.issue_id])).content.decode()
    assert "Reason for sending it anyway" in page
    assert "report mail of this domain as spam (0.31 %)" in page
    step = reverse("newsletter_send_step", args=[send.issue_id, "go-on"])
    assert any(
        "Enter a reason, then resume it." in text
        for text in list_messages(approver.post(step, {"reason": " "}, follow=True))
    )
    assert any(
        "has resumed" in text
        for text in list_messages(approver.post(step, {"reason": "The list is clean."}, follow=True))
    )
    assert AutomaticPause.objects.get().lifted_reason == "The list is clean."
    page = approver.get(reverse("newsletter_issue_overview", args=[send.issue_id])).content.decode()
    assert "“The list is clean.”" in page
    assert "Reason for sending it anyway" not in page


def test_other_pauses_ask_for_no_reason() -> None:
    send = make_send(recipients=3)
    Send.objects.update(state=Send.State.PAUSED, code=Send.Code.PAUSED_BY_STAFF)
    page = sign_in("approver").get(reverse("newsletter_issue_overview", args=[send.issue_id])).content.decode()
    assert "Resume" in page
    assert "Reason for sending it anyway" not in page


def test_the_switch_is_on_the_publications_page(admin: Client) -> None:
    publication = make_publication()
    page = admin.get(reverse("wagtailsnippets_newsletter_publication:edit", args=[publication.pk])).content.decode()
    assert 'name="gmail_pause"' in page
    assert Publication.objects.get().gmail_pause


def test_figures_are_shown_in_spanish(admin: Client, send: Send) -> None:
    reading()
    rate(0.0031, days_ago=8)
    with translation.override("es"):
        [context] = list_send_figures(send, now=timezone.now())
    assert context["gmail_days"][0].rate == "0,31 %"
    assert set(REQUIREMENTS) >= {"SPF", "DKIM", "DMARC_POLICY"}


def test_the_send_page_shows_each_step_of_its_pace() -> None:
    send = make_send(recipients=3)
    Send.objects.update(started_at=timezone.now(), people_per_minute=33)
    why = {"mailbox": "Gmail", "status": "4.7.28", "reports": 5, "mails": 200}
    PaceStep.objects.create(send=send, number=1, code="slowed", people_per_minute=33, at=timezone.now(), **why)
    address = reverse("newsletter_issue_overview", args=[send.issue_id])
    page = sign_in("approver").get(address).content.decode()
    for words in (
        "Gmail refused or delayed 5 of 200 mails because of the sender (4.7.28).",
        "At most 33 people a minute.",
        "smaller daily limit",
    ):
        assert words in page
    PaceStep.objects.create(send=send, number=2, code="ended", at=timezone.now())
    page = sign_in("approver", email="second@example.org").get(address).content.decode()
    assert "At full pace again" in page
    assert "The reports stopped." in page
    assert "smaller daily limit" not in page


def test_a_slowed_send_says_that_it_waits_for_its_pace() -> None:
    send = make_send(recipients=3, state="pending")
    later = timezone.now() + timedelta(minutes=9)
    Send.objects.update(started_at=timezone.now() - timedelta(minutes=9), people_per_minute=33)
    send.batches.update(not_before=later)
    address = reverse("newsletter_issue_overview", args=[send.issue_id])
    assert "the send was slowed" in sign_in("approver").get(address).content.decode()
