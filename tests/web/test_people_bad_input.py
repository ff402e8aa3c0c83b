"""Bad input on subscribers' pages gets a clear answer, loses nothing and reveals nobody on the list."""

import pytest
from django.test import Client

from newsletter.sending.build_call import CityAndRegion, LocationNames
from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Segment, Subscriber, Subscription
from subscribers.people.locations import Location, get_location_row
from tests.support.desk import sign_in
from tests.support.people import make_list, make_member, path_to
from tests.support.signup import join

pytestmark = pytest.mark.django_db
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def gone(weekly: MailingList) -> Subscriber:
    """Somebody who lives in a region and a country that the world's list does not have any more."""
    place = get_location_row(Location(country="YU", region="YU-VO", town="Novi Sad", latitude=45.25, longitude=19.83))
    return make_member(weekly, place=place)


def test_a_former_region_is_shown_and_kept_until_another_is_chosen(
    client: Client, weekly: MailingList, gone: Subscriber
) -> None:
    page = path_to(gone, weekly, Purpose.PREFERENCES)
    shown = client.get(page)
    assert shown.status_code == 200
    assert "Novi Sad, YU-VO, YU" in shown.content.decode()
    assert client.post(page, {"town": "Novi Sad, YU-VO, YU", "lists": [weekly.pk]}).status_code == 200
    assert Subscriber.objects.get().place == gone.place


def test_staff_see_people_and_segments_of_a_region_that_no_longer_exists(gone: Subscriber) -> None:
    segment = Segment.objects.create(slug="old", name="Old", rule={"region": "YU-VO"})
    desk = sign_in("data")
    for path in (
        "/admin/people/",
        f"/admin/people/{gone.pk}/",
        "/admin/segments/",
        f"/admin/segments/edit/{segment.pk}/",
    ):
        assert desk.get(path).status_code == 200, path


@pytest.mark.requirement("T4")
def test_a_name_full_of_markup_is_text_on_every_page_of_staff_and_readers(client: Client, weekly: MailingList) -> None:
    person = make_member(weekly, name=MARKUP, source=MARKUP[:60])
    desk = sign_in("data")
    pages = [desk.get("/admin/people/"), desk.get(f"/admin/people/{person.pk}/")]
    pages += [client.get(path_to(person, weekly, purpose)) for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)]
    for page in pages:
        body = page.content.decode()
        assert page.status_code == 200
        assert "<script>alert" not in body
        assert "<img src=x" not in body


@pytest.mark.parametrize(
    "email",
    ["ADA@EXAMPLE.ORG", " ada@example.org\u200b", "Ada@Example.Org", "\uff41da@example.org", "ada@example.org."],
)
def test_another_spelling_of_an_address_makes_no_second_person(client: Client, weekly: MailingList, email: str) -> None:
    make_member(weekly, "ada@example.org")
    before = join(client, weekly, email="new@example.org").content
    answer = join(client, weekly, email=email)
    assert Subscriber.objects.filter(email__icontains="ada").count() == 1
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert len(answer.content) == pytest.approx(len(before), abs=40)


def test_a_composed_and_a_decomposed_letter_are_one_mailbox(client: Client, weekly: MailingList) -> None:
    join(client, weekly, email="zo\u00eb@example.org")
    join(client, weekly, email="zoe\u0308@example.org")
    assert Subscription.objects.count() == 1


def test_a_gmail_address_with_other_dots_is_another_person(client: Client, weekly: MailingList) -> None:
    """Each spelling of an address is kept as written. The limit of mails counts all spellings of a mailbox together."""
    join(client, weekly, email="ada.love@gmail.com")
    join(client, weekly, email="adalove@gmail.com")
    assert Subscriber.objects.count() == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "a" * 5000 + "@example.org"},
        {"name": "x" * 5000},
        {"city": "y" * 5000},
        {"topics": ["1", "abc", "99999999999999999999"]},
        {"language": "../../etc"},
        {"email": "ada@example.org\r\nBcc: victim@example.org"},
        {"email": "ada\x00@example.org"},
        {"name": "A\x00da"},
        {"started": "nonsense"},
        {"meant": "z" * 5000, "city": "York"},
    ],
)
def test_hostile_fields_are_refused_or_cleaned_and_never_break_the_form(
    client: Client, weekly: MailingList, fields: dict[str, object]
) -> None:
    answer = join(client, weekly, **fields)
    assert answer.status_code in (200, 400)
    assert "victim" not in "".join(Subscriber.objects.values_list("email", flat=True))


@pytest.mark.parametrize("field", ["lists", "topics", "town", "radius", "language", "pause", "often_1", "meant"])
@pytest.mark.parametrize("value", ["\x00", "-1", "9" * 40, "<b>", "None"])
def test_hostile_choices_never_break_the_preferences(
    client: Client, weekly: MailingList, field: str, value: str
) -> None:
    page = path_to(make_member(weekly), weekly, Purpose.PREFERENCES)
    answer = client.post(page, {"lists": [weekly.pk], field: value})
    assert answer.status_code in (200, 400)
    assert Subscriber.objects.count() == 1


def test_a_send_is_not_stopped_by_a_region_that_no_longer_exists(gone: Subscriber) -> None:
    assert LocationNames()[gone.place_id, "en"] == CityAndRegion("Novi Sad", "YU-VO")
