"""Staff correct a mistake in an issue that was sent, from the issue's page."""

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import AuditEntry, Batch, Correction, Issue, Publication, Send
from newsletter.sending.freezing.start import start_send
from tests.support.desk import list_messages, sign_in
from tests.support.fixtures import add_subscribers, make_issue, make_story

pytestmark = pytest.mark.django_db
TEXT = "The march starts at ten, not at noon."


@pytest.fixture
def sent(publication: Publication) -> Issue:
    """An issue that three people got."""
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=timezone.now())
    Send.objects.update(state=Send.State.SUBMITTED, started_at=timezone.now(), provider="mailgun")
    Batch.objects.update(state=Batch.State.ACCEPTED)
    Issue.objects.update(state=Issue.State.SENT)
    return Issue.objects.get()


@pytest.fixture
def writer() -> Client:
    return sign_in("writer")


def overview(issue: Issue, client: Client) -> str:
    return client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def correct(issue: Issue) -> str:
    return f"/admin/issues/{issue.pk}/correct/"


def test_staff_correct_a_mistake_for_those_who_have_it(sent: Issue, writer: Client) -> None:
    assert f'href="{correct(sent)}"' in overview(sent, writer)
    page = writer.get(correct(sent)).content.decode()
    assert "for exactly those who got this issue or may have got it: 3 people." in page
    answer = writer.post(correct(sent), {"text": TEXT}, follow=True)
    made = Correction.objects.get().issue
    assert answer.redirect_chain == [(f"/admin/issues/{made.pk}/overview/", 302)]
    assert "was drafted for those who got The weekly letter No. 1" in " ".join(list_messages(answer))
    assert AuditEntry.objects.get(action="newsletter.correct_mistake").data == {"made": made.pk}
    page = overview(made, writer)
    assert "people who got the issue with the mistake" in page
    assert f'got the mistake in: <a href="/admin/issues/{sent.pk}/overview/">' in " ".join(page.split())
    assert "Open the event" not in page
    page = overview(sent, writer)
    assert "corrects a mistake for the people who got this issue. State: Waiting for approval." in page
    assert correct(sent) not in page


def test_a_text_is_needed(sent: Issue, writer: Client) -> None:
    assert "This field is required" in writer.post(correct(sent), {"text": " "}).content.decode()
    assert not Correction.objects.exists()


def test_what_was_typed_stays_if_a_colleague_was_first(sent: Issue, writer: Client) -> None:
    writer.post(correct(sent), {"text": "The first text"})
    page = writer.post(correct(sent), {"text": TEXT}).content.decode()
    assert TEXT in page
    assert "correction 1 corrects The weekly letter No. 1 and is not sent yet." in page
    assert Correction.objects.count() == 1


def test_an_unsent_issue_offers_no_correction(publication: Publication, writer: Client) -> None:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    assert correct(issue) not in overview(issue, writer)
    answer = writer.get(correct(issue), follow=True)
    assert "No recipient of The weekly letter No. 1 is known" in " ".join(list_messages(answer))


def test_a_wrong_personal_field_is_named_before_the_draft(sent: Issue, writer: Client) -> None:
    page = writer.post(correct(sent), {"text": "Dear {{ nickname }}, the march starts at ten."}).content.decode()
    assert "nickname" in page
    assert not Correction.objects.exists()


def test_the_form_names_the_languages_to_translate_into(sent: Issue, writer: Client) -> None:
    assert "Translate the draft" not in writer.get(correct(sent)).content.decode()
    Publication.objects.update(languages=["es", "cy"])
    assert "this newsletter is also sent in Spanish, Welsh." in writer.get(correct(sent)).content.decode()


def test_a_line_break_counts_as_one_character(sent: Issue, writer: Client) -> None:
    text = f"{'a' * 999}\r\n{'b' * 1000}"
    assert "at most 2000 characters" in writer.post(correct(sent), {"text": f"{text}c"}).content.decode()
    assert writer.post(correct(sent), {"text": text}).status_code == 302
