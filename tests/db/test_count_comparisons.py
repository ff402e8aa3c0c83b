"""Each send of the last week is compared daily with what its provider counted for it, and nothing else comes of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from newsletter.desk.sends.count_comparison import comparison_context, label_provider
from newsletter.feedback.comparing.account_shares import Obstacle, list_shares
from newsletter.feedback.comparing.compare import MAX_QUESTIONS, compare_due_sends
from newsletter.models import Attempt, Batch, CountComparison, Delivered, Delivery, DeliveryException, Issue, Send
from newsletter.providers.base.provider_adapter import ProviderAdapter
from newsletter.sending.adapters import account_label, find_issue_counters, provider_label
from newsletter.sending.settling.delivered_bitmap import Handover, mark_delivered
from newsletter.sending.settling.retention import RETENTION, delete_old_deliveries
from tests.support.fake_provider import FakeProvider
from tests.support.feedback_reports import apply_reports, deliveries_of, make_send, postmark_event
from tests.support.fixtures import NOW
from tests.support.provider_faults import answer
from tests.support.provider_issue_counts import CountedIssue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("W8")]
ENDED = NOW + timedelta(hours=1)
EARLY = ENDED + timedelta(hours=2)
NEXT_DAY = ENDED + timedelta(hours=25)


@pytest.fixture(params=["mailgun", "postmark"])
def provider(request: pytest.FixtureRequest, fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of(request.param)
    return fake_provider


@pytest.fixture
def sendgrid(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("sendgrid")
    return fake_provider


def make_ended_send(*, recipients: int = 4) -> Send:
    return end(make_send(recipients=recipients))


def end(send: Send) -> Send:
    Send.objects.filter(pk=send.pk).update(
        state=Send.State.SUBMITTED, started_at=NOW, ended_at=ENDED, provider=provider_label()
    )
    return Send.objects.get(pk=send.pk)


def count(provider: FakeProvider, send: Send, **counts: Any) -> None:
    provider.counted[send.issue.public_id] = CountedIssue(**counts)


def compare(now: Any = NEXT_DAY) -> CountComparison:
    compare_due_sends(counters=find_issue_counters(), now=now)
    return CountComparison.objects.latest("day")


def describe(row: CountComparison) -> tuple[str, str, str]:
    return row.result, row.figure, row.failure


def find_obstacle(send: Send) -> Obstacle | None:
    """Return the obstacle of the only account."""
    (share,) = list_shares(send)
    return share.obstacle


def test_equal_numbers_are_equal(provider: FakeProvider) -> None:
    send = make_ended_send()
    count(provider, send, accepted=4)
    row = compare()
    assert describe(row) == ("equal", "", "")
    assert (row.accepted, row.provider_accepted, row.deliveries, row.retry_at) == (4, 4, [], None)


def test_an_uncertain_recipient_may_be_counted_or_not(provider: FakeProvider) -> None:
    send = make_ended_send()
    delivery = deliveries_of(send)[0]
    DeliveryException.objects.create(delivery=delivery, state=DeliveryException.State.UNCERTAIN, at=NOW)
    for accepted, result in ((2, "fewer_at_provider"), (3, "equal"), (4, "equal"), (5, "more_at_provider")):
        CountComparison.objects.all().delete()
        count(provider, send, accepted=accepted)
        row = compare()
        assert (row.result, row.accepted, row.uncertain) == (result, 3, 1)


def test_people_whom_the_provider_lacks_are_named_without_address(provider: FakeProvider) -> None:
    send = make_ended_send()
    first, *others = deliveries_of(send)
    people = [(other.pk, other.batch.key) for other in others]
    count(provider, send, accepted=3, people={"accepted": people})
    row = compare()
    assert describe(row) == ("fewer_at_provider", "accepted", "")
    assert row.deliveries == [first.pk]


def test_people_whom_only_the_provider_has_are_named(provider: FakeProvider) -> None:
    send = make_ended_send()
    first, *_ = everybody = deliveries_of(send)
    DeliveryException.objects.create(delivery=first, state=DeliveryException.State.REJECTED, at=NOW)
    people = [(each.pk, each.batch.key) for each in everybody]
    foreign = [(everybody[1].pk, "batch-of-another-installation"), (10**12, first.batch.key)]
    count(provider, send, accepted=4, people={"accepted": [*people, *foreign]})
    row = compare()
    assert describe(row) == ("more_at_provider", "accepted", "")
    assert row.deliveries == [first.pk]


def test_at_most_a_hundred_people_are_named(provider: FakeProvider) -> None:
    send = make_ended_send(recipients=130)
    count(provider, send, accepted=0)
    assert len(compare().deliveries) == 100


def test_without_the_list_of_people_the_difference_stays(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_ended_send()
    count(provider, send, accepted=3)
    monkeypatch.setattr("newsletter.feedback.comparing.compare.MAX_NAMED_PEOPLE", 3)
    row = compare()
    assert (row.result, row.deliveries) == ("fewer_at_provider", [])


@pytest.mark.parametrize("accepted", [2, 4])
def test_nobody_is_named_from_an_incomplete_list(
    fake_provider: FakeProvider, settings: Any, monkeypatch: pytest.MonkeyPatch, accepted: int
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark")
    for limit in ("MAX_NAMED_PEOPLE", "MESSAGES_PER_PAGE"):
        monkeypatch.setattr(f"newsletter.providers.postmark.adapter.{limit}", 2)
    send = make_ended_send()
    first, *_ = everybody = deliveries_of(send)
    DeliveryException.objects.create(delivery=first, state=DeliveryException.State.REJECTED, at=NOW)
    people = [(each.pk, each.batch.key) for each in everybody[:accepted]]
    count(fake_provider, send, accepted=accepted, people={"accepted": people})
    row = compare()
    assert row.figure == "accepted"
    assert row.deliveries == []


def test_a_failed_list_of_people_leaves_them_unnamed(fake_provider: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark")
    send = make_ended_send()
    count(fake_provider, send, accepted=3, people={"accepted": 5})
    row = compare()
    assert (row.result, row.deliveries) == ("fewer_at_provider", [])


def test_reports_that_did_not_come_are_a_difference(sendgrid: FakeProvider) -> None:
    send = make_ended_send()
    for figure in ("delivered", "bounced", "complained"):
        CountComparison.objects.all().delete()
        count(sendgrid, send, accepted=4, **{figure: 2})
        assert describe(compare()) == ("more_at_provider", figure, "")


def test_people_of_whom_no_report_came_are_named(fake_provider: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("mailgun")
    send = make_ended_send()
    first, second, *_ = deliveries_of(send)
    mark_delivered({first.pk: Handover(send.pk, "default")}, at=NOW)
    people = [(each.pk, each.batch.key) for each in (first, second)]
    count(fake_provider, send, accepted=4, delivered=2, people={"delivered": people})
    row = compare()
    assert describe(row) == ("more_at_provider", "delivered", "")
    assert row.deliveries == [second.pk]
    count(fake_provider, send, accepted=4, delivered=1, bounced=1, people={"bounced": people[:1]})
    assert compare(NEXT_DAY + timedelta(days=1)).deliveries == [first.pk]


def test_reports_that_the_provider_does_not_count_are_fewer(sendgrid: FakeProvider) -> None:
    send = make_ended_send()
    delivery = deliveries_of(send)[0]
    Delivered.objects.create(send=send, part=delivery.pk // Delivered.SPAN, bits=b"", people=1, last_at=NOW)
    count(sendgrid, send, accepted=4)
    assert describe(compare()) == ("fewer_at_provider", "delivered", "")


def test_bounces_that_postmark_does_not_count_are_no_difference(fake_provider: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark")
    send = make_ended_send()
    apply_reports(
        postmark_event("Bounce", deliveries_of(send)[0], Type="Blocked", ID=1, Description="550 5.7.1 policy"),
        provider="postmark",
    )
    count(fake_provider, send, accepted=4, bounced=0)
    row = compare()
    assert (row.result, row.bounced, row.provider_bounced) == ("equal", 1, 0)


def test_a_difference_in_the_first_day_is_too_early(provider: FakeProvider) -> None:
    send = make_ended_send()
    count(provider, send, accepted=1)
    row = compare(EARLY)
    assert (row.result, row.figure, row.provider_accepted, row.deliveries) == ("not_counted_yet", "accepted", 1, [])
    assert describe(compare()) == ("fewer_at_provider", "accepted", "")
    assert CountComparison.objects.count() == 2


def test_an_issue_unknown_to_the_provider_is_not_counted_as_zero(sendgrid: FakeProvider) -> None:
    make_ended_send()
    assert describe(compare(EARLY)) == ("not_counted_yet", "", "unknown_issue")
    assert describe(compare()) == ("unavailable", "", "unknown_issue")


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (401, b"{}", "key_refused"),
        (500, b"{}", "provider_error"),
        (200, b"<html>", "unreadable"),
        (200, b'{"Sent": -4, "SpamComplaints": 0}', "unreadable"),
    ],
)
def test_a_provider_that_gives_no_counts_is_asked_again_in_an_hour(
    provider: FakeProvider, status: int, body: bytes, failure: str
) -> None:
    send = make_ended_send()
    provider.query_fault = answer(status, body)
    row = compare()
    assert describe(row) == ("unavailable", "", failure)
    provider.query_fault = None
    count(provider, send, accepted=4)
    assert compare(NEXT_DAY + timedelta(minutes=59)).result == "unavailable"
    assert compare(NEXT_DAY + timedelta(minutes=60)).result == "equal"
    assert CountComparison.objects.count() == 1


def test_a_provider_without_counts_is_logged_again_only_for_another_reason(
    sendgrid: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    make_ended_send()
    compare(ENDED + timedelta(hours=3))
    compare(ENDED + timedelta(hours=5))
    compare(NEXT_DAY)
    assert caplog.text.count("is not compared") == 1
    sendgrid.query_fault = answer(401, b"{}")
    compare(NEXT_DAY + timedelta(hours=2))
    assert caplog.text.count("is not compared") == 2


def test_a_provider_that_asks_to_wait_gets_no_request_until_then(provider: FakeProvider) -> None:
    make_ended_send()
    provider.query_fault = answer(429, b"{}", retry_after="14400")
    row = compare()
    assert (row.failure, row.retry_at) == ("throttled", NEXT_DAY + timedelta(hours=4))


def test_a_send_is_compared_once_a_day_for_a_week(provider: FakeProvider) -> None:
    send = make_ended_send()
    count(provider, send, accepted=4)
    for hours in range(0, 24 * 9, 6):
        compare_due_sends(counters=find_issue_counters(), now=ENDED + timedelta(hours=hours))
    days = [(row.day - ENDED.date()).days for row in CountComparison.objects.order_by("day")]
    assert days == [0, 1, 2, 3, 4, 5, 6, 7]


def test_one_run_asks_about_a_few_sends_only(provider: FakeProvider) -> None:
    send = make_ended_send()
    for number in range(2, MAX_QUESTIONS + 2):
        Issue.objects.filter(pk=send.issue_id).update(slot=None)
        issue = Issue.objects.defer(None).get(pk=send.issue_id)
        issue.pk, issue.number, issue.public_id = None, number, f"issue-{number}"
        issue.save(force_insert=True)
        send.pk, send.issue, send.totals = None, issue, {"deliveries": {"accepted": 4, "uncertain": 0}}
        send.save(force_insert=True)
    assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY) == MAX_QUESTIONS
    assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY) == 1


def test_a_second_send_of_an_issue_is_compared_with_the_first(provider: FakeProvider) -> None:
    """The provider counts by issue, so what a cancelled send and the one after it mailed is one number there."""
    first = make_ended_send()
    Send.objects.filter(pk=first.pk).update(state=Send.State.CANCELLED)
    second = Send.objects.create(
        issue=first.issue,
        revision=first.revision,
        sha256=first.sha256,
        state=Send.State.SUBMITTED,
        provider=first.provider,
        made_at=NOW,
        started_at=NOW,
        ended_at=ENDED,
        recipients=3,
        candidates=3,
        totals={"deliveries": {"accepted": 2, "uncertain": 1}},
    )
    count(provider, second, accepted=6)
    row = compare()
    assert (row.send, row.result, row.accepted, row.uncertain) == (second, "equal", 6, 1)
    assert CountComparison.objects.count() == 1


def test_a_receipt_that_does_not_add_up_is_not_compared(
    provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    send = make_ended_send()
    Send.objects.filter(pk=send.pk).update(candidates=99)
    for minutes in (0, 10, 70):
        assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY + timedelta(minutes=minutes)) == 0
    assert caplog.text.count("is inconsistent") == 1, "It is logged once a day."
    row = CountComparison.objects.get()
    assert describe(row) == ("unavailable", "", "bad_receipt")
    assert (row.compared_at, row.retry_at) == (NEXT_DAY, None)
    assert not provider.queries


def test_an_issue_with_a_send_under_way_waits(provider: FakeProvider) -> None:
    send = make_ended_send()
    Send.objects.filter(pk=send.pk).update(state=Send.State.NEEDS_ATTENTION)
    assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY) == 0
    assert not CountComparison.objects.exists()


@pytest.mark.requirement("F1")
def test_the_readers_of_counts_cannot_send(provider: FakeProvider) -> None:
    counter = find_issue_counters()["default"]
    assert {name for name in dir(counter) if not name.startswith("_")} == {"count_issue", "list_records"}
    assert not isinstance(counter, ProviderAdapter)


def test_a_send_of_another_account_is_not_compared(provider: FakeProvider, settings: Any) -> None:
    send = make_ended_send()
    count(provider, send, accepted=4)
    attempt = Attempt.objects.create(
        batch=Batch.objects.filter(send=send)[:1].get(), number=9, provider=account_label(), people=4, started_at=NOW
    )
    assert find_obstacle(send) is None
    Attempt.objects.filter(pk=attempt.pk).update(provider="mailgun:another-key")
    assert find_obstacle(send) is Obstacle.OTHER_ACCOUNT
    assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY) == 0
    settings.NEWSLETTER_PROVIDER_URL = provider.url_of("sendgrid")
    assert find_obstacle(send) is Obstacle.OTHER_ACCOUNT


def test_providers_without_counts_and_welcome_mails_are_not_compared(
    fake_provider: FakeProvider, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("resend")
    assert find_issue_counters() == {}
    assert compare_due_sends(counters={}, now=NEXT_DAY) == 0
    welcome = make_ended_send()
    assert find_obstacle(welcome) is Obstacle.NO_COUNTS
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark")
    Send.objects.filter(pk=welcome.pk).update(provider=provider_label())
    welcome = Send.objects.get(pk=welcome.pk)
    welcome.issue.kind = Issue.Kind.WELCOME
    assert find_obstacle(welcome) is Obstacle.WELCOME
    Send.objects.filter(pk=welcome.pk).update(provider="outbox")
    assert find_obstacle(Send.objects.get(pk=welcome.pk)) is Obstacle.TO_FILES


@pytest.mark.requirement("F1")
def test_a_comparison_changes_no_delivery_and_mails_nobody(provider: FakeProvider) -> None:
    send = make_ended_send()
    tables = (Delivery, DeliveryException, Batch, Attempt, Send)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    count(provider, send, accepted=1, bounced=3, complained=2)
    compare()
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
    assert not provider.ledger


def test_the_status_command_reports_the_comparisons(provider: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    send = make_ended_send()
    count(provider, send, accepted=5)
    compare()
    call_command("status", str(send.issue_id), "--json")
    (reported,) = json.loads(capsys.readouterr().out)["compared"]
    assert (reported["result"], reported["figure"], reported["day"]) == (
        "more_at_provider",
        "accepted",
        NEXT_DAY.date().isoformat(),
    )
    assert (reported["ours"]["accepted"], reported["provider"]["accepted"]) == (4, 5)


def test_comparisons_go_with_the_deliveries(provider: FakeProvider) -> None:
    count(provider, make_ended_send(), accepted=4)
    compare()
    delete_old_deliveries(now=ENDED + RETENTION + timedelta(days=1))
    assert not CountComparison.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "equal", "figure": "accepted"},
        {"result": "more_at_provider"},
        {"result": "unavailable"},
        {"result": "unavailable", "failure": "throttled", "provider_accepted": 4},
        {"result": "lost"},
        {"result": "equal", "figure": "opened"},
    ],
)
def test_the_database_refuses_a_result_without_its_reason(provider: FakeProvider, wrong: dict[str, Any]) -> None:
    send = make_ended_send()
    with pytest.raises(IntegrityError), transaction.atomic():
        CountComparison.objects.create(send=send, day=NOW.date(), compared_at=NOW, **wrong)
    CountComparison.objects.create(send=send, day=NOW.date(), compared_at=NOW, result="equal")
    with pytest.raises(IntegrityError), transaction.atomic():
        CountComparison.objects.create(send=send, day=NOW.date(), compared_at=NOW, result="equal")


def hand_over(send: Send, *accounts: str) -> None:
    """Write an accepted attempt by each of the accounts."""
    batch = Batch.objects.filter(send=send)[:1].get()
    for number, account in enumerate(accounts, start=9):
        values = {"people": 4, "started_at": NOW, "ended_at": NOW, "outcome": "accepted"}
        Attempt.objects.create(batch=batch, number=number, provider=account_label(account), **values)


def test_a_further_account_is_asked_about_its_own_issues(two_accounts: Any) -> None:
    first, second = two_accounts
    send = make_ended_send()
    hand_over(send, "backup")
    count(second, send, accepted=4)
    row = compare()
    assert describe(row) == ("equal", "", "")
    assert (len(first.queries), len(second.queries)) == (0, 1)
    assert (row.account, label_provider(row)) == ("backup", "Mailgun (backup)")


@pytest.fixture
def shared(two_accounts: Any) -> Send:
    """A send of which the default account accepted the first two mails, and ``backup`` the other two."""
    send = make_ended_send()
    hand_over(send, "default")
    first = send.batches.get()
    rest = Batch.objects.get(pk=first.pk)
    rest.pk, rest.seq, rest.part, rest.key, rest.size = None, first.seq + 1, first.part + 1, "the-rest", 2
    rest.account = rest.handed_to = "backup"
    rest.save(force_insert=True)
    Batch.objects.filter(pk=first.pk).update(size=2)
    Delivery.objects.filter(pk__in=[each.pk for each in deliveries_of(send)[2:]]).update(batch=rest)
    values = {"people": 2, "started_at": NOW, "ended_at": NOW, "outcome": "accepted"}
    Attempt.objects.create(batch=rest, number=1, provider=account_label("backup"), **values)
    return send


def compare_both(now: Any = NEXT_DAY) -> dict[str, CountComparison]:
    compare_due_sends(counters=find_issue_counters(), now=now)
    return {row.account: row for row in CountComparison.objects.order_by("day")}


def test_each_account_is_compared_with_its_own_counts(shared: Send, two_accounts: Any) -> None:
    """A mail of each was delivered, the first account's other one bounced, and the second's was reported as spam."""
    first, second = two_accounts
    one, two, three, four = deliveries_of(shared)
    mark_delivered({one.pk: Handover(shared.pk, "default"), three.pk: Handover(shared.pk, "backup")}, at=NOW)
    DeliveryException.objects.create(delivery=two, at=NOW, bounced_at=NOW)
    DeliveryException.objects.create(delivery=four, at=NOW, complained_at=NOW)
    count(first, shared, accepted=2, delivered=1, bounced=1)
    count(second, shared, accepted=2, delivered=1, complained=1)
    rows = compare_both()
    assert {name: describe(row) for name, row in rows.items()} == dict.fromkeys(
        ("default", "backup"), ("equal", "", "")
    )
    ours = {name: (row.accepted, row.delivered, row.bounced, row.complained) for name, row in rows.items()}
    assert ours == {"default": (2, 1, 1, 0), "backup": (2, 1, 0, 1)}
    assert (len(first.queries), len(second.queries)) == (1, 1)
    assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY) == 0


def test_a_difference_names_the_people_of_that_account_only(shared: Send, two_accounts: Any) -> None:
    first, second = two_accounts
    *_, three, four = everybody = deliveries_of(shared)
    count(first, shared, accepted=2)
    count(second, shared, accepted=1, people={"accepted": [(three.pk, three.batch.key), (everybody[0].pk, "x")]})
    rows = compare_both()
    assert describe(rows["default"]) == ("equal", "", "")
    assert describe(rows["backup"]) == ("fewer_at_provider", "accepted", "")
    assert rows["backup"].deliveries == [four.pk]


def test_an_uncertain_mail_of_one_account_widens_no_other_range(shared: Send, two_accounts: Any) -> None:
    first, second = two_accounts
    uncertain = deliveries_of(shared)[3]
    DeliveryException.objects.create(delivery=uncertain, state=DeliveryException.State.UNCERTAIN, at=NOW)
    count(first, shared, accepted=3)
    count(second, shared, accepted=2)
    rows = compare_both()
    assert {name: (row.result, row.uncertain) for name, row in rows.items()} == {
        "default": ("more_at_provider", 0),
        "backup": ("equal", 1),
    }


def test_one_account_without_an_answer_delays_no_other(shared: Send, two_accounts: Any) -> None:
    first, second = two_accounts
    first.query_fault = answer(500)
    count(second, shared, accepted=2)
    rows = compare_both()
    assert (describe(rows["default"]), rows["backup"].result) == (("unavailable", "", "provider_error"), "equal")
    first.query_fault = None
    count(first, shared, accepted=2)
    assert compare_both(NEXT_DAY + timedelta(hours=1))["default"].result == "equal"
    assert len(second.queries) == 1


def test_an_account_that_has_nothing_need_not_know_the_issue(shared: Send, two_accounts: Any, settings: Any) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {"backup": two_accounts[1].url_of("sendgrid")}
    Attempt.objects.filter(batch__account="backup").update(provider=account_label("backup"), outcome="uncertain")
    shared.batches.filter(account="backup").update(state=Batch.State.UNCERTAIN)
    count(two_accounts[0], shared, accepted=2)
    rows = compare_both()
    assert {name: (row.result, row.uncertain) for name, row in rows.items()} == {
        "default": ("equal", 0),
        "backup": ("equal", 2),
    }


def test_only_the_account_that_is_still_set_up_is_compared(shared: Send, two_accounts: Any, settings: Any) -> None:
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    count(two_accounts[0], shared, accepted=2)
    assert {name: row.result for name, row in compare_both().items()} == {"default": "equal"}
    default, former = comparison_context(shared, now=NEXT_DAY)["compared_accounts"]
    assert (default.anchor, default.heading, former.anchor) == (
        "nl-compared",
        "Compared with Mailgun",
        "nl-compared-backup",
    )
    assert default.scope == "Only the mails that went through this account are counted here."
    assert (former.days, former.note[:60]) == ([], "These mails went through an account or key that is not set u")


def test_an_account_with_two_keys_is_not_compared(shared: Send, two_accounts: Any) -> None:
    """Its batches do not tell which of them went by which key."""
    batch = shared.batches.get(account="default")
    values = {"people": 2, "started_at": NOW, "ended_at": NOW, "outcome": "accepted"}
    Attempt.objects.create(batch=batch, number=20, provider=account_label("backup"), **values)
    assert {share.name: share.obstacle for share in list_shares(shared)} == dict.fromkeys(
        ("default", "backup"), Obstacle.OTHER_ACCOUNT
    )
    assert compare_both() == {}


def test_mails_of_an_unknown_account_after_a_restore_are_not_compared(shared: Send) -> None:
    Attempt.objects.filter(batch__account="backup").update(provider="", outcome="uncertain")
    assert find_obstacle(shared) is Obstacle.UNKNOWN_ACCOUNT
    assert compare_both() == {}
    (shown,) = comparison_context(shared, now=NEXT_DAY)["compared_accounts"]
    assert "not known which account" in shown.note


def test_a_comparison_with_an_unknown_account_names_no_provider(shared: Send) -> None:
    Attempt.objects.filter(batch__account="backup").update(provider="", outcome="uncertain")
    (shown,) = comparison_context(shared, now=NEXT_DAY)["compared_accounts"]
    assert shown.heading == "Compared with the provider’s counts"


def test_a_former_account_is_named_by_the_provider_that_it_called(shared: Send, settings: Any) -> None:
    """The publication's own account is another one, and its provider is not that of the default account."""
    Send.objects.filter(pk=shared.pk).update(provider="sendgrid:0123456789abcdef")
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    shared.refresh_from_db()
    default, backup = comparison_context(shared, now=NEXT_DAY)["compared_accounts"]
    assert (default.heading, backup.heading) == ("Compared with Mailgun", "Compared with Mailgun (backup)")


def test_two_shares_of_one_name_are_two_parts_of_the_page(shared: Send, two_accounts: Any, settings: Any) -> None:
    """The account that was called “backup” is the default one now, and the key of the former default account is gone."""
    settings.NEWSLETTER_PROVIDER_URL = settings.NEWSLETTER_FURTHER_PROVIDER_URLS["backup"]
    settings.NEWSLETTER_FURTHER_PROVIDER_URLS = {}
    shares = list_shares(shared)
    assert [(share.name, bool(share.account)) for share in shares] == [("default", True), ("default", False)]
    shown = comparison_context(shared, now=NEXT_DAY)["compared_accounts"]
    assert [part.anchor for part in shown] == ["nl-compared", "nl-compared--former"]


def test_a_send_that_is_done_for_today_is_not_examined_again(shared: Send, two_accounts: Any) -> None:
    first, second = two_accounts
    first.query_fault = answer(500)
    count(second, shared, accepted=2)
    compare_both()
    with CaptureQueriesContext(connection) as queries:
        assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY) == 0
    assert [query["sql"] for query in queries if '"newsletter_attempt"' in query["sql"]] == []
    assert compare_due_sends(counters=find_issue_counters(), now=NEXT_DAY + timedelta(hours=1)) == 1


def test_an_attempt_without_a_call_belongs_to_the_same_account(two_accounts: Any) -> None:
    send = make_ended_send()
    hand_over(send, "default", "backup")
    Attempt.objects.filter(provider=account_label("backup")).update(code=Attempt.Code.NOT_CALLED)
    assert find_obstacle(send) is None


def test_mails_that_went_to_files_later_are_not_compared(provider: FakeProvider, settings: Any) -> None:
    """The send began with a provider, and its setting named none when the mails were handed over."""
    send = make_ended_send()
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    hand_over(send, "default")
    assert find_obstacle(send) is Obstacle.TO_FILES
    assert comparison_context(send, now=NEXT_DAY)["compared_accounts"] == []
