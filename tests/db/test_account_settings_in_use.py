"""Provider accounts and the rest of the product: keys, the allowlist, warm-up, reports, doctor, status and the file."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from rich.console import Console

from newsletter.common.errors import BadFile, NotReady
from newsletter.feedback.endpoint import is_configured, webhook_key
from newsletter.jobs.catalogue import _read_provider_suppressions
from newsletter.management.receipt_table import print_receipt
from newsletter.models import Batch, Publication, SenderDomain, SendingDay, SuppressionListReading
from newsletter.organisation.apply_file import apply_file
from newsletter.organisation.health.sending import (
    check_further_accounts,
    check_further_senders,
    check_publication_accounts,
)
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.sending.accounts import AccountNotUsable, list_accounts
from newsletter.sending.adapters import current_adapter
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.deliverability.refresh_domains import refresh_sender_domains
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.settling.account_moves import move_by_hand
from newsletter.sending.settling.issue_status import status_of
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from tests.support.accounts import run, start
from tests.support.dns_server import serve_dns
from tests.support.fixtures import NOW, make_approver, make_publication
from tests.support.mail_server import USER, say, serve_mail

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_accounts_with_one_key_are_refused_by_name(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {
        "backup": settings.NEWSLETTER_PROVIDER_URL.replace("news.example.org", "other.example.org")
    }
    problem = list_accounts()[1].problem
    assert "NEWSLETTER_PROVIDER_URL_BACKUP and NEWSLETTER_PROVIDER_URL have the same key" in problem
    with pytest.raises(AccountNotUsable, match="have the same key"):
        start(account="backup", second_account="")


def test_files_are_no_further_account(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "outbox://"}
    assert "get nothing" in list_accounts()[1].problem


def test_a_trial_with_files_uses_no_further_account(two_accounts, settings):
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert "is not used while NEWSLETTER_PROVIDER_URL is outbox://" in list_accounts()[1].problem


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nobody://x", "NEWSLETTER_PROVIDER_URL_BACKUP names a provider that is not known here"),
        ("mailgun://key@", "NEWSLETTER_PROVIDER_URL_BACKUP has no sending domain after the @"),
        ("smtp://u:p@", "NEWSLETTER_PROVIDER_URL_BACKUP names no mail server after the @"),
        ("postmark://t@?max_batch=no", "max_batch in NEWSLETTER_PROVIDER_URL_BACKUP must be a whole number"),
    ],
)
def test_a_url_that_cannot_be_read_is_named_by_its_own_setting(two_accounts, settings, url, problem):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": url}
    [finding] = check_further_accounts(now=NOW)
    assert finding.says.startswith(problem)
    assert "NEWSLETTER_PROVIDER_URL " not in finding.says
    assert not finding.says.endswith("..")


def test_an_error_that_names_no_setting_is_given_the_name():
    error = BadProviderUrl("The pigeons %(what)s.", what="are asleep")
    assert error.for_setting("NEWSLETTER_PROVIDER_URL_LOFT") == (
        "NEWSLETTER_PROVIDER_URL_LOFT cannot be read: The pigeons are asleep"
    )


def test_the_allowlist_holds_for_each_account(two_accounts, settings):
    first, second = two_accounts
    settings.SUBSCRIBERS_ONLY_TO = ["person1@example.com", "person59@example.com"]
    send = start()
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    run(send)
    assert first.accepted() == []
    assert set(second.accepted_counts()) <= {"person1@example.com", "person59@example.com"}


def test_a_real_second_account_without_production_takes_nothing(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "mailgun://a-real-key@other.example.org"}
    send = start()
    with pytest.raises(NotReady, match="not production"):
        move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    assert set(send.batches.values_list("account", flat=True)) == {"default"}


@pytest.mark.postgres
def test_each_domain_warms_up_for_itself(two_accounts):
    first, second = two_accounts
    send = start(warm_up_from=date(2026, 2, 1), second_warm_up_from=date(2026, 3, 4))
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW))
    assert (len(first.accepted_counts()), len(second.accepted_counts())) == (0, 50)
    assert SendingDay.objects.get(account="backup").people == 50
    left = Batch.objects.get(state="pending")
    assert (left.code, left.not_before.date()) == ("limit", date(2026, 3, 5))
    move_by_hand(send=send, to="default", by=make_approver(), now=NOW)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW))
    assert len(first.accepted_counts()) == 10


@pytest.mark.postgres
def test_the_daily_limit_counts_over_all_accounts(two_accounts):
    first, second = two_accounts
    send = start(people_per_day=20, second_warm_up_from=date(2026, 3, 4))
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW), limit=1)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW))
    assert (len(first.accepted_counts()), len(second.accepted_counts())) == (10, 10)
    assert dict(SendingDay.objects.values_list("account", "people")) == {"": 20, "default": 10, "backup": 10}


@pytest.mark.postgres
def test_receipt_and_status_count_by_account(two_accounts, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    send = start()
    dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: NOW), limit=2)
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    send = run(send)
    accounts = make_receipt(send).accounts
    assert {name: states["accepted"] for name, states in accounts.items()} == {"default": 20, "backup": 40}
    assert sum(sum(states.values()) for states in accounts.values()) == send.recipients
    status = status_of(send.issue)
    assert status["send"]["accounts"] == accounts
    printed = StringIO()
    print_receipt(status, console=Console(file=printed))
    assert "40  by the account backup" in printed.getvalue()
    assert {str(row[-1]) for row in list_deliveries(send)} == {"default", "backup"}
    printed = StringIO()
    call_command("status", send.issue.reference, stdout=printed)
    assert "40 people moved from the account default to backup: moved by approver@example.org" in printed.getvalue()


def test_status_names_the_only_account_if_everybody_moved(two_accounts):
    send = start()
    move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    run(send)
    printed = StringIO()
    call_command("status", send.issue.reference, stdout=printed)
    assert "60  by the account backup" in printed.getvalue()


def test_reports_are_verified_by_the_keys_of_every_account(two_accounts, settings):
    settings.NEWSLETTER_PROVIDER_URL += "&webhook_key=one"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {
        "backup": settings.NEWSLETTER_FURTHER_PROVIDER_URLS["backup"] + "&webhook_key=two",
        "third": "postmark://a-third-key@?webhook_key=user:word",
    }
    assert webhook_key("mailgun") == "one,two"
    assert webhook_key("postmark") == "user:word"
    assert [is_configured(name) for name in ("mailgun", "postmark", "brevo")] == [True, True, False]


def test_the_suppression_list_of_each_account_is_read(two_accounts):
    _read_provider_suppressions()
    names = SuppressionListReading.objects.order_by("provider").values_list("provider", flat=True)
    assert list(names) == ["mailgun (news.example.org)", "mailgun (other.example.org), backup"]


def test_doctor_names_what_is_wrong_with_each_account(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS |= {"broken": "mailgun://", "real": "postmark://a-real-key@"}
    found = {(one.check, one.level): one for one in check_further_accounts(now=NOW)}
    assert "mailgun (other.example.org)" in found["account backup", "ok"].says
    assert "NEWSLETTER_PROVIDER_URL_BROKEN has no key" in found["account broken", "error"].says
    assert "not production" in found["account real", "error"].says
    make_publication(second_account="gone")
    (problem,) = check_publication_accounts()
    assert (problem.check, "NEWSLETTER_PROVIDER_URL_GONE" in problem.says) == ("publication weekly", True)


def test_the_records_of_each_account_are_checked_and_kept(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "postmark://a-real-key@"}
    make_publication(second_account="backup")
    with serve_dns() as server:
        assert refresh_sender_domains(now=NOW, dns=server.make_dns()) == 1
        assert refresh_sender_domains(now=NOW, dns=server.make_dns()) == 0
        assert any("account backup" in finding.check for finding in check_further_senders(dns=server.make_dns()))
    row = SenderDomain.objects.get()
    assert (row.findings, row.further["backup"]["provider"]) == ([], "postmark")
    assert "error" in {problem.level for problem in find_domain_problems("news@news.example.org", account="backup")}
    assert find_domain_problems("news@news.example.org") == []


def test_a_second_whose_domain_is_not_ready_gets_nothing(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "postmark://a-real-key@"}
    settings.NEWSLETTER_PRODUCTION = True
    send = start()
    SenderDomain.objects.create(
        domain="news.example.org",
        looked_at=NOW,
        further={
            "backup": {
                "provider": "postmark",
                "findings": [
                    {"check": "DKIM", "level": "error", "says": "There is no key of Postmark.", "do": "Add it."}
                ],
            }
        },
    )
    assert [problem.level for problem in find_domain_problems("news@news.example.org", account="backup")] == ["error"]
    with pytest.raises(NotReady, match="There is no key of Postmark"):
        move_by_hand(send=send, to="backup", by=make_approver(), now=NOW)
    assert set(send.batches.values_list("account", flat=True)) == {"default"}


FILE = """
[brand]
name = "Open Door"
[[list]]
slug = "weekly"
name = "The weekly letter"
[[publication]]
slug = "weekly"
name = "The weekly letter"
list = "weekly"
from_name = "Open Door"
from_email = "letter@news.example.org"
schedule = "0 9 * * 4"
zone = "Europe/London"
"""


def test_the_organisation_file_chooses_accounts_that_exist(two_accounts, tmp_path: Path):
    file = tmp_path / "organisation.toml"
    file.write_text(FILE + 'second_account = "backup"\nsecond_warm_up_from = 2026-03-04\n')
    apply_file(file, now=NOW)
    made = Publication.objects.get()
    assert (made.account, made.second_account, made.second_warm_up_from) == ("default", "backup", date(2026, 3, 4))
    file.write_text(FILE + 'account = "other"\n')
    with pytest.raises(BadFile, match=r"account: .*there is no NEWSLETTER_PROVIDER_URL_OTHER"):
        apply_file(file, now=NOW)
    file.write_text(FILE + 'account = "backup"\nsecond_account = "backup"\n')
    with pytest.raises(BadFile, match="This is the first account"):
        apply_file(file, now=NOW)


def test_the_sign_in_of_a_further_mail_server_names_its_setting(two_accounts, settings):
    with serve_mail() as server:
        server.faults["AUTH"] = say("535 5.7.8 no")
        settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": f"smtp://{USER}:wr0ng@127.0.0.1:{server.port}"}
        *_, refused = check_further_accounts(now=NOW)
    assert "Check both in NEWSLETTER_PROVIDER_URL_BACKUP." in refused.says


def test_dns_advice_names_the_setting_of_a_further_mail_server(two_accounts, settings):
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": "smtp://u:p@mail.example.org"}
    Publication.objects.filter(pk=make_publication().pk).update(second_account="backup")
    with serve_dns() as server:
        found = [finding.do for finding in check_further_senders(dns=server.make_dns()) if finding.do]
    assert any("Check the name in NEWSLETTER_PROVIDER_URL_BACKUP" in str(advice) for advice in found)
