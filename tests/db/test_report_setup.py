"""The provider's webhook is set up from here: its key is kept sealed, and reports with it are believed."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from newsletter.feedback.endpoint import list_former_keys, require_key, webhook_key, webhook_url
from newsletter.feedback.webhook_setup import state
from newsletter.feedback.webhook_setup.install import confirm_subscriptions, install_webhook, read_webhook
from newsletter.feedback.webhook_setup.keys import note_report, read_stored_keys, reseal_webhook_keys, store_key
from newsletter.feedback.webhook_setup.state import list_webhook_settings, require_webhook_settings
from newsletter.models import AuditEntry, ProviderEvent, ProviderWebhook
from newsletter.organisation.health.sending import check_reports
from newsletter.providers.base.errors import BadWebhook, WebhookSetupError
from newsletter.providers.base.setup_calls import SetupCalls
from newsletter.providers.base.webhook_setup import WebhookState
from tests.support.webhook_apis import TOPIC, WebhookApi, serve_webhook_api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("F8")]
NOW = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def skip_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SetupCalls.__init__
    monkeypatch.setattr(
        SetupCalls, "__init__", lambda self, account, *, transport, **_: made(self, account, transport=transport)
    )


@pytest.fixture(params=["postmark", "resend", "sendgrid", "mailgun", "brevo", "sparkpost", "ses", "mailjet"])
def api(request: pytest.FixtureRequest, settings: Any) -> Iterator[WebhookApi]:
    with serve_webhook_api(request.param) as api:
        settings.NEWSLETTER_PROVIDER_URL = api.account
        yield api


@pytest.fixture
def postmark(settings: Any) -> Iterator[WebhookApi]:
    with serve_webhook_api("postmark") as api:
        settings.NEWSLETTER_PROVIDER_URL = api.account
        yield api


@pytest.fixture
def amazon(settings: Any) -> Iterator[WebhookApi]:
    with serve_webhook_api("ses") as api:
        settings.NEWSLETTER_PROVIDER_URL = api.account
        yield api


def install(account: str = "default", *, now: datetime = NOW) -> WebhookState:
    return install_webhook(require_webhook_settings(account), now=now)


def read(account: str = "default") -> WebhookState:
    return read_webhook(require_webhook_settings(account))


def test_a_set_up_webhook_leads_here_and_its_key_is_sealed(api: WebhookApi) -> None:
    assert install().problems == ()
    assert webhook_url(api.name).partition("://")[2] in json.dumps([api.rows, api.subscriptions])
    (key,) = read_stored_keys(api.name)
    row = ProviderWebhook.objects.get()
    assert row.set_up_at == NOW
    assert key not in row.sealed_keys
    assert webhook_key(api.name) == key
    assert read().problems == ()


def test_a_report_with_the_kept_password_is_believed_and_noted(postmark: WebhookApi) -> None:
    """Before the set-up, and with another password, it is refused."""
    body = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "ana@example.com", "DeliveredAt": NOW.isoformat()}
    assert _post(body, "newsletter", "guess") == 401
    install()
    auth = postmark.rows[0]["HttpAuth"]
    assert _post(body, "newsletter", "guess") == 401
    assert ProviderWebhook.objects.get().last_report_at is None
    assert _post(body, auth["Username"], auth["Password"]) == 200
    assert ProviderWebhook.objects.get().last_report_at is not None
    assert ProviderEvent.objects.count() == 1


def test_keys_of_the_settings_and_of_the_set_up_are_both_believed(postmark: WebhookApi, settings: Any) -> None:
    install()
    settings.NEWSLETTER_PROVIDER_URL = f"{postmark.account}&webhook_key=desk:theirs"
    keys = webhook_key("postmark").split(",")
    assert keys == ["desk:theirs", *read_stored_keys("postmark")]
    assert webhook_key("brevo") == ""


def test_only_two_keys_are_kept(postmark: WebhookApi) -> None:
    for key in ("one", "two", "three", "two"):
        store_key("postmark", key)
    assert read_stored_keys("postmark") == ["two", "three"]


def test_two_people_do_not_set_up_at_once(postmark: WebhookApi) -> None:
    ProviderWebhook.objects.create(provider="postmark", claimed_until=NOW + timedelta(minutes=9))
    with pytest.raises(WebhookSetupError, match="Somebody is setting up"):
        install()
    assert postmark.calls == []
    install(now=NOW + timedelta(minutes=10))
    assert ProviderWebhook.objects.get().claimed_until is None


def test_a_set_up_that_a_clock_ahead_claimed_keeps_nobody_waiting(postmark: WebhookApi) -> None:
    ProviderWebhook.objects.create(provider="postmark", claimed_until=NOW + timedelta(days=400))
    install()
    assert ProviderWebhook.objects.get().set_up_at is not None


def test_a_failed_set_up_can_be_done_again_at_once(postmark: WebhookApi) -> None:
    postmark.write_fault = (500, b"{}")
    with pytest.raises(WebhookSetupError):
        install()
    assert ProviderWebhook.objects.get().set_up_at is None
    postmark.write_fault = (0, b"")
    install()
    assert len(postmark.rows) == 1
    assert len(read_stored_keys("postmark")) == 1, "The password of the first attempt is used."


def test_keys_are_sealed_again_after_a_change_of_the_secret_key(postmark: WebhookApi, settings: Any) -> None:
    install()
    keys = read_stored_keys("postmark")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-of-fifty-characters-or-more-0123456789"
    assert (reseal_webhook_keys(), reseal_webhook_keys()) == (1, 0)
    settings.SECRET_KEY_FALLBACKS = []
    assert read_stored_keys("postmark") == keys
    settings.SECRET_KEY = "a-third-secret-key-of-fifty-characters-or-more-01234567890"
    assert not read_stored_keys("postmark")
    (finding,) = check_reports(now=NOW)
    assert (finding.level, finding.check) == ("error", "webhooks")


def test_a_report_is_noted_once_a_minute() -> None:
    for seconds in (0, 1, 30, 61):
        note_report("postmark", now=NOW + timedelta(seconds=seconds))
    assert ProviderWebhook.objects.get().last_report_at == NOW + timedelta(seconds=61)


def test_amazons_question_is_confirmed_by_itself(amazon: WebhookApi) -> None:
    install()
    arn = read_stored_keys("ses")[0]
    event = _ask(arn)
    assert confirm_subscriptions(now=NOW) == 1
    assert {row["SubscriptionArn"] for row in amazon.subscriptions} == {f"{arn}:confirmed"}
    event.refresh_from_db()
    assert event.body == {}
    assert confirm_subscriptions(now=NOW) == 0
    assert read().works


def test_a_topic_of_the_settings_is_confirmed_after_its_set_up(amazon: WebhookApi, settings: Any) -> None:
    arn = "arn:aws:sns:eu-west-1:123456789012:ours"
    settings.NEWSLETTER_PROVIDER_URL = f"{amazon.account}&webhook_key={arn}"
    _ask(arn)
    assert confirm_subscriptions(now=NOW) == 0
    install()
    assert not read_stored_keys("ses"), "The key of the settings is enough."
    assert confirm_subscriptions(now=NOW) == 1
    assert read().works


def test_a_question_is_not_confirmed_unless_we_asked_for_it(amazon: WebhookApi) -> None:
    _ask("arn:aws:sns:eu-west-1:123456789012:other")
    assert confirm_subscriptions(now=NOW) == 0
    install()
    assert confirm_subscriptions(now=NOW) == 0
    assert amazon.subscriptions[0]["SubscriptionArn"] == "PendingConfirmation"


def test_a_question_that_failed_is_answered_ten_minutes_later(amazon: WebhookApi) -> None:
    install()
    _ask(read_stored_keys("ses")[0])
    amazon.fault = (500, b"{}")
    assert confirm_subscriptions(now=NOW) == 0
    calls = len(amazon.calls)
    assert confirm_subscriptions(now=NOW + timedelta(minutes=1)) == 0
    assert len(amazon.calls) == calls
    amazon.fault = (0, b"")
    assert confirm_subscriptions(now=NOW + timedelta(minutes=11)) == 1


def test_a_question_of_a_clock_that_was_set_back_is_answered(amazon: WebhookApi) -> None:
    install()
    _ask(read_stored_keys("ses")[0])
    ProviderEvent.objects.update(retry_at=NOW + timedelta(days=30))
    assert confirm_subscriptions(now=NOW) == 1


def test_an_address_that_the_provider_cannot_reach_is_refused(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://key@"
    settings.NEWSLETTER_SITE_URL = "http://127.0.0.1:8000"
    with pytest.raises(WebhookSetupError, match="NEWSLETTER_SITE_URL"):
        install()
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert list_webhook_settings() == []
    with pytest.raises(WebhookSetupError, match="No mail provider is set"):
        read()


def test_a_provider_without_a_set_up_is_entered_by_hand(postmark: WebhookApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "WEBHOOK_SETUPS", {"postmark": None})
    with pytest.raises(WebhookSetupError, match="only on its own pages"):
        install()
    (finding,) = check_reports(now=NOW)
    assert "webhook_key=…" in finding.do


def test_doctor_shows_the_report_address_and_the_last_report(postmark: WebhookApi) -> None:
    url = webhook_url("postmark")
    (finding,) = check_reports(now=NOW)
    assert finding.level == "warning"
    assert url in finding.says
    assert "newsletter provider webhooks --install" in finding.do
    install()
    (finding,) = check_reports(now=NOW)
    assert (finding.level, url in finding.says) == ("ok", True)
    note_report("postmark", now=NOW)
    (finding,) = check_reports(now=NOW)
    assert "2026-03-05 09:30 UTC" in finding.says


def test_the_command_shows_the_state_and_sets_it_up(postmark: WebhookApi, capsys: pytest.CaptureFixture[str]) -> None:
    postmark.add_others(2)
    call_command("provider", "webhooks")
    said = capsys.readouterr().out
    assert "has no webhook that leads here" in said
    assert "Webhooks of others in this account, which are left alone: 2" in said
    assert postmark.writes == []
    call_command("provider", "webhooks", "--install", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["works"], shown["others"], shown["problems"]) == (True, 2, [])
    assert AuditEntry.objects.filter(action="newsletter.reports_set_up").count() == 1
    call_command("provider", "webhooks")
    assert "Everything that is needed is reported." in capsys.readouterr().out


def test_the_command_says_in_one_line_why_it_failed(postmark: WebhookApi) -> None:
    postmark.fault = (401, b"{}")
    with pytest.raises(CommandError, match="does not let our key manage webhooks"):
        call_command("provider", "webhooks", "--install")


@pytest.fixture
def backup(postmark: WebhookApi, settings: Any) -> Iterator[WebhookApi]:
    """A second account at Postmark."""
    with serve_webhook_api("postmark") as api:
        settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": api.account}
        yield api


def test_each_account_has_an_address_and_a_key_of_its_own(postmark: WebhookApi, backup: WebhookApi) -> None:
    for account in ("default", "backup", "default", "backup"):
        assert install(account).works
    first, second = postmark.rows[0], backup.rows[0]
    assert (len(postmark.rows), len(backup.rows)) == (1, 1)
    assert first["Url"] != second["Url"]
    assert first["HttpAuth"]["Password"] != second["HttpAuth"]["Password"]
    keys = [f"newsletter:{row['HttpAuth']['Password']}" for row in (first, second)]
    assert webhook_key("postmark").split(",") == keys
    assert read_stored_keys("postmark", account="backup") == [keys[1]]


def test_a_report_is_noted_for_the_account_of_its_address(postmark: WebhookApi, backup: WebhookApi) -> None:
    body = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "ana@example.com", "DeliveredAt": NOW.isoformat()}
    install("backup")
    auth = backup.rows[0]["HttpAuth"]
    assert _post(body, auth["Username"], auth["Password"], account="backup") == 200
    assert ProviderWebhook.objects.get().account == "backup"
    assert ProviderWebhook.objects.get().last_report_at is not None
    assert [bool(webhook.last_report_at) for webhook in list_webhook_settings()] == [False, True]


def test_the_common_address_takes_reports_of_a_further_account(postmark: WebhookApi, backup: WebhookApi) -> None:
    """It was entered by hand before each account had an address of its own."""
    body = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "ana@example.com", "DeliveredAt": NOW.isoformat()}
    install("backup")
    auth = backup.rows[0]["HttpAuth"]
    assert _post(body, auth["Username"], auth["Password"]) == 200


def test_the_address_of_an_account_that_is_gone_is_refused(
    postmark: WebhookApi, backup: WebhookApi, settings: Any
) -> None:
    install("backup")
    auth = backup.rows[0]["HttpAuth"]
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    assert _post({"RecordType": "Delivery"}, auth["Username"], auth["Password"], account="backup") == 401


def test_an_account_that_changed_its_setting_reports_on(postmark: WebhookApi, settings: Any) -> None:
    """Its webhook keeps the address of the default account, and the key that the set-up stored."""
    today = datetime.now(UTC)
    install(now=today - timedelta(days=13))
    auth = postmark.rows[0]["HttpAuth"]
    settings.NEWSLETTER_PROVIDER_URL = "brevo://a-key-of-brevo@"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"old": postmark.account}
    body = {"RecordType": "Bounce", "MessageID": "1", "Email": "ana@example.com", "BouncedAt": NOW.isoformat()}
    assert _post(body, "newsletter", "guess") == 401
    assert _post(body, auth["Username"], auth["Password"]) == 200
    former = ProviderWebhook.objects.get(account="default")
    assert former.last_report_at is not None
    assert former.last_report_at >= today


def test_keys_of_a_former_account_are_believed_for_14_days(
    postmark: WebhookApi, backup: WebhookApi, settings: Any
) -> None:
    install("backup")
    (key,) = read_stored_keys("postmark", account="backup")
    assert list_former_keys("postmark", now=NOW) == []
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"renamed": backup.account}
    end = NOW + timedelta(days=14)
    assert list_former_keys("postmark", now=end) == [("backup", key)]
    assert list_former_keys("postmark", now=end + timedelta(seconds=1)) == []
    ProviderWebhook.objects.update(last_report_at=NOW + timedelta(days=2))
    assert list_former_keys("postmark", now=end + timedelta(days=2)) == [("backup", key)]
    assert list_former_keys("postmark", now=end + timedelta(days=2, seconds=1)) == []
    ProviderWebhook.objects.update(last_report_at=None, set_up_at=None)
    assert list_former_keys("postmark", now=NOW) == []
    assert list_former_keys("brevo", now=NOW) == []


def test_a_report_with_the_key_of_a_removed_account_is_refused_later(
    postmark: WebhookApi, backup: WebhookApi, settings: Any
) -> None:
    body = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "ana@example.com", "DeliveredAt": NOW.isoformat()}
    install("backup", now=datetime.now(UTC) - timedelta(days=15))
    auth = backup.rows[0]["HttpAuth"]
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    assert _post(body, auth["Username"], auth["Password"]) == 401
    ProviderWebhook.objects.update(set_up_at=datetime.now(UTC) - timedelta(days=13))
    assert _post(body, auth["Username"], auth["Password"]) == 200


def test_an_account_without_a_key_is_named_despite_a_former_key(
    postmark: WebhookApi, backup: WebhookApi, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    install("backup", now=datetime.now(UTC))
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    with pytest.raises(BadWebhook, match="No webhook key of postmark is known"):
        require_key("postmark")
    assert _post({"RecordType": "Delivery"}, "newsletter", "guess") == 401
    assert "No webhook key of postmark is known" in caplog.text


def test_the_command_sets_up_every_account_and_reports_each_failure(
    postmark: WebhookApi, backup: WebhookApi, capsys: pytest.CaptureFixture[str]
) -> None:
    postmark.fault = (401, b"{}")
    with pytest.raises(CommandError, match=r"^Postmark: Postmark does not let our key manage webhooks"):
        call_command("provider", "webhooks", "--install")
    assert f"Reports of Postmark (backup) go to {webhook_url('postmark', 'backup')}" in capsys.readouterr().out
    assert (postmark.rows, len(backup.rows)) == ([], 1)
    postmark.fault = (0, b"")
    call_command("provider", "webhooks", "--install", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["account"], [each["account"] for each in shown["further"]]) == ("default", ["backup"])
    call_command("provider", "webhooks", "--account", "backup", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["account"], shown["works"], shown["further"]) == ("backup", True, [])
    with pytest.raises(CommandError, match="there is no NEWSLETTER_PROVIDER_URL_THIRD"):
        call_command("provider", "webhooks", "--account", "third")


def test_a_failure_of_a_further_account_names_it_and_its_setting(postmark: WebhookApi, backup: WebhookApi) -> None:
    backup.fault = (200, b"no JSON")
    with pytest.raises(
        CommandError, match=r"^Postmark \(backup\): .*the endpoint in NEWSLETTER_PROVIDER_URL_BACKUP and"
    ):
        call_command("provider", "webhooks", "--install")


def test_the_answer_to_a_report_without_a_key_names_each_setting(postmark: WebhookApi, backup: WebhookApi) -> None:
    with pytest.raises(BadWebhook, match=r"to NEWSLETTER_PROVIDER_URL or NEWSLETTER_PROVIDER_URL_BACKUP\."):
        require_key("postmark")


def test_the_command_and_doctor_name_an_account_that_reports_nothing(
    postmark: WebhookApi, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"own": "smtp://mail.example.org"}
    call_command("provider", "webhooks")
    assert "reports nothing here: bounces come as mail" in capsys.readouterr().out
    checks = {finding.check: finding.level for finding in check_reports(now=NOW)}
    assert checks == {"webhooks": "warning", "webhooks, account own": "warning"}


def test_doctor_shows_the_report_address_of_each_account(postmark: WebhookApi, backup: WebhookApi) -> None:
    install()
    ok, missing = check_reports(now=NOW)
    assert (ok.level, missing.level) == ("ok", "warning")
    assert webhook_url("postmark", "backup") in missing.says
    install("backup")
    note_report("postmark", account="backup", now=NOW)
    assert "The last report of Postmark (backup) came on 2026-03-05 09:30 UTC" in list(check_reports(now=NOW))[1].says


def test_amazons_question_is_confirmed_by_the_account_it_is_about(amazon: WebhookApi, settings: Any) -> None:
    with serve_webhook_api("ses") as second:
        settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": second.account}
        install("backup")
        _ask(read_stored_keys("ses", account="backup")[0])
        assert confirm_subscriptions(now=NOW) == 1
        assert read("backup").works
        assert amazon.subscriptions == []


def _post(body: dict[str, str], user: str, password: str, *, account: str = "default") -> int:
    header = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    path = "/" + webhook_url("postmark", account).partition("://")[2].partition("/")[2]
    answer = Client().post(
        path, data=json.dumps(body), content_type="application/json", headers={"Authorization": header}
    )
    return answer.status_code


def _ask(arn: str) -> ProviderEvent:
    """Store Amazon's question, as the webhook does."""
    link = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2336412f37"
    return ProviderEvent.objects.create(
        provider="ses",
        key=arn,
        kind="subscription",
        body={"link": link},
        received_at=NOW,
        retry_at=NOW,
        applied_at=NOW,
        result=ProviderEvent.Result.NOTED,
    )


def test_scaleways_question_is_confirmed_after_the_set_up(settings: Any) -> None:
    with serve_webhook_api("scaleway") as scaleway:
        settings.NEWSLETTER_PROVIDER_URL = f"{scaleway.account}&webhook_key={TOPIC}"
        link = f"https://sns.mnq.fr-par.scaleway.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
        ProviderEvent.objects.create(
            provider="scaleway",
            key="m",
            kind="subscription",
            body={"link": link},
            received_at=NOW,
            retry_at=NOW,
            applied_at=NOW,
            result=ProviderEvent.Result.NOTED,
        )
        assert confirm_subscriptions(now=NOW) == 0
        assert install().works
        assert confirm_subscriptions(now=NOW) == 1
        assert [row["TopicArn"] for row in scaleway.subscriptions] == [TOPIC]
        assert not read_stored_keys("scaleway"), "The topic of the settings is enough."


def test_mailersends_webhook_waits_for_its_secret(settings: Any) -> None:
    with serve_webhook_api("mailersend") as mailersend:
        settings.NEWSLETTER_PROVIDER_URL = mailersend.account
        assert any("webhook_key=" in problem for problem in install().problems)
        settings.NEWSLETTER_PROVIDER_URL = f"{mailersend.account}&webhook_key=the-secret"
        assert install().works
        assert len(mailersend.rows) == 1
