"""Blocks with rows in an issue: every check sees their texts, links and pictures, and unfinished rows are named."""

from pathlib import Path
from typing import Any

import pytest
from wagtail.images.models import Image

from newsletter.issues.checks.texts import list_texts
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.issues.protected_terms.check import scan_for_protected_terms
from newsletter.issues.snapshot.content_links import check_linked_stories, find_web_links
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.own_texts import list_own_texts, translate_texts
from newsletter.issues.snapshot.records.blocks import CustomBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.documents import make_document
from newsletter.issues.visible.block_choices import choose_visible_in_archive
from newsletter.models import Issue, Publication, Story
from newsletter.rendering.pipeline import render
from tests.support.api import call, create_key, problem
from tests.support.demo_rows import make_image
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_story
from tests.support.protected_terms import SECRET, protect
from tests.support.story_images import make_pictured_story

pytestmark = pytest.mark.django_db
ANSWERS = [{"label": "Yes, more", "url": "https://ask.example/yes"}, {"label": "No", "url": "https://ask.example/no"}]
QUESTION = {"question": "More court reports?", "text": "", "answers": ANSWERS}
PROGRESS = {
    "headline": "A second boat",
    "raised": "12,400",
    "goal": "20000",
    "currency": "GBP",
    "as_of": "2026-11-24",
    "text": "",
    "button": "",
    "url": "",
}


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors", published_at=NOW)
    add_subscribers(publication, 2)
    return make_issue(publication)


def add(issue: Issue, kind: str, value: object) -> Issue:
    body = [*issue.body.get_prep_value(), {"type": kind, "value": value, "id": "rows"}]
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    return Issue.objects.get(pk=issue.pk)


def show_image(image: Image, *, alt: str = "A gate", caption: str = "") -> dict[str, object]:
    return {"picture": {"image": image.pk, "alt": alt}, "caption": caption}


def find_block(content: IssueContent) -> CustomBlock | None:
    return next((block for block in content.blocks if isinstance(block, CustomBlock)), None)


def render_for_all(content: IssueContent) -> str:
    return render(make_document(content, visible=choose_visible_in_archive(content), view_online="")).text


def find_problem(issue: Issue) -> str:
    (part,) = find_incomplete_parts(issue)
    return str(part.message).partition(" is unfinished: ")[2].removesuffix(". Complete it, or delete the block.")


def test_rows_are_stored_and_read_again_as_they_are(issue: Issue) -> None:
    content = resolve_content(add(issue, "question", QUESTION))
    assert IssueContent.from_json(content.to_json()) == content
    assert "Yes, more:\nhttps://ask.example/yes\n\nNo:\nhttps://ask.example/no" in render_for_all(content)


def test_the_checks_read_the_texts_links_and_pictures_of_rows(issue: Issue) -> None:
    changed = add(issue, "gallery", {"heading": "", "images": [show_image(make_image(), caption="The quay")] * 2})
    changed.body = [*[(child.block_type, child.value) for child in changed.body]]
    content = resolve_content(add(changed, "question", QUESTION))
    texts = [part.text for part in list_texts(content)]
    assert {"The quay", "A gate", "Yes, more", "More court reports?"} <= set(texts)
    assert {"https://ask.example/yes", "https://ask.example/no"} <= set(find_web_links(content))


def test_a_link_of_any_field_is_checked(issue: Issue) -> None:
    rows = [{"time": "10:00", "what": "Tea", "detail": ""}]
    value = {"title": "Open day", "day": "", "address": "", "map_url": "https://maps.example/x", "items": rows}
    assert "https://maps.example/x" in find_web_links(resolve_content(add(issue, "timetable", value)))


def test_a_protected_term_in_a_row_is_found(issue: Issue) -> None:
    protect(SECRET)
    rows = [{"time": "10:00", "what": f"{SECRET} tells of her year", "detail": ""}]
    changed = add(issue, "timetable", {"title": "Open day", "items": rows})
    assert [found.block for found in scan_for_protected_terms(resolve_content(changed)).findings] == ["rows"]


def test_the_texts_of_rows_are_translated_and_amounts_are_not(issue: Issue) -> None:
    changed = add(issue, "progress", PROGRESS)
    changed.body = [(child.block_type, child.value) for child in changed.body]
    content = resolve_content(add(changed, "question", QUESTION))
    own = {(text.field, text.text): text.counts for text in list_own_texts(content) if text.block}
    assert own[("label", "Yes, more")]
    assert not own[("url", "https://ask.example/yes")]
    assert {text for _field, text in own}.isdisjoint({"12,400", "20000", "GBP", "2026-11-24"})
    spanish = {"Yes, more": "Sí, más", "More court reports?": "¿Más noticias?", "A second boat": "Otro barco"}
    version = translate_texts(content, translate=lambda text: spanish.get(text.text, text.text))
    shown = render_for_all(version)
    assert "Sí, más:\nhttps://ask.example/yes" in shown
    assert "£12,400 raised of £20,000" in shown


def test_a_time_without_words_needs_no_translation(issue: Issue) -> None:
    rows = [{"time": "10:00", "what": "Tea", "detail": ""}, {"time": "from noon", "what": "Walk", "detail": ""}]
    content = resolve_content(add(issue, "timetable", {"title": "Open day", "items": rows}))
    times = {text.text: text.counts for text in list_own_texts(content) if text.field == "time"}
    assert times == {"10:00": False, "from noon": True}


def test_a_row_that_shows_a_picture_of_a_withdrawn_story_is_left_out(issue: Issue) -> None:
    story, image = make_pictured_story()
    rows = [show_image(image, caption="The gate"), show_image(make_image(), caption="The quay")]
    changed = add(issue, "gallery", {"heading": "", "images": rows})
    content = resolve_content(changed)
    assert "- The gate\n- The quay" in render_for_all(content)
    assert find_block(remove_stories(content, stories={story.address})) is None
    Story.objects.filter(pk=story.pk).update(withdrawn_at=NOW)
    after = render_for_all(resolve_content(Issue.objects.get(pk=issue.pk)))
    assert "The gate" not in after
    assert "- The quay" in after


def test_a_gallery_of_withdrawn_pictures_only_is_not_shown(issue: Issue) -> None:
    story, image = make_pictured_story()
    changed = add(issue, "gallery", {"heading": "", "images": [show_image(image)] * 2})
    Story.objects.filter(pk=story.pk).update(withdrawn_at=NOW)
    assert find_block(resolve_content(Issue.objects.get(pk=changed.pk))) is None


def test_a_picture_of_a_story_that_may_not_be_shown_is_an_error(issue: Issue) -> None:
    story, image = make_pictured_story()
    changed = add(issue, "gallery", {"heading": "", "images": [show_image(image)] * 2})
    Story.objects.filter(pk=story.pk).update(not_in_regions=["US-TX"])
    findings = list(check_linked_stories(resolve_content(changed), at=NOW))
    assert [(finding.code, finding.block) for finding in findings] == [("linked-story", "rows")]


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("question", {**QUESTION, "answers": []}, "“Answers” is empty"),
        ("question", {**QUESTION, "answers": ANSWERS[:1]}, "“Answers” has 1; at least 2 are needed"),
        ("question", {**QUESTION, "answers": ANSWERS * 3}, "“Answers” has 6; at most 4 are allowed"),
        (
            "question",
            {**QUESTION, "answers": [ANSWERS[0], {"label": "", "url": "htp:/x"}]},
            "“Answer” is empty (row 2), “Links to” is not a web address (row 2)",
        ),
        (
            "timetable",
            {"title": "Day", "items": [{"time": "10:00", "what": "a" * 161, "detail": ""}] * 41},
            "“Programme” has 41; at most 40 are allowed",
        ),
        ("progress", {**PROGRESS, "goal": "0"}, "“Goal” must be more than 0"),
        ("progress", {**PROGRESS, "as_of": ""}, "“Date of the amounts” is empty"),
        ("document", {"title": "A", "kind": "", "text": "", "url": "https://x.example/"}, "“Kind and size” is empty"),
    ],
)
def test_an_unfinished_row_is_named(issue: Issue, kind: str, value: object, problem: str) -> None:
    assert find_problem(add(issue, kind, value)).startswith(problem)


def test_a_picture_of_a_row_needs_a_description_and_a_file(issue: Issue) -> None:
    image = make_image()
    Image.objects.filter(pk=image.pk).update(description="")
    rows = [show_image(image, alt=""), {"picture": {"image": None, "alt": ""}, "caption": ""}]
    changed = add(issue, "gallery", {"heading": "", "images": rows})
    assert find_problem(changed) == ("“What it shows” is empty (row 1), “Image file” is empty (row 2)")


def test_the_api_writes_amounts_and_rows_and_says_what_is_wrong(issue: Issue) -> None:
    key, path = create_key("issues:read issues:write"), f"issues/{issue.pk}/blocks"
    for kind, value in (("progress", PROGRESS), ("question", QUESTION)):
        made = call("post", path, {"type": kind, "value": value}, key=key)
        assert made.status_code == 201, made.content
    types = {row["type"]: row["rows"] for row in call("get", "block-types", key=key).json()["types"]}
    assert {"document", "progress"} <= types.keys()
    assert (types["question"], types["note"]) == ({"answers": ["label", "url"]}, {})
    assert types.keys().isdisjoint({"gallery", "portrait_quote"})
    wrong = call("post", path, {"type": "progress", "value": {**PROGRESS, "raised": "lots"}}, key=key)
    assert problem(wrong, 422).startswith("The block is unfinished: “Raised so far” is not an amount")
    stored = made.json()["blocks"][-1]
    again = call("patch", f"{path}/{stored['id']}", {"value": {"question": "Fewer?"}}, key=key)
    assert [row["value"] for row in again.json()["blocks"][-1]["value"]["answers"]] == ANSWERS


def test_comments_name_a_question_by_its_words(issue: Issue) -> None:
    assert label_blocks(add(issue, "question", QUESTION))["rows"] == "Question: More court reports?"


@pytest.mark.parametrize(
    ("value", "look", "cells"),
    [({"look": "dots"}, "dots", 3), ({"look": "bars"}, "bars", 1), ({"look": "line"}, "line", 0), ({}, "line", 0)],
    ids=["dots", "bars", "line", "from-before-there-was-a-choice"],
)
def test_a_divider_is_drawn_as_staff_chose(issue: Issue, value: dict[str, str], look: str, cells: int) -> None:
    content = resolve_content(add(issue, "divider", value))
    assert content.blocks[-1].look == look  # type: ignore[union-attr]
    made = make_document(content, visible=choose_visible_in_archive(content), view_online="")
    assert render(made).html.count('class="dot"') == cells


def test_a_line_between_blocks_is_approved_as_it_always_was(issue: Issue) -> None:
    def approve(value: dict[str, str]) -> bytes:
        return resolve_content(add(issue, "divider", value)).to_bytes()

    plain, bars = approve({}), approve({"look": "bars"})
    assert plain.count(b'"look"') == bars.count(b'"look"') - 1
