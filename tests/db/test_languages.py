"""Readers of a publication's further languages get what is translated in their language, and the rest in its own."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from newsletter.common.errors import NotReady
from newsletter.content.ingesting.translated_events import record_event_change
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.archive.current_events import show_changed_events
from newsletter.issues.corrections.correct import announce_change
from newsletter.issues.snapshot.consent_rules import make_consent_record, require_unrestricted_stories
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content, resolve_untranslated_content
from newsletter.issues.snapshot.resolve_blocks import make_calendar_name, resolve_event
from newsletter.issues.snapshot.versions import make_language_versions
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.visible.event_locations import describe_event_location
from newsletter.models import (
    Appeal,
    Batch,
    Delivery,
    EventNotice,
    Issue,
    Publication,
    ShownItem,
    Source,
    Story,
    TextTranslation,
    Variant,
)
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_source,
    make_story,
)
from tests.support.story_images import make_pictured_story

PLACE_CHANGED = "The place of its original has changed. This translation has a place of its own: check it."
CONSENT_ENDS = datetime(2026, 3, 5, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


def make_bilingual(**changes: object) -> Publication:
    return make_publication(**{"languages": ["es"], **changes})


def add_reader(publication: Publication, language: str, *, start: int, **changes: object) -> Subscriber:
    (person,) = add_subscribers(publication, 1, start=start, **changes)
    Subscriber.objects.filter(pk=person.pk).update(language=language)
    person.refresh_from_db()
    return person


def translate_story(original: Story, title: str, **changes: Any) -> Story:
    story = make_story(title, days_old=1)
    Story.objects.filter(pk=story.pk).update(**{"language": "es", "translation_of": original, **changes})
    story.refresh_from_db()
    return story


def translate_text(publication: Publication, text: str, translated: str, *, language: str = "es") -> TextTranslation:
    return TextTranslation.objects.create(
        publication=publication, language=language, source_sha256=hash_text(text), source=text, text=translated, at=NOW
    )


def send(issue: Issue) -> None:
    start_send(issue=issue, now=NOW)


def find_mail(person: Subscriber) -> Variant:
    return Batch.objects.get(deliveries=Delivery.objects.get(subscriber_id=person.pk)).variant


def find_language_of(text: str, html: str) -> str:
    """Return the language that the element around a text names, or "". The accessible names of links have it, too."""
    before, found_text, _after = html.partition("<body")[2].rpartition(f">{text}")
    assert found_text, f"{text} is not in the mail"
    before += ">"
    named = re.search(r"<(?:h\d|p|li)\b([^>]*)>(?:<a\b[^>]*>)?$", before)
    found = re.search(r'lang="([^"]*)"', named[1]) if named else None
    return found[1] if found else ""


def find_preheader(mail: Variant) -> str:
    """Return what a mailbox shows beside the subject: the text before the first visible one."""
    return mail.html.partition("<body")[2][:1500]


@pytest.mark.parametrize(("reads", "gets"), [("es", "es"), ("es-MX", "es"), ("ES", "es"), ("fr", "en"), ("", "en")])
@pytest.mark.requirement("N4")
def test_a_reader_gets_their_language_if_the_publication_has_it(reads: str, gets: str) -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua")
    reader = add_reader(publication, reads, start=1)
    send(make_issue(publication, approved=True))
    mail = find_mail(reader)
    assert mail.language == gets
    assert mail.subject == ("El caso del agua" if gets == "es" else "The water case")
    assert f'lang="{gets}"' in mail.html


def test_the_fixed_text_and_the_dates_follow_the_language() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua")
    make_event("Vigil by the river", where=LONDON)
    reader = add_reader(publication, "es", start=1, where=LONDON)
    send(make_issue(publication, approved=True))
    mail = find_mail(reader)
    assert "Darse de baja" in mail.text
    assert "Eventos cerca de ti" in mail.text
    assert " de 2026" in mail.text
    assert mail.label == "In Spanish; events near London (1 within 15 km)"


def test_an_arabic_mail_is_written_from_right_to_left() -> None:
    publication = make_bilingual(languages=["ar"])
    translate_story(make_story("The water case"), "قضية الماء", language="ar")
    reader = add_reader(publication, "ar", start=1)
    send(make_issue(publication, approved=True))
    assert 'dir="rtl"' in find_mail(reader).html


def test_everybody_gets_the_own_language_if_nothing_is_translated() -> None:
    publication = make_bilingual()
    make_story("The water case")
    readers = [add_reader(publication, "es", start=1), add_reader(publication, "en", start=2)]
    issue = make_issue(publication, approved=True)
    send(issue)
    assert find_mail(readers[0]) == find_mail(readers[1])
    said = explain_issue(issue, person=readers[0], now=NOW).language
    assert said == "English: they read Spanish, but nothing in this issue is in that language."


def test_a_publication_in_one_language_has_one_group_of_readers() -> None:
    publication = make_publication()
    make_story("The water case")
    for number, language in enumerate(("es", "en", "fr", ""), 1):
        add_reader(publication, language, start=number)
    issue = make_issue(publication)
    content = resolve_content(issue)
    assert [group.people for group in find_groups(issue, content=content, now=NOW)] == [4]
    assert "versions" not in content.to_json()


@pytest.mark.requirement("N4")
def test_content_without_a_translation_stays_in_its_own_language() -> None:
    publication = make_bilingual(subject="This week: {lead_headline}")
    translate_story(make_story("The water case", days_old=1), "El caso del agua")
    make_story("The prison letter", days_old=2)
    reader = add_reader(publication, "es", start=1)
    send(make_issue(publication, approved=True))
    mail = find_mail(reader)
    assert "El caso del agua" in mail.text
    assert "The prison letter" in mail.text
    assert mail.subject == "This week: The water case"


def test_parts_in_another_language_say_so_to_screen_readers() -> None:
    publication = make_bilingual(intro="Dear friends,")
    translate_story(make_story("The water case", days_old=1), "El caso del agua")
    make_story("The prison letter", days_old=2, teaser="A letter came.")
    make_event("Vigil by the river", where=LONDON)
    make_appeal(headline="Give today", text="An hour of a lawyer.", button="Give")
    spanish = add_reader(publication, "es", start=1, where=LONDON)
    english = add_reader(publication, "en", start=2, where=LONDON)
    send(make_issue(publication, approved=True))
    html = find_mail(spanish).html
    own = publication.language
    for text in ("The prison letter", "A letter came.", "Vigil by the river", "Give today", "An hour of a lawyer."):
        assert find_language_of(text, html) == own, text
    assert re.search(rf'<div[^>]* class="copy"[^>]* lang="{own}"|<div[^>]* lang="{own}"[^>]* class="copy"', html)
    assert f'<span lang="{own}">Give</span>' in html
    assert find_language_of("El caso del agua", html) == ""
    assert f'lang="{own}"' not in find_mail(spanish).text
    assert find_language_of("The prison letter", find_mail(english).html) == ""
    assert "<span lang=" not in find_mail(english).html


def test_a_translated_block_of_own_words_has_the_mails_language() -> None:
    publication = make_bilingual(intro="Dear friends,")
    translate_story(make_story("The water case"), "El caso del agua")
    translate_text(publication, "<p>Dear friends,</p>", "<p>Queridas amigas:</p>")
    reader = add_reader(publication, "es", start=1)
    issue = make_issue(publication, approved=True)
    send(issue)
    assert resolve_content(issue).versions[0].untranslated == ()
    assert f'lang="{publication.language}"' not in find_mail(reader).html


def test_a_story_in_the_readers_language_is_not_marked_as_another() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua")
    issue = make_issue(publication)
    for title, language in (("La carta de la cárcel", "es"), ("La lettre", "fr")):
        story = make_story(title, language=language)
        issue.body.append(("lead_story", {"story": story, "headline": "", "teaser": "", "picture": None}))
    issue.save()
    (version,) = resolve_content(issue).versions
    assert version.untranslated == ((f"story:{Story.objects.get(language='fr').pk}", "fr"),)


def test_a_translated_pattern_and_intro_make_subject_and_opening() -> None:
    publication = make_bilingual(subject="This week: {lead_headline}", intro="Dear friends,")
    translate_story(make_story("The water case"), "El caso del agua")
    translate_text(publication, "This week: {lead_headline}", "Esta semana: {lead_headline}")
    translate_text(publication, "<p>Dear friends,</p>", "<p>Queridas amigas:</p>")
    spanish, english = add_reader(publication, "es", start=1), add_reader(publication, "en", start=2)
    send(make_issue(publication, approved=True))
    assert find_mail(spanish).subject == "Esta semana: El caso del agua"
    assert "Queridas amigas:" in find_mail(spanish).text
    assert "Dear friends," not in find_mail(spanish).html
    assert "Dear friends," in find_mail(english).text


def test_a_drafted_preheader_is_made_from_the_translated_headlines() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case", days_old=1), "El caso del agua")
    translate_story(make_story("The prison letter", days_old=2), "La carta de la cárcel")
    spanish, english = add_reader(publication, "es", start=1), add_reader(publication, "en", start=2)
    issue = make_issue(publication, approved=True)
    send(issue)
    assert issue.preheader == "The prison letter"
    assert make_language_versions(resolve_content(issue), issue=issue)[0].content.preheader == "La carta de la cárcel"
    for reader, own, other in (
        (spanish, "La carta de la cárcel", "The prison"),
        (english, "The prison letter", "La carta"),
    ):
        assert own in find_preheader(find_mail(reader))
        assert other not in find_mail(reader).html


def test_a_preheader_of_staff_is_in_each_language_once_translated() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua")
    issue = make_issue(publication)
    Issue.objects.update(preheader="Read this first")
    issue.refresh_from_db()
    issue.save_revision()
    assert make_language_versions(resolve_content(issue), issue=issue)[0].content.preheader == "Read this first"
    translate_text(publication, "Read this first", "Lee esto primero")
    assert make_language_versions(resolve_content(issue), issue=issue)[0].content.preheader == "Lee esto primero"


@pytest.mark.parametrize(("translated", "shown"), [("Una puerta", "Una puerta"), ("", "A gate")])
def test_a_picture_is_described_in_the_readers_language(translated: str, shown: str) -> None:
    publication = make_bilingual()
    story, _image = make_pictured_story(days_old=1)
    translate_story(story, "Cómo volvió Maya a casa", picture_alt=translated)
    spanish, english = add_reader(publication, "es", start=1), add_reader(publication, "en", start=2)
    send(make_issue(publication, approved=True))
    assert f'alt="{shown}"' in find_mail(spanish).html
    assert 'alt="A gate"' in find_mail(english).html


def test_a_changed_original_text_needs_a_new_translation() -> None:
    publication = make_bilingual(intro="Dear friends,")
    make_story("The water case")
    translate_text(publication, "<p>Dear friends,</p>", "<p>Queridas amigas:</p>")
    issue = make_issue(publication)
    assert len(resolve_content(issue).versions) == 1
    issue.body[0].value["text"].source = "<p>Dear friends and neighbours,</p>"
    issue.save()
    assert resolve_content(Issue.objects.get()).versions == ()


def test_a_translation_is_never_a_second_story_beside_its_original() -> None:
    publication = make_bilingual()
    original = make_story("The water case", days_old=2)
    translation = translate_story(original, "El caso del agua")
    issue = make_issue(publication)
    assert [story.id for story in resolve_content(issue).stories] == [original.pk]
    issue.body.append(("stories", {"heading": "", "stories": [{"story": translation, "headline": "", "teaser": ""}]}))
    issue.save()
    assert [story.id for story in resolve_content(Issue.objects.get()).stories] == [original.pk]


def test_a_withdrawn_translation_falls_back_to_the_original() -> None:
    publication = make_bilingual()
    translation = translate_story(make_story("The water case"), "El caso del agua")
    issue = make_issue(publication)
    Story.objects.filter(pk=translation.pk).update(withdrawn_at=NOW)
    content = resolve_content(Issue.objects.get())
    assert content.versions == ()
    assert [story.title for story in content.stories] == ["The water case"]
    assert issue.subject == "The water case"


def test_a_withdrawn_original_stops_its_translation() -> None:
    publication = make_bilingual()
    original = make_story("The water case", days_old=1)
    translate_story(original, "El caso del agua")
    make_story("The prison letter", days_old=2)
    make_issue(publication)
    Story.objects.filter(pk=original.pk).update(withdrawn_at=NOW)
    content = resolve_content(Issue.objects.get())
    assert [story.title for version in content.all_versions for story in version.stories] == ["The prison letter"]


def test_an_ended_consent_stops_the_send_of_a_translation() -> None:
    consent = {
        "consent_needed": True,
        "consent_given_by": "self",
        "consent_given_on": NOW.date() - timedelta(days=9),
        "consent_form_holder": "The office",
        "consent_channels": ["email"],
        "consent_expires_on": CONSENT_ENDS.date(),
    }
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua", **consent)
    content = resolve_content(make_issue(publication))
    require_unrestricted_stories(content, at=CONSENT_ENDS)
    with pytest.raises(NotReady, match="“El caso del agua” has a consent that ran out"):
        require_unrestricted_stories(content, at=CONSENT_ENDS + timedelta(days=2))


def test_the_consent_of_an_original_holds_for_its_translation() -> None:
    publication = make_bilingual()
    original = make_story("The water case", consent_needed=True)
    translation = translate_story(original, "El caso del agua")
    assert make_consent_record(translation).needed
    Story.objects.filter(pk=original.pk).update(withdrawn_at=NOW)
    assert make_consent_record(Story.objects.get(pk=translation.pk)).withdrawn
    assert publication.languages == ["es"]


def test_readers_of_an_excluded_region_do_not_get_the_translation() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case", days_old=1), "El caso del agua", not_in_regions=["GB"])
    make_story("The prison letter", days_old=2)
    reader = add_reader(publication, "es", start=1, where=LONDON)
    send(make_issue(publication, approved=True))
    assert "caso del agua" not in find_mail(reader).text


def test_a_person_who_got_the_original_does_not_get_the_translation() -> None:
    publication = make_bilingual()
    original = make_story("The water case", days_old=1)
    translation = translate_story(original, "El caso del agua")
    reader = add_reader(publication, "es", start=1)
    send(make_issue(publication, approved=True))
    other = make_publication(slug="boletin", name="Boletín", language="es")
    other.mailing_list = publication.mailing_list
    other.save()
    issue = make_issue(other)
    content = resolve_content(issue)
    assert [story.id for story in content.stories] == [translation.pk]
    (group,) = find_groups(issue, content=content, now=NOW)
    assert group.seen == 1
    assert count_final_audience(issue, content=content, now=NOW).excluded == {"had_the_stories": 1}
    assert find_mail(reader).language == "es"


def test_a_mail_keeps_that_it_showed_the_original_and_the_translation() -> None:
    publication = make_bilingual()
    original = make_story("The water case")
    translation = translate_story(original, "El caso del agua")
    add_reader(publication, "es", start=1)
    send(make_issue(publication, approved=True))
    shown = ShownItem.objects.filter(kind=ShownItem.Kind.STORY)
    assert set(shown.values_list("row_id", flat=True)) == {original.pk, translation.pk}


def test_events_and_appeals_are_shown_in_the_readers_language() -> None:
    publication = make_bilingual()
    make_story("The water case")
    vigil = make_event("Vigil by the river", where=LONDON)
    make_event("Vigilia junto al río", where=LONDON, language="es", translation_of=vigil)
    appeal = make_appeal(headline="Keep the clinic open")
    make_appeal("dar", headline="Que la clínica siga abierta", language="es", translation_of=appeal)
    make_appeal("solo", headline="Solo en español", language="es", audience="donor")
    spanish = add_reader(publication, "es", start=1, where=LONDON)
    english = add_reader(publication, "en", start=2, where=LONDON)
    donor = add_reader(publication, "en", start=3, where=LONDON)
    Subscriber.objects.filter(pk=donor.pk).update(giving="donor")
    send(make_issue(publication, approved=True))
    assert "Vigilia junto al río" in find_mail(spanish).text
    assert "Que la clínica siga abierta" in find_mail(spanish).text
    for reader in (english, donor):
        assert "Vigil by the river" in find_mail(reader).text
        assert "Keep the clinic open" in find_mail(reader).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Ayuntamiento, Londres"),
        ({"place_text": ""}, "Town Hall, London"),
        ({"latitude": 53.8, "longitude": -1.55, "town": "Leeds", "edited_fields": ["town"]}, "Town Hall, London"),
        ({"note": PLACE_CHANGED}, "Town Hall, London"),
    ],
    ids=["same", "no words", "elsewhere", "original moved"],
)
def test_mails_name_an_events_place_in_the_words_of_its_translation(changes: dict[str, object], words: str) -> None:
    publication = make_bilingual()
    make_story("The water case")
    vigil = make_event("Vigil by the river", where=LONDON, place_text="Town Hall, London")
    fields = {"place_text": "Ayuntamiento, Londres", "language": "es", "translation_of": vigil, "source": None}
    make_event("Vigilia junto al río", where=LONDON, **{**fields, **changes})
    spanish = add_reader(publication, "es", start=1, where=LONDON)
    english = add_reader(publication, "en", start=2, where=LONDON)
    send(make_issue(publication, approved=True))
    assert words in find_mail(spanish).text
    assert "Town Hall, London" in find_mail(english).text
    assert "Ayuntamiento" not in find_mail(english).text


def test_a_place_that_changed_since_is_named_in_the_new_words_on_the_web() -> None:
    publication = make_bilingual()
    vigil = make_event("Vigil by the river", where=LONDON, place_text="Town Hall, London")
    make_event("Vigilia", where=LONDON, place_text="Ayuntamiento", language="es", translation_of=vigil, source=None)
    make_story("The water case")
    content = resolve_content(make_issue(publication))
    (before,) = content.in_language("es").events
    assert describe_event_location(before, language="es") == "Ayuntamiento, Londres"
    moved = replace(resolve_event(vigil), location="The library, London")
    (after,) = show_changed_events(content, changed=frozenset({moved})).in_language("es").events
    assert describe_event_location(after, language="es") == "The library, London"


def test_an_edited_translation_voids_the_approval() -> None:
    publication = make_bilingual()
    translation = translate_story(make_story("The water case"), "El caso del agua")
    add_reader(publication, "es", start=1)
    issue = make_issue(publication, approved=True)
    before = hash_content(resolve_content(issue))
    Story.objects.filter(pk=translation.pk).update(title="El juicio del agua")
    assert hash_content(resolve_content(Issue.objects.get())) != before


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (["xx"], "“xx” is no language that mails can be in"),
        (["en"], "“en” is the language of the publication already."),
        (["es", "es"], "A language is named twice."),
        ("es", "Write a list of languages."),
    ],
)
def test_a_bad_further_language_is_named(languages: object, message: str) -> None:
    publication = make_publication()
    publication.languages = languages
    with pytest.raises(ValidationError, match=message):
        publication.clean()


def test_one_translation_a_language_and_no_translation_of_itself() -> None:
    original = make_story("The water case")
    translate_story(original, "El caso del agua")
    with pytest.raises(IntegrityError), transaction.atomic():
        translate_story(original, "El juicio del agua")
    with pytest.raises(IntegrityError), transaction.atomic():
        Story.objects.filter(pk=original.pk).update(translation_of=original.pk, language="es")
    with pytest.raises(IntegrityError), transaction.atomic():
        translate_story(original, "Das Wasser", language="")


def test_a_translation_of_a_translation_is_refused() -> None:
    original = make_story("The water case")
    translation = translate_story(original, "El caso del agua")
    third = make_story("L’affaire de l’eau")
    third.language, third.translation_of = "fr", translation
    with pytest.raises(ValidationError, match="This is a translation itself"):
        third.clean()
    original.language, original.translation_of = "en", make_story("Another")
    with pytest.raises(ValidationError, match="This has translations itself"):
        original.clean()


@pytest.mark.parametrize("model", [Story, EventNotice, Appeal])
def test_the_database_refuses_a_translation_of_a_translation(model: type[Story | EventNotice | Appeal]) -> None:
    make = {Story: make_story, EventNotice: make_event, Appeal: make_appeal}[model]
    one, two, three = (make(name, language=name) for name in ("en", "es", "fr"))
    rows = model._default_manager
    rows.filter(pk=two.pk).update(translation_of=one.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.filter(pk=three.pk).update(translation_of=two.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.filter(pk=one.pk).update(translation_of=three.pk)
    rows.filter(pk=three.pk).update(translation_of=one.pk)
    one.delete()
    assert not rows.filter(translation_of__isnull=False).exists()
    assert rows.filter(pk__in=[two.pk, three.pk]).count() == 2


def test_a_correction_is_written_in_each_language() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua")
    event = make_event("Vigil by the river", where=LONDON)
    make_event("Vigilia junto al río", where=LONDON, language="es", translation_of=event)
    spanish, english = (
        add_reader(publication, "es", start=1, where=LONDON),
        add_reader(publication, "en", start=2, where=LONDON),
    )
    issue = make_issue(publication, approved=True)
    send(issue)
    Batch.objects.update(state=Batch.State.ACCEPTED)
    EventNotice.objects.update(cancelled=True)
    event.refresh_from_db()
    correction = announce_change(event=event, publication=publication, by=make_approver(), now=NOW)
    content = resolve_content(correction)
    assert content.subject == "Cancelled: Vigil by the river"
    assert content.in_language("es").subject == "Cancelado: Vigilia junto al río"
    assert "No se celebrará" in content.in_language("es").blocks[0].html  # type: ignore[union-attr]
    groups = find_groups(correction, content=content, now=NOW)
    assert {group.language for group in groups} == {"", "es"}
    assert {spanish.pk, english.pk} == set(Delivery.objects.values_list("subscriber_id", flat=True))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"starts_at": NOW + timedelta(days=9)}, "El lugar es el mismo."),
        ({"place_text": "The library, London"}, "Nuevo lugar: Biblioteca, Londres"),
    ],
)
def test_a_correction_names_the_place_in_the_words_of_the_translation(changes: dict[str, object], place: str) -> None:
    publication = make_bilingual()
    make_story("The water case")
    event = make_event("Vigil by the river", where=LONDON, place_text="Town Hall, London")
    fields = {"place_text": "Ayuntamiento, Londres", "language": "es", "translation_of": event, "source": None}
    make_event("Vigilia junto al río", where=LONDON, **fields)
    add_reader(publication, "es", start=1, where=LONDON)
    send(make_issue(publication, approved=True))
    Batch.objects.update(state=Batch.State.ACCEPTED)
    rows = EventNotice.objects.filter
    rows(pk=event.pk).update(**changes)
    if "place_text" in changes:
        rows(translation_of=event).update(place_text="Biblioteca, Londres")
    event.refresh_from_db()
    correction = announce_change(event=event, publication=publication, by=make_approver(), now=NOW)
    version = resolve_content(correction).in_language("es")
    assert place in version.blocks[0].html  # type: ignore[union-attr]
    assert ("Ayuntamiento, Londres" in version.preheader) == ("starts_at" in changes)
    assert ("Biblioteca, Londres" in version.preheader) == ("place_text" in changes)


BEFORE, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("read_at", "spanish", "moved", "words"),
    [
        (BEFORE, {}, {}, "Ayuntamiento, Londres"),
        (NOW, {}, {}, "Biblioteca, Londres"),
        (LATER, {}, {"edited_fields": ["place_text"]}, "Ayuntamiento, Londres"),
        (LATER, {"changed_at": LATER}, {"edited_fields": ["place_text"]}, "Ayuntamiento, Londres"),
        (BEFORE, {"changed_at": LATER, "edited_fields": ["starts_at"]}, {}, "Ayuntamiento, Londres"),
        (LATER, {"place_text_changed_at": BEFORE, "edited_fields": ["place_text"]}, {}, "Ayuntamiento, Londres"),
        (NOW, {"place_text_changed_at": NOW}, {"edited_fields": ["place_text"]}, "Biblioteca, Londres"),
        (BEFORE, {"place_text_changed_at": NOW, "edited_fields": ["place_text"]}, {}, "Biblioteca, Londres"),
        (LATER, {}, {"edited_fields": ["place_text"], "place_text_changed_at": None}, "Ayuntamiento, Londres"),
        (
            LATER,
            {"place_text_changed_at": NOW},
            {"edited_fields": ["place_text"], "place_text_changed_at": None},
            "Biblioteca, Londres",
        ),
        (BEFORE, {"seen_at": NOW}, {"edited_fields": ["place_text"]}, "Biblioteca, Londres"),
        (BEFORE, {"seen_at": NOW}, {"edited_fields": ["place_text"], "changed_at": LATER}, "Biblioteca, Londres"),
        (
            BEFORE,
            {"place_text_changed_at": NOW},
            {"edited_fields": ["place_text"], "changed_at": LATER},
            "Biblioteca, Londres",
        ),
    ],
)
def test_only_words_of_a_translation_that_is_up_to_date_name_the_place(
    read_at: datetime, spanish: dict[str, object], moved: dict[str, object], words: str
) -> None:
    """The original and its translation can have two sources, and each is read at its own time."""
    publication = make_bilingual()
    make_story("The water case")
    event = make_event("Vigil by the river", where=LONDON, place_text="Town Hall, London")
    spanish = spanish | {"language": "es", "translation_of": event, "source": make_source("Calendario")}
    make_event("Vigilia junto al río", where=LONDON, place_text=words, **spanish)
    Source.objects.update(last_success_at=read_at)
    add_reader(publication, "es", start=1, where=LONDON)
    send(make_issue(publication, approved=True))
    Batch.objects.update(state=Batch.State.ACCEPTED)
    changes = {"place_text": "The library, London", "changed_at": NOW, "place_text_changed_at": NOW} | moved
    EventNotice.objects.filter(pk=event.pk).update(**changes)
    event.refresh_from_db()
    place = words if words.startswith("Biblioteca") else "The library, London"
    correction = announce_change(event=event, publication=publication, by=make_approver(), now=NOW)
    version = resolve_content(correction).in_language("es")
    assert f"Nuevo lugar: {place}" in version.blocks[0].html  # type: ignore[union-attr]
    assert describe_event_location(version.events[0], language="es") == place
    calendar = Client().get(f"/calendar/{make_calendar_name(event.pk)}/google", {"lang": "es"})
    assert urlencode({"location": place}) in calendar["Location"]


def test_only_other_words_for_a_place_set_the_moment_of_its_words() -> None:
    event = make_event("Vigil by the river", where=LONDON, place_text="Town Hall, London")
    for name, value, words_at in (("starts_at", LATER, None), ("town", "Camden", None), ("place_text", "Library", NOW)):
        setattr(event, name, value)
        record_event_change(event, now=NOW)
        assert (event.changed_at, event.place_text_changed_at) == (NOW, words_at)


def test_a_block_for_readers_of_one_language_needs_no_translation() -> None:
    publication = make_bilingual()
    translate_story(make_story("The water case"), "El caso del agua")
    issue = make_issue(publication)
    note = {"heading": "", "text": "<p>Para quien lee español.</p>", "show_to": {"language": "es"}}
    issue.body = [*issue.body.get_prep_value(), {"type": "note", "value": note}]
    issue.save()
    issue = Issue.objects.get()
    (version,) = make_language_versions(resolve_untranslated_content(issue), issue=issue)
    assert version.gaps == []
    assert [text.text for text, _translated in version.texts] == []
