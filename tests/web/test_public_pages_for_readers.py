"""Pages for subscribers: undoing an unsubscribe, the privacy notice, and topics in the reader's language."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.models import Brand, Publication
from subscribers.audience.eligibility import eligible
from subscribers.links.signed_links import Purpose
from subscribers.models import (
    ConsentEvent,
    CountedUnsubscribe,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.growth import count_growth
from subscribers.unsubscribing.suppression import suppress
from tests.support.desk import sign_in
from tests.support.fixtures import make_publication
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member, make_person, make_topic, path_to, subscribe
from tests.support.process_caches import clear_branding_cache
from tests.support.signup import read

pytestmark = pytest.mark.django_db
MISTAKE = "I pressed this by mistake"


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def ada(weekly: MailingList) -> Subscriber:
    return make_member(weekly)


def is_mailed(mailing_list: MailingList) -> bool:
    return eligible(mailing_list=mailing_list, now=timezone.now()).exists()


def come_back(client: Client, person: Subscriber, mailing_list: MailingList) -> None:
    """Sign up again and confirm."""
    subscribe(person, mailing_list, basis="consent_double_opt_in", confirmed_at=None)
    client.post(path_to(person, mailing_list, Purpose.CONFIRM))


def test_an_unsubscribe_by_mistake_is_undone_with_one_press(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    Subscription.objects.update(frequency="events")
    link = path_to(ada, weekly)
    page = client.post(link).content.decode()
    assert not is_mailed(weekly)
    assert "I pressed this by mistake" in page
    assert f'action="{link}/undo"' in page
    again = client.post(f"{link}/undo").content.decode()
    assert "You are on the list again." in again
    assert "For a•••@e•••.org" in again
    assert Subscription.objects.open().get().frequency == "events"
    assert not Suppression.objects.live().exists()
    assert Subscription.objects.count() == 2
    event = ConsentEvent.objects.latest("pk")
    shown = "Done. You’re unsubscribed from Weekly.\nI pressed this by mistake"
    assert (event.kind, event.wording) == (ConsentEvent.Kind.REQUESTED, shown)


@pytest.mark.parametrize("reloaded", [False, True])
def test_the_log_of_an_undo_keeps_the_name_that_was_shown(
    client: Client, weekly: MailingList, ada: Subscriber, reloaded: bool
) -> None:
    link = path_to(ada, weekly)
    page = client.post(link).content.decode()
    if reloaded:
        page = client.get(link).content.decode()
    MailingList.objects.update(name="Daily")
    client.post(f"{link}/undo", {"wording": read(page, 'name="wording" value')})
    assert ConsentEvent.objects.latest("pk").wording.startswith("Done. You’re unsubscribed from Weekly.\n")


def test_the_log_of_an_undo_keeps_no_text_of_another_undo(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    of_list = read(client.post(link).content.decode(), 'name="wording" value')
    of_all = read(client.post(f"{link}/all").content.decode(), 'name="wording" value')
    client.post(f"{link}/all/undo", {"wording": of_list})
    assert ConsentEvent.objects.latest("pk").wording.startswith("Done. You’re unsubscribed from all our mail.\n")
    client.post(f"{link}/undo", {"wording": of_all})
    assert ConsentEvent.objects.latest("pk").wording.startswith("Done. You’re unsubscribed from Weekly.\n")


def test_an_undone_unsubscribe_is_not_counted_for_its_issue(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    link = path_to(ada, weekly, mailing=7)
    client.post(link)
    assert CountedUnsubscribe.objects.filter(mailing=7).count() == 1
    client.post(f"{link}/undo")
    assert not CountedUnsubscribe.objects.exists()
    week = count_growth(mailing_list=weekly, weeks=1, now=timezone.now())[0]
    assert (week.people, week.left) == (1, 0)
    client.post(link)
    assert CountedUnsubscribe.objects.filter(mailing=7).count() == 1


def test_unsubscribing_from_everything_is_undone_with_one_press(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    events = make_list("events")
    subscribe(ada, events)
    link = path_to(ada, weekly)
    page = client.post(f"{link}/all").content.decode()
    assert f'action="{link}/all/undo"' in page
    client.post(f"{link}/all/undo")
    assert is_mailed(weekly)
    assert is_mailed(events)


def test_the_undo_of_one_list_reopens_no_other_list(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    """After leaving all mail, the person signs up for one list again. The page then names the first list alone."""
    events, appeals = make_list("events"), make_list("appeals")
    subscribe(ada, events)
    subscribe(ada, appeals)
    link = path_to(ada, weekly)
    client.post(link)
    client.post(f"{link}/all")
    come_back(client, ada, events)
    page = client.get(link).content.decode()
    assert "You’re unsubscribed from Weekly" in page
    assert f'action="{link}/undo"' in page
    client.post(f"{link}/undo")
    assert (is_mailed(weekly), is_mailed(events), is_mailed(appeals)) == (True, True, False)


def test_the_undo_of_all_reopens_no_list_unsubscribed_before(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    events = make_list("events", name="Events")
    subscribe(ada, events)
    link = path_to(ada, weekly)
    client.post(link)
    client.post(f"{link}/all")
    page = client.post(f"{link}/all/undo").content.decode()
    assert "Events" in page
    assert "Weekly" not in page
    assert (is_mailed(weekly), is_mailed(events)) == (False, True)


def test_the_undo_of_one_list_does_nothing_after_unsubscribing_all(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    """The page of the first unsubscribe is still open in another window."""
    link = path_to(ada, weekly)
    client.post(link)
    client.post(f"{link}/all")
    before = list(Suppression.objects.order_by("pk").values())
    page = client.post(f"{link}/undo").content.decode()
    assert "You are on the list again." not in page
    assert f'action="{link}/all/undo"' in page
    assert list(Suppression.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_undo_is_offered_that_would_bring_no_mail_back(
    client: Client, weekly: MailingList, ada: Subscriber, method: str
) -> None:
    """They left their only list long before they left all mail, so the second press closed nothing."""
    link = path_to(ada, weekly)
    with time_machine.travel(timezone.now() - timedelta(hours=2)):
        client.post(link)
    client.post(f"{link}/all")
    assert MISTAKE not in getattr(client, method)(f"{link}/all").content.decode()
    client.post(f"{link}/all/undo")
    assert Suppression.objects.live().count() == 2


@pytest.mark.parametrize("method", ["get", "post"])
def test_unsubscribing_one_list_then_all_is_undone_with_two_presses(
    client: Client, weekly: MailingList, ada: Subscriber, method: str
) -> None:
    link = path_to(ada, weekly)
    client.post(link)
    client.post(f"{link}/all")
    assert f'action="{link}/all/undo"' in getattr(client, method)(f"{link}/all").content.decode()
    page = client.post(f"{link}/all/undo").content.decode()
    assert "You’re unsubscribed from Weekly" in page
    assert f'action="{link}/undo"' in page
    assert not is_mailed(weekly)
    assert ConsentEvent.objects.latest("pk").kind == ConsentEvent.Kind.SUPPRESSION_REMOVED
    assert "You are on the list again." in client.post(f"{link}/undo").content.decode()
    assert is_mailed(weekly)
    assert not Suppression.objects.live().exists()


def test_a_press_after_unsubscribing_all_keeps_the_undo_of_all(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    link = path_to(ada, weekly)
    client.post(f"{link}/all")
    page = client.post(link).content.decode()
    assert f'action="{link}/all/undo"' in page
    assert "You are on the list again." in client.post(f"{link}/all/undo").content.decode()
    assert is_mailed(weekly)
    assert not Suppression.objects.live().exists()


def test_a_second_press_in_time_offers_the_undo_again(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    first, second = client.post(link), client.post(link)
    assert f'action="{link}/undo"' in second.content.decode()
    assert first.content == second.content


def test_a_press_that_ends_nothing_offers_no_undo(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        client.post(link)
    page = client.post(link).content.decode()
    assert "You’re unsubscribed from Weekly" in page
    assert MISTAKE not in page


def test_a_press_that_ends_an_unconfirmed_request_offers_no_undo(client: Client, weekly: MailingList) -> None:
    ada = make_person()
    subscribe(ada, weekly, basis="consent_double_opt_in", confirmed_at=None)
    page = client.post(path_to(ada, weekly)).content.decode()
    assert "You’re unsubscribed from Weekly" in page
    assert MISTAKE not in page


def test_an_hour_is_named_only_if_time_forbids_the_undo(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    assert "for an hour" not in client.post(f"{link}/undo").content.decode()
    client.post(link)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert "You can undo it for an hour." in client.post(f"{link}/undo").content.decode()
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.COMPLAINT, now=timezone.now())
    page = client.post(f"{link}/undo").content.decode()
    assert "Nothing was changed." in page
    assert "for an hour" not in page


def test_a_visit_of_the_undo_page_offers_the_undo(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    client.post(link)
    assert f'action="{link}/undo"' in client.get(f"{link}/undo").content.decode()
    assert not is_mailed(weekly)


def test_an_undo_from_an_old_page_does_not_repeat(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    """Staff took the person off the list after the undo."""
    link = path_to(ada, weekly)
    client.post(link)
    client.post(f"{link}/undo")
    Subscription.objects.open().update(ended_at=timezone.now(), end_reason="staff")
    assert "There is nothing to undo" in client.post(f"{link}/undo").content.decode()
    assert not is_mailed(weekly)


def test_a_visit_of_the_undo_page_changes_nothing(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    client.post(link)
    client.get(f"{link}/undo")
    assert not is_mailed(weekly)


def test_an_unsubscribe_can_be_undone_only_for_an_hour(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    client.post(link)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        page = client.post(f"{link}/undo").content.decode()
    assert "There is nothing to undo" in page
    assert "Sign up again</a>" in page
    assert not is_mailed(weekly)


def test_a_late_undo_of_a_private_list_leads_to_a_link_by_mail(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    MailingList.objects.update(public=False)
    link = path_to(ada, weekly)
    client.post(link)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        page = client.post(f"{link}/undo").content.decode()
    assert "Get a new link by mail</a>" in page
    assert "Sign up again</a>" not in page


def test_undoing_removes_no_other_suppression(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    client.post(link)
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.COMPLAINT, now=timezone.now())
    assert "There is nothing to undo" in client.post(f"{link}/undo").content.decode()
    assert not is_mailed(weekly)
    assert set(Suppression.objects.live().values_list("reason", flat=True)) == {Reason.COMPLAINT, Reason.UNSUBSCRIBE}


def test_only_an_unsubscribe_by_link_is_undone(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    client.post(path_to(ada, weekly, Purpose.PREFERENCES), {"lists": []})
    assert not is_mailed(weekly)
    client.post(f"{path_to(ada, weekly)}/undo")
    assert not is_mailed(weekly)


def test_a_second_press_after_undoing_leaves_again(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    link = path_to(ada, weekly)
    for _press in range(2):
        client.post(link)
        client.post(f"{link}/undo")
    client.post(link)
    assert not is_mailed(weekly)


def test_every_page_links_to_the_privacy_notice(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    Brand.objects.create(name="Open Door", privacy_url="https://example.org/privacy/")
    clear_branding_cache()
    for page in ("/join/weekly", path_to(ada, weekly), path_to(ada, weekly, Purpose.PREFERENCES)):
        assert '<a href="https://example.org/privacy/"' in compact_html(client.get(page).content.decode())


def test_a_page_that_asks_to_write_to_us_shows_the_address(client: Client, weekly: MailingList) -> None:
    make_publication()
    clear_branding_cache()
    page = client.get(f"/join/{weekly.slug}").content.decode()
    assert '<a href="mailto:hello@example.org"><bdi>hello@example.org</bdi></a>' in page
    Publication.objects.update(reply_to="")
    clear_branding_cache()
    assert '<a href="mailto:news@news.example.org">' in client.get(f"/join/{weekly.slug}").content.decode()


@pytest.mark.parametrize(
    ("publication", "public"),
    [
        ({"reply_to": "", "from_email": "no-reply@news.example.org"}, True),
        ({"reply_to": "board@example.org"}, False),
        ({"reply_to": "former@example.org", "enabled": False, "archived": True}, True),
    ],
)
def test_a_page_shows_no_address_that_is_private_or_that_nobody_reads(
    publication: dict[str, object], public: bool, client: Client, weekly: MailingList
) -> None:
    row = make_publication()
    Publication.objects.update(**publication)
    MailingList.objects.filter(pk=row.mailing_list_id).update(public=public)
    clear_branding_cache()
    assert "mailto:" not in client.get("/my-mail").content.decode()


def test_topics_are_named_in_the_readers_language(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    topic = make_topic("land", "Land rights")
    topic.names = {"es": "Derecho a la tierra"}
    topic.save()
    assert "Derecho a la tierra" in client.get("/join/weekly?lang=es").content.decode()
    assert "Land rights" in client.get("/join/weekly").content.decode()
    Subscriber.objects.update(language="es")
    assert "Derecho a la tierra" in client.get(path_to(ada, weekly, Purpose.PREFERENCES)).content.decode()


def test_staff_name_a_topic_in_other_languages() -> None:
    topic = make_topic("land", "Land rights")
    client, address = sign_in("data"), f"/admin/topics/edit/{topic.pk}/"
    client.post(address, {"name": "Land rights", "names": "es: Derecho a la tierra\nfr: Droit à la terre"})
    topic.refresh_from_db()
    assert topic.names == {"es": "Derecho a la tierra", "fr": "Droit à la terre"}
    refused = client.post(address, {"name": "Land rights", "names": "Derecho a la tierra"}).content.decode()
    assert "write a language, a colon and the name" in refused
