"""The provider's suppression list is read daily, makes up for lost webhooks, and only adds to ours."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from newsletter.common.translation import translate
from newsletter.feedback.provider_suppressions import read_suppression_list
from newsletter.models import SuppressionListReading
from newsletter.sending.adapters import current_adapter, provider_label
from newsletter.sending.limits.installation_hold import get_installation
from subscribers.identity import identify
from subscribers.models import ImportBatch, MailingList, Reason, Subscriber, Subscription, Suppression
from subscribers.unsubscribing.suppression import remove_suppression, suppress
from tests.support.fake_provider import FakeProvider
from tests.support.feedback_reports import (
    apply_reports,
    deliveries_of,
    find_suppressions,
    is_subscribed,
    make_send,
    postmark_event,
)
from tests.support.fixtures import NOW, make_publication
from tests.support.provider_faults import answer
from tests.support.provider_suppression_lists import ListedAddress

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("W8"), pytest.mark.requirement("S1")]
THEN = NOW + timedelta(hours=1)
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def provider(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("postmark") + "&max_batch=100"
    return fake_provider


def read(now: datetime = TOMORROW) -> int:
    return read_suppression_list(adapter=current_adapter(), account=provider_label(), now=now)


def kinds() -> set[tuple[str, str]]:
    return set(Suppression.objects.live().values_list("reason", "scope"))


def test_the_list_is_read_once_the_address_key_is_the_databases(provider: FakeProvider, settings: Any) -> None:
    (one,) = deliveries_of(make_send(recipients=1))
    get_installation(now=NOW)
    provider.suppressed = [ListedAddress("hard", "person0@example.com", THEN)]
    right = settings.SUBSCRIBERS_ADDRESS_KEY
    settings.SUBSCRIBERS_ADDRESS_KEY = "another key of addresses, also of 32 bytes"
    assert read() == 0
    reading = SuppressionListReading.objects.get()
    assert "another NEWSLETTER_ADDRESS_KEY" in str(reading.error)
    assert reading.known_until is None
    settings.SUBSCRIBERS_ADDRESS_KEY = right
    assert read(TOMORROW + timedelta(days=1)) == 1
    assert find_suppressions(one) == {"hard"}


def test_people_on_the_providers_list_are_suppressed_here_too(provider: FakeProvider) -> None:
    one, two, three, four = deliveries_of(make_send(recipients=4))
    provider.suppressed = [
        ListedAddress("hard", "Person0@Example.com", THEN),
        ListedAddress("complaint", "person1@example.com", THEN),
        ListedAddress("left", "person2@example.com", THEN),
        ListedAddress("hard", "not@an@address", THEN),
        ListedAddress("hard", "stranger@example.net", THEN),
    ]
    assert read() == 4
    assert [find_suppressions(each) for each in (one, two, three, four)] == [
        {"hard"},
        {"complaint"},
        {"unsubscribe"},
        set(),
    ]
    assert not is_subscribed(two)
    assert not is_subscribed(three)
    note = Suppression.objects.get(reason="hard", address_hash=identify("person0@example.com")).note
    assert note.startswith("on the list of postmark")
    with translation.override("es"):
        assert translate(note).startswith("en la lista de postmark")
    reading = SuppressionListReading.objects.get()
    assert (reading.entries, reading.suppressed, reading.known_until, reading.error) == (5, 4, TOMORROW, "")
    assert Suppression.objects.filter(address_hash=identify("stranger@example.net")).exists()


@pytest.mark.requirement("F8")
def test_the_provider_list_makes_up_for_lost_webhooks(provider: FakeProvider) -> None:
    """The same people are suppressed as if every report had come."""
    send = make_send(recipients=300)
    chance = random.Random(8)
    fates = {each: chance.choice(["hard", "complaint", "left", ""]) for each in deliveries_of(send)}
    told = {
        "hard": {"RecordType": "Bounce", "Type": "HardBounce", "ID": 1, "Description": "550 5.1.1 unknown"},
        "complaint": {"RecordType": "SpamComplaint"},
        "left": {"RecordType": "SubscriptionChange", "SuppressSending": True, "Origin": "Recipient"},
    }
    heard = [
        postmark_event(said.pop("RecordType"), delivery, **said)
        for delivery, fate in fates.items()
        if fate and chance.random() > 0.3 and (said := dict(told[fate]))
    ]
    apply_reports(*heard, provider="postmark")
    addresses = dict(Subscriber.objects.values_list("pk", "email"))
    provider.suppressed = [
        ListedAddress(fate, addresses[each.subscriber_id], THEN) for each, fate in fates.items() if fate
    ]
    before = Suppression.objects.live().values("address_hash").distinct().count()
    read()
    after = set(map(bytes, Suppression.objects.live().values_list("address_hash", flat=True)))
    assert after == {identify(addresses[each.subscriber_id]) for each, fate in fates.items() if fate}
    assert before < len(after)


def test_the_list_is_read_once_a_day_and_then_only_what_is_new(provider: FakeProvider) -> None:
    assert [read(), read(TOMORROW + timedelta(hours=23)), len(provider.queries)] == [0, 0, 1]
    read(TOMORROW + timedelta(hours=24))
    assert "fromdate=2026-03-03" in provider.queries[1]


def test_an_unreadable_provider_list_suppresses_nobody_and_is_retried(provider: FakeProvider) -> None:
    provider.query_fault = answer(500)
    provider.suppressed = [ListedAddress("hard", "stranger@example.net", THEN)]
    assert read() == 0
    assert "gave no usable list" in SuppressionListReading.objects.get().error
    provider.query_fault = None
    assert read(TOMORROW + timedelta(minutes=59)) == 0
    assert read(TOMORROW + timedelta(minutes=61)) == 1
    assert SuppressionListReading.objects.get().error == ""


def test_a_suppression_removed_by_staff_ends_until_a_later_entry(provider: FakeProvider) -> None:
    suppress(address_hash=identify("person0@example.com"), reason=Reason.HARD, now=THEN)
    remove_suppression(suppression=Suppression.objects.get(), by="staff@example.org", reason="they wrote", now=TOMORROW)
    provider.suppressed = [ListedAddress("hard", "person0@example.com", THEN)]
    assert read(TOMORROW) == 0
    provider.suppressed = [ListedAddress("hard", "person0@example.com", TOMORROW + timedelta(hours=1))]
    assert read(TOMORROW + timedelta(days=1)) == 1
    assert kinds() == {("hard", "all")}


@pytest.mark.requirement("S5")
@pytest.mark.requirement("S3")
def test_an_old_report_does_not_stop_a_person_who_signed_up_again(
    provider: FakeProvider,
) -> None:
    make_send(recipients=2)
    own = Subscription.objects.filter(subscriber__email="person0@example.com")
    own.update(requested_at=TOMORROW, confirmed_at=TOMORROW)
    Subscription.objects.filter(subscriber__email="person1@example.com").update(requested_at=TOMORROW)
    provider.suppressed = [
        ListedAddress(kind, f"person{number}@example.com", THEN) for number in (0, 1) for kind in ("complaint", "left")
    ]
    assert read(TOMORROW + timedelta(hours=1)) == 2
    assert own.open().exists()
    assert set(map(bytes, Suppression.objects.live().values_list("address_hash", flat=True))) == {
        identify("person1@example.com")
    }


def test_an_entry_counts_beside_an_unsubscribe_from_one_list(provider: FakeProvider) -> None:
    (one,) = deliveries_of(make_send(recipients=1))
    other = MailingList.objects.create(name="Other", slug="other")
    address_hash = identify("person0@example.com")
    suppress(address_hash=address_hash, reason=Reason.UNSUBSCRIBE, now=THEN, mailing_list=other)
    provider.suppressed = [ListedAddress("left", "person0@example.com", THEN)]
    assert read() == 1
    assert kinds() == {("unsubscribe", "list"), ("unsubscribe", "all")}
    assert not is_subscribed(one)


def test_an_entry_outlasts_the_undo_of_an_import_that_has_it_too(provider: FakeProvider) -> None:
    publication = make_publication()
    batch = ImportBatch.objects.create(mailing_list=publication.mailing_list, by="kim", started_at=NOW)
    suppress(address_hash=identify("person0@example.com"), reason=Reason.COMPLAINT, now=NOW)
    Suppression.objects.update(import_batch=batch)
    provider.suppressed = [ListedAddress("complaint", "person0@example.com", THEN)]
    read()
    assert Suppression.objects.get().import_batch is None


def test_a_provider_without_a_list_is_not_asked(settings: Any) -> None:
    make_publication()
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert read() == 0
    assert not SuppressionListReading.objects.exists()


def test_a_list_that_was_read_by_a_clock_ahead_is_read_again(provider: FakeProvider) -> None:
    (one,) = deliveries_of(make_send(recipients=1))
    read(NOW + timedelta(days=400))
    provider.suppressed = [ListedAddress("hard", "person0@example.com", THEN)]
    assert read() == 1
    assert find_suppressions(one) == {"hard"}


def test_a_list_that_another_machine_reads_is_not_read_twice(provider: FakeProvider) -> None:
    (one,) = deliveries_of(make_send(recipients=1))
    read(TOMORROW + timedelta(hours=2))
    provider.suppressed = [ListedAddress("hard", "person0@example.com", THEN)]
    assert read() == 0
    assert find_suppressions(one) == set()
