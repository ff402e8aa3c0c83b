"""A copy of real data mails nobody outside the allowlist of its settings, by any path."""

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.common.errors import BadAddress, NotReady
from newsletter.issues.approval.write_notices import write_notice
from newsletter.issues.variants.count_recipients import count_people
from newsletter.issues.variants.recipient_groups import RecipientGroup
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.models import Attempt, Batch, Proof, Send, StaffNotice
from newsletter.organisation.health.sending import check_recipient_allowlist
from newsletter.providers.base.contract import BatchFinder, Verdict
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.freezing.start import start_send
from newsletter.sending.notices.proofs import send_proofs
from newsletter.sending.notices.system_mail import SystemMail, make_sender, send_notice
from newsletter.sending.settling.account_moves import move_to_second_accounts
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from subscribers.audience.eligibility import explain_ineligible
from subscribers.audience.recipient_allowlist import parse_allowlist
from subscribers.models import Reason, Subscriber
from subscribers.unsubscribing.suppression import suppress
from tests.support.accounts import make_issue_with_second
from tests.support.fixtures import NOW, make_approver
from tests.support.sends import make_ready_issue, send_issue

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def mailgun(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


def only(settings: Any, *words: str) -> None:
    settings.SUBSCRIBERS_ONLY_TO = list(words)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("me@example.org", True),
        ("ME@Example.org", True),
        ("you@example.org", False),
        ("anyone@charity.example", True),
        ("anyone@sub.charity.example", False),
        ("anyone@notcharity.example", False),
        ("charity.example@example.com", False),
        ("büro@bücher.example", True),
        ("buero@xn--bcher-kva.example", True),
        ("", False),
        ("no address", False),
    ],
)
@pytest.mark.requirement("F24")
def test_the_allowlist_allows_addresses_and_whole_domains(address: str, inside: bool) -> None:
    only_to = parse_allowlist(["me@example.org", "@charity.example", "Bücher.example"])
    assert only_to is not None
    assert only_to.allows(address) is inside


@pytest.mark.requirement("F24")
def test_an_invalid_entry_is_an_error_and_no_entries_allow_all() -> None:
    assert parse_allowlist([]) is None
    for word in ("charity", "a b@example.org", "example.org/x"):
        with pytest.raises(BadAddress, match="neither an address nor a domain"):
            parse_allowlist([word])


@pytest.mark.requirement("F24")
def test_the_freeze_excludes_others_with_their_own_reason(mailgun: Any, settings: Any) -> None:
    only(settings, "person3@example.com", "PERSON4@example.com", "person5@example.com")
    issue = make_ready_issue(recipients=25)
    five = Subscriber.objects.get(email="person5@example.com")
    suppress(address_hash=bytes(five.address_hash), reason=Reason.STAFF, now=NOW)
    counted = count_people(issue, now=NOW)
    assert (counted.candidates, counted.eligible) == (25, 2)
    send = send_issue(issue)
    receipt = make_receipt(send)
    assert receipt.excluded == {"outside": 22, "suppressed:staff": 1}
    assert receipt.candidates == receipt.recipients + sum(receipt.excluded.values()) == 25
    assert mailgun.accepted_counts() == {"person3@example.com": 1, "person4@example.com": 1}
    outsider = Subscriber.objects.get(email="person7@example.com")
    assert "NEWSLETTER_ONLY_TO" in explain_ineligible(outsider, mailing_list=issue.publication.mailing_list, now=NOW)


@pytest.mark.requirement("F24")
def test_a_running_send_in_a_copy_skips_people_not_on_the_list(mailgun: Any, settings: Any) -> None:
    send = start_send(issue=make_ready_issue(recipients=5), now=NOW)
    only(settings, "person3@example.com")
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    assert mailgun.accepted_counts() == {"person3@example.com": 1}
    assert make_receipt(send).deliveries["skipped"] == 4
    assert sum("NEWSLETTER_ONLY_TO" in str(row[4]) for row in list_deliveries(send)) == 4


@pytest.mark.requirement("F24")
def test_the_allowlist_is_checked_before_the_provider_too(mailgun: Any, settings: Any) -> None:
    """Read without the setting, called with it: as a worker whose settings were changed under way."""
    start_send(issue=make_ready_issue(recipients=5), now=NOW)
    only(settings, "person3@example.com")
    fenced = current_adapter()
    only(settings)
    Dispatcher(adapter=fenced, clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    assert mailgun.accepted_counts() == {"person3@example.com": 1}
    assert make_receipt(Send.objects.get()).deliveries == {
        "pending": 0,
        "accepted": 1,
        "rejected": 4,
        "skipped": 0,
        "uncertain": 0,
    }
    assert isinstance(fenced, BatchFinder)


@pytest.mark.requirement("F24")
def test_proofs_and_system_mails_obey_the_allowlist(mailgun: Any, settings: Any) -> None:
    issue = make_ready_issue(recipients=2)
    only(settings, "ann@example.org")
    ann, bob = make_approver("ann@example.org"), make_approver("bob@example.org")
    send_proofs(issue=issue, group=RecipientGroup(0, "none", 1), to=[ann, bob], by=ann, now=NOW)
    assert dict(Proof.objects.values_list("person__email", "state")) == {
        "ann@example.org": "accepted",
        "bob@example.org": "failed",
    }
    write_notice(issue.publication, "held", "Held", ["It is held."], "/", NOW)
    send_due_notices(now=NOW)
    assert not StaffNotice.objects.filter(sent_at=None).exists()
    outcome = send_notice(
        SystemMail(
            subject="Please confirm",
            paragraphs=["Is it you?"],
            button=None,
            reason="You asked.",
        ),
        adapter=current_adapter(),
        sender=make_sender(issue.publication),
        to="reader@example.com",
        key="confirm-1",
        now=NOW,
    )
    assert outcome.verdict is Verdict.REJECTED
    assert set(mailgun.accepted_counts()) == {"ann@example.org"}


@pytest.mark.requirement("F24")
def test_outside_production_a_real_provider_gets_nobody(mailgun: Any, settings: Any) -> None:
    issue = make_ready_issue(recipients=5)
    start_send(issue=issue, now=NOW)
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(Batch.objects.get().pk)
    send = Send.objects.get()
    assert (send.state, Batch.objects.get().state) == (Send.State.PAUSED, Batch.State.PENDING)
    assert "not production" in send.reason
    with pytest.raises(NotReady, match="NEWSLETTER_PRODUCTION=true"):
        start_send(issue=issue, now=NOW)
    assert check_recipient_allowlist().level == "error"
    only(settings, "me@example.org")
    assert (check_recipient_allowlist().level, check_recipient_allowlist().says) == (
        "ok",
        "Only me@example.org. NEWSLETTER_ONLY_TO says so.",
    )
    settings.NEWSLETTER_PRODUCTION = True
    assert check_recipient_allowlist().level == "warning"
    only(settings)
    assert check_recipient_allowlist().says == "Everyone who asked for it."


@pytest.mark.requirement("F24")
def test_a_refusal_by_this_installation_does_not_count_for_the_account(two_accounts: Any, settings: Any) -> None:
    send = start_send(issue=make_issue_with_second(20), now=NOW)
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    dispatcher.dispatch(send.batches.order_by("seq")[0].pk)
    send.refresh_from_db()
    assert (send.state, send.code) == (Send.State.PAUSED, Send.Code.NONE)
    assert Attempt.objects.get().code == Attempt.Code.NOT_CALLED
    assert move_to_second_accounts(now=NOW + timedelta(hours=1)) == []


@pytest.mark.requirement("F24")
def test_people_outside_the_allowlist_are_no_answer_of_the_account(mailgun: Any, settings: Any) -> None:
    start_send(issue=make_ready_issue(recipients=1), now=NOW)
    only(settings, "somebody@example.org")
    dispatcher = Dispatcher(adapter=current_adapter(), clock=lambda: NOW)
    only(settings)
    dispatcher.dispatch(Batch.objects.get().pk)
    assert (Attempt.objects.get().outcome, Attempt.objects.get().code) == ("rejected", Attempt.Code.NOT_CALLED)


@pytest.mark.requirement("F24")
def test_the_account_of_the_publication_is_checked_at_the_start(two_accounts: Any, settings: Any) -> None:
    real = "mailgun://a-real-key@other.example.org"
    own = settings.NEWSLETTER_FURTHER_PROVIDER_URLS
    issue = make_issue_with_second(5, account="backup", second_account="")
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": real}
    with pytest.raises(NotReady, match="NEWSLETTER_PRODUCTION=true"):
        start_send(issue=issue, now=NOW)
    assert not Send.objects.exists()
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = own
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    assert start_send(issue=issue, now=NOW).state == Send.State.SUBMITTING


@pytest.mark.long
@pytest.mark.requirement("F24")
def test_only_one_module_makes_adapters() -> None:
    makers = set()
    for file in (ROOT / "newsletter").rglob("*.py"):
        names = {node.func.id for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if _is_named_call(node)}
        if "make_adapter" in names:
            makers.add(str(file.relative_to(ROOT)))
    of_the_contract_suite = "newsletter/testing/providers.py"  # its provider is a server on loopback
    assert makers == {"newsletter/sending/adapters.py", of_the_contract_suite}


def _is_named_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
