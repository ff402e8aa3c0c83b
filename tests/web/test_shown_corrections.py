"""The public pages of an issue show the corrections of its mistakes above its text."""

import feedparser
import pytest
from django.test import Client

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct_mistake import correct_mistake
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.snapshot.own_texts import hash_text
from newsletter.models import Batch, Delivery, Issue, Publication, Send, Story, TextTranslation
from subscribers.models import Subscriber
from tests.support.event_changes import finish
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.protected_terms import protect

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "The number of the helpline was wrong. It is 0800 000 0000."


def publish(**publication) -> Issue:
    made = make_publication(archive=Publication.Archive.PUBLIC, **publication)
    make_story("The first verdict")
    add_subscribers(made, 2, where=LONDON)
    return finish(make_issue(made, approved=True))


def correct(issue: Issue, text: str = TEXT) -> Issue:
    return correct_mistake(issue=issue, text=text, by=make_approver(), now=NOW)


def correct_and_send(issue: Issue, text: str = TEXT) -> Issue:
    correction = correct(issue, text)
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    return finish(correction)


def read_archive() -> str:
    return Client().get("/news/weekly/1/").content.decode()


def read_online(issue: Issue) -> str:
    return Client().get(f"/view/{issue.variants.get().public_id}").content.decode()


def test_a_sent_correction_is_above_the_text_of_its_issue() -> None:
    issue = publish()
    correct_and_send(issue)
    for page in (read_archive(), read_online(issue)):
        assert "Correction · 4 March 2026" in page
        assert page.index(TEXT) < page.index("The first verdict</a>")


def read_feed_entry() -> str:
    feed = feedparser.parse(Client().get("/news/weekly/feed.xml").content)
    return feed.entries[0].summary


def test_the_feed_begins_the_text_of_an_issue_with_its_correction() -> None:
    issue = publish()
    assert "Correction" not in read_feed_entry()
    correct_and_send(issue)
    entry = read_feed_entry()
    assert entry.startswith("<p><strong>Correction · 4 March 2026</strong></p>")
    assert entry.index(TEXT) < entry.index("The first verdict</a>")


def test_the_feed_names_no_correction_while_a_story_is_withdrawn() -> None:
    correct_and_send(publish())
    Story.objects.update(withdrawn_at=NOW, withdrawn_reason="consent")
    assert "Correction" not in read_feed_entry()


def test_a_correction_that_was_not_sent_is_shown_nowhere() -> None:
    issue = publish()
    assert read_online(issue)
    correct(issue)
    for page in (read_archive(), read_online(issue)):
        assert "The first verdict" in page
        assert TEXT not in page


def test_the_newest_correction_is_shown_first() -> None:
    issue = publish()
    correct_and_send(issue)
    correct_and_send(issue, "And it is free.")
    for page in (read_archive(), read_online(issue)):
        assert page.index("And it is free.") < page.index(TEXT)


def test_the_correction_of_a_correction_is_above_it() -> None:
    issue = publish()
    correct_and_send(correct_and_send(issue), "It is 0800 111 1111.")
    for page in (read_archive(), read_online(issue)):
        assert page.index("It is 0800 111 1111.") < page.index(TEXT)


def test_no_correction_is_shown_while_a_story_of_its_issue_is_withdrawn() -> None:
    """A correction may name the people of that story."""
    issue = publish()
    correct_and_send(issue)
    Story.objects.update(withdrawn_at=NOW, withdrawn_reason="consent")
    for page in (read_archive(), read_online(issue)):
        assert TEXT not in page


def test_a_correction_with_a_protected_term_is_shown_nowhere() -> None:
    issue = publish()
    correct_and_send(issue)
    correct_and_send(issue, "And it is free.")
    protect("helpline")
    for page in (read_archive(), read_online(issue)):
        assert TEXT not in page
        assert "And it is free." in page


def test_a_correction_whose_send_was_completed_is_shown_once() -> None:
    issue = publish()
    correction = correct_and_send(issue)
    Batch.objects.filter(send__issue=correction).update(state=Batch.State.PENDING, handed_to="")
    Send.objects.filter(issue=correction).update(state=Send.State.CANCELLED)
    Issue.objects.filter(pk=correction.pk).update(state=Issue.State.CANCELLED)
    correction.refresh_from_db()
    assert TEXT not in read_archive()
    completing = complete_send(issue=correction, by=make_approver(), now=NOW)
    approve_issue(issue=completing, by=make_approver(), now=NOW)
    finish(completing)
    for page in (read_archive(), read_online(issue)):
        assert page.count(TEXT) == 1
    assert Client().get(f"/news/weekly/{completing.number}/").status_code == 404


def test_a_correction_that_was_written_to_files_is_not_shown(settings) -> None:
    Send.objects.filter(issue=correct_and_send(publish())).update(provider="outbox")
    settings.NEWSLETTER_PROVIDER_URL = "mailgun://key@news.example.org"
    assert TEXT not in read_archive()


def test_a_correction_is_shown_in_the_language_of_the_mail() -> None:
    made = make_publication(languages=["es"])
    original, translated = make_story("The first verdict"), make_story("El primer veredicto", days_old=1)
    Story.objects.filter(pk=translated.pk).update(language="es", translation_of=original)
    english, spanish = add_subscribers(made, 2, where=LONDON)
    Subscriber.objects.filter(pk=spanish.pk).update(language="es")
    issue = finish(make_issue(made, approved=True))
    correction = correct(issue)
    translate(made, f"<p>{TEXT}</p>", "<p>El número era incorrecto.</p>")
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    finish(correction)
    page = read_mail_of(english, issue)
    assert "Correction · 4 March 2026" in page
    assert TEXT in page
    page = read_mail_of(spanish, issue)
    assert "Corrección · 4 de marzo de 2026" in page
    assert "El número era incorrecto." in page
    Story.objects.filter(pk=translated.pk).update(withdrawn_at=NOW, withdrawn_reason="consent")
    assert TEXT not in read_mail_of(english, issue), "it may name a story that only the Spanish mail shows"


def translate(publication: Publication, text: str, translated: str) -> None:
    TextTranslation.objects.create(
        publication=publication, language="es", source_sha256=hash_text(text), source=text, text=translated, at=NOW
    )


def read_mail_of(person: Subscriber, issue: Issue) -> str:
    variant = Batch.objects.get(deliveries=Delivery.objects.get(issue=issue, subscriber_id=person.pk)).variant
    return Client().get(f"/view/{variant.public_id}").content.decode()
