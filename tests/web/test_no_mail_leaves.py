"""Without a provider, the desk says on every page of a send that nobody gets mail."""

from typing import Any

import pytest
import time_machine

from newsletter.models import Issue, Publication, SkippedStep
from newsletter.sending.adapters import can_mail_leave, current_adapter, writes_to_files
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.installation_hold import hold_installation
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db
BANNER = "No mail leaves this installation yet."
POSTMARK = "postmark://a-key@"


def test_pages_say_that_mail_is_written_to_files(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    client = sign_in("admin")
    overview, report = f"/admin/issues/{issue.pk}/overview/", f"/admin/issues/{issue.pk}/report/"
    for address in ("/admin/", overview, f"/admin/issues/{issue.pk}/send/start/sure/"):
        page = compact_html(client.get(address).content.decode())
        assert BANNER in page
        assert "It is written to files instead" in page
        assert '<a href="/admin/setup/provider/">Connect a provider</a>' in page
    with time_machine.travel(NOW, tick=False):
        run_send(send=start_send(issue=issue, now=NOW), adapter=current_adapter())
        home = compact_html(sign_in("writer").get("/admin/").content.decode())
    assert ">Written to files</span>" in home.split("Sent and cancelled")[1]
    assert BANNER in compact_html(client.get(report).content.decode())
    summary = compact_html(client.get(overview).content.decode())
    assert "written to files</th>" in summary
    assert "1 version was written to files" in summary
    assert "was sent<" not in summary
    assert "Written to files: nobody got this mail" in summary
    assert not any(text in summary for text in ("accepted by the provider", "bounced</th>", "reported as spam</th>"))
    assert '<p class="nl-issue__state"><span class="nl-tag nl-tag--done">Written to files</span>' in summary
    assert ">Written to files</span>" in compact_html(client.get("/admin/issues/").content.decode())


def test_the_banner_offers_the_step_only_to_those_who_may(publication: Publication) -> None:
    page = sign_in("writer").get("/admin/").content.decode()
    assert BANNER in page
    assert "Connect a provider" not in page


def test_a_provider_that_may_not_mail_yet_is_named_too(publication: Publication, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_PRODUCTION = POSTMARK, False
    page = sign_in("admin").get("/admin/").content.decode()
    assert BANNER in page
    assert "NEWSLETTER_PRODUCTION=true" in page


def test_the_banner_goes_once_mail_leaves(publication: Publication, settings) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_PRODUCTION = POSTMARK, True
    assert BANNER not in sign_in("admin").get("/admin/").content.decode()


def test_skipped_steps_are_named_at_the_end_of_set_up() -> None:
    client = sign_in("admin")
    for step in ("brand", "list", "source", "publication", "people", "provider", "domain", "proof"):
        SkippedStep.objects.create(step=step, at=NOW)
    page = client.get("/admin/setup/").content.decode()
    assert "You skipped:" in page
    assert '<a href="/admin/setup/provider/">Mail provider</a>' in page
    assert "Nothing is left to set up" not in page


LOOPBACK = "mailgun://a-key@news.example.org?endpoint=http%3A%2F%2F127.0.0.1%3A9"


THROUGH = "No mail leaves through the provider account “%s”."


@pytest.mark.parametrize(("default", "further", "leaves"), [(LOOPBACK, POSTMARK, False), (POSTMARK, LOOPBACK, True)])
def test_an_issue_is_judged_by_its_own_account(
    publication: Publication, settings: Any, default: str, further: str, leaves: bool
) -> None:
    settings.NEWSLETTER_PRODUCTION = False
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_FURTHER_PROVIDER_URLS = default, {"backup": further}
    issue, client = make_issue_through("backup", publication), sign_in("admin")
    page = client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    assert (THROUGH % "backup" not in page) == leaves
    assert THROUGH % "default" not in page
    home = client.get("/admin/").content.decode()
    assert [THROUGH % name in home for name in ("backup", "default")] == [not leaves, leaves]
    assert BANNER not in home


def test_home_ignores_an_account_that_only_disabled_publications_name(publication: Publication, settings: Any) -> None:
    settings.NEWSLETTER_PRODUCTION = False
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_FURTHER_PROVIDER_URLS = LOOPBACK, {"backup": POSTMARK}
    Publication.objects.update(account="backup", enabled=False)
    assert "No mail leaves" not in sign_in("admin").get("/admin/").content.decode()


def test_an_issue_that_was_mailed_is_not_judged_by_todays_account(
    publication: Publication, settings: Any, two_accounts: object
) -> None:
    issue, client = make_issue_through("default", publication), sign_in("admin")
    with time_machine.travel(NOW, tick=False):
        run_send(send=start_send(issue=issue, now=NOW), adapter=current_adapter())
    settings.NEWSLETTER_PRODUCTION, settings.NEWSLETTER_FURTHER_PROVIDER_URLS = False, {"backup": POSTMARK}
    Publication.objects.update(account="backup")
    for part in ("report", "overview"):
        assert "No mail leaves" not in client.get(f"/admin/issues/{issue.pk}/{part}/").content.decode()
    assert THROUGH % "backup" in client.get("/admin/").content.decode()


def test_a_running_send_is_judged_by_the_accounts_of_its_batches(
    publication: Publication, settings: Any, two_accounts: object
) -> None:
    issue, client = make_issue_through("backup", publication), sign_in("admin")
    start_send(issue=issue, now=NOW)
    Publication.objects.update(account="default")
    settings.NEWSLETTER_PRODUCTION, settings.NEWSLETTER_FURTHER_PROVIDER_URLS = False, {"backup": POSTMARK}
    for part in ("overview", "send/cancel/sure"):
        assert THROUGH % "backup" in client.get(f"/admin/issues/{issue.pk}/{part}/").content.decode()


def make_issue_through(account: str, publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    Publication.objects.update(account=account)
    return make_issue(publication, approved=True)


@pytest.mark.parametrize(
    ("default", "further", "production", "reason"),
    [
        (LOOPBACK, {"test": "outbox://"}, True, "NEWSLETTER_PROVIDER_URL_TEST is outbox://"),
        ("outbox://", {"test": POSTMARK}, True, "NEWSLETTER_PROVIDER_URL_TEST is not used while"),
        (LOOPBACK, {}, True, "The provider account “test” is not configured"),
        (
            LOOPBACK,
            {"test": "carrier-pigeon://"},
            True,
            "NEWSLETTER_PROVIDER_URL_TEST names a provider that is not known",
        ),
        (LOOPBACK, {"test": POSTMARK}, False, "This installation is not production"),
    ],
)
def test_no_button_promises_a_send_that_the_start_refuses(
    publication: Publication, settings: Any, default: str, further: dict[str, str], production: bool, reason: str
) -> None:
    settings.NEWSLETTER_PRODUCTION = production
    settings.NEWSLETTER_PROVIDER_URL, settings.NEWSLETTER_FURTHER_PROVIDER_URLS = default, further
    issue, client = make_issue_through("test", publication), sign_in("admin")
    overview, start = f"/admin/issues/{issue.pk}/overview/", f"/admin/issues/{issue.pk}/send/start/"
    page = client.get(f"{start}sure/").content.decode()
    assert "The weekly letter No. 1 cannot be sent now" in page
    assert f'action="{start}"' not in page
    assert "Write to files" not in page
    for html in (page, client.get(overview).content.decode()):
        assert reason in html
    list_messages(client.post(start, {"people": "3"}, follow=True))
    assert not issue.sends.exists()
    assert not can_mail_leave("test")
    assert not writes_to_files("test")


def test_no_button_promises_a_send_while_all_sending_is_on_hold(publication: Publication) -> None:
    issue = make_issue_through("default", publication)
    hold_installation(reason="restored from a backup", now=NOW)
    start = f"/admin/issues/{issue.pk}/send/start/"
    page = sign_in("admin").get(f"{start}sure/").content.decode()
    assert "cannot be sent now" in page
    assert f'action="{start}"' not in page
