"""A provider's counts of an issue are believed only if they can be nothing else, and its silence says which kind it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from newsletter.providers.base.errors import CountsFailure, IssueCountsError
from newsletter.providers.base.issue_counts import Figure, IssueCounter, RecordLister
from newsletter.providers.base.provider_adapter import ProviderAdapter
from newsletter.providers.registry import ADAPTERS, make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer
from tests.support.provider_issue_counts import CountedIssue

COUNTING = ["mailgun", "postmark", "sendgrid", "brevo"]
THEN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
ISSUE = "weekly-12"

pytestmark = pytest.mark.requirement("W8")


@pytest.fixture(params=COUNTING)
def adapter(request: pytest.FixtureRequest, fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of(request.param))
    yield made
    made.close()


def fail(adapter: Any) -> IssueCountsError:
    with pytest.raises(IssueCountsError) as raised:
        adapter.count_issue(issue=ISSUE, since=THEN)
    return raised.value


def test_an_issue_is_counted_apart_from_every_other(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.counted = {ISSUE: CountedIssue(1920, 1901, 12, 1), "weekly-13": CountedIssue(5, 5, 5, 5)}
    counts = adapter.count_issue(issue=ISSUE, since=THEN)
    name = adapter.capabilities.name
    assert (counts.accepted, counts.complained) == (1920, 1)
    assert counts.delivered == (None if name == "postmark" else 1901)
    assert counts.bounced == (None if name == "brevo" else 12)
    assert counts.unclear == 0


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (answer(401, b'{"message": "no key fake-key-0123456789 for a@example.com"}'), CountsFailure.KEY_REFUSED),
        (answer(403, b"{}"), CountsFailure.KEY_REFUSED),
        (answer(404, b"{}"), CountsFailure.UNKNOWN_ISSUE),
        (answer(500), CountsFailure.PROVIDER_ERROR),
        (answer(302), CountsFailure.PROVIDER_ERROR),
        (answer(200, b"<html>"), CountsFailure.UNREADABLE),
        (answer(200, b"7"), CountsFailure.UNREADABLE),
        (answer(200, b"{}"), CountsFailure.UNREADABLE),
        (answer(204), CountsFailure.UNREADABLE),
        (Fault("reset_after_accepting"), CountsFailure.NO_ANSWER),
        (Fault("stall_before_accepting", seconds=0.2), CountsFailure.NO_ANSWER),
    ],
)
def test_an_answer_without_counts_has_a_kind(
    adapter: Any, fake_provider: FakeProvider, fault: Fault, failure: CountsFailure
) -> None:
    fake_provider.query_fault = fault
    error = fail(adapter)
    assert error.failure is failure
    assert fake_provider.key not in str(error)
    assert "a@example.com" not in str(error)


def test_a_provider_that_asks_to_wait_says_how_long(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.query_fault = answer(429, b"{}", retry_after="900")
    error = fail(adapter)
    assert (error.failure, error.retry_after) == (CountsFailure.THROTTLED, 900)


@pytest.mark.parametrize("value", [-1, 2**31, 10**400, 1.5, "1920", True, None, [3]])
def test_an_impossible_count_is_unreadable(adapter: Any, fake_provider: FakeProvider, value: object) -> None:
    fake_provider.counted = {ISSUE: CountedIssue(accepted=value)}  # type: ignore[arg-type]
    assert fail(adapter).failure is CountsFailure.UNREADABLE


def test_counts_whose_sum_is_too_large_are_unreadable(fake_provider: FakeProvider) -> None:
    metrics = {"requests": 2**31 - 1}
    days = [{"stats": [{"name": ISSUE, "metrics": metrics}]}] * 2
    fake_provider.query_fault = answer(200, orjson.dumps(days))
    assert fail(make_adapter(fake_provider.url_of("sendgrid"))).failure is CountsFailure.UNREADABLE


@pytest.mark.parametrize("body", [b'{"items": 5}', b'{"items": [5, {"dimensions": 5}, {"metrics": {}}]}'])
def test_rows_of_mailgun_that_make_no_sense_count_nothing(fake_provider: FakeProvider, body: bytes) -> None:
    fake_provider.query_fault = answer(200, body)
    failure = fail(make_adapter(fake_provider.url_of("mailgun"))).failure
    assert failure is (CountsFailure.UNREADABLE if b"[" not in body else CountsFailure.UNKNOWN_ISSUE)


def test_an_issue_unknown_to_the_provider_does_not_count_as_zero(adapter: Any, fake_provider: FakeProvider) -> None:
    """Postmark and Brevo answer zero for a tag that they never saw."""
    fake_provider.counted = {"another-issue": CountedIssue(5)}
    if adapter.capabilities.name in ("postmark", "brevo"):
        assert adapter.count_issue(issue=ISSUE, since=THEN).accepted == 0
    else:
        assert fail(adapter).failure is CountsFailure.UNKNOWN_ISSUE


def test_mails_that_mailgun_suppressed_may_be_counted_or_not(fake_provider: FakeProvider) -> None:
    fake_provider.counted = {ISSUE: CountedIssue(1918, 1901, 12, 0, suppressed=2)}
    adapter: Any = make_adapter(fake_provider.url_of("mailgun"))
    assert adapter.count_issue(issue=ISSUE, since=THEN).unclear == 2


@pytest.mark.parametrize("name", ["mailgun", "postmark"])
def test_people_are_named_by_delivery_and_batch(fake_provider: FakeProvider, name: str) -> None:
    people = [(number, "batch-1") for number in range(1, 1_202)]
    fake_provider.counted = {ISSUE: CountedIssue(people={"accepted": people, "bounced": people[:3]})}
    adapter: Any = make_adapter(fake_provider.url_of(name))
    found = adapter.list_records(issue=ISSUE, figure=Figure.ACCEPTED, since=THEN)
    assert (found.batches, found.complete) == (dict(people), True)
    bounced = adapter.list_records(issue=ISSUE, figure=Figure.BOUNCED, since=THEN)
    assert bounced is None if name == "postmark" else bounced.batches == dict(people[:3])


def test_a_list_of_people_without_end_is_left_incomplete(
    fake_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.providers.postmark.adapter.MAX_NAMED_PEOPLE", 1_000)
    people = [(number, "batch-1") for number in range(1, 1_202)]
    fake_provider.counted = {ISSUE: CountedIssue(people={"accepted": people})}
    adapter: Any = make_adapter(fake_provider.url_of("postmark"))
    found = adapter.list_records(issue=ISSUE, figure=Figure.ACCEPTED, since=THEN)
    assert (len(found.batches), found.complete, len(fake_provider.queries)) == (1_000, False, 2)


@pytest.mark.parametrize("paging", [{}, {"next": "https://elsewhere.invalid/v9/x"}])
def test_a_list_whose_next_page_cannot_be_followed_is_incomplete(
    fake_provider: FakeProvider, paging: dict[str, str]
) -> None:
    """Mailgun's last page is an empty one."""
    event = {"tags": [ISSUE], "user-variables": {"delivery": "7", "batch": "b"}}
    fake_provider.query_fault = answer(200, orjson.dumps({"items": [event], "paging": paging}))
    adapter: Any = make_adapter(fake_provider.url_of("mailgun"))
    found = adapter.list_records(issue=ISSUE, figure=Figure.ACCEPTED, since=THEN)
    assert (found.batches, found.complete) == ({7: "b"}, False)


@pytest.mark.parametrize("body", [b'{"items": 5}', b'{"Messages": 5}', b"[]", b"null"])
def test_records_that_cannot_be_read_are_an_error(fake_provider: FakeProvider, body: bytes) -> None:
    fake_provider.query_fault = answer(200, body)
    for name in ("mailgun", "postmark"):
        adapter: Any = make_adapter(fake_provider.url_of(name))
        with pytest.raises(IssueCountsError):
            adapter.list_records(issue=ISSUE, figure=Figure.ACCEPTED, since=THEN)


def test_records_of_another_issue_or_nobody_name_nobody(fake_provider: FakeProvider) -> None:
    ids = {"user-variables": {"delivery": "7", "batch": "b"}, "Metadata": {"delivery": "7", "batch": "b"}}
    rows = [5, {"tags": [ISSUE]}, {**ids, "tags": ["another"], "Tag": "another"}]
    body = orjson.dumps({"items": rows, "Messages": rows, "paging": {"next": "https://elsewhere.invalid/v9/x"}})
    fake_provider.query_fault = answer(200, body)
    for name in ("mailgun", "postmark"):
        adapter: Any = make_adapter(fake_provider.url_of(name))
        assert not adapter.list_records(issue=ISSUE, figure=Figure.ACCEPTED, since=THEN).batches


def test_a_provider_that_is_not_asked_says_why() -> None:
    general = ProviderAdapter.no_counts
    for name, adapter in ADAPTERS.items():
        counts = issubclass(adapter, IssueCounter)
        assert counts == (name in COUNTING), name
        assert counts == (adapter.no_counts == general), name
        assert counts or not issubclass(adapter, RecordLister)
