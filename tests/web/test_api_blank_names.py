"""A name or title of only blanks, or of several lines, is refused by every call of the API, as by the forms of the desk."""

import pytest

from newsletter.models import Appeal, EventNotice, Source, Story
from subscribers.models import MailingList, Segment, Topic
from tests.support.api import call, create_key, problem

pytestmark = pytest.mark.django_db
STARTS = "2026-12-03T19:00:00+00:00"
APPEAL = {"headline": "Help", "link": "https://example.org/give", "button": "Give"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("lists", {"slug": "a", "name": " "}, "name"),
        ("lists", {"slug": "a", "name": "Two\nlines"}, "name"),
        ("topics", {"slug": "a", "name": "\t"}, "name"),
        ("topics", {"slug": "a", "name": "A", "names": {"es": " "}}, "names.es"),
        ("segments", {"slug": "a", "name": " ", "rule": {"giving": "donor"}}, "name"),
        ("stories", {"title": "  "}, "title"),
        ("stories", {"title": "Two\nlines"}, "title"),
        ("events", {"title": "Two\r\nlines", "starts_at": STARTS}, "title"),
        ("events", {"title": "Walk", "starts_at": STARTS, "place_text": "Hall\nLeeds"}, "place_text"),
        ("appeals", {**APPEAL, "headline": "Two\u2028lines"}, "headline"),
        ("appeals", {**APPEAL, "button": "Give\nnow"}, "button"),
        ("cases", {"slug": "a", "name": "Two\nlines"}, "name"),
        ("events", {"title": " ", "starts_at": STARTS}, "title"),
        ("appeals", {**APPEAL, "headline": " "}, "headline"),
        ("appeals", {**APPEAL, "button": " "}, "button"),
        ("cases", {"slug": "a", "name": " "}, "name"),
        ("sources", {"url": "https://example.org/feed", "name": " "}, "name"),
    ],
    ids=str,
)
def test_a_blank_or_broken_name_is_refused_with_its_field(path: str, body: dict[str, object], field: str) -> None:
    models = (MailingList, Topic, Segment, Story, EventNotice, Appeal, Source)
    before = [model.objects.count() for model in models]
    answer = call("post", path, body, key=create_key("lists:write content:write"))
    assert problem(answer, 422).startswith(f"{field}: ")
    assert [model.objects.count() for model in models] == before


def test_a_name_is_stored_without_spaces_around_it() -> None:
    answer = call("post", "topics", {"slug": "rivers", "name": " Rivers "}, key=create_key("lists:write"))
    assert answer.json()["name"] == "Rivers"
