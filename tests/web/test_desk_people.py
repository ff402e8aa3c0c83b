"""People in the desk: looked up by exact address, never edited by hand; segments say who is in them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from subscribers.audience import ANY_FREQUENCY, count_audience, count_lists, eligible
from subscribers.models import MailingList, Reason, Segment, Subscriber, Subscription, Topic
from subscribers.suppression import suppress
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.web.desk import sign_in

pytestmark = pytest.mark.django_db


def one_part(kind: str, value: str) -> dict[str, str]:
    """What the builder posts for a rule of one condition."""
    part = {"type": kind, "order": "0", "deleted": "", "id": "", "value": value}
    return {"rule-count": "1", **{f"rule-0-{name}": said for name, said in part.items()}}


def test_the_list_shows_no_address_and_says_where_each_person_stands() -> None:
    weekly = make_list(name="Weekly")
    make_member(weekly, "ada@example.org")
    waiting = make_person("grace@example.org")
    subscribe(waiting, weekly, basis="consent_double_opt_in")
    gone = make_person("joan@example.org")
    subscribe(gone, weekly, ended_at=NOW, end_reason="unsubscribe")
    make_person("mary@example.org")
    page = sign_in("data").get("/admin/people/").content.decode()
    assert "@example.org" not in page.replace("data@example.org", "")
    assert "a•••@e•••.org" in page
    for words in ("Weekly (not confirmed yet)", "Weekly (left)", "no list"):
        assert words in page


@pytest.mark.parametrize(
    ("typed", "found"),
    [("ada@example.org", True), ("  ADA@Example.ORG ", True), ("ada", False), ("example.org", False), ("@", False)],
)
def test_a_person_is_found_by_the_whole_address_only(typed: str, found: bool) -> None:
    person = make_person("ada@example.org")
    page = sign_in("data").get("/admin/people/", {"q": typed}).content.decode()
    assert (f"/admin/people/{person.pk}/" in page) is found


def test_one_persons_page_says_what_is_held_and_the_look_is_logged() -> None:
    weekly = make_list(name="Weekly")
    person = make_member(weekly, "ada@example.org", name="Ada Sample")
    suppress(address_hash=bytes(person.address_hash), reason=Reason.COMPLAINT, now=NOW)
    page = sign_in("data").get(f"/admin/people/{person.pk}/").content.decode()
    assert "ada@example.org" in page
    assert "sign-up sheet" in page
    assert f'action="/admin/people/{person.pk}/data/"' in page
    assert "Must not be mailed" in page
    assert "Looked at" in sign_in("admin").get("/admin/staff-log/").content.decode()


@pytest.mark.parametrize("role", ["writer", "editor", "approver"])
def test_people_are_for_those_who_look_after_them(role: str) -> None:
    person = make_person()
    client = sign_in(role)
    assert client.get("/admin/people/").status_code == 302
    assert client.get(f"/admin/people/{person.pk}/").status_code == 302


def test_nobody_adds_changes_or_deletes_a_person_by_a_form() -> None:
    person = make_person()
    client = sign_in("admin")
    for route in ("new/", "add/", f"edit/{person.pk}/", f"delete/{person.pk}/", "export/"):
        assert client.get(f"/admin/people/{route}").status_code == 404
    assert "Add subscriber" not in client.get("/admin/people/").content.decode()
    assert Subscriber.objects.count() == 1


def row_of(page: str, name: str) -> list[str]:
    """What stands in the cells behind the name of a list."""
    cells = page.split(name, 1)[1].split("</tr>", 1)[0].split("<td")[1:]
    return [" ".join(re.sub(r"<[^>]*>", " ", cell.split(">", 1)[1]).split()) for cell in cells]


def test_p10_a_list_counts_those_who_may_be_mailed_and_says_of_the_others_why_they_may_not() -> None:
    weekly, events = make_list(name="Weekly"), make_list("events", name="Evenings")
    now = timezone.now()
    ada = make_member(weekly, "ada@example.org")
    bea = make_member(weekly, "bea@example.org")
    subscribe(bea, events)
    for email in ("cleo@example.org", "dora@example.org"):
        subscribe(make_person(email), weekly, basis="consent_double_opt_in")
    over, lasting = now - timedelta(minutes=1), now + timedelta(days=9)
    subscribe(make_person("eve@example.org"), weekly, basis="casl_implied", expires_at=over)
    subscribe(make_person("fay@example.org"), weekly, basis="casl_implied", expires_at=lasting)
    subscribe(make_person("gwen@example.org"), weekly, paused_until=lasting)
    subscribe(make_person("hal@example.org"), weekly, frequency="monthly")
    left = Subscription.objects.filter(subscriber=make_member(weekly, "ivy@example.org"))
    left.update(ended_at=now, end_reason="unsubscribe")
    suppress(address_hash=bytes(bea.address_hash), reason=Reason.STAFF, mailing_list=weekly, now=now)
    page = sign_in("data").get("/admin/lists/").content.decode()
    assert row_of(page, "Weekly")[:2] == [
        "3",
        "2 have not confirmed by mail yet; 1 gave only implied consent, which has run out; 1 asked for a pause; "
        "1 were taken out by staff",
    ]
    assert row_of(page, "Evenings")[:2] == ["1", ""]
    for one in (weekly, events):
        may = eligible(mailing_list=one, now=now, frequencies=ANY_FREQUENCY)
        counted = count_audience(mailing_list=one, now=now, frequencies=ANY_FREQUENCY)
        assert count_lists(now=now)[one.pk] == counted
        assert counted.eligible == may.count()
    assert ada.subscriptions.get() in eligible(mailing_list=weekly, now=now)


def test_a_list_is_made_and_never_deleted() -> None:
    client = sign_in("admin")
    client.post("/admin/lists/add/", {"name": "Monthly", "slug": "monthly", "description": "", "double_opt_in": "on"})
    made = MailingList.objects.get(slug="monthly")
    client.post(f"/admin/lists/delete/{made.pk}/")
    assert MailingList.objects.filter(pk=made.pk).exists()


def test_a_segment_shows_its_count_and_its_rule_in_words_before_it_is_saved() -> None:
    make_member(make_list(name="Weekly"), "ada@example.org")
    segment = Segment.objects.create(slug="all", name="All", rule={})
    client = sign_in("data")
    fields = {"name": "All", "slug": "all", **one_part("list", "weekly")}
    client.post(f"/admin/segments/preview/{segment.pk}/", fields)
    response = client.get(f"/admin/segments/preview/{segment.pk}/")
    page = response.content.decode()
    assert '<p class="count">1</p>' in page
    assert "on the list Weekly" in page
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    segment.refresh_from_db()
    assert segment.rule == {}


def test_a_new_segment_is_previewed_too() -> None:
    client = sign_in("data")
    client.post("/admin/segments/preview/", {"name": "Donors", "slug": "donors", **one_part("giving", "donor")})
    assert "has given" in client.get("/admin/segments/preview/").content.decode()


def test_a_rule_that_cannot_be_used_is_refused_with_the_part_at_fault() -> None:
    fields = {"name": "Odd", "slug": "odd", **one_part("list", "")}
    page = sign_in("data").post("/admin/segments/add/", fields).content.decode()
    assert "This field is required" in page
    assert not Segment.objects.exists()


def test_a_segment_whose_list_is_gone_says_so_everywhere() -> None:
    segment = Segment.objects.create(slug="gone", name="Gone", rule={"list": "gone"})
    client = sign_in("data")
    assert "Cannot be used" in client.get("/admin/segments/").content.decode()
    assert "cannot be used yet" in client.get(f"/admin/segments/preview/{segment.pk}/").content.decode()
    assert client.get(f"/admin/segments/edit/{segment.pk}/").status_code == 200


def test_topics_are_edited() -> None:
    sign_in("admin").post("/admin/topics/add/", {"name": "Land rights", "slug": "land"})
    assert Topic.objects.get().name == "Land rights"
