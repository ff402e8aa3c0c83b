"""The numbers and sentences of the explanations are those of the program."""

from pathlib import Path

from newsletter.feedback.consequences import SOFT_IN_A_ROW, SOFT_SPAN
from newsletter.issues.visible import nearby_events
from newsletter.models import Publication
from newsletter.providers import registry
from subscribers.people.preferences import RADII_KM

DOCS = Path(__file__).parents[2] / "docs"


def read(page: str) -> str:
    return " ".join((DOCS / page).read_text(encoding="utf-8").split())


def test_the_distances_of_how_near_is_near_are_those_that_are_used() -> None:
    text = read("explanation/how-near-is-near.md")
    *first, last = RADII_KM
    assert f"{', '.join(map(str, first))} or {last} km" in text
    assert f"which is {Publication._meta.get_field('radius_km').default} km unless you change it" in text
    assert f"“Within {nearby_events.CLOSE_KM} km of you”" in text
    assert f"at most {nearby_events._CLOSE_TO_TOWN_KM:.0f} km from the middle" in text


def test_a_publication_counts_no_clicks_until_somebody_turns_them_on() -> None:
    assert Publication._meta.get_field("clicks").default == Publication.Clicks.OFF
    assert "They are off at first" in read("explanation/what-we-do-not-count.md")


def test_the_answers_to_wishes_name_the_limits_that_hold() -> None:
    text = read("explanation/twenty-wishes.md")
    assert f"after {SOFT_IN_A_ROW} soft bounces in a row over at least {SOFT_SPAN.days} days" in text
    assert "ten providers or a mail server" in text
    assert len(set(registry.URL_RULES) - {"smtp", "smtps", "outbox"}) == 10
