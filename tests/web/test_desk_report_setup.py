"""The desk shows where the provider reports, sets it up by one button, and names sends without reports."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from newsletter.desk.issues.issue_page import overview_url
from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.endpoint import webhook_secret, webhook_url
from newsletter.feedback.receive import store_feedback, store_webhook
from newsletter.feedback.webhook_setup.keys import note_report, store_key
from newsletter.feedback.webhook_setup.silence import find_silent_accounts, find_silent_sends
from newsletter.feedback.webhook_setup.state import list_webhook_settings
from newsletter.models import Attempt, AuditEntry, Batch, Delivery, ProviderWebhook, Send
from newsletter.organisation.health.sending import check_reports
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.sending.adapters import provider_label
from tests.support.desk import list_messages, sign_in
from tests.support.feedback_reports import (
    apply_reports,
    brevo_event,
    deliveries_of,
    make_send,
    postmark_event,
    store_reports,
)
from tests.support.fixtures import NOW
from tests.support.webhook_apis import WebhookApi, serve_webhook_api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("F8")]
PAGE = "/admin/setup/provider/"
AN_HOUR_ON = NOW + timedelta(hours=1)


@pytest.fixture
def api(settings: Any) -> Iterator[WebhookApi]:
    with serve_webhook_api("brevo") as api:
        settings.NEWSLETTER_PROVIDER_URL = api.account
        settings.NEWSLETTER_PRODUCTION = True
        yield api


@pytest.fixture
def admin() -> Client:
    return sign_in("admin")


@pytest.fixture
def send(api: WebhookApi) -> Send:
    made = make_send(recipients=3)
    Send.objects.filter(pk=made.pk).update(provider=provider_label(), started_at=NOW)
    made.batches.update(settled_at=NOW)
    made.refresh_from_db()
    return made


def test_the_page_shows_the_address_and_one_button(api: WebhookApi, admin: Client) -> None:
    page = admin.get(PAGE).content.decode()
    assert webhook_url("brevo") in page
    assert "Set up reports" in page
    assert "reports are refused until they are set up" in page
    assert api.calls == [], "A page asks no provider."


def test_the_button_sets_it_up_and_is_in_the_staff_log(api: WebhookApi, admin: Client) -> None:
    api.add_others(1)
    answer = admin.post(PAGE, {"reports": "default"})
    assert list_messages(answer) == ["Brevo reports here from now on."]
    assert "1 webhook of the same account calls another address" in answer.content.decode()
    assert len(api.rows) == 2
    entry = AuditEntry.objects.get(action="newsletter.reports_set_up")
    assert entry.user is not None
    again = admin.get(PAGE).content.decode()
    assert "Check and repair" in again
    assert "No report has come yet" in again
    note_report("brevo", now=timezone.now())
    assert "The last report came on" in admin.get(PAGE).content.decode()


def test_each_account_has_its_own_part_of_the_page(api: WebhookApi, admin: Client, settings: Any) -> None:
    with serve_webhook_api("brevo") as second:
        settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": second.account}
        before, page = (admin.get(address).content.decode() for address in ("/admin/", PAGE))
        assert page.count('id="nl-reports') == 2
        assert webhook_url("brevo", "backup") in page
        assert "setting NEWSLETTER_PROVIDER_URL_BACKUP as webhook_key" in page
        assert list_messages(admin.post(PAGE, {"reports": "backup"})) == ["Brevo (backup) reports here from now on."]
        assert (api.rows, len(second.rows)) == ([], 1)
        assert "Set up the reports of Brevo (backup)" in before
        assert f'href="{PAGE}#nl-reports-backup"' in before
        assert 'id="nl-reports-backup"' in page
        home = admin.get("/admin/").content.decode()
        assert "Set up the reports of Brevo" in home
        assert "Set up the reports of Brevo (backup)" not in home
        assert "no NEWSLETTER_PROVIDER_URL_OTHER" in list_messages(admin.post(PAGE, {"reports": "other"}))[0]


def test_an_account_that_reports_nothing_is_named(api: WebhookApi, admin: Client, settings: Any) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"own": "smtp://mail.example.org"}
    page = admin.get(PAGE).content.decode()
    assert "Reports of SMTP (STARTTLS, port 587) (own)" in page
    assert "reports nothing here: bounces come as mail" in page


def test_a_refusal_is_shown_and_the_page_stays(api: WebhookApi, admin: Client) -> None:
    api.fault = (401, b"{}")
    answer = admin.post(PAGE, {"reports": "default"})
    assert answer.status_code == 200
    assert "does not let our key manage webhooks" in list_messages(answer)[0]
    assert not AuditEntry.objects.filter(action="newsletter.reports_set_up").exists()


def test_staff_without_the_right_get_neither_page_nor_task(api: WebhookApi) -> None:
    writer = sign_in("writer")
    assert writer.post(PAGE, {"reports": "default"}).status_code in (302, 403)
    assert api.calls == []
    assert "Set up the reports" not in writer.get("/admin/").content.decode()


def test_home_asks_for_reports_until_they_can_be_verified(api: WebhookApi, admin: Client) -> None:
    task = "Set up the reports of Brevo"
    assert task in admin.get("/admin/").content.decode()
    store_key("brevo", "a-token")
    assert task not in admin.get("/admin/").content.decode()


def test_without_a_provider_there_are_no_reports_to_set_up(admin: Client) -> None:
    assert "nl-reports" not in admin.get(PAGE).content.decode()
    assert "Set up the reports" not in admin.get("/admin/").content.decode()


def test_a_send_without_a_report_in_an_hour_is_silent(send: Send) -> None:
    assert find_silent_accounts(send, now=AN_HOUR_ON - timedelta(seconds=1)) == []
    (silent,) = find_silent_accounts(send, now=AN_HOUR_ON)
    assert silent.since == NOW
    assert [one.send.pk for one in find_silent_sends(list_webhook_settings(), now=AN_HOUR_ON)] == [send.pk]
    assert find_silent_sends(list_webhook_settings(), now=NOW + timedelta(days=8)) == []


@pytest.mark.parametrize("name", ["delivered", "hard_bounce", "spam"])
def test_any_report_about_the_send_ends_its_silence(send: Send, name: str) -> None:
    apply_reports(brevo_event(name, deliveries_of(send)[0]), provider="brevo", now=AN_HOUR_ON)
    assert find_silent_accounts(send, now=AN_HOUR_ON) == []


def test_a_report_that_waits_to_be_applied_is_not_silence(send: Send) -> None:
    store_reports(brevo_event("delivered", deliveries_of(send)[0]), provider="brevo", now=AN_HOUR_ON)
    assert find_silent_accounts(send, now=AN_HOUR_ON) == []


def test_mail_in_files_and_batches_on_their_way_are_not_silent(send: Send, settings: Any) -> None:
    send.batches.update(state=Batch.State.SUBMITTING)
    assert find_silent_accounts(send, now=AN_HOUR_ON) == []
    send.batches.update(state=Batch.State.ACCEPTED)
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert find_silent_accounts(send, now=AN_HOUR_ON) == []


def test_the_advice_depends_on_the_known_facts(send: Send) -> None:
    def do() -> str:
        (silent,) = find_silent_accounts(send, now=AN_HOUR_ON)
        return str(silent.do)

    assert "so all are refused" in do()
    store_key("brevo", "a-token")
    assert "ever came" in do()
    ProviderWebhook.objects.update(last_report_at=NOW - timedelta(days=1))
    assert "came before this send" in do()
    ProviderWebhook.objects.update(last_report_at=NOW + timedelta(minutes=1))
    assert "reports about other mail" in do()


def test_the_account_that_took_the_mails_is_the_silent_one(send: Send, settings: Any) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "postmark://a-key-of-postmark@"}
    send.batches.update(account="backup", handed_to="backup")
    (silent,) = find_silent_accounts(send, now=AN_HOUR_ON)
    assert "Postmark (backup)" in str(silent.do)


@pytest.fixture
def moved(send: Send, settings: Any) -> Send:
    """A send of which the default account accepted one batch, and ``backup`` the rest."""
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "postmark://a-key-of-postmark@?webhook_key=user:word"}
    first = send.batches.get()
    rest = Batch.objects.get(pk=first.pk)
    rest.pk, rest.seq, rest.part, rest.key = None, first.seq + 1, first.part + 1, "the-rest"
    rest.account = rest.handed_to = "backup"
    rest.save(force_insert=True)
    Delivery.objects.filter(pk__in=[each.pk for each in deliveries_of(send)[1:]]).update(batch=rest)
    return send


@pytest.mark.parametrize("name", ["delivered", "hard_bounce", "spam"])
def test_a_silent_account_is_named_although_another_one_reports(moved: Send, name: str) -> None:
    apply_reports(brevo_event(name, deliveries_of(moved)[0]), provider="brevo", now=AN_HOUR_ON)
    (silent,) = find_silent_accounts(moved, now=AN_HOUR_ON)
    assert (silent.account, str(silent.do).split(". ")[0]) == ("backup", "No report of Postmark (backup) ever came")
    event = postmark_event("Delivery", deliveries_of(moved)[2], DeliveredAt=AN_HOUR_ON.isoformat())
    call = WebhookRequest(json.dumps(event).encode(), {"authorization": f"Basic {b64encode(b'user:word').decode()}"})
    store_webhook(provider="postmark", secret=webhook_secret("postmark", "backup"), call=call, now=AN_HOUR_ON)
    apply_due_events(clock=lambda: AN_HOUR_ON)
    assert find_silent_accounts(moved, now=AN_HOUR_ON) == []


def test_two_silent_accounts_are_both_named(moved: Send, admin: Client) -> None:
    then = timezone.now() - timedelta(hours=2)
    Send.objects.filter(pk=moved.pk).update(started_at=then, state=Send.State.SUBMITTED)
    moved.batches.update(settled_at=then)
    home = admin.get("/admin/").content.decode()
    page = admin.get(overview_url(moved.issue)).content.decode()
    for provider, anchor in (("Brevo", "#nl-reports"), ("Postmark (backup)", "#nl-reports-backup")):
        assert f"No delivery reports of {provider} about The weekly letter No. 1" in home
        assert f'href="{PAGE}{anchor}"' in home
        assert f'href="{PAGE}{anchor}"' in page
    assert page.count("has not reported about them") == 2


def test_home_reads_each_accounts_webhook_once(moved: Send) -> None:
    client = sign_in("admin")
    client.get("/admin/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/admin/")
    rows = [query["sql"] for query in queries if '"newsletter_providerwebhook"."set_up_at"' in query["sql"]]
    assert len(rows) == len(list_webhook_settings()) == 2


def test_a_silent_account_is_found_without_reading_people(moved: Send) -> None:
    apply_reports(brevo_event("delivered", deliveries_of(moved)[0]), provider="brevo", now=AN_HOUR_ON)
    with CaptureQueriesContext(connection) as queries:
        (silent,) = find_silent_accounts(moved, now=AN_HOUR_ON)
    assert silent.account == "backup"
    assert [query["sql"] for query in queries if 'FROM "newsletter_delivery"' in query["sql"]] == []


def test_doctor_warns_of_a_further_account_that_never_reported(moved: Send) -> None:
    apply_reports(brevo_event("delivered", deliveries_of(moved)[0]), provider="brevo", now=AN_HOUR_ON)
    store_key("brevo", "a-token")
    levels = [finding.level for finding in check_reports(now=AN_HOUR_ON - timedelta(seconds=1))]
    assert levels == ["ok", "ok"]
    default, further = check_reports(now=AN_HOUR_ON)
    assert (default.level, further.level) == ("ok", "warning")
    assert "No report of Postmark (backup) ever came" in further.says


def test_a_report_at_the_common_address_is_noted_for_its_account(moved: Send, settings: Any) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "brevo://another-key-of-brevo@"}
    apply_reports(brevo_event("delivered", deliveries_of(moved)[1]), provider="brevo", now=AN_HOUR_ON)
    assert list(ProviderWebhook.objects.values_list("account", "last_report_at")) == [("backup", AN_HOUR_ON)]
    later = AN_HOUR_ON + timedelta(minutes=2)
    apply_reports(brevo_event("delivered", deliveries_of(moved)[0]), provider="brevo", now=later)
    rows = ProviderWebhook.objects.order_by("account").values_list("account", "last_report_at")
    assert list(rows) == [("backup", AN_HOUR_ON), ("default", later)]


def post_report(delivery: Delivery, *, token: str, now: datetime = AN_HOUR_ON) -> None:
    """Post a report to the address that all accounts share, and apply it. Raise BadWebhook if no key verifies the token."""
    body = json.dumps([brevo_event("delivered", delivery)]).encode()
    call = WebhookRequest(body, {"authorization": f"Bearer {token}"})
    store_webhook(provider="brevo", secret=webhook_secret("brevo"), call=call, now=now)
    apply_due_events(clock=lambda: now)


@pytest.fixture
def keyless(moved: Send, settings: Any) -> Delivery:
    """A mail that went through an account without a key of its own. The default account at its provider has one."""
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "brevo://another-key-of-brevo@"}
    store_key("brevo", "a-token")
    return deliveries_of(moved)[1]


def test_an_account_whose_reports_another_key_verifies_needs_no_key(keyless: Delivery, admin: Client) -> None:
    task = "Set up the reports of Brevo (backup)"
    with pytest.raises(BadWebhook):
        post_report(keyless, token="a-guess")
    assert task in admin.get("/admin/").content.decode(), "No report of it was ever verified."
    post_report(keyless, token="a-token")
    assert task not in admin.get("/admin/").content.decode()
    assert [finding.level for finding in check_reports(now=AN_HOUR_ON)] == ["warning", "ok"]
    ProviderWebhook.objects.filter(account="backup").delete()
    assert task in admin.get("/admin/").content.decode()


def test_an_account_needs_a_key_once_the_one_that_verified_it_is_gone(keyless: Delivery, admin: Client) -> None:
    task = "Set up the reports of Brevo (backup)"
    post_report(keyless, token="a-token")
    store_key("brevo", "a-second-token")
    assert task not in admin.get("/admin/").content.decode(), "The key before the newest still verifies."
    store_key("brevo", "a-third-token")
    with pytest.raises(BadWebhook):
        post_report(keyless, token="a-token")
    assert task in admin.get("/admin/").content.decode()
    later = AN_HOUR_ON + timedelta(minutes=2)
    post_report(keyless, token="a-third-token", now=later)
    assert task not in admin.get("/admin/").content.decode()


def test_reports_read_otherwise_than_by_webhook_prove_no_key(keyless: Delivery, admin: Client) -> None:
    event = Feedback(
        provider="brevo", key="read", kind=FeedbackKind.DELIVERED, delivery=keyless.pk, batch=keyless.batch.key
    )
    store_feedback([event], now=AN_HOUR_ON)
    apply_due_events(clock=lambda: AN_HOUR_ON)
    assert ProviderWebhook.objects.filter(account="backup", last_report_at=AN_HOUR_ON).exists()
    assert "Set up the reports of Brevo (backup)" in admin.get("/admin/").content.decode()


def test_a_provider_with_one_account_reports_for_it_at_the_common_address(moved: Send, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://a-key-of-postmark@"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"old": "brevo://a-key-of-brevo@"}
    store_reports(brevo_event("delivered", deliveries_of(moved)[0]), provider="brevo", now=AN_HOUR_ON)
    assert list(ProviderWebhook.objects.values_list("account", "last_report_at")) == [("old", AN_HOUR_ON)]


@pytest.mark.parametrize("outcome", Attempt.NOT_ACCEPTED_OUTCOMES)
def test_a_batch_that_another_provider_did_not_take_is_examined(moved: Send, outcome: str) -> None:
    rest = moved.batches.get(account="backup")
    Attempt.objects.create(
        batch=rest, number=1, provider="brevo:0123", people=2, started_at=NOW, ended_at=NOW, outcome=outcome
    )
    Attempt.objects.create(
        batch=rest, number=2, provider="postmark:0123", people=2, started_at=NOW, ended_at=NOW, outcome="accepted"
    )
    apply_reports(brevo_event("delivered", deliveries_of(moved)[0]), provider="brevo", now=AN_HOUR_ON)
    store_key("brevo", "a-token")
    (silent,) = find_silent_accounts(moved, now=AN_HOUR_ON)
    assert silent.account == "backup"
    _, further = check_reports(now=AN_HOUR_ON)
    assert "No report of Postmark (backup) ever came" in further.says


def test_a_batch_that_another_provider_may_have_taken_is_not_examined(moved: Send) -> None:
    rest = moved.batches.get(account="backup")
    Attempt.objects.create(
        batch=rest, number=1, provider="brevo:0123", people=2, started_at=NOW, ended_at=NOW, outcome="uncertain"
    )
    apply_reports(brevo_event("delivered", deliveries_of(moved)[0]), provider="brevo", now=AN_HOUR_ON)
    assert find_silent_accounts(moved, now=AN_HOUR_ON) == []


def test_a_send_that_began_at_a_mail_server_is_examined(moved: Send, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "smtp://mail.example.org"
    Send.objects.filter(pk=moved.pk).update(provider=provider_label())
    (silent,) = find_silent_accounts(moved, now=AN_HOUR_ON)
    assert silent.account == "backup"


def test_mails_of_a_former_provider_or_in_files_are_not_silent(send: Send, settings: Any) -> None:
    batch = send.batches.get()
    Attempt.objects.create(batch=batch, number=1, provider="brevo:0123", people=3, started_at=NOW, ended_at=NOW)
    assert len(find_silent_accounts(send, now=AN_HOUR_ON)) == 1
    settings.NEWSLETTER_PROVIDER_URL = "postmark://a-key-of-postmark@"
    assert find_silent_accounts(send, now=AN_HOUR_ON) == []
    batch.attempts.all().delete()
    assert len(find_silent_accounts(send, now=AN_HOUR_ON)) == 1
    Send.objects.filter(pk=send.pk).update(provider="outbox")
    assert find_silent_accounts(send, now=AN_HOUR_ON) == []


def test_its_page_and_home_name_a_send_without_reports(send: Send, admin: Client) -> None:
    then = timezone.now() - timedelta(hours=2)
    Send.objects.filter(pk=send.pk).update(started_at=then, state=Send.State.SUBMITTED)
    send.batches.update(settled_at=then)
    page = admin.get(overview_url(send.issue)).content.decode()
    assert "No delivery reports" in page
    assert f'href="{PAGE}#nl-reports"' in page
    assert "No delivery reports about The weekly letter No. 1" in admin.get("/admin/").content.decode()
    apply_reports(brevo_event("delivered", deliveries_of(send)[0]), now=timezone.now())
    assert "No delivery reports" not in admin.get(overview_url(send.issue)).content.decode()
    assert "No delivery reports" not in admin.get("/admin/").content.decode()
