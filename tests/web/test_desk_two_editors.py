"""Two people edit one row: the second reads who saved when, sees both texts, and overwrites nothing unknowingly."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model

from newsletter.models import Appeal, Brand, EventNotice, Publication, Source, Story
from subscribers.models import Case, MailingList, Segment, Topic
from tests.support.desk import list_messages, sign_in
from tests.support.desk_forms import filled_in
from tests.support.fixtures import make_appeal, make_event, make_publication, make_source, make_story

pytestmark = pytest.mark.django_db
ROWS: dict[str, tuple[type[Model], str, Callable[[], object]]] = {
    "stories": (Story, "title", lambda: make_story("The clinic opens its doors")),
    "events": (EventNotice, "title", lambda: make_event("An evening of letters")),
    "appeals": (Appeal, "headline", make_appeal),
    "cases": (Case, "name", lambda: Case.objects.create(slug="trial", name="The trial")),
    "sources": (Source, "name", make_source),
    "segments": (Segment, "name", lambda: Segment.objects.create(slug="all-of-us", name="All of us", rule={})),
    "publications": (Publication, "name", make_publication),
    "brand": (Brand, "name", make_publication),
    "lists": (MailingList, "name", make_publication),
    "topics": (Topic, "name", lambda: Topic.objects.create(slug="law", name="Law")),
}


NO_CONDITIONS = {"rule-count": "0"}
"""What the script of a segment's form adds to it."""


def read_cells(page: str) -> list[str]:
    """Return the cells of the table that compares both texts, row after row."""
    compared = page.partition('id="nl-conflict"')[2].partition("</table>")[0]
    return re.findall(r"<td[^>]*>(.*?)</td>", compared, re.DOTALL)


def open_row(kind: str) -> tuple[type[Model], str, str]:
    """Make a row of this kind and return its model, the field that the tests change, and the address of its form."""
    model, field, make = ROWS[kind]
    make()
    return model, field, f"/admin/{kind}/edit/{model._default_manager.get().pk}/"


@pytest.mark.parametrize("kind", ROWS)
def test_the_second_editor_reads_who_saved_and_sees_both_texts(kind: str) -> None:
    model, field, address = open_row(kind)
    ann, bob = sign_in("admin", email="ann@example.org"), sign_in("admin", email="bob@example.org")
    form: dict[str, Any] = {**filled_in(ann.get(address).content.decode()), **NO_CONDITIONS}
    assert "nl-version" in form
    bob.post(address, {**form, field: "What Bob wrote"})
    refused = ann.post(address, {**form, field: "What Ann wrote"})
    page = refused.content.decode()
    assert list_messages(refused)[0].startswith("bob@example.org saved this on ")
    assert "after you opened it. Nothing was saved, and your text is still here." in list_messages(refused)[0]
    assert read_cells(page) == ["What Bob wrote", "What Ann wrote"]
    stored = model._default_manager.values_list(field, flat=True)
    assert stored.get() == "What Bob wrote"
    again = {**filled_in(page), **NO_CONDITIONS}
    assert again[field] == ["What Ann wrote"]
    ann.post(address, again)
    assert stored.get() == "What Ann wrote"


def test_a_mistake_in_the_form_does_not_hide_that_somebody_saved() -> None:
    _model, _field, address = open_row("stories")
    ann, bob = sign_in("admin", email="ann@example.org"), sign_in("admin", email="bob@example.org")
    form = filled_in(ann.get(address).content.decode())
    bob.post(address, {**form, "title": "What Bob wrote"})
    mistaken = filled_in(ann.post(address, {**form, "title": ""}).content.decode())
    refused = ann.post(address, {**mistaken, "title": "What Ann wrote"})
    assert "bob@example.org saved this" in list_messages(refused)[0]
    assert Story.objects.get().title == "What Bob wrote"


def test_a_change_by_a_source_is_named_as_such() -> None:
    _model, _field, address = open_row("stories")
    ann = sign_in("admin", email="ann@example.org")
    form = filled_in(ann.get(address).content.decode())
    Story.objects.update(teaser="The source has another teaser now.")
    refused = ann.post(address, {**form, "title": "What Ann wrote"})
    assert "changed after you opened it, by its source or by the program" in list_messages(refused)[0]
    assert "The source has another teaser now." in refused.content.decode()


def test_a_change_that_the_form_does_not_show_stops_no_save() -> None:
    _model, _field, address = open_row("sources")
    ann = sign_in("admin", email="ann@example.org")
    form = filled_in(ann.get(address).content.decode())
    Source.objects.update(failures=3)
    ann.post(address, {**form, "name": "Our news"})
    assert Source.objects.get().name == "Our news"


def test_two_rules_of_a_segment_are_compared_in_words() -> None:
    _model, _field, address = open_row("segments")
    ann, bob = sign_in("admin", email="ann@example.org"), sign_in("admin", email="bob@example.org")
    form = filled_in(ann.get(address).content.decode())
    condition = {"rule-count": "1", "rule-0-type": "giving", "rule-0-order": "0", "rule-0-deleted": ""}
    bob.post(address, {**form, **condition, "rule-0-value": "donor"})
    page = ann.post(address, {**form, **NO_CONDITIONS, "name": "Near us"}).content.decode()
    assert read_cells(page)[-2:] == ["has given", "everyone"]
