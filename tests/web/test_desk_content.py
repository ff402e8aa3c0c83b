"""Stories, events, appeals, sources, publications and brands in the desk: lists, editors and their errors."""

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation
from PIL import Image
from wagtail.users.models import UserProfile

from newsletter.desk.content.zone_choices import zone_choices
from newsletter.desk.home.checked_events import list_unsure_events
from newsletter.desk.publications.schedule_text import describe_schedule
from newsletter.models import Appeal, Brand, EventNotice, Issue, Publication, SetAsideEntry, Source, Story
from subscribers.desk.listing import walk_panels
from subscribers.models import Case, MailingList
from tests.support.desk import list_messages as read_messages
from tests.support.desk import sign_in, story_fields
from tests.support.fixtures import (
    HOUSTON,
    make_appeal,
    make_event,
    make_issue,
    make_publication,
    make_source,
    make_story,
)

pytestmark = pytest.mark.django_db


def event_fields(event: EventNotice, **fields: str) -> dict[str, str]:
    return {
        "title": event.title,
        "summary": "",
        "url": event.url,
        "starts_at": f"{event.starts_at.astimezone(ZoneInfo(event.zone)):%Y-%m-%d %H:%M}",
        "zone": event.zone,
        "place_text": event.place_text,
        "town": event.town,
        "region": event.region,
        "country": event.country,
        "latitude": "" if event.latitude is None else str(event.latitude),
        "longitude": "" if event.longitude is None else str(event.longitude),
        **fields,
    }


def publication_fields(publication: Publication, **fields: str) -> dict[str, str]:
    names = (
        "name slug language from_name from_email reply_to subject schedule zone lead_hours approval stories "
        "days_back waiting_days events days_ahead radius_km intro host_url stale_hours digest_schedule archive clicks layout "
        "interests max_variants send_at priority canary canary_minutes canary_silence"
    )
    values = {name: str(getattr(publication, name)) for name in names.split()}
    return {
        **values,
        "mailing_list": str(publication.mailing_list_id),
        "segment": "",
        "brand": str(publication.brand_id),
        "enabled": "on",
        **fields,
    }


def test_only_fields_that_staff_change_are_noted() -> None:
    story = make_story("As the source says it")
    sign_in("writer").post(f"/admin/stories/edit/{story.pk}/", story_fields(story, title="As we say it"))
    story.refresh_from_db()
    assert story.title == "As we say it"
    assert story.edited_fields == ["title"]


def test_an_edit_without_changes_notes_nothing() -> None:
    story = make_story("As the source says it", pseudonyms=[["Maya", "*A pseudonym."]])
    fields = story_fields(story, pseudonyms="Maya: *A pseudonym.")
    sign_in("writer").post(f"/admin/stories/edit/{story.pk}/", fields)
    story.refresh_from_db()
    assert story.edited_fields == []
    assert story.pseudonyms == [["Maya", "*A pseudonym."]]


def test_pseudonyms_are_entered_one_per_line() -> None:
    story = make_story("The garden", pseudonyms=[["Maya", "*A pseudonym."]])
    client = sign_in("writer")
    assert "Maya: *A pseudonym." in client.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    lines = "Maya: *A pseudonym.\n\nOmar: *Name changed: he asked for it."
    client.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, pseudonyms=lines))
    story.refresh_from_db()
    assert story.pseudonyms == [["Maya", "*A pseudonym."], ["Omar", "*Name changed: he asked for it."]]
    assert "pseudonyms" in story.edited_fields


def test_a_line_without_a_note_is_refused_with_its_number() -> None:
    story = make_story("The garden")
    page = sign_in("writer").post(f"/admin/stories/edit/{story.pk}/", story_fields(story, pseudonyms="Maya: *A.\nOmar"))
    assert "Line 2: write the name, a colon and the note" in page.content.decode()
    story.refresh_from_db()
    assert story.pseudonyms == []


def test_an_editor_creates_a_story() -> None:
    fields = {"title": "Written here", "url": "https://example.org/here/", "language": "en"}
    sign_in("editor").post("/admin/stories/add/", fields)
    story = Story.objects.get(title="Written here")
    assert story.external_id.startswith("desk:")
    assert story.source is None
    assert story.seen_at is not None


def test_an_embargo_is_in_the_time_zone_of_most_publications() -> None:
    make_publication(zone="America/Chicago")
    story, editor = make_story("The garden"), sign_in("editor")
    fields = story_fields(story, embargo_until="2026-07-05T09:00")
    address = f"/admin/stories/edit/{story.pk}/"
    editor.post(address, fields)
    story.refresh_from_db()
    assert story.embargo_until == datetime(2026, 7, 5, 14, tzinfo=UTC)
    page = editor.get(address).content.decode()
    assert "Do not send before (Chicago time)" in page
    assert 'value="2026-07-05 09:00"' in page
    for slug in ("second", "third"):
        make_publication(slug=slug, zone="Europe/Madrid")
    page = editor.get(address).content.decode()
    assert "Do not send before (Madrid time)" in page
    assert 'value="2026-07-05 16:00"' in page


def test_a_story_page_shows_its_source_and_edited_fields() -> None:
    story = make_story("The garden", edited_fields=["title"])
    page = sign_in("writer").get(f"/admin/stories/edit/{story.pk}/").content.decode()
    assert "From <strong>Stories</strong>" in page
    assert "updates from the source do not change: Title." in page


@pytest.mark.parametrize(("language", "labels"), [("en", "Starts, Ends"), ("es", "Empieza, Termina")])
def test_an_event_page_names_edited_fields_as_its_form_does(language: str, labels: str) -> None:
    event = make_event("Evening", edited_fields=["starts_at", "ends_at"])
    client = sign_in("writer")
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": language})
    page = client.get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert f": {labels}." in page


@pytest.mark.parametrize("model", [EventNotice, Story, Appeal, Source, Brand, Publication, Issue, Case, MailingList])
def test_anchors_of_panels_do_not_depend_on_who_opened_the_page_first(model: Any) -> None:
    anchors = []
    for language in ("es", "en"):
        with translation.override(language):
            handler = model.snippet_viewset.get_edit_handler()
            anchors.append([getattr(panel, "child_identifiers", []) for panel in walk_panels(handler)])
    assert anchors[0] == anchors[1]


def test_the_anchor_of_a_panel_is_english_for_spanish_staff() -> None:
    event = make_event("Evening")
    client = sign_in("writer")
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": "es"})
    page = client.get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert 'id="panel-child-origin-section"' in page or 'id="panel-origin-section"' in page


def test_an_event_page_shows_what_is_unclear_and_its_location() -> None:
    event = make_event("Evening", where=HOUSTON, note="“Houston” could be one of two towns.")
    page = sign_in("writer").get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert "“Houston” could be one of two towns." in page
    assert "Houston, Texas" in page


def test_events_that_need_checking_can_be_listed() -> None:
    make_event("Sure evening", starts_at=timezone.now() + timedelta(days=2))
    make_event("Unsure evening", starts_at=timezone.now() + timedelta(days=2), note="No place.")
    page = sign_in("writer").get("/admin/events/?unsure=yes&when=ahead").content.decode()
    assert "Unsure evening" in page
    assert "Sure evening" not in page
    assert "Unsure evening" not in sign_in("writer").get("/admin/events/?when=past").content.decode()


def test_staff_say_on_the_events_page_that_they_have_checked_it() -> None:
    event = make_event(
        "Evening", where=HOUSTON, starts_at=timezone.now() + timedelta(days=2), note="Its time is unclear."
    )
    client, address = sign_in("writer"), f"/admin/events/edit/{event.pk}/"
    assert "I have checked it" in client.get(address).content.decode()
    client.post(address, event_fields(event, note_checked="on"))
    event.refresh_from_db()
    assert (event.open_note, event.edited_fields) == ("", [])
    shown = client.get(address).content.decode()
    assert "<strong>Checked:</strong> Its time is unclear." in " ".join(shown.split())
    assert "I have checked it" not in shown
    assert "Evening" not in client.get("/admin/events/?unsure=yes&when=ahead").content.decode()


def test_a_checked_event_is_asked_about_again_if_its_note_changes() -> None:
    event = make_event("Evening", starts_at=timezone.now() + timedelta(days=2), note="Old.", checked_note="Old.")
    assert list_unsure_events(now=timezone.now()) == []
    EventNotice.objects.update(note="New.")
    assert list_unsure_events(now=timezone.now()) == [event]


def test_home_marks_only_the_unsure_events_that_it_showed() -> None:
    make_event("One", starts_at=timezone.now() + timedelta(days=2), note="Its time is unclear.")
    make_event("Two", starts_at=timezone.now() + timedelta(days=2), note="Its time is unclear.")
    client = sign_in("writer")
    seen = re.search(
        r'action="/admin/events/checked/">.*?name="seen" value="(\w+)"', client.get("/admin/").content.decode(), re.S
    )
    assert seen

    def mark() -> Any:
        return client.post("/admin/events/checked/", {"seen": seen[1]}, follow=True)

    late = make_event("Late", starts_at=timezone.now() + timedelta(days=2), note="Its place is unclear.")
    assert "have changed since you opened Home" in mark().content.decode()
    assert len(list_unsure_events(now=timezone.now())) == 3
    late.delete()
    mark()
    assert list_unsure_events(now=timezone.now()) == []
    assert "need checking" not in client.get("/admin/").content.decode()


def test_the_event_list_shows_a_short_location() -> None:
    client = sign_in("writer")
    for changes in (
        {"cancelled": True},
        {"online": True},
        {"region": "US-TX"},
        {},
        {"latitude": 1.0, "longitude": 2.0},
    ):
        make_event(f"Evening {changes}", starts_at=timezone.now() + timedelta(days=1), **changes)
    page = client.get("/admin/events/").content.decode()
    for words in ("Cancelled", "Online", "Texas (region only)", "Location unknown", "Coordinates only"):
        assert words in page


def test_the_event_list_shows_the_start_in_the_events_time_zone() -> None:
    noon = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
    make_event("Evening", starts_at=noon, zone="America/Chicago")
    make_event("Whole day", starts_at=noon, all_day=True, day=date(2027, 6, 2))
    make_event("No zone", starts_at=noon, zone="")
    make_event("Odd zone", starts_at=noon, zone="Mars/Olympus")
    page = sign_in("writer").get("/admin/events/").content.decode()
    assert "Tue 1 Jun 2027, 07:00 (Chicago time)" in page
    assert ">Wed 2 Jun 2027</td>" in page
    assert "12:00 (UTC)" in page
    assert "“Mars/Olympus” is not a time zone" in page


def test_a_story_page_lists_open_and_sent_issues(publication: Publication) -> None:
    story = make_story("The clinic opens its doors")
    issue = make_issue(publication)
    client = sign_in("writer")
    assert "until they are sent" in client.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    page = client.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    assert "No email with it has been sent from there." in page
    assert "Sent in" not in page
    assert "until they are sent" not in page


def test_a_withdrawn_story_is_listed_in_no_open_issue(publication: Publication) -> None:
    """The issue still has its block, which is not shown, in case the story is reinstated."""
    story = make_story("The first verdict")
    make_issue(publication)
    editor = sign_in("editor")
    page = f"/admin/stories/edit/{story.pk}/"
    assert "Edits here appear in these issues" in editor.get(page).content.decode()
    editor.post(f"/admin/stories/withdraw/{story.pk}/", {"reason": ""})
    assert "Edits here appear in these issues" not in editor.get(page).content.decode()
    editor.post(f"/admin/stories/withdraw/{story.pk}/", {"reinstate": "1"})
    assert "Edits here appear in these issues" in editor.get(page).content.decode()


def test_a_new_story_is_dated_now() -> None:
    with time_machine.travel(datetime(2026, 3, 4, 9, 30, tzinfo=UTC), tick=False):
        page = sign_in("editor").get("/admin/stories/add/").content.decode()
    assert 'value="2026-03-04 09:30"' in page


@pytest.mark.parametrize(("languages", "chosen"), [(["es"], "es"), (["es", "es"], "es"), (["en", "es"], ""), ([], "")])
@pytest.mark.parametrize("page", ["stories", "events"])
def test_a_new_row_is_in_the_language_of_the_publications(page: str, languages: list[str], chosen: str) -> None:
    for number, language in enumerate(languages):
        make_publication(slug=f"letter-{number}", language=language)
    form = sign_in("editor").get(f"/admin/{page}/add/").context["form"]
    assert (form["language"].value() or "") == chosen


def test_event_times_are_entered_in_the_events_time_zone() -> None:
    event = make_event("Evening", starts_at=datetime(2027, 6, 1, 23, 30, tzinfo=UTC), zone="America/Chicago")
    client = sign_in("writer")
    page = client.get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert 'value="2027-06-01 18:30"' in page
    assert "Local time at the event" in page
    fields = event_fields(event, starts_at="2027-06-01 19:00", ends_at="2027-06-01 21:00")
    client.post(f"/admin/events/edit/{event.pk}/", fields)
    event.refresh_from_db()
    assert event.starts_at == datetime(2027, 6, 2, 0, 0, tzinfo=UTC)
    assert event.ends_at == datetime(2027, 6, 2, 2, 0, tzinfo=UTC)
    assert set(event.edited_fields) == {"starts_at", "ends_at"}


def test_an_events_time_zone_is_chosen_by_town() -> None:
    event = make_event("Evening", zone="America/Chicago")
    page = sign_in("editor").get(f"/admin/events/edit/{event.pk}/").content.decode()
    assert '<option value="America/Chicago" selected>Chicago</option>' in page
    page = sign_in("editor").get("/admin/events/add/").content.decode()
    assert '<option value="" selected>That of its town</option>' in page


def test_a_new_time_zone_moves_an_event_with_the_same_hours() -> None:
    event = make_event("Evening", starts_at=datetime(2027, 6, 1, 23, 30, tzinfo=UTC), zone="America/Chicago")
    fields = event_fields(event, starts_at="2027-06-01 18:30", zone="America/New_York")
    sign_in("writer").post(f"/admin/events/edit/{event.pk}/", fields)
    event.refresh_from_db()
    assert event.starts_at == datetime(2027, 6, 1, 22, 30, tzinfo=UTC)
    assert set(event.edited_fields) == {"zone", "starts_at"}


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    event = make_event("Evening", zone="Europe/London")
    fields = event_fields(event, starts_at="2027-03-28 01:30")
    page = sign_in("writer").post(f"/admin/events/edit/{event.pk}/", fields).content.decode()
    assert "The clocks of Europe/London skip 01:30 on that day." in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"zone": "Mars/Olympus"}, "is not a time zone"),
        ({"ends_at": "2020-01-01 09:00"}, "ends before it starts"),
        ({"latitude": "51.5", "longitude": ""}, "Give both latitude and longitude"),
        ({"latitude": "151.5", "longitude": "0"}, "less than or equal to 90"),
    ],
)
def test_an_invalid_event_is_refused_with_a_reason(fields: dict[str, str], told: str) -> None:
    event = make_event("Evening")
    page = sign_in("writer").post(f"/admin/events/edit/{event.pk}/", event_fields(event, **fields)).content.decode()
    assert told in page


def test_an_edited_location_is_noted() -> None:
    event = make_event("Evening", where=HOUSTON)
    sign_in("writer").post(f"/admin/events/edit/{event.pk}/", event_fields(event, town="Galveston"))
    event.refresh_from_db()
    assert event.town == "Galveston"
    assert set(event.edited_fields) == {"town", "latitude", "longitude"}


def test_an_appeal_is_edited() -> None:
    appeal = make_appeal()
    fields = {"headline": "Give two hours", "text": "", "button": "Give", "link": appeal.link, "slug": appeal.slug}
    sign_in("editor").post(
        f"/admin/appeals/edit/{appeal.pk}/", {**fields, "audience": "donor", "priority": "0", "enabled": "on"}
    )
    assert Appeal.objects.get().headline == "Give two hours"


def test_a_new_appeal_needs_no_short_name() -> None:
    """It is made from the headline, also that of a copy."""
    appeal = make_appeal(slug="give-two-hours")
    editor = sign_in("editor")
    fields = {"headline": "Give two hours", "text": "", "button": "Give", "link": appeal.link, "slug": ""}
    for path, slug in (("add/", "give-two-hours-2"), (f"copy/{appeal.pk}/", "give-two-hours-3")):
        shown = editor.get(f"/admin/appeals/{path}").context["form"]
        assert not shown.fields["slug"].required
        assert not shown["slug"].value()
        answer = editor.post(f"/admin/appeals/{path}", {**fields, "audience": "all", "priority": "0", "enabled": "on"})
        assert answer.status_code == 302, answer.context["form"].errors
        assert Appeal.objects.filter(slug=slug).exists()


def test_a_source_shows_its_failures_and_skipped_entries() -> None:
    source = make_source("Field offices", failures=3, error="The site did not answer.")
    SetAsideEntry.objects.create(source=source, entry="Entry 7", reason="It has no title.", at=timezone.now())
    client = sign_in("editor")
    listed = client.get("/admin/sources/").content.decode()
    page = client.get(f"/admin/sources/edit/{source.pk}/").content.decode()
    assert "Failed 3 times in a row, never succeeded: The site did not answer." in listed
    assert "It has no title." in page
    assert "Its new stories and events are missing from your issues until it can be read." in page


def test_the_page_of_a_source_shows_the_whole_reason_of_a_failure() -> None:
    source = make_source("Field offices", failures=3, error=f"{'The site is gone. ' * 12}Turn the source off.")
    assert "Turn the source off." in sign_in("editor").get(f"/admin/sources/edit/{source.pk}/").content.decode()


def test_the_source_list_shows_the_last_result() -> None:
    make_source("New one")
    make_source("Good one", last_success_at=timezone.now())
    make_source("Slipped once", failures=1, error="No answer.", last_success_at=timezone.now())
    page = sign_in("editor").get("/admin/sources/").content.decode()
    for words in ("Not checked yet", "Working<", "Failed once, last success on "):
        assert words in page.replace("Working\n", "Working<")


def test_a_schedule_is_shown_in_words_with_its_next_dates(publication: Publication) -> None:
    client = sign_in("admin")
    page = client.get(f"/admin/publications/edit/{publication.pk}/").content.decode()
    assert "Every Thursday 09:00 London time, draft ready Wednesday 09:00" in page
    assert len(re.findall(r"Thu \d+ \w{3} \d{4}, 09:00", page)) == 5
    assert "Every Thursday 09:00" in client.get("/admin/publications/").content.decode()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"schedule": "0 9 * *"}, "needs five fields"),
        ({"schedule": "0 9 31 2 *"}, "is not a schedule"),
        ({"zone": "Mars/Olympus"}, "is not a time zone"),
    ],
)
def test_an_invalid_schedule_is_refused(publication: Publication, fields: dict[str, str], told: str) -> None:
    response = sign_in("admin").post(
        f"/admin/publications/edit/{publication.pk}/", publication_fields(publication, **fields)
    )
    assert told in response.content.decode()
    assert Publication.objects.get().schedule == "0 9 * * thu"


def test_weekdays_are_kept_as_names(publication: Publication) -> None:
    sign_in("admin").post(
        f"/admin/publications/edit/{publication.pk}/", publication_fields(publication, schedule="30 8 * * 1,4")
    )
    assert Publication.objects.get().schedule == "30 8 * * mon,thu"


@pytest.mark.parametrize(
    ("chosen", "schedule"),
    [
        ({"rhythm": "weekly", "weekdays": ["thu", "mon"], "at": "08:30"}, "30 8 * * mon,thu"),
        (
            {"rhythm": "weekly", "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "at": "07:00"},
            "0 7 * * *",
        ),
        ({"rhythm": "monthly", "month_day": "3", "at": "18:05"}, "5 18 3 * *"),
        ({"rhythm": "other", "schedule": "0 9,17 * * fri"}, "0 9,17 * * fri"),
    ],
)
def test_a_schedule_is_made_from_days_and_time(publication: Publication, chosen: dict[str, str], schedule: str) -> None:
    sign_in("admin").post(f"/admin/publications/edit/{publication.pk}/", publication_fields(publication, **chosen))
    assert Publication.objects.get().schedule == schedule


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"rhythm": "weekly", "at": "08:30"}, "Choose at least one day."),
        ({"rhythm": "monthly", "at": "08:30"}, "Choose a day of the month."),
        ({"rhythm": "weekly", "weekdays": ["mon"]}, "Enter the time when it is sent."),
        ({"rhythm": "other", "schedule": ""}, "Enter a schedule, or choose days above."),
    ],
)
def test_an_incomplete_schedule_is_refused_with_a_reason(
    publication: Publication, chosen: dict[str, str], told: str
) -> None:
    page = sign_in("admin").post(
        f"/admin/publications/edit/{publication.pk}/", publication_fields(publication, **chosen)
    )
    assert told in page.content.decode()
    assert Publication.objects.get().schedule == "0 9 * * thu"


@pytest.mark.parametrize(
    ("schedule", "lead", "said"),
    [
        ("0 9 * * mon", 24, "Every Monday 09:00 London time, draft ready Sunday 09:00"),
        ("0 9 * * mon,thu", 24, "Every Monday, Thursday 09:00 London time, draft ready 24 hours before"),
        ("30 7 * * *", 12, "Every day 07:30 London time, draft ready 12 hours before"),
        ("0 9 1 * *", 48, "Day 1 of each month, 09:00 London time, draft ready 48 hours before"),
        ("*/5 9 * * *", 1, "“*/5 9 * * *” (London time), draft ready 1 hour before"),
    ],
)
def test_a_schedule_is_described_in_words(publication: Publication, schedule: str, lead: int, said: str) -> None:
    publication.schedule, publication.lead_hours = schedule, lead
    assert describe_schedule(publication) == said


def test_pages_show_an_invalid_schedule_without_failing(publication: Publication) -> None:
    Publication.objects.update(schedule="whenever")
    client = sign_in("admin")
    assert "whenever" in client.get(f"/admin/publications/edit/{publication.pk}/").content.decode()
    assert "is not a schedule" in client.get("/admin/publications/").content.decode()
    assert "is not a schedule" in client.get("/admin/").content.decode()


def brand_fields(brand: Brand, **fields: str) -> dict[str, str]:
    return {
        "name": brand.name,
        "slug": brand.slug,
        "postal_address": brand.postal_address,
        "colour": brand.colour,
        "accent": brand.accent,
        "background": brand.background,
        "radius": str(brand.radius),
        "masthead": brand.masthead,
        "text_links": brand.text_links,
        "font": brand.font,
        "website": "https://example.org/",
        "social": "",
        **fields,
    }


def test_a_brand_saves_colours_and_social_networks(publication: Publication) -> None:
    client = sign_in("admin")
    brand = publication.brand
    page = client.get(f"/admin/brand/edit/{brand.pk}/").content.decode()
    assert page.count('type="color"') == 3
    lines = "facebook: https://example.org/f\nInstagram: https://example.org/i"
    client.post(f"/admin/brand/edit/{brand.pk}/", brand_fields(brand, colour="#1F3A4F", social=lines))
    brand.refresh_from_db()
    assert brand.colour == "#1f3a4f"
    assert brand.social == {"facebook": "https://example.org/f", "instagram": "https://example.org/i"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"colour": "red;}"}, "Write a colour as # and six digits"),
        ({"social": "facebook: javascript:alert(1)"}, "Line 1: write the network"),
        ({"social": "facebook"}, "Line 1: write the network"),
        ({"colour": "#fff1a8"}, "is too pale to read"),
        ({"colour": "#fff1a8"}, "or choose a darker one"),
        ({"font": "Comic Sans"}, "Select a valid choice"),
    ],
)
def test_an_invalid_brand_is_refused_with_a_reason(publication: Publication, fields: dict[str, str], told: str) -> None:
    brand = publication.brand
    page = sign_in("admin").post(f"/admin/brand/edit/{brand.pk}/", brand_fields(brand, **fields)).content.decode()
    assert told in page


def test_a_brand_preview_shows_the_newest_issue_with_unsaved_colours(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_issue(publication)
    client, brand = sign_in("admin"), publication.brand
    client.post(f"/admin/brand/preview/{brand.pk}/", brand_fields(brand, colour="#5a1846"))
    page = client.get(f"/admin/brand/preview/{brand.pk}/").content.decode()
    assert "The clinic opens its doors" in page
    assert "#5a1846" in page
    assert Brand.objects.get().colour != "#5a1846"


def test_the_preview_of_a_brand_without_a_name_ends_its_sentences(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_issue(publication)
    page = sign_in("admin").get("/admin/brand/preview/").content.decode()
    assert "from Your organisation." in page
    assert Brand.objects.get().name != "Your organisation"


def test_a_brand_preview_without_issues_shows_the_newest_story(db: None) -> None:
    brand = Brand.objects.create(name="Open Door", slug="alone", postal_address="1 Example Street, Leeds")
    client = sign_in("admin")
    assert "Open Door" in client.get(f"/admin/brand/preview/{brand.pk}/").content.decode()
    make_publication()
    assert "The weekly letter" in client.get(f"/admin/brand/preview/{brand.pk}/").content.decode()
    make_story("The clinic opens its doors")
    assert "The clinic opens its doors" in client.get(f"/admin/brand/preview/{brand.pk}/").content.decode()


@pytest.mark.requirement("G11")
def test_a_logo_is_stored_and_another_file_is_refused(publication: Publication) -> None:
    client, brand = sign_in("admin"), publication.brand
    data = BytesIO()
    Image.new("RGB", (640, 200), "#1f4e5f").save(data, "PNG")
    logo = SimpleUploadedFile("logo.png", data.getvalue(), content_type="image/png")
    client.post(f"/admin/brand/edit/{brand.pk}/", {**brand_fields(brand), "logo_file": logo})
    brand.refresh_from_db()
    assert brand.logo.width == 600
    text = SimpleUploadedFile("logo.png", b"not a picture", content_type="image/png")
    page = client.post(f"/admin/brand/edit/{brand.pk}/", {**brand_fields(brand), "logo_dark_file": text})
    assert "The image is not JPEG" in page.content.decode()
    brand.refresh_from_db()
    assert brand.logo_dark is None
    data.seek(0)
    again = SimpleUploadedFile("dark.png", data.read(), content_type="image/png")
    page = client.post(f"/admin/brand/edit/{brand.pk}/", {**brand_fields(brand), "name": "", "logo_dark_file": again})
    assert "Choose “dark.png” again" in page.content.decode()


def test_a_publication_preview_shows_its_next_issue(publication: Publication) -> None:
    make_story("The clinic opens its doors", published_at=timezone.now(), seen_at=timezone.now())
    client = sign_in("admin")
    page = client.get(f"/admin/publications/preview/{publication.pk}/").content.decode()
    assert "The clinic opens its doors" in page
    assert not publication.issues.exists()
    assert not publication.slots.exists()


def test_the_source_list_opens_without_sources(db: None) -> None:
    assert Source.objects.count() == 0
    assert sign_in("editor").get("/admin/sources/").status_code == 200


def test_the_story_list_shows_the_language_by_name() -> None:
    make_story("Una historia", language="es-MX")
    page = sign_in("writer").get("/admin/stories/").content.decode()
    assert ">Spanish</td>" in page


def test_a_source_accepts_a_webcal_address(db: None) -> None:
    fields = {"name": "Choirs", "kind": "calendar", "url": "webcal://cal.example.org/c.ics", "every_minutes": "30"}
    answer = sign_in("editor").post("/admin/sources/add/", fields)
    assert answer.status_code == 302
    assert Source.objects.get(name="Choirs").url == "webcal://cal.example.org/c.ics"


def test_a_story_without_a_restriction_has_none_on_its_pages() -> None:
    story = make_story("The clinic opens its doors")
    client = sign_in("editor")
    for address in ("/admin/stories/", f"/admin/stories/edit/{story.pk}/"):
        page = client.get(address).content.decode()
        assert "cannot go into an issue today" not in page
        assert not re.search(r">\s*None\s*<", page)


def test_pages_that_add_or_save_a_row_say_so_in_words(publication: Publication) -> None:
    editor, story = sign_in("editor"), make_story("A bench for the harbour")
    assert "Add a story" in (page := editor.get("/admin/stories/add/").content.decode())
    assert "New: " not in page
    (text,) = read_messages(editor.post(f"/admin/stories/edit/{story.pk}/", story_fields(story), follow=True))
    assert text.startswith("“A bench for the harbour” is saved.")
    for path, title in (("events", "Add an event"), ("sources", "Add a source"), ("appeals", "Add an appeal")):
        assert title in sign_in("admin").get(f"/admin/{path}/add/").content.decode()


def test_a_town_is_among_the_time_zones_once() -> None:
    zones = [zone for _continent, towns in zone_choices("UTC")[1:] for zone, _town in towns]
    assert [zone for zone in zones if "Istanbul" in zone or "Nicosia" in zone] == ["Asia/Nicosia", "Europe/Istanbul"]


def test_only_an_original_can_be_chosen_as_the_original() -> None:
    original, other, third = (make_story(name, language=name) for name in ("en", "es", "fr"))
    client = sign_in("writer")
    client.post(f"/admin/stories/edit/{other.pk}/", story_fields(other, translation_of=str(original.pk)))
    other.refresh_from_db()
    assert other.translation_of == original
    page = client.post(f"/admin/stories/edit/{third.pk}/", story_fields(third, translation_of=str(other.pk)))
    assert "This is a translation itself. Choose its original." in page.content.decode()
    third.refresh_from_db()
    assert third.translation_of is None
    shown = client.get(f"/admin/stories/edit/{other.pk}/").content.decode()
    assert f'name="translation_of" value="{original.pk}"' in shown


def test_the_list_of_appeals_says_which_are_over() -> None:
    today = timezone.localdate()
    make_appeal("past", first_day=today - timedelta(days=30), last_day=today - timedelta(days=1))
    make_appeal("today", last_day=today)
    page = sign_in("editor").get("/admin/appeals/").content.decode()
    assert page.count("ended on ") == 1
    assert page.count("until ") == 1
