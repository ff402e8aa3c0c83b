"""Staff translate the texts of an issue beside the originals, and see who gets what in which language."""

import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.desk.content.event_form import show_moments
from newsletter.desk.content.stories import UNSAVED_PK, make_preview_content
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import EventNotice, Issue, Publication, Story, TextTranslation
from subscribers.models import Case, Subscriber
from tests.support.desk import sign_in, story_fields
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db

PATTERN = "This week: {lead_headline}"
INTRO = "<p>Dear friends,</p>"


def make_bilingual_issue(**changes: object) -> Issue:
    publication = make_publication(**{"languages": ["es"], "subject": PATTERN, "intro": "Dear friends,", **changes})
    make_story("The water case", picture_alt="")
    people = add_subscribers(publication, 3)
    Subscriber.objects.filter(pk=people[0].pk).update(language="es-MX")
    return make_issue(publication)


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return compact_html(response.content.decode())


def field(text: str) -> str:
    return f"text-{hash_text(text)[:16]}"


def draftail(text: str) -> str:
    block = {"key": "a", "text": text, "type": "unstyled", "depth": 0, "inlineStyleRanges": [], "entityRanges": []}
    return json.dumps({"blocks": [block], "entityMap": {}})


def address(issue: Issue, language: str = "es") -> str:
    return f"/admin/issues/{issue.pk}/languages/{language}/"


def test_the_issue_page_says_what_is_not_translated_for_how_many() -> None:
    issue = make_bilingual_issue()
    shown = page(sign_in("editor"), f"/admin/issues/{issue.pk}/overview/")
    assert "Nothing is translated yet, so they get the issue in English." in shown
    TextTranslation.objects.create(
        publication=issue.publication,
        language="es",
        source_sha256=hash_text(INTRO),
        source=INTRO,
        text="<p>Hola</p>",
        at=NOW,
    )
    client = sign_in("editor")
    for where in ("overview", "audience"):
        shown = page(client, f"/admin/issues/{issue.pk}/{where}/")
        assert '<td>Spanish</td><td class="nl-number" data-label="Recipients">1</td>' in shown
        assert "2 parts are in English" in shown
        assert "<strong>Subject</strong> This week: {lead_headline}" in shown
        assert "· Story</strong> The water case" in shown


def test_the_audience_page_counts_recipients_by_language_of_their_mail() -> None:
    issue = make_bilingual_issue()
    client = sign_in("editor")
    audience = f"/admin/issues/{issue.pk}/audience/"
    assert "Recipients by language of their mail" not in page(client, audience)
    make_story("El caso del agua", language="es", translation_of=Story.objects.get(), days_old=9)
    chart = page(client, audience).partition("Recipients by language of their mail")[2].partition("</section>")[0]
    assert [label for label in ("English", "Spanish", "French") if label in chart] == ["English", "Spanish"]
    assert re.findall(r">(\d+)<", chart)[:2] == ["2", "1"]


def test_the_page_of_the_mailed_link_says_what_is_not_translated() -> None:
    issue = make_bilingual_issue()
    TextTranslation.objects.create(
        publication=issue.publication,
        language="es",
        source_sha256=hash_text(INTRO),
        source=INTRO,
        text="<p>Hola</p>",
        at=NOW,
    )
    client = sign_in("approver")
    url = make_decision_url(
        issue=issue.public_id,
        sha256=hash_content(resolve_content(issue)),
        person=User.objects.get(username="approver@example.org").pk,
        now=timezone.now(),
    )
    shown = page(client, "/admin/" + url.partition("/admin/")[2])
    assert '<td>Spanish</td><td class="nl-number" data-label="Recipients">1</td>' in shown
    assert "2 parts are in English" in shown
    assert "· Story</strong> The water case" in shown


def test_a_publication_with_one_language_shows_nothing_about_languages() -> None:
    issue = make_bilingual_issue(languages=[])
    client = sign_in("editor")
    for where in (f"/admin/issues/{issue.pk}/overview/", f"/admin/issues/edit/{issue.pk}/"):
        assert "Further languages" not in page(client, where)
        assert "/languages/" not in page(client, where)
    assert client.get(address(issue)).status_code == 404


def test_staff_translate_an_issue_beside_its_originals() -> None:
    issue = make_bilingual_issue()
    client = sign_in("editor")
    assert address(issue) in page(client, f"/admin/issues/edit/{issue.pk}/")
    shown = page(client, address(issue))
    assert "1 recipient reads Spanish. Texts that you leave empty stay in English." in shown
    assert "<p>Dear friends,</p>" in shown
    data = {field(PATTERN): "Esta semana: {lead_headline}", field(INTRO): draftail("Queridas amigas:")}
    assert client.post(address(issue), data).status_code == 302
    (version,) = resolve_content(Issue.objects.get()).versions
    assert version.subject == "Esta semana: The water case"
    assert "Queridas amigas:" in version.blocks[0].html  # type: ignore[union-attr]
    assert {row.by for row in TextTranslation.objects.all()} != {None}


def test_an_empty_translation_takes_it_away() -> None:
    issue = make_bilingual_issue()
    client = sign_in("editor")
    client.post(address(issue), {field(PATTERN): "Esta semana: {lead_headline}", field(INTRO): draftail("Hola")})
    client.post(address(issue), {field(PATTERN): "", field(INTRO): draftail("Hola")})
    assert [row.text for row in TextTranslation.objects.all()] == ['<p data-block-key="a">Hola</p>']
    client.post(address(issue), {field(PATTERN): "", field(INTRO): draftail("")})
    assert not TextTranslation.objects.exists()


@pytest.mark.parametrize(
    ("translated", "message"),
    [
        ("Esta semana", "write {lead_headline} as in the original."),
        ("Hola {{ nobody }}: {lead_headline}", "nobody"),
    ],
)
def test_a_translation_that_no_mail_could_show_is_refused(translated: str, message: str) -> None:
    issue = make_bilingual_issue()
    response = sign_in("editor").post(address(issue), {field(PATTERN): translated, field(INTRO): draftail("")})
    assert message in response.content.decode()
    assert not TextTranslation.objects.exists()


def test_a_translation_withdraws_the_approval_and_has_an_author() -> None:
    issue = make_bilingual_issue(another_approves=True)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    client = sign_in("admin")
    client.post(address(issue), {field(PATTERN): "Esta semana: {lead_headline}", field(INTRO): draftail("")})
    issue.refresh_from_db()
    assert issue.state == Issue.State.DRAFT
    assert not issue.approvals.filter(withdrawn_at__isnull=True).exists()
    Issue.objects.update(made_at=NOW, due_at=timezone.now())
    shown = page(client, f"/admin/issues/{issue.pk}/overview/")
    assert "somebody else" in shown.lower()


def test_a_language_of_another_publication_has_no_page() -> None:
    issue = make_bilingual_issue()
    assert sign_in("editor").get(address(issue, "fr")).status_code == 404
    assert sign_in("editor").post(address(issue, "fr"), {}).status_code == 404


def test_a_new_story_is_previewed_in_a_publication_with_several_languages() -> None:
    make_publication(languages=["es"])
    story = Story(pk=UNSAVED_PK, title="The water case", url="https://example.org/water/", language="en")
    assert [one.title for one in make_preview_content(story).stories] == ["The water case"]


def test_staff_choose_the_further_languages_of_a_publication() -> None:
    issue = make_bilingual_issue()
    shown = page(sign_in("admin"), f"/admin/publications/edit/{issue.publication_id}/")
    assert 'name="languages" value="es"' in shown
    assert Publication.objects.get().languages == ["es"]


def make_mixed_issue() -> Issue:
    """Return an issue with a story, an event and an appeal, of which only the event is translated."""
    publication = make_publication(languages=["es"])
    add_subscribers(publication, 1, language="es")
    make_story(
        "The water case", teaser="The river is clean again.", case=Case.objects.create(slug="river", name="River")
    )
    event = make_event("An evening of letters", where=LONDON)
    make_event("Una tarde de cartas", where=LONDON, language="es", translation_of=event, summary="Habrá té.")
    make_appeal(headline="Give today")
    return make_issue(publication)


def test_content_of_an_issue_is_beside_its_translation() -> None:
    issue = make_mixed_issue()
    shown = page(sign_in("editor"), address(issue))
    assert "2 have no translation." in shown
    assert (
        '<div lang="en" dir="ltr"><p><strong>The water case</strong></p><p>The river is clean again.</p></div>' in shown
    )
    assert '<div lang="es" dir="ltr"><p><strong>Una tarde de cartas</strong></p><p>Habrá té.</p></div>' in shown
    assert shown.count("There is no translation yet.") == 2
    for button in ("Translate this story", "Translate this appeal"):
        assert button in shown
    assert "Translate this event" not in shown


def test_translate_this_story_opens_a_form_with_the_original_chosen() -> None:
    issue = make_mixed_issue()
    original, client = Story.objects.get(), sign_in("editor")
    add = f"/admin/stories/add/?translation_of={original.pk}&amp;language=es"
    assert add in page(client, address(issue))
    form = page(client, add.replace("&amp;", "&"))
    assert "Translate “The water case” into Spanish" in form
    assert '<option value="es" selected>' in form
    assert f'name="translation_of" value="{original.pk}"' in form
    assert 'value="River"' in form
    data = story_fields(
        original,
        title="El caso del agua",
        language="es",
        translation_of=str(original.pk),
        url="https://example.org/es/",
    )
    client.post("/admin/stories/add/", data)
    assert Story.objects.get(language="es").translation_of == original
    shown = page(client, address(issue))
    assert "<strong>El caso del agua</strong>" in shown
    assert "Translate this story" not in shown
    assert "1 has no translation." in shown


def test_a_translated_event_begins_with_day_and_place_of_its_original() -> None:
    event = make_event("An evening of letters", where=LONDON)
    form = page(sign_in("editor"), f"/admin/events/add/?translation_of={event.pk}&language=es")
    assert f'name="translation_of" value="{event.pk}"' in form
    assert f'name="starts_at" value="{show_moments(event)["starts_at"]:%Y-%m-%d %H:%M}"' in form
    assert event.place_text
    assert f'name="place_text" value="{event.place_text}"' in form


@pytest.mark.parametrize(
    "asked", ["translation_of=x", "translation_of=999", f"translation_of={'9' * 40}", "language=es"]
)
def test_an_address_that_names_no_original_opens_an_empty_form(asked: str) -> None:
    make_publication()
    form = page(sign_in("editor"), f"/admin/stories/add/?{asked}")
    assert '<option value="es" selected>' not in form
    assert "Add a story" in form


def test_an_original_in_no_language_that_we_have_is_not_chosen() -> None:
    story = make_story("The water case")
    form = page(sign_in("editor"), f"/admin/stories/add/?translation_of={story.pk}&language=xx")
    assert f'name="translation_of" value="{story.pk}"' not in form


def test_a_translation_that_nobody_gets_is_named_as_such() -> None:
    issue = make_mixed_issue()
    assert "No reader gets this translation now" not in page(sign_in("editor"), address(issue))
    EventNotice.objects.filter(language="es").update(cancelled=True)
    shown = page(sign_in("editor"), address(issue))
    assert "No reader gets this translation now" in shown
    assert "Translate this event" not in shown


def test_content_in_the_language_itself_needs_no_translation() -> None:
    issue = make_mixed_issue()
    Story.objects.update(language="es")
    assert "The water case" not in page(sign_in("editor"), address(issue)).partition('id="nl-pairs"')[2]
