"""The question before a row is deleted: its name, what becomes of it, and where it is used."""

import re
from pathlib import Path

import pytest
import wagtail
from django.db.models import Model
from django.template.loader import get_template
from django.urls import reverse

from subscribers.models import Segment
from tests.support.desk import sign_in
from tests.support.fixtures import make_appeal, make_event, make_source, make_story
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db


def read(page: str) -> str:
    return compact_html(sign_in("admin").get(page).content.decode())


def ask(kind: str, row: Model) -> str:
    return read(reverse(f"wagtailsnippets_{kind}:delete", args=[row.pk]))


def test_an_unused_row_is_named_and_nothing_is_counted() -> None:
    page = ask("subscribers_segment", Segment.objects.create(slug="leith", name="People in Leith", rule={}))
    assert "Delete “People in Leith”?" in page
    assert "referenced" not in page
    assert "It is used in" not in page


def test_the_question_has_the_blocks_that_pages_of_wagtail_fill() -> None:
    """Such as its page that revokes an API token, which has its own form."""
    name = "wagtailadmin/generic/confirm_delete.html"
    files = [Path(wagtail.__path__[0]) / "admin/templates" / name, Path(get_template(name).origin.name)]
    wagtails, ours = (set(re.findall(r"{% block (\w+) %}", file.read_text(encoding="utf-8"))) for file in files)
    assert files[0] != files[1]
    assert {"form", "confirmation_message"} <= wagtails <= ours


def test_a_used_appeal_says_where_it_is_used_and_what_stays() -> None:
    appeal = make_appeal()
    assert "Issues that were sent keep it." not in ask("newsletter_appeal", appeal)
    make_appeal("dar", language="es", translation_of=appeal)
    page = ask("newsletter_appeal", appeal)
    assert "It is used in 1 place." in page
    assert "Issues that were sent keep it." in page


def test_what_its_source_brings_back_says_so() -> None:
    story, event = make_story("The verdict"), make_event("The fair")
    back = "It comes from “Stories”. If it is still there when we read the source next, it comes back."
    assert f"{back}</p><p>To keep it out of every issue, withdraw it instead." in ask("newsletter_story", story)
    assert f"{back}</p><p>If it does not take place, mark it as cancelled instead." in ask(
        "newsletter_eventnotice", event
    )
    source = make_source()
    source.enabled = False
    source.save()
    assert "comes back" not in ask("newsletter_story", story)
    assert "comes back" not in ask("newsletter_eventnotice", make_event("Written here", source=None))


def test_a_chooser_without_rows_offers_to_add_the_first() -> None:
    answer = sign_in("admin").get(reverse("wagtailsnippetchoosers_newsletter_brand:choose"))
    page = compact_html(answer.json()["html"])
    assert "There is nothing to choose from yet." in page
    assert reverse("wagtailsnippets_newsletter_brand:add") in page
    assert "snippets." not in page
