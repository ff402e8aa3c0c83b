"""From an empty installation to a publication, in the desk alone: each form is sent as its page filled it in."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.common.schedule import check_schedule, due_after
from newsletter.models import Brand, Picture, Publication, Send
from newsletter.sending.freezing.start import start_send
from subscribers.models import MailingList, Segment, Topic
from tests.support.desk import sign_in
from tests.support.desk_forms import filled_in, save
from tests.support.fixtures import add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db
NO_CONDITIONS = {"rule-count": "0"}


def test_a_publication_is_made_in_the_desk_from_nothing() -> None:
    client = sign_in("admin")
    assert "Add brand" in client.get("/admin/brand/").content.decode()
    save(client, "/admin/brand/add/", name="Harbour Trust", postal_address="1 Example Street, Leeds")
    save(client, "/admin/lists/add/", name="Weekly letter")
    save(client, "/admin/topics/add/", name="Clinics")
    save(client, "/admin/segments/add/", name="Everybody", **NO_CONDITIONS)
    save(
        client,
        "/admin/publications/add/",
        name="The Weekly Letter",
        segment=Segment.objects.get().pk,
        topics=[Topic.objects.get().pk],
        from_email="letters@example.org",
        weekdays=["thu"],
        at="09:00",
        zone="Europe/London",
    )
    made = Publication.objects.get()
    assert (made.slug, made.schedule, made.zone) == ("the-weekly-letter", "0 9 * * thu", "Europe/London")
    assert (made.brand, made.mailing_list) == (Brand.objects.get(), MailingList.objects.get())
    assert (made.from_name, made.segment, list(made.topics.all())) == (
        "Harbour Trust",
        Segment.objects.get(),
        list(Topic.objects.all()),
    )
    assert [Brand.objects.get().slug, MailingList.objects.get().slug, Topic.objects.get().slug] == [
        "harbour-trust",
        "weekly-letter",
        "clinics",
    ]
    assert "Every Thursday 09:00 London time" in client.get("/admin/publications/").content.decode()


@pytest.mark.parametrize(
    ("path", "purpose", "step"),
    [
        ("issues", "An issue is one mail of a publication", "/admin/issues/new/"),
        ("stories", "Stories come from your sources", "/admin/stories/add/"),
        ("events", "Events come from your sources", "/admin/events/add/"),
        ("appeals", "An appeal asks readers", "/admin/appeals/add/"),
        ("sources", "A source is a website", "/admin/sources/add/"),
        ("people", "Subscribers are the people on your lists", "/admin/people/imports/new/"),
        ("results", "Here you see how many people", "/admin/issues/"),
        ("lists", "A mailing list is what people sign up for", "/admin/lists/add/"),
        ("topics", "A topic is a subject", "/admin/topics/add/"),
        ("segments", "A segment is a part of your subscribers", "/admin/segments/add/"),
        ("cases", "A case is what several stories are about", "/admin/cases/add/"),
        ("publications", "A publication is a newsletter", "/admin/publications/add/"),
        ("brand", "A brand is how your emails look", "/admin/brand/add/"),
        ("issues/saved", "A template keeps the layout and the blocks", "/admin/issues/"),
        ("notices", "We write here, and by email", "/admin/issues/"),
        ("publications/archived", "What you archive is listed here", "/admin/publications/"),
        ("brand/archived", "What you archive is listed here", "/admin/brand/"),
        ("lists/archived", "What you archive is listed here", "/admin/lists/"),
        ("segments/archived", "What you archive is listed here", "/admin/segments/"),
        ("events/places", "Until you choose a location", "/admin/events/"),
        ("people/held", "These sign-ups look automated", "/admin/lists/"),
        ("people/expiring", "After the expiry date", "/admin/people/imports/"),
    ],
)
def test_an_empty_page_says_what_it_is_for_and_offers_a_step(path: str, purpose: str, step: str) -> None:
    page = sign_in("admin").get(f"/admin/{path}/").content.decode()
    assert purpose in page
    assert f'<a class="button" href="{step}">' in page.split(purpose)[1]


def test_the_empty_page_of_imports_offers_the_first_before_it_says_why() -> None:
    page = sign_in("admin").get("/admin/people/imports/").content.decode()
    assert '<a class="button" href="/admin/people/imports/new/">' in page
    assert "Import people from a spreadsheet, from Mailchimp or from listmonk." in page


def test_a_new_brand_starts_with_colours_that_can_be_read() -> None:
    client = sign_in("admin")
    fields = filled_in(client.get("/admin/brand/add/").content.decode())
    assert (fields["colour"], fields["accent"], fields["background"]) == (["#1f4e5f"], ["#b3541e"], ["#f4f1ec"])
    page = save(client, "/admin/brand/add/", name="Pale", colour="#fff1a8", postal_address="1 Example Street")
    assert {"Pale", "#fff1a8", "1 Example Street"} <= {value for (value, *_more) in filled_in(page).values()}
    assert "is too pale to read" in page
    assert not Brand.objects.exists()


def test_the_first_publication_asks_for_its_time_zone() -> None:
    make = {"name": "Letter", "from_email": "letters@example.org"}
    brand, mailing_list = Brand.objects.create(name="Open Door"), MailingList.objects.create(name="All", slug="all")
    page = save(sign_in("admin"), "/admin/publications/add/", **make, brand=brand.pk, mailing_list=mailing_list.pk)
    assert "Choose a time zone" in page
    assert not Publication.objects.exists()


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Kolkata", "America/New_York"])
def test_each_town_is_offered_under_its_own_zone(zone: str) -> None:
    page = sign_in("admin").get("/admin/publications/add/").content.decode()
    assert f'<option value="{zone}">' in page


def test_a_new_publication_takes_the_sender_of_the_last_one() -> None:
    last = make_publication()
    chosen = last.mailing_list.pk
    save(sign_in("admin"), "/admin/publications/add/", name="The monthly letter", mailing_list=chosen)
    new = Publication.objects.exclude(pk=last.pk).get()
    assert (new.from_email, new.zone, new.brand) == (last.from_email, last.zone, last.brand)


def test_a_second_publication_is_off_and_proposes_no_used_list() -> None:
    last = make_publication()
    Publication.objects.update(language="es")
    client = sign_in("admin")
    fields = filled_in(client.get("/admin/publications/add/").content.decode())
    assert fields.get("mailing_list", [""]) == [""]
    assert (fields["language"], "enabled" in fields) == (["en"], False)
    save(client, "/admin/publications/add/", name="The monthly letter")
    assert not Publication.objects.exclude(pk=last.pk).exists()


def test_one_of_several_lists_is_never_proposed() -> None:
    for slug in ("weekly", "monthly"):
        MailingList.objects.create(name=slug, slug=slug)
    fields = filled_in(sign_in("admin").get("/admin/publications/add/").content.decode())
    assert fields.get("mailing_list", [""]) == [""]


def test_a_name_without_latin_letters_gives_a_free_short_name() -> None:
    client = sign_in("admin")
    for name in ("Новости", "Письма"):
        save(client, "/admin/lists/add/", name=name)
    assert list(MailingList.objects.order_by("pk").values_list("slug", flat=True)) == ["mailinglist", "mailinglist-2"]


def test_a_duplicated_publication_is_off_and_keeps_its_rules() -> None:
    publication = make_publication()
    topic = Topic.objects.create(slug="law", name="Law")
    publication.topics.add(topic)
    client = sign_in("admin")
    save(client, f"/admin/publications/copy/{publication.pk}/")
    copy = Publication.objects.exclude(pk=publication.pk).get()
    assert (copy.name, copy.slug, copy.enabled) == (f"{publication.name} (copy)", "the-weekly-letter-copy", False)
    assert (copy.schedule, list(copy.topics.all())) == (publication.schedule, [topic])
    assert Publication.objects.get(pk=publication.pk).enabled


def test_a_duplicated_brand_keeps_what_has_no_field() -> None:
    logo = Picture.objects.create(source_url="logo:1", file="a.png", sha256="0" * 64, width=600, height=200, alt="")
    brand = Brand.objects.create(name="Open Door", slug="door", logo=logo, colour="#5a1846")
    save(sign_in("admin"), f"/admin/brand/copy/{brand.pk}/")
    copy = Brand.objects.exclude(pk=brand.pk).get()
    assert (copy.logo, copy.colour, copy.name) == (logo, "#5a1846", "Open Door (copy)")


def test_a_segment_is_duplicated_with_its_rule() -> None:
    MailingList.objects.create(name="All", slug="all")
    segment = Segment.objects.create(slug="on-all", name="On all", rule={"list": "all"})
    client = sign_in("data")
    page = client.get(f"/admin/segments/copy/{segment.pk}/").content.decode()
    fields = {"name": "On all (copy)", "slug": "", "rule-count": "1", "rule-0-deleted": "", "rule-0-order": "0"}
    assert 'value="On all (copy)"' in page
    client.post(
        f"/admin/segments/copy/{segment.pk}/", {**fields, "rule-0-type": "list", "rule-0-id": "", "rule-0-value": "all"}
    )
    assert Segment.objects.get(slug="on-all-copy").rule == {"list": "all"}


def test_a_list_is_duplicated_private_and_without_its_people() -> None:
    publication = make_publication()
    add_subscribers(publication, 1)
    old = publication.mailing_list
    MailingList.objects.update(description="Every Thursday", double_opt_in=False, ask_topics=False, ask_language=True)
    client = sign_in("data")
    assert f'href="/admin/lists/copy/{old.pk}/"' in client.get("/admin/lists/").content.decode()
    assert MailingList.objects.count() == 1
    save(client, f"/admin/lists/copy/{old.pk}/")
    copy = MailingList.objects.exclude(pk=old.pk).get()
    assert (copy.name, copy.description, copy.public) == (f"{old.name} (copy)", "Every Thursday", False)
    assert (copy.double_opt_in, copy.ask_topics, copy.ask_language, copy.ask_name) == (False, False, True, True)
    assert copy.public_id != old.public_id
    assert not copy.subscriptions.exists()
    assert old.subscriptions.exists()


def test_an_archived_brand_is_not_offered_and_its_publication_keeps_it() -> None:
    publication = make_publication()
    brand = publication.brand
    client = sign_in("admin")
    archive = f"/admin/brand/archive/{brand.pk}/"
    page = client.get(archive).content.decode()
    assert f'<a href="/admin/publications/edit/{publication.pk}/">{publication.name}</a>' in page
    client.post(archive)
    assert "Archived (1)" in client.get("/admin/brand/").content.decode()
    assert brand.name in client.get("/admin/brand/archived/").content.decode()
    assert brand.name not in client.get("/admin/snippets/choose/newsletter/brand/").json()["html"]
    assert "only publications that have it" in client.get(f"/admin/brand/edit/{brand.pk}/").content.decode()
    assert "is saved" in save(client, f"/admin/publications/edit/{publication.pk}/", name="Renamed")
    assert "Bring it back first, or choose another" in save(client, f"/admin/publications/copy/{publication.pk}/")
    client.post(archive)
    save(client, f"/admin/publications/copy/{publication.pk}/")
    assert Publication.objects.filter(brand=brand).count() == 2


def test_a_new_publication_takes_no_archived_brand() -> None:
    publication = make_publication()
    Brand.objects.update(archived=True)
    new = Brand.objects.create(name="New name", slug="new", postal_address="1 Example Street")
    fields = filled_in(sign_in("admin").get("/admin/publications/add/").content.decode())
    assert fields["brand"] == [str(new.pk)]
    assert "New name" in Client().get(f"/join/{publication.mailing_list.slug}").content.decode()


def test_only_a_brand_in_use_is_asked_for_its_privacy_notice() -> None:
    publication = make_publication()
    Brand.objects.update(privacy_url="", archived=True)
    client = sign_in("admin")
    told = "Add the address of your privacy notice"
    assert told in client.get("/admin/").content.decode()
    publication.delete()
    assert told not in client.get("/admin/").content.decode()


def test_archived_publications_are_listed_apart_and_come_back() -> None:
    publication = make_publication()
    client = sign_in("admin")
    archive = f"/admin/publications/archive/{publication.pk}/"
    assert "drafts and sends nothing" in client.get(archive).content.decode()
    client.post(archive)
    listed = client.get("/admin/publications/").content.decode()
    assert f'href="/admin/publications/edit/{publication.pk}/"' not in listed
    assert "Archived (1)" in listed
    assert publication.name in client.get("/admin/publications/archived/").content.decode()
    page = client.get(f"/admin/publications/edit/{publication.pk}/").content.decode()
    assert "is archived, so it is not used" in page
    refused = save(client, f"/admin/publications/edit/{publication.pk}/", enabled="on")
    assert "Bring it back first" in refused
    client.post(archive)
    back = Publication.objects.get()
    assert (back.archived, back.enabled) == (False, False)


def test_a_publication_that_is_being_sent_offers_no_archiving() -> None:
    publication = make_publication()
    make_story("The clinic opens its doors")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=timezone.now())
    client = sign_in("admin")
    archive = f"/admin/publications/archive/{publication.pk}/"
    page = client.get(archive).content.decode()
    assert f"“{publication}” cannot be archived" in page
    assert f"{issue} is being sent, so its publication cannot be archived." in page
    assert '<button class="button">' not in page
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTED)
    assert '<button class="button">' in client.get(archive).content.decode()


def test_a_used_list_is_kept_and_the_page_names_its_publication() -> None:
    publication = make_publication()
    address = f"/admin/lists/archive/{publication.mailing_list_id}/"
    client = sign_in("admin")
    page = client.get(address).content.decode()
    assert f'<a href="/admin/publications/edit/{publication.pk}/">{publication.name}</a>' in page
    client.post(address)
    assert not MailingList.objects.get().archived


def test_an_archived_list_takes_no_sign_ups_and_is_not_offered() -> None:
    mailing_list = MailingList.objects.create(name="Old letter", slug="old")
    client = sign_in("admin")
    client.post(f"/admin/lists/archive/{mailing_list.pk}/", follow=True)
    assert Client().get("/join/old").status_code == 404
    chooser = client.get("/admin/snippets/choose/subscribers/mailinglist/").content.decode()
    assert "Old letter" not in chooser
    assert "Old letter" not in client.get("/admin/people/imports/new/").content.decode()
    assert "Bring it back first" in save(client, f"/admin/lists/edit/{mailing_list.pk}/", public="on")


@pytest.mark.parametrize("kind", ["brand", "segments"])
def test_a_used_brand_or_segment_cannot_be_deleted(kind: str) -> None:
    segment = Segment.objects.create(slug="near", name="Near", rule={})
    publication = make_publication(segment=segment)
    row = {"brand": publication.brand_id, "segments": segment.pk}[kind]
    client = sign_in("admin")
    page = client.post(f"/admin/{kind}/delete/{row}/").content.decode()
    assert f'<a href="/admin/publications/edit/{publication.pk}/">{publication.name}</a>' in page
    assert Brand.objects.exists()
    assert Segment.objects.exists()
    publication.delete()
    client.post(f"/admin/{kind}/delete/{row}/")
    assert not (Brand if kind == "brand" else Segment).objects.exists()


def test_a_list_and_a_brand_are_created_in_their_choosers() -> None:
    client = sign_in("admin")
    for address, fields in (
        ("/admin/snippets/choose/subscribers/mailinglist/", {"name": "Weekly letter", "description": ""}),
        ("/admin/snippets/choose/newsletter/brand/", {"name": "Open Door", "postal_address": "1 Example Street"}),
    ):
        assert "Create" in client.get(address).json()["html"]
        answer = client.post(f"{address}create/", fields).json()
        assert answer["step"] == "chosen"
    assert MailingList.objects.get().slug == "weekly-letter"
    assert Brand.objects.get().colour == "#1f4e5f"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"subject": "{headline}"}, "“{headline}” stands for nothing here"),
        ({"subject": "Dear {{ nickname }}"}, "nickname"),
        ({"radius_km": "5000"}, "less than or equal to 1000"),
        ({"days_ahead": "0"}, "greater than or equal to 1"),
        ({"digest_day": "", "digest_at": "09:00"}, "Choose a day of the month."),
    ],
)
def test_the_form_refuses_what_the_organisation_file_may_not_say(typed: dict[str, str], told: str) -> None:
    publication = make_publication()
    assert told in save(sign_in("admin"), f"/admin/publications/edit/{publication.pk}/", **typed)


@pytest.mark.parametrize(
    ("typed", "schedule"),
    [
        ({"digest_day": "3", "digest_at": "18:05"}, "5 18 3 * *"),
        ({"digest_schedule": "0 9 * * mon"}, "0 9 * * mon"),
        ({}, "0 9 1 * *"),
    ],
)
def test_a_digest_is_scheduled_by_day_and_time_or_by_cron(typed: dict[str, str], schedule: str) -> None:
    publication = make_publication()
    save(sign_in("admin"), f"/admin/publications/edit/{publication.pk}/", **typed)
    assert Publication.objects.get().digest_schedule == schedule


def test_an_archived_publication_leaves_no_task_on_home() -> None:
    publication = make_publication()
    make_story("The clinic opens its doors")
    make_issue(publication)
    due = next(due_after(timezone.now(), schedule=check_schedule(schedule="0 9 * * *", zone="UTC"), zone="UTC"))
    publication.issues.update(due_at=due.at + timedelta(days=1))
    Publication.objects.update(enabled=False)
    client = sign_in("admin")
    assert "its publication is switched off" in client.get("/admin/").content.decode()
    client.post(f"/admin/publications/archive/{publication.pk}/")
    assert "its publication is switched off" not in client.get("/admin/").content.decode()
