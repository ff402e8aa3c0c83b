"""A provider's webhook is found, created and repaired by its interface, and webhooks of others are left alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from newsletter.common.extension_registry import BadExtension
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.provider_kind import ProviderKind, check_provider
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.setup_calls import SetupAccount, SetupCalls
from newsletter.providers.base.webhook_setup import WebhookSetup, WebhookState, WebhookTarget, is_same_url
from newsletter.providers.brevo.adapter import Brevo
from newsletter.providers.brevo.kind import BrevoKind
from newsletter.providers.registry import WEBHOOK_SETUPS, read_provider_url
from tests.support.webhook_apis import ACCOUNTS, KEY, KNOWN_KEYS, SECRET, TOPIC, WebhookApi, serve_webhook_api

URL = "https://letters.example.org/hooks/any/secret-part-of-the-address"
BACKUP = "NEWSLETTER_PROVIDER_URL_BACKUP"
NEW_KEY = "fresh-password-0123456789"
pytestmark = pytest.mark.requirement("F8")


@dataclass
class Site:
    """Our side: the keys that verify reports, as the database would keep them."""

    api: WebhookApi
    keys: list[str] = field(default_factory=list)
    setting: str = "NEWSLETTER_PROVIDER_URL"

    def open(self) -> WebhookSetup:
        settings = read_provider_url(self.api.account)
        kind = WEBHOOK_SETUPS[settings.scheme]
        assert kind is not None
        target = WebhookTarget(
            url=URL,
            keys=tuple(self.keys),
            new_key=NEW_KEY,
            keep=lambda key: self.keys.insert(0, key),
            setting=self.setting,
        )
        return kind(settings, target=target)

    def read(self) -> WebhookState:
        return self._run("read")

    def install(self) -> WebhookState:
        return self._run("install")

    def _run(self, what: str) -> WebhookState:
        setup = self.open()
        try:
            state = getattr(setup, what)()
        finally:
            setup.close()
        assert isinstance(state, WebhookState)
        return state


@pytest.fixture(autouse=True)
def skip_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the pauses between calls, which only the real providers ask for."""
    made = SetupCalls.__init__

    def make(self: SetupCalls, account: SetupAccount, **options: Any) -> None:
        made(self, account, **{**options, "seconds_between": 0.0})

    monkeypatch.setattr(SetupCalls, "__init__", make)


@pytest.fixture(params=list(ACCOUNTS))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with serve_webhook_api(request.param) as api:
        yield Site(api, list_known_keys(api))


def list_known_keys(api: WebhookApi) -> list[str]:
    """Return what staff wrote into the settings before the set-up."""
    return [KNOWN_KEYS[api.name]] if api.name in KNOWN_KEYS else []


def test_an_account_without_webhooks_is_named_and_not_changed(site: Site) -> None:
    state = site.read()
    assert not state.works
    assert any("has no webhook that leads here" in problem for problem in state.problems)
    assert site.api.writes == []
    assert site.keys == list_known_keys(site.api)


def test_a_webhook_is_created_and_its_key_is_kept(site: Site) -> None:
    state = site.install()
    assert state.problems == ()
    assert len(site.keys) == 1, "One key was kept."
    assert bool(state.waiting) == (site.api.name == "ses")
    assert site.read().problems == ()


def test_a_second_set_up_changes_nothing(site: Site) -> None:
    site.install()
    if site.api.name == "ses":
        _confirm(site)
    before, keys = list(site.api.writes), list(site.keys)
    state = site.install()
    assert (site.api.writes, site.keys) == (before, keys)
    assert state.works


def test_webhooks_of_others_are_never_touched(site: Site) -> None:
    site.api.add_others()
    others = site.api.read_others()
    site.install()
    for row in site.api.rows:
        _break(site.api, row)
    site.install()
    assert site.api.read_others() == others
    assert not any(method == "DELETE" for method, _, _ in site.api.writes)
    assert site.read().others >= 1


def test_a_webhook_with_missing_events_is_repaired(site: Site) -> None:
    site.api.add_others(1)
    site.install()
    number = len(site.api.rows)
    for row in site.api.rows:
        _break(site.api, row)
    assert site.read().problems
    assert site.install().problems == ()
    assert len(site.api.rows) == number, "It was repaired, not created again."


def test_reports_are_believed_before_the_provider_sends_them(site: Site) -> None:
    """SparkPost and Amazon call the address while the webhook is created."""
    known: list[int] = []
    site.api.on_create = lambda url: known.append(len(site.keys))
    site.install()
    assert set(known) <= {1}


def test_a_refused_key_is_explained_and_not_shown(site: Site) -> None:
    site.api.key = "a-wrong-key-0123456789"
    with pytest.raises(WebhookSetupError) as caught:
        site.install()
    text = str(caught.value)
    assert "does not let our key manage webhooks" in text
    assert str(site.open().right) in text
    assert "a-wrong-key" not in text
    assert site.api.writes == []


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_failing_provider_is_explained(site: Site, status: int) -> None:
    said = f"no: {URL} {KEY} {SECRET} {NEW_KEY} ana@example.com".encode()
    site.api.fault = (status, b'{"message": "' + said + b'"}')
    with pytest.raises(WebhookSetupError) as caught:
        site.read()
    text = str(caught.value)
    assert str(status) in text
    for hidden in ("secret-part-of-the-address", KEY, SECRET if site.api.name == "ses" else KEY, NEW_KEY, "ana@"):
        assert hidden not in text


def test_a_provider_that_asks_to_wait_is_not_asked_again(site: Site) -> None:
    site.api.fault, site.api.headers = (429, b"{}"), {"Retry-After": "17"}
    with pytest.raises(WebhookSetupError, match="Try again in 17 seconds"):
        site.install()
    assert len(site.api.calls) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"data": 5}', b'{"webhooks": 5, "results": 5}'])
def test_an_answer_that_cannot_be_read_changes_nothing(site: Site, body: bytes) -> None:
    site.api.fault = (200, body)
    with pytest.raises(WebhookSetupError, match="cannot be read"):
        site.install()


def test_a_broken_connection_is_explained(site: Site) -> None:
    site.api.fault = None
    with pytest.raises(WebhookSetupError, match="could not be asked about its webhooks"):
        site.install()


def test_a_refused_change_says_what_the_provider_said(site: Site) -> None:
    site.api.write_fault = (400, b'{"message": "no more webhooks are possible"}')
    with pytest.raises(WebhookSetupError, match="no more webhooks are possible"):
        site.install()
    if site.api.name not in ("sendgrid", "resend", "mailgun"):
        return
    site.api.write_fault = (0, b"")
    assert site.install().problems == (), "Setting up again is safe."


def test_a_key_from_the_settings_is_used_if_the_provider_accepts_it(site: Site) -> None:
    if site.api.name == "scaleway":
        pytest.skip("Scaleway takes the ARN of a topic alone")
    site.keys = ["desk:their-password"]
    site.install()
    stored = "desk:their-password"
    if site.api.name in ("postmark", "brevo", "sparkpost", "mailjet", "mailersend"):
        assert site.keys == [stored]
    else:
        assert site.keys[-1] == stored
        assert len(site.keys) == 2


def test_the_pages_of_a_list_are_read_to_their_end() -> None:
    with serve_webhook_api("resend") as api:
        site = Site(api)
        api.add_others(9)
        site.install()
        assert len(api.rows) == 10
        assert site.install().others == 9
        assert len(api.rows) == 10, "Ours is on the fifth page and was found."


def test_a_list_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_webhook_api("resend") as api:
        api.page_size = 1
        api.add_others(60)
        with pytest.raises(WebhookSetupError, match="more than 50 pages"):
            Site(api).install()
        assert api.writes == []


def test_mailgun_refuses_a_fourth_address_and_nothing_is_changed() -> None:
    with serve_webhook_api("mailgun") as api:
        api.rows = [{"event": "permanent_fail", "urls": [f"https://crm.example.net/{n}" for n in range(3)]}]
        with pytest.raises(WebhookSetupError, match="permanent_fail"):
            Site(api).install()
        assert api.writes == []


def test_mailgun_keeps_the_addresses_of_others_for_the_same_event() -> None:
    with serve_webhook_api("mailgun") as api:
        api.rows = [{"event": "delivered", "urls": ["https://crm.example.net/1"]}]
        Site(api).install()
        assert api.rows[0]["urls"] == ["https://crm.example.net/1", URL]


def test_mailgun_without_its_signing_key_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_webhook_api("mailgun") as api:
        real = WebhookApi.mailgun

        def without_key(self: WebhookApi, method: str, path: str, query: dict[str, str], sent: Any) -> Any:
            return (403, {"message": "Forbidden"}) if path.startswith("/v5") else real(self, method, path, query, sent)

        monkeypatch.setattr(WebhookApi, "mailgun", without_key)
        state = Site(api, setting=BACKUP).install()
        assert len(api.rows) == 6
        assert any("webhook_key=" in problem and f"to {BACKUP} " in problem for problem in state.problems)


def test_sendgrid_is_not_asked_for_a_second_signature() -> None:
    """Switching the signature on again would change the key under which reports are verified."""
    with serve_webhook_api("sendgrid") as api:
        api.rows = [{"id": "old", "url": URL, "enabled": True, "bounce": True, "key": "known-key"}]
        site = Site(api)
        assert site.install().problems == ()
        assert site.keys == ["known-key"]
        assert not any("/signed/" in path for _, path, _ in api.writes)


def test_amazon_without_a_configuration_set_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_webhook_api("ses") as api:
        monkeypatch.setattr(WebhookApi, "account", property(lambda self: f"{ACCOUNTS['ses']}?endpoint={self.url}"))
        with pytest.raises(WebhookSetupError, match=f"{BACKUP} names none.*configuration_set=newsletter"):
            Site(api, setting=BACKUP).install()
        assert api.calls == []


def test_amazon_confirms_only_the_question_about_our_topic() -> None:
    with serve_webhook_api("ses") as api:
        site = Site(api)
        site.install()
        setup = site.open()
        with pytest.raises(WebhookSetupError, match=r"another topic.* Compare the ARN in webhook_key"):
            setup.confirm("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:x&Token=abc")
        with pytest.raises(WebhookSetupError):
            setup.confirm(f"https://sns.eu-west-1.amazonaws.com/?TopicArn={site.keys[0]}&Token=../x")
        setup.close()
        _confirm(site)
        assert site.read().works


def test_mailjet_posts_each_event_to_one_address_and_takes_nobody_elses() -> None:
    with serve_webhook_api("mailjet") as api:
        api.rows = [
            {"ID": 1, "EventType": "bounce", "IsBackup": False, "Status": "alive", "Url": "https://crm.example.net/"}
        ]
        with pytest.raises(WebhookSetupError, match="go to another already: bounce"):
            Site(api).install()
        assert api.writes == []


def test_mailjet_gets_a_lost_event_and_a_lost_password_back() -> None:
    with serve_webhook_api("mailjet") as api:
        site = Site(api)
        site.install()
        api.rows = [row for row in api.rows if row["EventType"] != "spam"]
        assert site.read().problems == ("It does not report: spam.",)
        assert site.install().problems == ()
        site.keys = ["newsletter:another-password"]
        assert any("not known here" in problem for problem in site.read().problems)
        assert site.install().problems == ()
        assert all("newsletter:another-password@" in row["Url"] for row in api.rows)


def test_mailersend_without_its_secret_names_the_setting() -> None:
    with serve_webhook_api("mailersend") as api:
        site = Site(api, setting=BACKUP)
        state = site.install()
        assert len(api.rows) == 1
        assert [each for each in state.problems if f"webhook_key=… to {BACKUP} " in each] == list(state.problems)
        site.install()
        assert len(api.writes) == 1, "A lacking secret is nothing to change at MailerSend."
        site.keys = ["the-secret"]
        assert site.read().works


def test_a_domain_that_mailersend_does_not_list_is_named() -> None:
    with serve_webhook_api("mailersend") as api:
        settings = read_provider_url(api.account.replace("news.example.org", "elsewhere.example.org"))
        kind = WEBHOOK_SETUPS["mailersend"]
        assert kind is not None
        target = WebhookTarget(url=URL, keys=(), new_key=NEW_KEY, keep=lambda key: None, setting=BACKUP)
        setup = kind(settings, target=target)
        with pytest.raises(
            WebhookSetupError, match=rf"does not list the domain elsewhere\.example\.org.* in {BACKUP}\."
        ):
            setup.install()
        setup.close()
        assert api.writes == []


def test_scaleway_without_a_topic_says_how_to_get_one() -> None:
    with serve_webhook_api("scaleway") as api:
        site = Site(api, setting=BACKUP)
        assert any("Topics and Events" in problem for problem in site.read().problems)
        with pytest.raises(WebhookSetupError, match=f"webhook_key=… to {BACKUP} "):
            site.install()
        assert api.writes == []


def test_scaleway_reports_of_each_domain_that_can_send() -> None:
    with serve_webhook_api("scaleway") as api:
        Site(api, [TOPIC]).install()
        assert [(row["domain_id"], row["sns_arn"]) for row in api.rows] == [("domain-1", TOPIC)]


def test_a_domain_whose_webhook_at_scaleway_is_somebody_elses_is_not_taken() -> None:
    with serve_webhook_api("scaleway") as api:
        api.rows = [
            {"id": "crm", "domain_id": "domain-1", "sns_arn": "arn:scw:sns:fr-par:project-x:crm", "event_types": []}
        ]
        with pytest.raises(WebhookSetupError, match="only one webhook per domain"):
            Site(api, [TOPIC]).install()
        assert [row["id"] for row in api.rows] == ["crm"]


def test_scaleway_confirms_only_the_question_about_our_topic() -> None:
    host = "https://sns.mnq.fr-par.scaleway.com/?Action=ConfirmSubscription"
    with serve_webhook_api("scaleway") as api:
        setup = Site(api, [TOPIC]).open()
        for link in (
            f"{host}&TopicArn=arn:scw:sns:fr-par:project-x:other&Token=abc",
            f"{host}&TopicArn={TOPIC}&Token=../x",
            f"{host}&TopicArn={TOPIC}",
            f"https://evil.example/?TopicArn={TOPIC}&Token=abc",
        ):
            with pytest.raises(WebhookSetupError, match=r"another topic.* Compare the ARN in webhook_key"):
                setup.confirm(link)
        assert api.calls == []
        setup.confirm(f"{host}&TopicArn={TOPIC}&Token=abc")
        assert api.subscriptions == [{"Endpoint": "abc", "TopicArn": TOPIC}]
        setup.close()


def test_scaleways_topics_do_not_get_our_key() -> None:
    with serve_webhook_api("scaleway") as api:
        setup: Any = Site(api, [TOPIC]).open()
        account = setup._topic_calls._account
        assert KEY not in repr((account.headers, account.auth))
        assert KEY not in repr(setup.calls._account)
        setup.close()


def test_other_providers_ask_for_no_confirmation() -> None:
    with serve_webhook_api("brevo") as api:
        setup = Site(api).open()
        with pytest.raises(WebhookSetupError, match="asks for no confirmation"):
            setup.confirm("https://example.org/")
        setup.close()


def test_an_address_with_a_password_or_a_slash_is_the_same() -> None:
    assert is_same_url("https://user:pa%40ss@Letters.example.org/hooks/x/", "https://letters.example.org/hooks/x")
    assert not is_same_url("https://letters.example.org/hooks/y", "https://letters.example.org/hooks/x")
    assert not is_same_url("https://letters.example.org.evil.example/hooks/x", "https://letters.example.org/hooks/x")


def test_every_provider_can_be_set_up_by_its_interface() -> None:
    without = [name for name in ACCOUNTS if WEBHOOK_SETUPS[name] is None]
    assert without == [], "Write webhook_setup.py. If its API creates no webhooks, leave it out of ACCOUNTS."
    assert isinstance(read_provider_url(ACCOUNTS["ses"]), ProviderSettings)


def test_an_extension_with_an_unfinished_set_up_is_left_out() -> None:
    class Unfinished(WebhookSetup):
        adapter = Brevo

    class Kind(ProviderKind):
        interface = 1
        adapter = BrevoKind.adapter
        webhooks = BrevoKind.webhooks
        webhook_setup: ClassVar[type[WebhookSetup] | None] = Unfinished

    with pytest.raises(BadExtension, match="its adapter lacks install, read, right"):
        check_provider("brevo", Kind())
    Kind.webhook_setup = None
    check_provider("brevo", Kind())


def _confirm(site: Site) -> None:
    setup = site.open()
    arn = next(key for key in site.keys if key.startswith("arn:"))
    setup.confirm(f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={arn}&Token=2336412f37")
    setup.close()


def _break(api: WebhookApi, row: dict[str, Any]) -> None:
    """Take an event from our webhook, as somebody at the provider's page would."""
    if api.name == "mailgun":
        if row["event"] == "delivered" and URL in row["urls"]:
            row["urls"].remove(URL)
    elif api.name == "mailjet":
        if is_same_url(row["Url"], URL):
            row["Status"] = "dead"
    elif row.get("url") == URL and api.name == "sendgrid":
        row.update(enabled=False, dropped=False)
    elif row.get("Url") == URL:
        row["Triggers"]["Bounce"]["Enabled"] = False
    elif row.get("endpoint") == URL:
        row.update(events=["email.opened"], status="disabled")
    elif row.get("url") == URL:
        row["events"] = ["opened"]
        if api.name == "mailersend":
            row["enabled"] = False
    elif row.get("sns_arn") == TOPIC:
        row["event_types"] = ["email_spam"]
    elif row.get("target") == URL:
        row.update(active=False, events=["click"])
    elif api.name == "ses" and "newsletter-reports" in row["SnsDestination"]["TopicArn"]:
        row.update(Enabled=False, MatchingEventTypes=["OPEN"])
