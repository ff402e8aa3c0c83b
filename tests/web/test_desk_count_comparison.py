"""The report says how its numbers compare with the provider's, what a difference can mean, and Home names one that stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from newsletter.desk.home.report_tasks import find_report_tasks
from newsletter.desk.sends.count_comparison import comparison_context
from newsletter.models import Attempt, Batch, CountComparison, Send
from newsletter.providers.base.errors import CountsFailure
from newsletter.sending.adapters import account_label, provider_label
from tests.support.desk import sign_in
from tests.support.fake_provider import FakeProvider
from tests.support.feedback_reports import make_send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("W8")]


@pytest.fixture
def admin() -> Client:
    return sign_in("admin")


@pytest.fixture
def send(fake_provider: FakeProvider, settings: Any) -> Send:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("mailgun")
    made = make_send(recipients=3)
    return end(made, days=3)


def end(send: Send, *, days: float) -> Send:
    then = timezone.now() - timedelta(days=days)
    Send.objects.filter(pk=send.pk).update(
        provider=provider_label(), started_at=then, ended_at=then, state=Send.State.SUBMITTED
    )
    send.refresh_from_db()
    return send


def add(send: Send, result: str, *, days_ago: int = 0, **values: Any) -> CountComparison:
    now = timezone.now() - timedelta(days=days_ago)
    numbers: dict[str, Any] = {
        "accepted": 1920,
        "delivered": 1901,
        "provider_accepted": 1920,
        "provider_delivered": 1901,
    }
    if values.get("failure"):
        numbers = {}
    return CountComparison.objects.create(
        send=send, day=now.date(), compared_at=now, result=result, **{**numbers, **values}
    )


def read(admin: Client, send: Send) -> str:
    return admin.get(f"/admin/issues/{send.issue_id}/report/").content.decode()


def test_equal_numbers_are_one_sentence(send: Send, admin: Client) -> None:
    add(send, "equal")
    page = read(admin, send)
    assert "equal (1,920 accepted, 1,901 delivered)" in page
    assert "Compared with Mailgun on " in page
    assert "not counted" in page, "Mailgun's bounces are not in this row."


@pytest.mark.parametrize(
    ("result", "figure", "advice"),
    [
        ("more_at_provider", "accepted", "has mails that our delivery summary does not count as accepted"),
        ("fewer_at_provider", "accepted", "accepted mails that it has not counted"),
        ("more_at_provider", "delivered", "did not reach us"),
        ("fewer_at_provider", "delivered", "reported more than it counts"),
        ("not_counted_yet", "accepted", "counts hours late"),
    ],
)
def test_a_difference_says_what_it_can_mean(send: Send, admin: Client, result: str, figure: str, advice: str) -> None:
    add(send, result, figure=figure, provider_accepted=1925, provider_delivered=7, deliveries=[4711, 4712])
    page = read(admin, send)
    assert advice in page
    assert ("counted 1,925 accepted" if figure == "accepted" else "counted 7 delivered") in page
    assert "2 deliveries concerned" in page
    assert "4711, 4712" in page


@pytest.mark.parametrize("failure", list(CountsFailure))
def test_each_failure_has_its_sentence(send: Send, failure: CountsFailure) -> None:
    add(send, "unavailable", failure=failure)
    (shown,) = comparison_context(send, now=timezone.now())["compared_accounts"]
    assert len(shown.advice) == 1
    assert "%(" not in shown.advice[0]
    with translation.override("es"):
        (spanish,) = comparison_context(send, now=timezone.now())["compared_accounts"]
    assert spanish.advice != shown.advice


def test_an_issue_that_is_not_known_yet_is_too_early_and_no_failure(send: Send, admin: Client) -> None:
    add(send, "not_counted_yet", failure="unknown_issue")
    page = read(admin, send)
    assert "too early. Mailgun has not counted this issue yet" in page
    assert "Mailgun counts hours late. We ask again later." in page
    assert "not compared" not in page
    assert "in its logs" not in page
    assert "nl-tag--held" not in page[page.index('id="nl-compared"') :].partition("</h2>")[0]


def test_uncertain_recipients_are_named_beside_the_result(send: Send, admin: Client) -> None:
    add(send, "equal", uncertain=2)
    assert "2 recipients are uncertain. The provider may have these mails or not. Either is counted as equal." in read(
        admin, send
    )


def test_earlier_days_are_listed(send: Send, admin: Client) -> None:
    add(send, "not_counted_yet", figure="accepted", provider_accepted=4, days_ago=1)
    add(send, "equal")
    page = read(admin, send)
    assert "Earlier days" in page
    assert page.index("equal (1,920") < page.index("has counted 4 accepted so far")


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        ("resend", "This provider does not count by issue: Resend counts by domain"),
        ("ses", "does not count by issue: Amazon SES counts by account"),
        ("sparkpost", "does not count by issue: SparkPost counts by campaign"),
        ("mailjet", "does not count by issue: Mailjet counts by campaign"),
        ("scaleway", "does not count by issue: Scaleway counts by project and domain"),
        ("mailersend", "does not count by issue: MailerSend counts by tag"),
        ("sendgrid", "It is compared with SendGrid’s counts each day"),
    ],
)
def test_a_provider_without_counts_says_why(
    send: Send, admin: Client, settings: Any, fake_provider: FakeProvider, provider: str, says: str
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of(provider)
    end(send, days=3)
    assert says in read(admin, send)


def test_another_account_and_files_are_not_compared(send: Send, admin: Client, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert "an account or key that is not set up here any more" in read(admin, send)
    Send.objects.filter(pk=send.pk).update(provider="outbox")
    assert "nl-compared" not in read(admin, send)


def test_after_its_week_a_send_without_comparison_shows_none(send: Send, admin: Client) -> None:
    end(send, days=9)
    assert "nl-compared" not in read(admin, send)


@pytest.mark.parametrize(
    ("values", "is_named"),
    [
        ({"result": "more_at_provider", "figure": "accepted"}, True),
        ({"result": "fewer_at_provider", "figure": "accepted"}, True),
        ({"result": "more_at_provider", "figure": "bounced", "provider_bounced": 4}, True),
        ({"result": "unavailable", "failure": "unknown_issue"}, True),
        ({"result": "fewer_at_provider", "figure": "delivered"}, False),
        ({"result": "unavailable", "failure": "no_answer"}, False),
        ({"result": "equal"}, False),
    ],
)
def test_home_names_a_difference_that_stays(send: Send, admin: Client, values: dict[str, Any], is_named: bool) -> None:
    end(send, days=6)
    add(send, "fewer_at_provider", figure="accepted", days_ago=2)
    task = "Mailgun’s counts of The weekly letter No. 1 differ from ours"
    assert task not in admin.get("/admin/").content.decode(), "The difference is of the fifth day."
    add(send, values.pop("result"), **values)
    page = admin.get("/admin/").content.decode()
    assert (task in page) == is_named
    assert (f"/admin/issues/{send.issue_id}/report/#nl-compared" in page) == is_named
    assert task not in sign_in("editor").get("/admin/").content.decode()


def test_home_finds_out_once_which_accounts_have_mails_of_an_issue(send: Send, admin: Client) -> None:
    end(send, days=6)
    add(send, "fewer_at_provider", figure="accepted")
    administrator = User.objects.get(username="admin@example.org")
    with CaptureQueriesContext(connection) as queries:
        (task,) = find_report_tasks(now=timezone.now(), person=administrator)[:1]
    assert "differ from ours" in task.title
    assert len([query for query in queries if 'SELECT DISTINCT "newsletter_batch"."account"' in query["sql"]]) == 1


def test_each_account_has_its_part_of_the_report(
    send: Send, admin: Client, settings: Any, fake_provider: FakeProvider
) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": fake_provider.url_of("postmark")}
    end(send, days=6)
    batch = send.batches.get()
    for number, account in enumerate(("default", "backup"), start=1):
        part = batch if account == "default" else Batch.objects.get(pk=batch.pk)
        if account == "backup":
            part.pk, part.seq, part.part, part.key, part.size = None, 2, 2, "the-rest", 0
            part.account = part.handed_to = account
            part.save(force_insert=True)
        values = {"people": 3, "started_at": timezone.now(), "ended_at": timezone.now(), "outcome": "accepted"}
        Attempt.objects.create(batch=part, number=number, provider=account_label(account), **values)
    add(send, "equal", account="default")
    add(send, "more_at_provider", account="backup", figure="accepted", provider_accepted=1925)
    page = read(admin, send)
    first, second = page.index('id="nl-compared"'), page.index('id="nl-compared-backup"')
    assert "equal (1,920 accepted, 1,901 delivered)" in page[first:second]
    assert "counted 1,925 accepted" in page[second:]
    assert "Compared with Postmark (backup) on " in page[second:]
    assert page.count("Only the mails that went through this account are counted here.") == 2
    home = admin.get("/admin/").content.decode()
    assert "Postmark (backup)’s counts of The weekly letter No. 1 differ from ours" in home
    assert f"/admin/issues/{send.issue_id}/report/#nl-compared-backup" in home
