"""Gifts are counted once, for the issue and block whose link led to them."""

from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.feedback.gift_files import BadGift, BadGiftFile, read_amount, read_gifts
from newsletter.feedback.gifts import ReportedGift, find_issue_of_campaign, record_gifts, sum_gifts
from newsletter.feedback.report import make_report
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.mail_links import list_destinations
from newsletter.models import Brand, Delivery, Gift, Issue, Publication
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_appeal, make_approver, make_issue, make_story
from tests.support.limited_blocks import add_limited_note
from tests.support.sends import Clock

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
HEADER = b"id,amount,currency,date,utm_campaign,utm_content\n"


def report(reference: str, *, amount: str = "10", campaign: str = "weekly-1", block: str = "") -> ReportedGift:
    return ReportedGift(reference, Decimal(amount), "GBP", date(2026, 3, 6), campaign, block)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    Brand.objects.update(gift_hosts=["example.org"])
    make_story("The clinic opens its doors")
    make_appeal()
    add_subscribers(publication, 2)
    return make_issue(publication, approved=True)


@pytest.mark.requirement("N12")
def test_a_gift_is_counted_once_however_often_it_is_reported(issue: Issue) -> None:
    assert record_gifts([report("a"), report("a"), report("b")], by="file", now=NOW).new == 2
    again = record_gifts([report("a", amount="99"), report("c")], by="API", now=NOW)
    assert (again.new, again.known) == (1, 1)
    assert sum(Gift.objects.values_list("amount", flat=True)) == 30


def test_a_gift_without_an_issue_of_ours_is_only_counted(issue: Issue) -> None:
    result = record_gifts([report("a", campaign="poster"), report("b", campaign="weekly-99")], by="file", now=NOW)
    assert (result.new, result.foreign) == (0, 2)
    assert not Gift.objects.exists()


def test_a_campaign_finds_digests_and_slugs_with_numbers(publication: Publication, issue: Issue) -> None:
    Publication.objects.update(slug="news-2026")
    assert find_issue_of_campaign("news-2026-1") == issue
    assert find_issue_of_campaign("news-2026-digest-1") is None
    assert find_issue_of_campaign("news-2026") is None


@pytest.mark.requirement("N12")
def test_the_links_of_a_sent_mail_lead_to_the_report(
    issue: Issue, fake_provider: FakeProvider, settings: object
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url  # type: ignore[attr-defined]
    send = start_send(issue=issue, now=NOW)
    run_send(send=send, adapter=current_adapter(), clock=Clock())
    send.refresh_from_db()
    content = resolve_content(issue)
    position = next(at for at, block in enumerate(content.blocks, 1) if block.type == "appeal")
    html = issue.variants.get().html
    assert (
        f"give/?utm_source=weekly&amp;utm_medium=email&amp;utm_campaign=weekly-1&amp;utm_content=appeal-{position}"
        in html
    )
    record_gifts([report("a", block=f"appeal-{position}"), report("b", block="footer")], by="file", now=NOW)
    total, first, second = make_report(send).gifts
    assert (total.block, total.amount, total.gifts) == ("", 20, 2)
    assert {first.title, second.title} == {"Give an hour", ""}
    assert sum_gifts(issue, content=None)[0] == total


def test_counted_links_name_the_same_block_in_every_version(publication: Publication, issue: Issue) -> None:
    Publication.objects.update(clicks="counts")
    (donor,) = add_subscribers(publication, 1, start=7, giving="donor")
    changed = Issue.objects.get(pk=issue.pk)
    add_limited_note(changed, '<a href="https://example.org/thanks/">Thank you</a>', giving="donor")
    add_limited_note(changed, '<a href="https://example.org/first/">For you first</a>', giving="none")
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(pk=issue.pk), now=NOW)
    mails = [one.batch.variant for one in Delivery.objects.order_by("subscriber_id").distinct()]
    of_donor = Delivery.objects.get(subscriber_id=donor.pk).batch.variant
    blocks = {}
    for variant in {*mails}:
        targets = list_destinations(variant.html)
        blocks[variant == of_donor] = {
            urlsplit(target).path: parse_qs(urlsplit(target).query)["utm_content"]
            for target in targets
            if "utm_" in target
        }
    assert blocks[True]["/give/"] == blocks[False]["/give/"]
    assert set(blocks[True]) - set(blocks[False]) == {"/thanks/"}
    assert set(blocks[False]) - set(blocks[True]) == {"/first/"}
    assert blocks[True]["/thanks/"] != blocks[False]["/first/"]


def test_a_file_is_read_and_each_wrong_line_says_why() -> None:
    lines = (
        b'1,"1,250.5",gbp,2026-03-06,weekly-1,appeal-2\n2,-3,GBP,2026-03-06,weekly-1,\n3,x,GBP,2026-03-06,weekly-1,\n'
    )
    more = b"4,3,pounds,2026-03-06,weekly-1,\n5,3,GBP,yesterday,weekly-1,\n,3,GBP,2026-03-06,weekly-1,\n\n"
    gift, *refused = read_gifts(HEADER + lines + more)
    assert isinstance(gift, ReportedGift)
    assert (gift.amount, gift.currency, gift.block) == (Decimal("1250.50"), "GBP", "appeal-2")
    assert [one[0] for one in refused if isinstance(one, tuple)] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("data", [b"", b"name,amount\nAda,3\n", b"\xff\xfe"])
def test_a_file_without_the_columns_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(BadGiftFile, match="utm_campaign"):
        list(read_gifts(data))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12,50", "12.50"),
        ("12,5", "12.5"),
        ("1250", "1250"),
        ("1.250,00", "1250"),
        ("1,250.00", "1250"),
        ("1.250.000", "1250000"),
        ("12.5000", "12.5"),
    ],
)
def test_an_amount_is_read_with_the_separators_of_any_country(text: str, amount: str) -> None:
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["2026-12-17", "17.12.2026", "17/12/2026", "12/17/2026", "2026-12-17T23:30:00-05:00", "17.12.2026 09:30"]
)
def test_a_date_is_read_as_imports_of_people_read_it(text: str) -> None:
    (gift,) = read_gifts(f"id,amount,currency,date,utm_campaign\n1,5,GBP,{text},weekly-1\n".encode())
    assert isinstance(gift, ReportedGift)
    assert gift.given_on == date(2026, 12, 17)


@pytest.mark.parametrize(
    ("text", "why"),
    [("03/04/2026", "can mean two dates"), ("soon", "is not a date"), ("31.02.2026", "is not a date")],
)
def test_a_date_that_is_none_or_can_mean_two_is_refused(text: str, why: str) -> None:
    ((line, error),) = read_gifts(f"id,amount,currency,date,utm_campaign\n1,5,GBP,{text},weekly-1\n".encode())
    assert line == 2
    assert why in error


@pytest.mark.parametrize("text", ["1,250", "1.250", "1.25.0", "1,250,00", "nan", "1e3", ""])
def test_an_amount_that_can_mean_two_sums_is_refused(text: str) -> None:
    with pytest.raises(BadGift, match="two amounts" if text in {"1,250", "1.250"} else "not an amount"):
        read_amount(text)
