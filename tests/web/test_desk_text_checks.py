"""The desk's checks of an issue's words: their language, and names against the stories' sources."""

import pytest

from newsletter.models import Issue, Publication
from tests.support.desk import sign_in
from tests.support.fixtures import add_subscribers, make_issue, make_story
from tests.support.language_texts import TEXTS

pytestmark = pytest.mark.django_db


def overview(issue: Issue) -> str:
    return sign_in("approver").get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def set_blocks(issue: Issue, *blocks: dict[str, object]) -> None:
    kept = [block for block in issue.body.get_prep_value() if block["type"] != "note"]
    issue.body = issue.body.stream_block.to_python([*blocks, *kept])
    issue.save()


def note(text: str) -> dict[str, object]:
    return {"type": "note", "id": "n", "value": {"heading": "Hello", "text": f"<p>{text}</p>"}}


def test_a_note_in_another_language_is_a_warning_with_its_block(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    set_blocks(issue, note(TEXTS["en"][0]))
    assert "looks like" not in overview(issue)
    set_blocks(issue, note(TEXTS["es"][0]))
    page = overview(issue)
    assert "looks like Spanish, but the publication is in English." in page
    assert "In the note “Hello”:" in page


def test_a_spanish_publication_may_say_spanish_things(publication: Publication) -> None:
    Publication.objects.filter(pk=publication.pk).update(language="es")
    make_story("La clínica abre sus puertas", teaser=TEXTS["es"][1], language="es")
    add_subscribers(publication, 1)
    issue = make_issue(Publication.objects.get(pk=publication.pk))
    set_blocks(issue, note(TEXTS["es"][0]))
    assert "looks like" not in overview(issue)
    set_blocks(issue, note(TEXTS["en"][0]))
    assert "looks like English, but the publication is in Spanish." in overview(issue)


def test_a_story_in_another_language_is_named_and_linked(publication: Publication) -> None:
    story = make_story("Le dispensaire ouvre", teaser=TEXTS["fr"][0])
    add_subscribers(publication, 1)
    page = overview(make_issue(publication))
    assert "looks like French, but the publication is in English." in page
    assert f'href="/admin/stories/edit/{story.pk}/"' in page


def test_a_misspelt_name_is_a_warning_with_the_name_of_the_source(publication: Publication) -> None:
    make_story(
        "The clinic opens its doors",
        body_html="<p>On Tuesday the clinic welcomed Amina Yusuf and her mother.</p>",
    )
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    set_blocks(issue, note("Today we tell you of Amina Yusuf."))
    assert "in the source. Check the spelling." not in overview(issue)
    set_blocks(issue, note("Today we tell you of Amina Yusof."))
    page = overview(issue)
    assert "“Amina Yusof” is “Amina Yusuf” in the source. Check the spelling." in page
    assert f'/admin/issues/edit/{issue.pk}/#block-n-section"' in page
