"""Confirming, choosing and signing up, by people, link scanners and strangers."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from subscribers.audience.eligibility import eligible
from subscribers.consent.confirmations import list_due_confirmations
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.links.signed_links import LIFETIMES, Purpose
from subscribers.models import (
    Basis,
    Confirmation,
    ConsentEvent,
    EndReason,
    MailedLink,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.locations import Location, get_location_row
from subscribers.people.mailed_links import Kind, make_mailed_link_url, request_mailed_link
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.page_html import compact_html
from tests.support.people import make_list, make_member, make_person, make_topic, path_to, subscribe
from tests.support.signup import join, read, solve

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.requirement("A2"),
    pytest.mark.requirement("A4"),
    pytest.mark.requirement("A5"),
    pytest.mark.requirement("A7"),
]


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly", description="Stories every Thursday.")


def ask_to_join(weekly: MailingList) -> Subscriber:
    ada = make_person()
    subscribe(ada, weekly, basis="consent_double_opt_in", requested_at=timezone.now())
    return ada


@pytest.mark.requirement("U11")
def test_scanners_that_open_the_link_confirm_nothing_and_the_button_does(client: Client, weekly: MailingList) -> None:
    confirm = path_to(ask_to_join(weekly), weekly, Purpose.CONFIRM)
    for _ in range(5):
        page = client.get(confirm)
        assert page.status_code == 200
    assert not Subscription.objects.mailable().exists()
    assert b"Yes, send me Weekly" in page.content
    assert b"You are on the list" in client.post(confirm).content
    assert Subscription.objects.mailable().count() == 1
    *above, button = ConsentEvent.objects.get().wording.split("\n")
    assert above == [
        "Press the button to get Weekly by email. If you did not ask for it, close this page and nothing will happen."
    ]
    assert above[0] in page.content.decode()
    assert button == "Yes, send me Weekly"


def test_the_log_keeps_the_name_that_the_page_showed_before_a_rename(client: Client, weekly: MailingList) -> None:
    confirm = path_to(ask_to_join(weekly), weekly, Purpose.CONFIRM)
    shown = read(client.get(confirm).content.decode(), 'name="wording" value')
    MailingList.objects.update(name="Daily")
    assert b"You are on the list" in client.post(confirm, {"wording": shown}).content
    assert ConsentEvent.objects.get().wording.endswith("\nYes, send me Weekly")


@pytest.mark.parametrize("forged", ["Yes, send me everything", "x" * 5_000, "InllcyI:bad"])
def test_the_log_keeps_no_text_that_no_page_showed(client: Client, weekly: MailingList, forged: str) -> None:
    client.post(path_to(ask_to_join(weekly), weekly, Purpose.CONFIRM), {"wording": forged})
    assert ConsentEvent.objects.get().wording.endswith("\nYes, send me Weekly")


def test_the_log_keeps_no_text_of_another_persons_or_lists_page(client: Client, weekly: MailingList) -> None:
    ada, ben, other = ask_to_join(weekly), make_person("ben@example.org"), make_list(slug="other", name="Other")
    for person, mailing_list in ((ben, weekly), (ada, other)):
        subscribe(person, mailing_list, basis="consent_double_opt_in", requested_at=timezone.now())
    pages = [path_to(ben, weekly, Purpose.CONFIRM), path_to(ada, other, Purpose.CONFIRM)]
    shown = [read(client.get(page).content.decode(), 'name="wording" value') for page in pages]
    MailingList.objects.filter(pk=weekly.pk).update(name="Daily")
    for wording in shown:
        Subscription.objects.filter(subscriber=ada).update(confirmed_at=None)
        client.post(path_to(ada, weekly, Purpose.CONFIRM), {"wording": wording})
        assert ConsentEvent.objects.latest("pk").wording.endswith("\nYes, send me Daily")
    assert ConsentEvent.objects.count() == 2


@pytest.mark.requirement("K3")
def test_a_second_press_on_confirm_reads_as_the_first(client: Client, weekly: MailingList) -> None:
    """After a double click, the browser shows only the answer to the second."""
    confirm = path_to(ask_to_join(weekly), weekly, Purpose.CONFIRM)
    first, second = client.post(confirm), client.post(confirm)
    assert b"Thank you. You are on the list." in first.content
    assert second.content == first.content


def test_a_confirmation_link_opened_again_asks_for_no_second_press(client: Client, weekly: MailingList) -> None:
    ada = ask_to_join(weekly)
    confirm = path_to(ada, weekly, Purpose.CONFIRM)
    client.post(confirm)
    page = client.get(confirm).content
    assert b"You had confirmed already" in page
    assert b"One last step" not in page
    assert ConsentEvent.objects.count() == 1
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=timezone.now())
    assert b"nothing to confirm" in client.get(confirm).content


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("basis", Basis.values)
def test_a_confirmation_page_has_a_button_only_if_it_changes_something(
    client: Client, weekly: MailingList, basis: str, confirmed: bool
) -> None:
    now = timezone.now()
    expires_at = now + timedelta(days=20) if basis == Basis.CASL_IMPLIED else None
    ada = make_person()
    subscribe(ada, weekly, basis=basis, confirmed_at=now if confirmed else None, expires_at=expires_at)
    confirm = path_to(ada, weekly, Purpose.CONFIRM)
    has_button = b"Yes, send me Weekly" in client.get(confirm).content
    client.post(confirm)
    changed = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.CONFIRMED).exists()
    assert has_button is changed
    assert changed is (basis == Basis.CASL_IMPLIED or (basis == Basis.DOUBLE_OPT_IN and not confirmed))


@pytest.mark.parametrize("reason", [Reason.HARD, Reason.SOFT_LIMIT, Reason.STAFF, Reason.LEGAL])
def test_a_suppressed_person_is_offered_no_button_in_vain(client: Client, weekly: MailingList, reason: Reason) -> None:
    ada = ask_to_join(weekly)
    confirm = path_to(ada, weekly, Purpose.CONFIRM)
    suppress(address_hash=bytes(ada.address_hash), reason=reason, now=timezone.now())
    for answer in (client.get(confirm), client.post(confirm)):
        page = answer.content.decode()
        assert (answer.status_code, "<button" in page) == (409, False)
        assert "please write to us" in page
    assert not Subscription.objects.mailable().exists()
    assert (
        "We may not send mail to this address" in client.get(path_to(ada, weekly, Purpose.PREFERENCES)).content.decode()
    )
    assert b"<button" not in client.get(path_to(ada, weekly, Purpose.STAY)).content


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBE, Reason.COMPLAINT])
def test_a_persons_own_suppression_leaves_the_button(client: Client, weekly: MailingList, reason: Reason) -> None:
    ada = ask_to_join(weekly)
    suppress(address_hash=identify("other@example.org"), reason=Reason.HARD, now=timezone.now())
    Suppression.objects.create(
        address_hash=bytes(ada.address_hash), scope="all", reason=reason, at=timezone.now() - timedelta(days=1)
    )
    confirm = path_to(ada, weekly, Purpose.CONFIRM)
    assert b"Yes, send me Weekly" in client.get(confirm).content
    assert b"You are on the list" in client.post(confirm).content
    assert "We may not send mail" not in client.get(path_to(ada, weekly, Purpose.PREFERENCES)).content.decode()


def test_a_suppressed_new_address_is_offered_no_button(client: Client, weekly: MailingList) -> None:
    ada, now = make_member(weekly), timezone.now()
    link = MailedLink.objects.create(
        subscriber=ada, mailing_list=weekly, kind=Kind.CONFIRM_ADDRESS, new_email="new@example.org", asked_at=now
    )
    path = urlsplit(make_mailed_link_url(link=link, now=now)).path
    assert b"<button" in client.get(path).content
    suppress(address_hash=identify("new@example.org"), reason=Reason.HARD, now=now)
    answer = client.get(path)
    assert (answer.status_code, b"<button" in answer.content) == (409, False)
    assert b"Your old address stays as it was" in answer.content


def test_somebody_on_no_list_reads_so_if_no_list_is_offered(client: Client) -> None:
    private = make_list(slug="board", name="Board", public=False)
    ada = make_member(private)
    path = path_to(ada, private, Purpose.PREFERENCES)
    Subscription.objects.update(ended_at=timezone.now(), end_reason=EndReason.STAFF)
    page = client.get(path).content.decode()
    assert page.count("You are not subscribed") == 1
    assert "What you get" not in page


def test_somebody_on_no_list_reads_so_and_is_offered_no_pause(client: Client, weekly: MailingList) -> None:
    path = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    assert "You are not subscribed" not in client.get(path).content.decode()
    page = client.post(path, {"pause": "keep"}).content.decode()
    assert "Saved." in page
    assert "You are not subscribed" in page
    assert 'name="pause"' not in page


def test_an_empty_address_is_asked_for_on_each_page(client: Client, weekly: MailingList) -> None:
    for path in ("/my-mail", f"/join/{weekly.slug}"):
        page = client.post(path, {"email": " "})
        assert page.status_code == 400
        assert "Please write your email address." in page.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("purpose", [purpose for purpose, lifetime in LIFETIMES.items() if lifetime])
@pytest.mark.requirement("K3")
def test_a_link_that_is_too_old_says_so_and_does_nothing(
    client: Client, weekly: MailingList, method: str, purpose: Purpose
) -> None:
    lifetime = LIFETIMES[purpose] or timedelta()
    old = path_to(ask_to_join(weekly), weekly, purpose)
    with time_machine.travel(timezone.now() + lifetime + timedelta(minutes=1), tick=False):
        answer = getattr(client, method)(old)
    assert answer.status_code == 410
    assert b"has expired" in answer.content
    words = {timedelta(hours=1): "valid for an hour", timedelta(days=7): "valid for seven days"}
    assert words.get(lifetime, f"valid for {lifetime.days} days") in answer.content.decode()
    assert not Subscription.objects.mailable().exists()


def test_confirming_what_was_cancelled_or_erased_says_that_nothing_is_open(client: Client, weekly: MailingList) -> None:
    ada = ask_to_join(weekly)
    confirm = path_to(ada, weekly, Purpose.CONFIRM)
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=timezone.now())
    assert b"nothing to confirm" in client.post(confirm).content
    erase_person(subscriber=ada, by="kim", now=timezone.now())
    assert b"nothing to confirm" in client.get(confirm).content


@pytest.mark.requirement("V9")
def test_the_preference_page_shows_no_address_no_name_and_no_history(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly, name="Ada Lovelace", giving="monthly", source="fair")
    page = client.get(path_to(ada, weekly, Purpose.PREFERENCES)).content.decode()
    assert "a•••@e•••.org" in page
    for private in ("ada@example.org", "Lovelace", "monthly", "fair", "sign-up sheet"):
        assert private not in page


def test_preferences_are_saved_from_the_page(client: Client, weekly: MailingList) -> None:
    events = make_list("events", name="Events")
    ada = make_member(weekly, language="cy")
    topic = make_topic()
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    assert 'value="cy" selected' in compact_html(client.get(page).content.decode())
    answer = client.post(
        page, {"lists": [weekly.pk, events.pk], "topics": [topic.pk], "town": "Houston, Texas", "language": "fr"}
    )
    assert answer.status_code == 200
    shown = compact_html(answer.content.decode())
    assert '<p class="notice" role="status">Enregistré.</p>' in shown
    assert '<p class="notice todo" role="status">Pour recevoir Events, ouvrez le courriel' in shown
    ada = Subscriber.objects.get()
    assert (str(ada.place), ada.language, list(ada.topics.all())) == ("Houston, Texas, United States", "fr", [topic])
    assert [one.mailing_list for one in list_due_confirmations(now=timezone.now())] == [events]


def test_a_town_left_as_it_was_shown_stays_what_it_was(client: Client, weekly: MailingList) -> None:
    village = get_location_row(
        Location(country="GB", region="GB-ENG", town="Nether Wallop", latitude=51.14, longitude=-1.57)
    )
    ada = make_member(weekly, place=village)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    shown = re.search(r'name="town"[^>]* value="([^"]*)"', client.get(page).content.decode())
    assert shown
    assert client.post(page, {"lists": [weekly.pk], "town": shown[1]}).status_code == 200
    assert Subscriber.objects.get().place == village
    client.post(page, {"lists": [weekly.pk], "town": ""})
    assert Subscriber.objects.get().place is None


def test_a_town_that_is_not_understood_is_marked_and_nothing_is_saved(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly, language="fr")
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    answer = client.post(page, {"town": "Springfield", "language": "en", "lists": ["x", str(weekly.pk)]})
    assert answer.status_code == 400
    assert "Rien n’a été enregistré." in answer.content.decode()
    assert 'value="Springfield"' in answer.content.decode()
    assert Subscriber.objects.get().language == "fr"
    assert Subscription.objects.mailable().exists()


def test_no_choice_is_lost_if_a_town_is_not_found(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    chosen = {"town": "Springfield", "lists": [weekly.pk], "pause": "30", "radius": "25", "language": "fr"}
    shown = client.post(page, chosen).content.decode()
    for value in ("30", "25", "fr"):
        assert f'value="{value}" selected' in shown


def test_unticking_a_list_leaves_it(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    client.post(path_to(ada, weekly, Purpose.PREFERENCES), {})
    assert not Subscription.objects.open().exists()


def test_a_list_that_is_joined_during_a_pause_is_paused_too(client: Client, weekly: MailingList) -> None:
    """The page says that nothing is sent until the pause ends."""
    events = make_list("events", double_opt_in=False)
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    client.post(page, {"lists": [weekly.pk], "pause": "30"})
    shown = client.post(page, {"lists": [weekly.pk, events.pk], "pause": "keep"}).content.decode()
    assert "We send nothing until" in shown
    assert len(set(Subscription.objects.open().values_list("paused_until", flat=True))) == 1
    assert not eligible(mailing_list=events, now=timezone.now()).exists()
    client.post(page, {"lists": [weekly.pk, events.pk], "pause": "0"})
    assert eligible(mailing_list=events, now=timezone.now()).exists()


def test_a_private_list_cannot_be_joined_from_the_preference_page(client: Client, weekly: MailingList) -> None:
    hidden = make_list("hidden", public=False)
    ada = make_member(weekly)
    assert client.post(path_to(ada, weekly, Purpose.PREFERENCES), {"lists": [hidden.pk]}).status_code == 400
    assert not Subscription.objects.filter(mailing_list=hidden).exists()


def test_a_private_list_can_be_joined_again_by_somebody_who_left_it(client: Client) -> None:
    private = make_list("board", name="Board", public=False)
    ada = make_member(private)
    path = path_to(ada, private, Purpose.PREFERENCES)
    unsubscribe_from_list(subscriber=ada, mailing_list=private, now=timezone.now())
    page = compact_html(client.get(path).content.decode())
    assert f'<input type="checkbox" name="lists" value="{private.pk}">' in page
    assert "this newsletter" in page
    assert "Board" not in page
    assert client.post(path, {"lists": [private.pk], "pause": "keep"}).status_code == 200
    assert not eligible(mailing_list=private, now=timezone.now()).exists()
    (waiting,) = list_due_confirmations(now=timezone.now())
    client.post(path_to(waiting.subscriber, private, Purpose.CONFIRM))
    assert eligible(mailing_list=private, now=timezone.now()).exists()


_BY_OTHERS = [EndReason.COMPLAINT, EndReason.STAFF, EndReason.IMPORT_UNDONE, EndReason.LAPSED]


@pytest.mark.parametrize("end_reason", _BY_OTHERS)
def test_a_private_list_is_closed_to_those_whom_others_removed(client: Client, end_reason: str) -> None:
    private = make_list("board", public=False)
    ada = make_member(private)
    unsubscribe_from_list(subscriber=ada, mailing_list=private, now=timezone.now())
    Suppression.objects.all().delete()
    subscribe(ada, private)
    Subscription.objects.open().update(ended_at=timezone.now(), end_reason=end_reason)
    page = client.post(path_to(ada, private, Purpose.PREFERENCES), {"lists": [private.pk], "pause": "keep"})
    assert page.status_code == 400
    assert not Subscription.objects.open().exists()


@pytest.mark.parametrize("reason", sorted(set(Reason.values) - {Reason.UNSUBSCRIBE}))
def test_a_private_list_stays_closed_if_something_else_blocks_its_mail(client: Client, reason: str) -> None:
    private = make_list("board", public=False)
    ada = make_member(private)
    path = path_to(ada, private, Purpose.PREFERENCES)
    unsubscribe_from_list(subscriber=ada, mailing_list=private, now=timezone.now())
    suppress(address_hash=bytes(ada.address_hash), reason=Reason(reason), now=timezone.now())
    assert client.post(path, {"lists": [private.pk], "pause": "keep"}).status_code == 400
    assert not Subscription.objects.open().exists()


def test_a_private_list_is_not_named_to_those_who_never_confirmed(client: Client) -> None:
    private = make_list("board", public=False)
    ada = make_person()
    subscribe(ada, private, basis="consent_double_opt_in", requested_at=timezone.now())
    unsubscribe_from_list(subscriber=ada, mailing_list=private, now=timezone.now())
    assert 'name="lists"' not in client.get(path_to(ada, private, Purpose.PREFERENCES)).content.decode()


@pytest.mark.parametrize("end_reason", [EndReason.EXPIRED, EndReason.UNSUBSCRIBE])
def test_an_unconfirmed_return_leaves_the_private_list_on_offer(client: Client, end_reason: str) -> None:
    private = make_list("board", public=False)
    ada = make_member(private)
    unsubscribe_from_list(subscriber=ada, mailing_list=private, now=timezone.now())
    subscribe(ada, private, basis="consent_double_opt_in", requested_at=timezone.now())
    Subscription.objects.open().update(ended_at=timezone.now(), end_reason=end_reason)
    assert 'name="lists"' in client.get(path_to(ada, private, Purpose.PREFERENCES)).content.decode()


def test_a_private_list_is_on_offer_after_a_merge(client: Client) -> None:
    private = make_list("board", public=False)
    ada, keep = make_member(private), make_member(private, "ada.new@example.org")
    merge_people(keep=keep, absorb=ada, now=timezone.now())
    keep.refresh_from_db()
    unsubscribe_from_list(subscriber=keep, mailing_list=private, now=timezone.now())
    ada = keep
    assert 'name="lists"' in client.get(path_to(ada, private, Purpose.PREFERENCES)).content.decode()


def test_the_preference_link_of_an_erased_person_says_that_nothing_is_kept(client: Client, weekly: MailingList) -> None:
    ada = make_member(weekly)
    page = path_to(ada, weekly, Purpose.PREFERENCES)
    erase_person(subscriber=ada, by="kim", now=timezone.now())
    assert b"This link no longer leads to you" in client.get(page).content


def test_an_erasure_link_of_a_merged_person_erases_the_other(client: Client, weekly: MailingList) -> None:
    ada, keep = make_member(weekly), make_person("ada.new@example.org")
    page = path_to(ada, weekly, Purpose.ERASE)
    MailedLink.objects.update(sent_at=timezone.now())
    request_mailed_link(subscriber=ada, mailing_list=weekly, kind=Kind.ERASE, now=timezone.now() + timedelta(hours=1))
    request_mailed_link(subscriber=keep, mailing_list=weekly, kind=Kind.ERASE, now=timezone.now())
    merge_people(keep=keep, absorb=ada, now=timezone.now())
    assert [link.subscriber for link in MailedLink.objects.unsent()] == [keep]
    kept = b"a code made from each address that you had with us"
    assert kept in client.get(page).content
    done = client.post(page).content
    assert b"You have been erased" in done
    assert kept in done
    assert not Subscriber.objects.exists()
    assert client.post(page).status_code == 410


@pytest.mark.parametrize("kind", [Kind.DOWNLOAD, Kind.CHANGE_ADDRESS, Kind.CONFIRM_ADDRESS])
def test_no_other_link_that_works_once_outlives_a_merge(client: Client, weekly: MailingList, kind: Kind) -> None:
    ada, keep = make_member(weekly), make_person("ada.new@example.org")
    page = path_to(ada, weekly, Purpose(kind))
    merge_people(keep=keep, absorb=ada, now=timezone.now())
    assert client.post(page, {"email": "other@example.org"}).status_code == 410


def test_joining_asks_for_confirmation_by_mail(client: Client, weekly: MailingList) -> None:
    topic = make_topic()
    answer = join(client, weekly, name=" Ada\r\n", city="Houston, Texas", topics=[topic.pk])
    assert answer.status_code == 200
    assert b"Check your inbox" in answer.content
    assert not answer.cookies
    ada = Subscriber.objects.get()
    assert (ada.name, str(ada.place), list(ada.topics.all())) == ("Ada", "Houston, Texas, United States", [topic])
    assert Confirmation.objects.unsent().count() == 1
    assert ConsentEvent.objects.get().wording.startswith("Send me Weekly by email.")


@pytest.mark.requirement("P4")
def test_nobody_agrees_to_a_wording_that_their_page_did_not_show(client: Client, weekly: MailingList) -> None:
    """Staff rename the list while the page is open. Its name is part of the wording, which is kept as proof."""
    form = client.get("/join/weekly").content.decode()
    given = {"email": "ada@example.org", "started": read(form, 'name="started" value'), "altcha": solve(form)}
    MailingList.objects.filter(pk=weekly.pk).update(name="The big appeal")
    with time_machine.travel(timezone.now() + timedelta(seconds=10), tick=False):
        again = client.post("/join/weekly", given)
    assert again.status_code == 400
    assert (
        "The text beside the button has changed. Please read it and press the button again." in again.content.decode()
    )
    assert "Send me The big appeal by email." in again.content.decode()
    assert not Subscriber.objects.exists()
    page = again.content.decode()
    given = {**given, "started": read(page, 'name="started" value'), "altcha": solve(page)}
    with time_machine.travel(timezone.now() + timedelta(seconds=12), tick=False):
        assert b"Check your inbox" in client.post("/join/weekly", given).content
    assert ConsentEvent.objects.get().wording.startswith("Send me The big appeal by email.")


@pytest.mark.requirement("P4")
def test_no_box_is_ticked_before_the_person_ticks_it(client: Client, weekly: MailingList) -> None:
    make_topic()
    page = client.get(f"/join/{weekly.slug}").content.decode()
    assert 'type="checkbox"' in page
    assert "checked" not in page


@pytest.mark.requirement("A1")
def test_the_answer_is_the_same_for_every_kind_of_address(client: Client, weekly: MailingList) -> None:
    make_member(weekly, "a1@example.org")
    subscribe(make_person("a2@example.org"), weekly, basis="consent_double_opt_in")
    suppress(address_hash=bytes(make_person("a3@example.org").address_hash), reason=Reason.HARD, now=timezone.now())
    unsubscribe_from_list(subscriber=make_member(weekly, "a4@example.org"), mailing_list=weekly, now=timezone.now())
    answers = set()
    for address in (f"a{number}@example.org".encode() for number in range(5)):
        page = join(client, weekly, email=address.decode()).content
        assert address in page
        answers.add(page.replace(address, b""))
    assert len(answers) == 1


@pytest.mark.requirement("A3")
def test_the_trap_swallows_robots_without_telling_them(client: Client, weekly: MailingList) -> None:
    caught = join(client, weekly, website="https://buy.example")
    assert caught.content == join(client, weekly, email="ada@example.org").content
    assert Confirmation.objects.count() == 1
    Subscriber.objects.all().delete()
    join(client, weekly, website="x")
    assert not Subscriber.objects.exists()


@pytest.mark.requirement("A3")
def test_a_form_sent_back_at_once_is_asked_for_again_and_then_taken(client: Client, weekly: MailingList) -> None:
    fast = join(client, weekly, seconds=1)
    assert fast.status_code == 400
    assert b"That was quick" in fast.content
    assert b"ada@example.org" in fast.content
    assert not Subscriber.objects.exists()
    assert join(client, weekly, seconds=4).status_code == 200


@pytest.mark.parametrize("fields", [{"seconds": 3 * 60 * 60}, {"started": "join:forged:stamp"}])
@pytest.mark.requirement("A3")
def test_a_form_that_lay_too_long_or_was_never_ours_gets_a_fresh_stamp(
    client: Client, weekly: MailingList, fields: dict[str, object]
) -> None:
    answer = join(client, weekly, **fields)
    assert answer.status_code == 400
    assert b"press the button again" in answer.content
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"email": ""}, "Please write your email address"),
        ({"email": "ada@"}, "not an email address"),
        ({"city": "Springfield"}, "several towns called"),
    ],
)
def test_a_mistyped_field_is_marked_and_keeps_its_text(
    client: Client, weekly: MailingList, fields: dict[str, str], says: str
) -> None:
    answer = join(client, weekly, name="Ada", **fields)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert says in page
    assert 'value="Ada"' in page
    assert 'aria-invalid="true"' in page
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("path", ["/join/weekly", "/my-mail"])
def test_the_browser_keeps_a_form_to_correct_for_its_back_button(
    client: Client, weekly: MailingList, path: str
) -> None:
    assert client.get(path)["Cache-Control"] == "no-store"
    assert client.post(path, {"email": "nonsense"})["Cache-Control"] == "private, no-cache"


def test_no_browser_keeps_a_page_of_a_persons_own(client: Client, weekly: MailingList) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    answer = client.post(page, {"town": "Xyzzyville"})
    assert (answer.status_code, answer["Cache-Control"]) == (400, "no-store")


@pytest.mark.parametrize("slug", ["hidden", "nothing-here"])
@pytest.mark.requirement("A6")
def test_a_private_list_and_one_that_is_not_there_look_the_same(client: Client, slug: str) -> None:
    make_list("hidden", public=False)
    answers = [client.get(f"/join/{slug}"), client.post(f"/join/{slug}", {"email": "ada@example.org"})]
    assert {answer.status_code for answer in answers} == {404}
    assert b"no newsletter to join here" in answers[0].content
    assert not Subscriber.objects.exists()


def test_a_list_that_needs_no_confirmation_thanks_people_at_once(client: Client) -> None:
    open_list = make_list("open", double_opt_in=False)
    assert b"Thank you" in join(client, open_list).content
    assert Subscription.objects.mailable().count() == 1


def test_hostile_names_are_shown_as_text(client: Client, weekly: MailingList) -> None:
    page = join(client, weekly, name='"><script>alert(1)</script>', email="ada@").content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("left_before", "says"), [(False, b"Your mail comes here now"), (True, b"You will get no mail here")]
)
def test_moving_to_an_unsubscribed_address_promises_no_mail(
    client: Client, weekly: MailingList, left_before: bool, says: bytes
) -> None:
    ada, now = make_member(weekly), timezone.now()
    new = make_member(weekly, "new@example.org")
    if left_before:
        unsubscribe_from_list(subscriber=new, mailing_list=weekly, now=now, source="link")
    assert says in client.post(path_to_new_address(ada, weekly, new.email)).content
    assert Subscription.objects.mailable().exists() is not left_before


def test_an_unsubscribed_new_address_leads_to_the_sign_up(client: Client, weekly: MailingList) -> None:
    MailingList.objects.update(public=True)
    ada, now = make_member(weekly), timezone.now()
    new = make_member(weekly, "new@example.org")
    unsubscribe_from_list(subscriber=new, mailing_list=weekly, now=now, source="link")
    page = client.post(path_to_new_address(ada, weekly, new.email)).content.decode()
    assert '<a class="second" href="/join/weekly">Sign up again</a>' in page


def test_an_expired_link_to_a_new_address_asks_for_the_old_one(client: Client, weekly: MailingList) -> None:
    arrive = path_to_new_address(make_member(weekly), weekly)
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        page = client.get(arrive).content.decode()
    assert "your mail still goes to the old one" in page
    assert "Ask for a new link with your old address" in page


def test_mail_goes_to_the_old_address_until_the_new_one_is_confirmed(client: Client, weekly: MailingList) -> None:
    ada, now = make_member(weekly), timezone.now()
    assert request_mailed_link(subscriber=ada, mailing_list=weekly, kind=Kind.CHANGE_ADDRESS, now=now)
    path = urlsplit(make_mailed_link_url(link=MailedLink.objects.get(), now=now)).path
    page = client.post(path, {"email": "new@example.org"}).content.decode()
    assert "Until you confirm there, your mail goes to your old address." in page


def test_a_confirmed_address_leads_to_the_choices_by_mail_only(client: Client, weekly: MailingList) -> None:
    arrive = path_to_new_address(make_member(weekly), weekly)
    for page in (client.post(arrive).content.decode(), client.get(arrive).content.decode()):
        assert '<a class="second" href="/my-mail">Get a link to your choices by mail</a>' in page
        assert "/p/" not in page


def path_to_new_address(person: Subscriber, mailing_list: MailingList, address: str = "new@example.org") -> str:
    """The path behind the mail that asks a new address for its confirmation."""
    now = timezone.now()
    assert request_mailed_link(
        subscriber=person, mailing_list=mailing_list, kind=Kind.CONFIRM_ADDRESS, new_email=address, now=now
    )
    return urlsplit(make_mailed_link_url(link=MailedLink.objects.get(new_email=address), now=now)).path


@pytest.mark.usefixtures("still_clock")
def test_an_eleventh_request_for_a_link_in_an_hour_says_so(client: Client, weekly: MailingList) -> None:
    make_member(weekly, "ada@example.org")
    answers = [client.post("/my-mail", {"email": f"p{number}@example.org"}).status_code for number in range(10)]
    refused = client.post("/my-mail", {"email": "ada@example.org"})
    page = refused.content.decode()
    assert (set(answers), refused.status_code) == ({200}, 429)
    assert "Too many requests from your network. Try again in an hour." in page
    assert 'value="ada@example.org"' in page
    assert not MailedLink.objects.exists()
