"""Fewer emails is offered beside unsubscribing, with the figures of the last month; links that ended lead on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.models import Publication
from newsletter.web import subscriber_pages
from newsletter.web.subscriber_pages import count_digests
from subscribers.links.signed_links import Purpose
from subscribers.models import Frequency, MailingList, Subscriber, Subscription
from subscribers.people.publishing_hooks import (
    MonthlyDigests,
    MonthlyMailCount,
    get_publishing_hooks,
    register_publishing_hooks,
)
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.fixtures import make_publication
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member, make_person, path_to, subscribe

pytestmark = pytest.mark.django_db
MONTHS = {"weekly": MonthlyMailCount(issues=4, with_events=2), "events": MonthlyMailCount(issues=3, with_events=0)}


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def months() -> Iterator[set[Frequency]]:
    """The frequencies of every list, to be changed by the test; the lists wrote as `MONTHS` says."""
    frequencies = set(Frequency)
    before = get_publishing_hooks()

    def last_month(person: Subscriber, mailing_list: MailingList, now: datetime) -> MonthlyMailCount | None:
        return MONTHS.get(mailing_list.slug)

    register_publishing_hooks(
        lambda: replace(before, last_month=last_month, frequencies=lambda mailing_list: frozenset(frequencies))
    )
    yield frequencies
    register_publishing_hooks(lambda: before)


def test_somebody_who_left_all_mail_is_not_offered_to_leave_it(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    path = path_to(ada, weekly, Purpose.PREFERENCES)
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=timezone.now(), source="test")
    assert "Unsubscribe from all our mail" in client.get(path).content.decode()
    unsubscribe_from_all(subscriber=ada, now=timezone.now(), source="test")
    assert "Unsubscribe from all our mail" not in client.get(path).content.decode()


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES])
def test_pages_to_unsubscribe_show_last_month_and_the_offer(
    client: Client, weekly: MailingList, months: set[Frequency], purpose: Purpose
) -> None:
    ada = make_member(weekly)
    subscribe(ada, make_list("events"))
    page = compact_html(client.get(path_to(ada, weekly, purpose)).content.decode())
    assert "Last month you would have had 7 mails. With less: 2 mails." in page
    assert 'id="less"' in page


def test_without_a_digest_fewer_mails_means_only_events_near(
    client: Client, weekly: MailingList, months: set[Frequency]
) -> None:
    months.discard(Frequency.MONTHLY)
    ada = make_member(weekly)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    assert "4 mails. With less: 2 mails." in compact_html(client.get(page).content.decode())
    assert b"Saved" in client.post(f"{page}/less").content
    assert Subscription.objects.get().frequency == Frequency.EVENTS


def test_one_press_makes_the_frequency_monthly_and_ends_the_offer(
    client: Client, weekly: MailingList, months: set[Frequency]
) -> None:
    ada = make_member(weekly)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    client.post(f"{page}/less")
    assert Subscription.objects.get().frequency == Frequency.MONTHLY
    assert "With less" not in client.get(path_to(ada, weekly)).content.decode()


@pytest.mark.parametrize("chosen", [Frequency.MONTHLY, Frequency.EVENTS])
def test_one_press_leaves_a_list_with_few_mails_as_it_is(
    client: Client, weekly: MailingList, months: set[Frequency], chosen: Frequency
) -> None:
    ada = make_member(weekly)
    other = subscribe(ada, make_list("events"), frequency=chosen)
    client.post(f"{path_to(ada, weekly, Purpose.PREFERENCES)}/less")
    assert Subscription.objects.get(mailing_list=weekly).frequency == Frequency.MONTHLY
    assert Subscription.objects.get(pk=other.pk).frequency == chosen


def test_one_press_makes_all_lists_what_the_button_says(
    client: Client, weekly: MailingList, months: set[Frequency], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one of two lists offers the digest, so the button offers events nearby."""
    ada, events = make_member(weekly), make_list("events")
    subscribe(ada, events)
    hooks = get_publishing_hooks()
    register_publishing_hooks(
        lambda: replace(
            hooks, frequencies=lambda one: frozenset(Frequency) - ({Frequency.MONTHLY} if one == events else set())
        )
    )
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    assert ">Only events near me</button>" in client.get(page).content.decode()
    client.post(f"{page}/less")
    assert set(Subscription.objects.values_list("frequency", flat=True)) == {Frequency.EVENTS}


@pytest.mark.parametrize(
    ("digests", "label", "after"),
    [
        (MonthlyDigests(mails=1), "Once a month, in one mail", 1),
        (MonthlyDigests(mails=2), "Once a month, in at most 2 mails", 2),
        (
            MonthlyDigests(mails=1, has_all=False),
            "Once a month, in one mail (without newsletters that have none)",
            1,
        ),
    ],
)
def test_once_a_month_says_how_many_mails_that_are(
    client: Client,
    weekly: MailingList,
    months: set[Frequency],
    digests: MonthlyDigests,
    label: str,
    after: int,
) -> None:
    hooks = get_publishing_hooks()
    register_publishing_hooks(lambda: replace(hooks, digests=lambda mailing_list: digests))
    page = compact_html(client.get(path_to(make_member(weekly), weekly, Purpose.PREFERENCES)).content.decode())
    assert f'<option value="monthly">{label}</option>' in page
    assert f'<button class="plain">{label}</button>' in page
    assert f"With less: {after} mail" in page


def test_the_button_for_several_lists_says_if_one_ends_newsletters(
    client: Client, weekly: MailingList, months: set[Frequency]
) -> None:
    ada, events = make_member(weekly), make_list("events")
    subscribe(ada, events)
    hooks = get_publishing_hooks()
    register_publishing_hooks(lambda: replace(hooks, digests=lambda one: MonthlyDigests(has_all=one != events)))
    page = client.get(path_to(ada, weekly, Purpose.PREFERENCES)).content.decode()
    assert ">Once a month, in at most 2 mails (without newsletters that have none)</button>" in page


def test_the_digests_of_a_list_are_those_of_its_publications_in_use() -> None:
    letter = make_publication()
    assert count_digests(letter.mailing_list) == MonthlyDigests(mails=1, has_all=True)
    other = make_publication(slug="other", name="Other", monthly_digest=False)
    Publication.objects.update(mailing_list=letter.mailing_list)
    assert count_digests(letter.mailing_list) == MonthlyDigests(mails=1, has_all=False)
    Publication.objects.filter(pk=other.pk).update(monthly_digest=True)
    assert count_digests(letter.mailing_list) == MonthlyDigests(mails=2, has_all=True)
    Publication.objects.filter(pk=other.pk).update(enabled=False)
    assert count_digests(letter.mailing_list) == MonthlyDigests(mails=1, has_all=True)


def test_a_digest_that_ended_stays_what_the_person_chose(
    client: Client, weekly: MailingList, months: set[Frequency]
) -> None:
    """Somebody who saves another choice does not get every issue by that."""
    months.discard(Frequency.MONTHLY)
    ada = make_person()
    subscribe(ada, weekly, frequency=Frequency.MONTHLY)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    shown = compact_html(client.get(page).content.decode())
    assert '<option value="monthly" selected>Once a month, in one mail (not sent at the moment)</option>' in shown
    client.post(page, {"lists": [weekly.pk], f"often_{weekly.pk}": "monthly", "language": "es"})
    assert Subscription.objects.get().frequency == Frequency.MONTHLY
    assert Subscriber.objects.get().language == "es"


@pytest.mark.parametrize(
    ("month", "said"),
    [
        (MonthlyMailCount(issues=1, with_events=0), "Last month that was 1 mail."),
        (MonthlyMailCount(issues=1, with_events=1), "Last month that was 1 mail, with an event near you."),
        (MonthlyMailCount(issues=4, with_events=1), "Last month that was 4 mails, 1 of them with an event near you."),
        (MonthlyMailCount(issues=4, with_events=0), "Last month that was 4 mails."),
    ],
)
def test_the_mails_of_last_month_are_described_in_plain_words(
    client: Client,
    weekly: MailingList,
    months: set[Frequency],
    monkeypatch: pytest.MonkeyPatch,
    month: MonthlyMailCount,
    said: str,
) -> None:
    monkeypatch.setitem(MONTHS, "weekly", month)
    assert said in client.get(path_to(make_member(weekly), weekly, Purpose.PREFERENCES)).content.decode()


def test_a_confirmation_that_is_over_leads_back_to_the_sign_up(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    link = path_to(ada, weekly, Purpose.CONFIRM)
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=timezone.now())
    assert b'href="/join/weekly"' in client.post(link).content
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        assert b'href="/join/weekly"' in client.get(link).content


def test_a_private_list_has_no_sign_up_to_lead_back_to(client: Client) -> None:
    inner = make_list("inner", public=False)
    link = path_to(make_member(inner), inner, Purpose.CONFIRM)
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        assert b"/join/" not in client.get(link).content


def test_a_mailed_link_that_was_used_or_is_too_old_leads_to_another(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    link = path_to(ada, weekly, Purpose.DOWNLOAD)
    client.post(link)
    assert b'href="/my-mail"' in client.get(link).content
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert b'href="/my-mail"' in client.get(link).content


def test_the_preference_page_counts_last_month_once(
    client: Client, weekly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(
        subscriber_pages, "_count_last_month", lambda _person, mailing_list, _now: counted.append(mailing_list.slug)
    )
    assert client.get(path_to(make_member(weekly), weekly, Purpose.PREFERENCES)).status_code == HTTPStatus.OK
    assert counted == ["weekly"]
