"""A provider's own list of suppressed addresses is read whole, page by page, and believed only as far as it can be read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.providers.base.errors import SuppressionListError
from newsletter.providers.base.suppression_lists import SuppressedAddress, SuppressionLister
from newsletter.providers.registry import make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer
from tests.support.provider_suppression_lists import ListedAddress

LISTED = ["mailgun", "sendgrid", "postmark", "ses", "brevo", "sparkpost"]
THEN = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture(params=LISTED)
def adapter(request: pytest.FixtureRequest, fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of(request.param))
    yield made
    made.close()


def read(adapter: Any, *, since: datetime | None = None) -> list[SuppressedAddress]:
    return [each for page in adapter.list_suppressed(since=since) for each in page]


@pytest.mark.requirement("S1")
@pytest.mark.requirement("W8")
def test_suppressed_addresses_are_listed_with_reason_and_time(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.suppressed = [
        ListedAddress("hard", "gone@example.com", THEN, "550 5.1.1 no such user"),
        ListedAddress("complaint", "cross@example.com", THEN),
        ListedAddress("left", "left@example.com", THEN),
        ListedAddress("staff", "by-hand@example.com", THEN)
        if adapter.capabilities.name != "ses"
        else ListedAddress("left", "left@example.com", THEN),
    ]
    found = {each.address: (each.kind.value, each.at) for each in read(adapter)}
    left = {} if adapter.capabilities.name == "ses" else {"left@example.com": ("unsubscribed", THEN)}
    assert found == {"gone@example.com": ("bounced", THEN), "cross@example.com": ("complained", THEN), **left}


def test_a_list_of_many_pages_is_read_to_its_end(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.page_size = 300
    fake_provider.suppressed = [ListedAddress("hard", f"gone{n}@example.com", THEN) for n in range(1_201)]
    assert {each.address for each in read(adapter)} == {f"gone{n}@example.com" for n in range(1_201)}


def test_a_later_reading_continues_from_its_cursor(adapter: Any, fake_provider: FakeProvider) -> None:
    """Mailgun's lists have no such thing and are read whole."""
    fake_provider.suppressed = [
        ListedAddress("hard", "old@example.com", THEN - timedelta(days=30)),
        ListedAddress("hard", "new@example.com", THEN),
    ]
    found = {each.address for each in read(adapter, since=THEN - timedelta(days=2))}
    assert "new@example.com" in found
    assert ("old@example.com" in found) == (adapter.capabilities.name == "mailgun")


@pytest.mark.parametrize("said", ["550 5.7.1 blocked by policy", "452 4.2.2 mailbox full"])
@pytest.mark.requirement("B5")
def test_a_refusal_that_is_not_about_the_address_is_left_out(
    adapter: Any, fake_provider: FakeProvider, said: str
) -> None:
    """Postmark's and Amazon's lists hold dead addresses only, and no words."""
    fake_provider.suppressed = [ListedAddress("hard", "ours@example.com", THEN, said)]
    assert (read(adapter) == []) == (adapter.capabilities.name not in ("postmark", "ses"))


@pytest.mark.parametrize(
    "fault",
    [
        answer(500),
        answer(401, b'{"message": "no key fake-key-0123456789 for a@example.com"}'),
        answer(429, b"{}", retry_after="9"),
        answer(200, b"<html>"),
        answer(200, b"{}"),
        answer(
            200, b'{"items": 5, "Suppressions": 5, "contacts": 5, "results": 5, "SuppressedDestinationSummaries": 5}'
        ),
        Fault("reset_after_accepting"),
    ],
)
@pytest.mark.requirement("F9")
def test_a_list_that_cannot_be_read_is_an_error(adapter: Any, fake_provider: FakeProvider, fault: Fault) -> None:
    """A day without blocked contacts is an empty object at Brevo."""
    if adapter.capabilities.name == "brevo" and fault.body == b"{}" and fault.status == 200:
        pytest.skip("that is Brevo's way to say nobody")
    fake_provider.query_fault = fault
    with pytest.raises(SuppressionListError) as told:
        read(adapter)
    assert fake_provider.key not in str(told.value)
    assert "a@example.com" not in str(told.value)


def test_rows_that_make_no_sense_are_left_out_and_the_others_are_kept(
    adapter: Any, fake_provider: FakeProvider
) -> None:
    row = (
        '{"address": "gone@example.com", "email": "gone@example.com", "EmailAddress": "gone@example.com",'
        ' "recipient": "gone@example.com", "SuppressionReason": "HardBounce", "Reason": "BOUNCE",'
        ' "source": "Bounce Rule", "created_at": "yesterday", "created": [], "CreatedAt": 7, "LastUpdateTime": "x",'
        ' "reason": REASON}'
    ).replace("REASON", '{"code": "hardBounce"}' if adapter.capabilities.name == "brevo" else '""')
    rows = f'[5, null, {{}}, {{"email": 7, "reason": 7}}, {row}]'
    names = ("items", "Suppressions", "contacts", "results", "SuppressedDestinationSummaries")
    body = "{" + ", ".join(f'"{name}": {rows}' for name in names) + ', "links": [7], "paging": 7, "NextToken": 7}'
    fake_provider.query_fault = answer(200, (rows if adapter.capabilities.name == "sendgrid" else body).encode())
    found = next(adapter.list_suppressed(since=None))
    assert [(each.address, each.kind.value) for each in found] == [("gone@example.com", "bounced")]


def test_a_list_without_end_is_an_error(fake_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.providers.base.suppression_lists.MAX_PAGES", 3)
    adapter: Any = make_adapter(fake_provider.url_of("ses"))
    fake_provider.page_size = 1
    fake_provider.suppressed = [ListedAddress("hard", f"gone{n}@example.com", THEN) for n in range(5)]
    with pytest.raises(SuppressionListError, match="more than 3 pages"):
        read(adapter)
    adapter.close()


def test_resend_and_the_outbox_have_no_list(fake_provider: FakeProvider, tmp_path: Any) -> None:
    assert not isinstance(make_adapter(fake_provider.url_of("resend")), SuppressionLister)
    assert not isinstance(make_adapter("outbox://", outbox_dir=tmp_path), SuppressionLister)
