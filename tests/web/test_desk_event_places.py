"""The page on which staff locate events: candidates by distance, one click, and all events with the same text."""

from collections.abc import Iterator

import lxml.html
import pytest
import time_machine

from newsletter.models import EventNotice, Issue, LocationAnswer
from subscribers.places.towns import compass_point
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import LONDON, NOW, add_subscribers, make_event, make_issue, make_publication, make_story
from tests.support.located_events import PAGE, make_question
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


def key(event: EventNotice, region: str) -> str:
    one = next(one for one in event.place_question["candidates"] if one["region"] == region)
    return f"{region}|{one['town']}|{one['latitude']:.4f}|{one['longitude']:.4f}"


def test_home_asks_for_locations_and_the_page_lists_candidates() -> None:
    make_question()
    browser = sign_in("editor")
    home = browser.get("/admin/").content.decode()
    assert "1 upcoming event needs a location" in home
    assert f'href="{PAGE}"' in home
    assert "needs checking" not in home
    page = compact_html(browser.get(PAGE).content.decode())
    for expected in (
        "Springfield, Missouri, United States",
        "Springfield, Illinois, United States",
        "37.22° N, 93.30° W",
        "Sangamon County · the likeliest",
        "Greene County · 429 km south-west",
        "km south-west of the first",
    ):
        assert expected in page


def test_candidates_are_ordered_by_distance_from_the_likeliest() -> None:
    make_question()
    page = sign_in("editor").get(PAGE).content.decode()
    options = [page.index(f"Choose Springfield, {state}") for state in ("Illinois", "Missouri", "Massachusetts")]
    assert options == sorted(options)


def test_one_click_locates_all_events_with_the_same_text() -> None:
    event, other = make_question(), make_question("Talk", "SPRINGFIELD")
    browser = sign_in("editor")
    answer = browser.post(PAGE, {"event": event.pk, "place": key(event, "US-IL")}, follow=True)
    assert list_messages(answer) == [
        "2 events are now in Springfield, Illinois, United States."
        " We will read the same text from this source in the same way."
    ]
    for one in (event, other):
        one.refresh_from_db()
        assert (one.region, one.note, one.place_question) == ("US-IL", "", {})
        assert one.latitude == pytest.approx(39.8, abs=0.1)
    assert LocationAnswer.objects.get().words == "springfield"
    assert "Every upcoming event has a clear location" in answer.content.decode()


def test_a_typed_town_answers_a_question_without_candidates() -> None:
    event = make_question(words="Village Hall, Nether Nowhere")
    answer = sign_in("editor").post(PAGE, {"event": event.pk, "town": "Totnes"}, follow=True)
    event.refresh_from_db()
    assert (event.town, event.region) == ("Totnes", "GB-ENG")
    assert "1 event is now in Totnes" in list_messages(answer)[0]


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"town": "Springfield"}, "could be"),
        ({"town": "Nether Nowhere"}, "We know no town"),
        ({"town": "  "}, "Choose one of the locations"),
        ({"place": "US-IL|Elsewhere|0.0000|0.0000"}, "Choose one of the locations"),
        ({}, "Choose one of the locations"),
    ],
)
def test_an_answer_that_names_no_town_changes_nothing(posted: dict[str, str], words: str) -> None:
    event = make_question()
    answer = sign_in("editor").post(PAGE, {"event": event.pk, **posted}, follow=True)
    event.refresh_from_db()
    assert words in list_messages(answer)[0]
    assert event.latitude is None
    assert event.place_question


def test_a_town_that_is_not_found_stays_in_its_form() -> None:
    event = make_question()
    make_question("Walk", "Richmond")
    answer = sign_in("editor").post(PAGE, {"event": event.pk, "town": "Nether Nowhere"}, follow=True)
    forms = [dict(form.form_values()) for form in lxml.html.fromstring(answer.content.decode()).forms]
    typed = {form["event"]: form["town"] for form in forms if "town" in form}
    assert typed == {str(event.pk): "Nether Nowhere"}


@pytest.mark.parametrize("pk", ["", "x", "999999"])
def test_an_answer_about_an_unknown_event_is_not_found(pk: str) -> None:
    assert sign_in("editor").post(PAGE, {"event": pk, "town": "Totnes"}).status_code == 404


def test_an_answer_voids_the_approval_of_an_issue_that_shows_it() -> None:
    publication = make_publication()
    make_story("How Maya came home")
    event = make_question("Vigil by the river", region="GB-ENG", country="GB")
    add_subscribers(publication, 3, where=LONDON)
    issue = make_issue(publication, approved=True)
    editor = sign_in("editor")
    assert "The weekly letter No. 1" in editor.get(PAGE).content.decode()
    refused = editor.post(PAGE, {"event": event.pk, "town": "Brighton, England"}, follow=True)
    assert "Nothing was saved" in list_messages(refused)[0]
    editor.post(PAGE, {"event": event.pk, "town": "Brighton, England", "withdraw": str(issue.pk)})
    issue.refresh_from_db()
    assert issue.state == Issue.State.DRAFT


def test_editing_the_location_ends_the_question() -> None:
    event = make_question()
    form = {
        "title": event.title, "url": event.url, "starts_at": "2026-03-11T09:30", "zone": "Europe/London",
        "place_text": event.place_text, "town": "Springfield", "region": "US-IL", "country": "US",
        "latitude": "39.8", "longitude": "-89.6", "summary": "",
    }  # fmt: skip
    sign_in("editor").post(f"/admin/events/edit/{event.pk}/", form)
    event.refresh_from_db()
    assert (event.latitude, event.place_question, event.note) == (39.8, {}, "")


def test_past_cancelled_and_certain_events_are_not_asked_about() -> None:
    make_question("Past", days_ahead=-3)
    make_question("Cancelled", cancelled=True)
    make_event("Certain", where=LONDON)
    assert "Every upcoming event has a clear location" in sign_in("editor").get(PAGE).content.decode()


def test_the_location_of_an_event_is_shown_as_text() -> None:
    make_question(title="<script>alert(1)</script>", words="<b>Springfield</b>")
    page = sign_in("editor").get(PAGE).content.decode()
    assert "<script>alert(1)" not in page
    assert "<b>Springfield" not in page


@pytest.mark.parametrize(
    ("latitude", "longitude", "side"),
    [(60, 0, "N"), (58, 14, "NE"), (51, 10, "E"), (40, 0, "S"), (51, -10, "W"), (45, -10, "SW"), (56, -10, "NW")],
)
def test_the_direction_of_the_compass(latitude: float, longitude: float, side: str) -> None:
    assert compass_point(51.0, 0.0, latitude, longitude) == side
