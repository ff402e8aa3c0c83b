"""Stories and events in the desk: consent, regions, withdrawals and corrections."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from wagtail.users.models import UserProfile

from newsletter.desk.issues.issue_page import overview_url
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct_mistake import correct_mistake
from newsletter.models import AuditEntry, Batch, EventNotice, Issue, Publication, Send, Story
from newsletter.sending.settling.retention import RETENTION
from newsletter.sending.withdraw_story import withdraw_story
from tests.support.desk import list_messages, sign_in
from tests.support.desk_forms import filled_in
from tests.support.event_changes import finish, tell
from tests.support.fixtures import (
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.page_html import compact_html
from tests.support.sends import start_send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


def story_form(story: Story, **fields: object) -> dict[str, object]:
    return {
        "title": story.title,
        "teaser": story.teaser,
        "url": story.url,
        "language": "en",
        "pseudonyms": "",
        "not_in_regions": "",
        **fields,
    }


def save_story(browser: Client, story: Story, **fields: object) -> object:
    return browser.post(f"/admin/stories/edit/{story.pk}/", story_form(story, **fields), follow=True)


def publish(**of_the_event: str) -> tuple[Issue, Story, EventNotice]:
    publication = make_publication()
    story = make_story("How Maya came home")
    make_story("The second verdict", days_old=2)
    event = make_event("Vigil by the river", where=LONDON, **of_the_event)
    add_subscribers(publication, 3, where=LONDON)
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=NOW)
    Send.objects.filter(pk=send.pk).update(provider="mailgun")
    Batch.objects.filter(send=send).update(state=Batch.State.ACCEPTED)
    return issue, story, event


@pytest.mark.requirement("V1")
def test_consent_is_stored_with_the_story():
    story = make_story("How Maya came home")
    save_story(
        sign_in("editor"),
        story,
        consent_needed="on",
        consent_given_by="self",
        consent_given_on="2026-01-10",
        consent_form_holder="The casework team",
        consent_channels=["email", "archive"],
        consent_identity="pseudonym",
        consent_expires_on="2027-01-10",
    )
    story.refresh_from_db()
    assert set(story.consent_channels) == {"email", "archive"}
    assert (story.consent_given_by, story.consent_form_holder) == ("self", "The casework team")


def test_editor_and_list_show_why_a_story_is_in_no_issue():
    story = make_story("How Maya came home", consent_needed=True)
    browser = sign_in("editor")
    assert (
        "This story cannot go into an issue today: it has no recorded consent."
        in browser.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    )
    assert "Has no recorded consent" in browser.get("/admin/stories/").content.decode()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("US-TX", ["US-TX"]), ("Texas, US\nKenya", ["KE", "US-TX"]), ("Texas (US-TX)\n\nke", ["KE", "US-TX"])],
)
def test_regions_are_written_by_code_or_name_and_shown_by_name(typed, kept):
    story = make_story("How Maya came home")
    browser = sign_in("editor")
    save_story(browser, story, not_in_regions=typed)
    story.refresh_from_db()
    assert story.not_in_regions == kept
    page = browser.get(f"/admin/stories/edit/{story.pk}/").content.decode()
    assert "Texas" in page
    assert "US-TX" not in page


def test_a_region_whose_name_is_a_country_in_spanish_is_the_region():
    story = make_story("How Maya came home")
    save_story(sign_in("editor"), story, not_in_regions="Granada\nIrlanda\nÉquateur")
    story.refresh_from_db()
    assert story.not_in_regions == ["EC", "IE", "NI-GR"]


def test_invalid_region_and_consent_dates_are_shown_and_kept():
    story = make_story("How Maya came home")
    page = save_story(
        sign_in("editor"),
        story,
        title="A new title",
        not_in_regions="Narnia",
        consent_given_on="2026-02-01",
        consent_expires_on="2026-01-01",
    ).content.decode()
    assert "“Narnia” is not a region" in page
    assert "The consent ends before it was given. Correct one of the dates." in page
    assert "A new title" in page
    story.refresh_from_db()
    assert story.not_in_regions == []


@pytest.mark.requirement("V5")
def test_withdrawing_asks_first_and_reports_what_it_did():
    issue, story, _ = publish()
    browser = sign_in("editor")
    page = browser.get(f"/admin/stories/withdraw/{story.pk}/").content.decode()
    assert '<p class="nl-issue__subject">How Maya came home</p>' in page
    assert "You can reinstate it later." in page
    assert "3 emails with its text have been sent" in page
    assert str(issue) in page
    story.refresh_from_db()
    assert story.withdrawn_at is None
    done = browser.post(f"/admin/stories/withdraw/{story.pk}/", {"reason": "She asked us to."}, follow=True)
    (message,) = list_messages(done)
    assert "“How Maya came home” is withdrawn" in message
    assert "3 delivered emails contain its text and cannot be recalled." in message
    story.refresh_from_db()
    assert story.withdrawn_reason == "She asked us to."
    assert AuditEntry.objects.filter(action="newsletter.withdraw_story").count() == 1
    assert "Withdrawn" in browser.get("/admin/stories/").content.decode()


def test_both_pages_of_a_story_name_an_issue_whose_recipients_were_deleted():
    """They are deleted 90 days after the end of a send."""
    issue, story, _ = publish()
    Send.objects.update(provider="smtp", totals={}, purged_at=NOW)
    browser = sign_in("editor")
    page = " ".join(browser.get(f"/admin/stories/edit/{story.pk}/").content.decode().split())
    assert f'Sent in <a href="{overview_url(issue)}">{issue}</a>' in page
    assert "At most 3 emails with it have been sent." in page
    page = " ".join(browser.get(f"/admin/stories/withdraw/{story.pk}/").content.decode().split())
    assert "At most 3 emails with its text have been sent." in page
    assert f"{RETENTION.days} days after a send, we delete who got it" in page
    assert 'class="nl-number"> at most 3 </td>' in page


def test_a_story_that_was_only_written_to_files_was_sent_in_no_issue():
    issue, story, _ = publish()
    browser = sign_in("editor")
    address = f"/admin/stories/edit/{story.pk}/"
    Send.objects.update(provider="smtp")
    assert "Sent in" in browser.get(address).content.decode()
    Send.objects.update(provider="outbox")
    page = browser.get(address).content.decode()
    assert "Sent in" not in page
    assert f'nobody got it, in <a href="{overview_url(issue)}">{issue}</a>' in " ".join(page.split())
    assert "No email with it has been sent" in browser.get(f"/admin/stories/withdraw/{story.pk}/").content.decode()


def test_a_withdrawn_story_can_be_reinstated():
    _, story, _ = publish()
    browser = sign_in("editor")
    address = f"/admin/stories/withdraw/{story.pk}/"
    browser.post(address, follow=True)
    assert list_messages(browser.post(address, follow=True)) == [
        "“How Maya came home” was withdrawn already. Nothing was changed."
    ]
    assert "This story is withdrawn" in browser.get(address).content.decode()
    assert "is reinstated" in list_messages(browser.post(address, {"reinstate": "1"}, follow=True))[0]
    story.refresh_from_db()
    assert story.withdrawn_at is None


def test_reinstating_a_story_links_to_the_issues_that_stay_on_hold():
    publication = make_publication()
    story = make_story("How Maya came home")
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    browser = sign_in("editor")
    address = f"/admin/stories/withdraw/{story.pk}/"
    browser.post(address)
    message = list_messages(browser.post(address, {"reinstate": "1"}, follow=True))[-1]
    assert message == (
        f'“How Maya came home” is reinstated. It is still on hold: <a href="{overview_url(issue)}">The weekly letter '
        "No. 1</a>. Read it again, then release it."
    )


def test_reinstating_a_story_links_to_the_sends_that_stay_paused():
    publication = make_publication()
    story = make_story("How Maya came home")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    start_send(issue=issue, now=NOW)
    other = make_publication(slug="other", name="The other letter")
    add_subscribers(other, 1, start=10)
    held = make_issue(other, approved=True)
    browser = sign_in("editor")
    address = f"/admin/stories/withdraw/{story.pk}/"
    browser.post(address)
    message = list_messages(browser.post(address, {"reinstate": "1"}, follow=True))[-1]
    held_link, paused_link = (f'<a href="{overview_url(one)}">{one}</a>' for one in (held, issue))
    assert message == (
        f"“How Maya came home” is reinstated. It is still on hold: {held_link}. Read it again, then release it. "
        f"Its send is still paused: {paused_link}. Whoever may send issues can resume it on its page."
    )


def test_reinstating_a_story_does_not_name_paused_sends_of_others():
    publication = make_publication()
    make_story("The second verdict")
    add_subscribers(publication, 3)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    Send.objects.update(state=Send.State.PAUSED)
    story = make_story("How Maya came home")
    browser = sign_in("editor")
    address = f"/admin/stories/withdraw/{story.pk}/"
    browser.post(address)
    message = list_messages(browser.post(address, {"reinstate": "1"}, follow=True))[-1]
    assert message == "“How Maya came home” is reinstated."


def test_withdrawing_names_held_issues_and_paused_sends():
    publication = make_publication()
    story = make_story("How Maya came home")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    other = make_publication(slug="other", name="The other letter")
    add_subscribers(other, 1, start=10)
    start_send(issue=make_issue(other, approved=True), now=NOW)
    done = sign_in("editor").post(f"/admin/stories/withdraw/{story.pk}/", follow=True)
    paused = Send.objects.get().issue
    held_link, paused_link = (f'<a href="{overview_url(one)}">{one}</a>' for one in (issue, paused))
    assert f"On hold until you review it: {held_link}." in list_messages(done)[0]
    assert f"Sending is paused: {paused_link}. Its page says why, and what to do next." in list_messages(done)[0]
    assert held_link in done.content.decode()


def test_withdrawing_names_the_corrections_that_may_be_about_it():
    story = make_story("How Maya came home")
    publication = make_publication()
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    mailed = _correct_and_send(finish(issue))
    waiting = correct_mistake(issue=issue, text="She is 34 years old.", by=make_approver(), now=NOW)
    mailed_link, waiting_link = (f'<a href="{overview_url(one)}">{one}</a>' for one in (mailed, waiting))
    address = f"/admin/stories/withdraw/{story.pk}/"
    browser = sign_in("editor")
    page = " ".join(browser.get(address).content.decode().split())
    assert f"These corrections may be about it: {waiting_link}, {mailed_link}." in page
    (message,) = list_messages(browser.post(address, follow=True))
    assert f"On hold until you review it: {waiting_link}." in message
    assert f"A correction may be about it. Its text is no longer shown online: {mailed_link}." in message


def _correct_and_send(issue: Issue) -> Issue:
    correction = correct_mistake(issue=issue, text="She is 43 years old.", by=make_approver(), now=NOW)
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    return finish(correction)


def test_several_held_issues_are_named_in_the_plural():
    story = make_story("How Maya came home")
    for slug in ("weekly", "other"):
        add_subscribers(make_publication(slug=slug, name=slug), 1, start=10 * len(slug))
        make_issue(Publication.objects.get(slug=slug), approved=True)
    done = sign_in("editor").post(f"/admin/stories/withdraw/{story.pk}/", follow=True)
    assert "On hold until you review them: " in list_messages(done)[0]


def test_the_withdrawal_page_names_the_translations_that_stop_too():
    original = make_story("The water case")
    translation = make_story("El caso del agua", language="es", translation_of=original)
    browser = sign_in("editor")
    address = f"/admin/stories/withdraw/{original.pk}/"
    assert "Its translations stop with it: “El caso del agua”." in browser.get(address).content.decode()
    assert (
        "Its translations are not shown any more either: “El caso del agua”."
        in list_messages(browser.post(address, follow=True))[0]
    )
    page = browser.get(f"/admin/stories/withdraw/{translation.pk}/").content.decode()
    assert "Its original “The water case” is withdrawn, so this translation is not shown either" in page


def test_the_withdrawal_page_of_a_translation_says_the_original_stays():
    translation = make_story("El caso del agua", language="es", translation_of=make_story("The water case"))
    page = sign_in("editor").get(f"/admin/stories/withdraw/{translation.pk}/").content.decode()
    assert "Only this translation stops. Its original “The water case”" in page
    assert "Its translations stop with it" not in page


def test_a_changed_event_offers_one_correction_mail():
    _, _, event = publish()
    browser = sign_in("editor")
    assert "Announce the change" not in compact_html(browser.get(f"/admin/events/edit/{event.pk}/").content.decode())
    EventNotice.objects.filter(pk=event.pk).update(starts_at=event.starts_at + timedelta(days=1))
    assert "sent different details to 3 people" in compact_html(
        browser.get(f"/admin/events/edit/{event.pk}/").content.decode()
    )
    page = compact_html(browser.get(f"/admin/events/announce/{event.pk}/").content.decode())
    assert "3 people received different details for this event" in page
    publication = Issue.objects.get().publication
    answer = browser.post(f"/admin/events/announce/{event.pk}/", {"publication": publication.pk})
    draft = Issue.objects.get(kind="correction")
    assert answer.headers["Location"] == f"/admin/issues/{draft.pk}/overview/"
    overview = compact_html(browser.get(answer.headers["Location"]).content.decode())
    assert f'href="/admin/events/edit/{event.pk}/">Open the event</a>' in overview
    assert "This change is announced in" in compact_html(
        browser.get(f"/admin/events/announce/{event.pk}/").content.decode()
    )


def test_an_issue_and_its_correction_link_to_each_other():
    issue, _, event = publish()
    browser = sign_in("editor")
    assert "Corrections</h2>" not in compact_html(browser.get(overview_url(issue)).content.decode())
    EventNotice.objects.filter(pk=event.pk).update(starts_at=event.starts_at + timedelta(days=1))
    correction = tell(EventNotice.objects.get(pk=event.pk), issue.publication)
    page = compact_html(browser.get(overview_url(issue)).content.decode())
    assert (
        f'<a href="{overview_url(correction)}">The weekly letter, correction 1</a> gives people who got this issue the '
        "new details of “Vigil by the river”. State: Sent." in page
    )
    page = compact_html(browser.get(overview_url(correction)).content.decode())
    assert (
        f'People got other details of the event in: <a href="{overview_url(issue)}">The weekly letter No. 1</a></p>'
        in page
    )


def test_saving_a_changed_event_says_who_has_the_old_details():
    _, _, event = publish()
    browser, path = sign_in("editor"), f"/admin/events/edit/{event.pk}/"
    form = filled_in(browser.get(path).content.decode())
    assert "Announce" not in list_messages(browser.post(path, {**form, "summary": "Bring a candle."}, follow=True))[0]
    later = f"{event.starts_at + timedelta(days=1):%Y-%m-%dT%H:%M}"
    form = filled_in(browser.get(path).content.decode())
    (message,) = list_messages(browser.post(path, {**form, "starts_at": later, "ends_at": ""}, follow=True))
    assert "3 people have other details in their email." in message
    assert f'<a href="/admin/events/announce/{event.pk}/">Announce the change …</a>' in message
    page = browser.get(f"/admin/events/announce/{event.pk}/").content.decode()
    assert f'<p class="nl-issue__subject">{event.title}</p>' in page


def test_a_change_that_was_not_saved_is_not_offered_as_a_correction():
    _, _, event = publish()
    browser, path = sign_in("editor"), f"/admin/events/edit/{event.pk}/"
    later = f"{event.starts_at + timedelta(days=1):%Y-%m-%dT%H:%M}"
    refused = browser.post(path, {**filled_in(browser.get(path).content.decode()), "starts_at": later, "title": ""})
    assert "This field is required" in refused.content.decode()
    assert later in refused.content.decode()
    assert "Announce the change" not in refused.content.decode()


def test_the_location_that_was_sent_names_its_town_once():
    _, _, event = publish(place_text="London, London, England, United Kingdom")
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    page = sign_in("editor").get(f"/admin/events/announce/{event.pk}/").content.decode()
    assert ">London, England, United Kingdom</td>" in page
    assert "London, London" not in page


def test_a_moved_event_shows_old_and_new_location_and_time():
    _, _, event = publish()
    changes = {"starts_at": event.starts_at + timedelta(days=2), "place_text": "Town hall, London"}
    EventNotice.objects.filter(pk=event.pk).update(**changes)
    page = sign_in("editor").get(f"/admin/events/announce/{event.pk}/").content.decode()
    assert "Wednesday, 11 March 2026" in page
    assert "Friday, 13 March 2026" in page
    assert ">London</td>" in page
    assert "<strong>Town hall, London</strong>" in page


def test_a_changed_hour_does_not_repeat_the_location():
    _, _, event = publish()
    EventNotice.objects.filter(pk=event.pk).update(starts_at=event.starts_at + timedelta(hours=1))
    page = compact_html(sign_in("editor").get(f"/admin/events/announce/{event.pk}/").content.decode())
    assert ">London</td>" in page
    assert ">unchanged</td>" in page


def test_a_reinstated_event_shows_how_many_will_be_mailed():
    issue, _, event = publish()
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    event.refresh_from_db()
    tell(event, issue.publication)
    EventNotice.objects.filter(pk=event.pk).update(cancelled=False)
    browser = sign_in("editor")
    assert "told 3 people that it is cancelled" in compact_html(
        browser.get(f"/admin/events/edit/{event.pk}/").content.decode()
    )
    page = compact_html(browser.get(f"/admin/events/announce/{event.pk}/").content.decode())
    assert "The event is no longer cancelled." in page
    assert ">Wednesday, 11 March 2026, 09:30 (London): cancelled</td>" in page
    assert "<strong>Wednesday, 11 March 2026, 09:30 (London)</strong>" in page
    assert "<strong>London</strong>" in page
    assert "This change is announced in" not in page
    browser.post(f"/admin/events/announce/{event.pk}/", {"publication": issue.publication.pk})
    draft = Issue.objects.get(kind="correction", number=2)
    assert draft.subject == "It takes place after all: Vigil by the river"
    overview = browser.get(f"/admin/issues/{draft.pk}/overview/")
    assert (overview.status_code, overview.context["recipients"]) == (200, 3)


def test_an_outdated_correction_is_shown_and_cancelled():
    issue, _, event = publish()
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    browser = sign_in("editor")
    browser.post(f"/admin/events/announce/{event.pk}/", {"publication": issue.publication.pk})
    EventNotice.objects.filter(pk=event.pk).update(cancelled=False)
    draft = Issue.objects.get(kind="correction")
    overview = browser.get(f"/admin/issues/{draft.pk}/overview/").content.decode()
    assert "changed again, so this correction is out of date" in overview
    assert (
        "has not been sent and is no longer needed" in browser.get(f"/admin/events/edit/{event.pk}/").content.decode()
    )
    page = browser.get(f"/admin/events/announce/{event.pk}/").content.decode()
    assert f"{draft} is no longer needed" in page
    answer = browser.post(f"/admin/events/announce/{event.pk}/", {"take_back": draft.correction.pk}, follow=True)
    assert list_messages(answer) == [f"{draft} is cancelled. It will not be sent."]
    draft.refresh_from_db()
    assert draft.state == "cancelled"
    assert AuditEntry.objects.filter(action="newsletter.take_back_correction").count() == 1
    again = browser.post(f"/admin/events/announce/{event.pk}/", {"take_back": draft.correction.pk})
    assert again.status_code == 404
    assert "is waiting for approval" not in browser.get("/admin/").content.decode()


def test_a_past_event_is_not_offered_for_correction():
    issue, _, event = publish()
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    with time_machine.travel(NOW + timedelta(days=8)):
        browser = sign_in("editor")
        assert "Announce the change" not in browser.get(f"/admin/events/edit/{event.pk}/").content.decode()
        publication = {"publication": issue.publication.pk}
        assert browser.post(f"/admin/events/announce/{event.pk}/", publication).status_code == 404


def test_without_misinformed_people_no_correction_is_offered():
    _, _, event = publish()
    browser = sign_in("editor")
    assert "nothing to announce" in browser.get(f"/admin/events/announce/{event.pk}/").content.decode()
    assert browser.post(f"/admin/events/announce/{event.pk}/", {"publication": "1"}).status_code == 404


def test_a_correction_always_waits_for_staff():
    issue, _, event = publish()
    Publication.objects.update(approval="auto", another_approves=True)
    add_subscribers(issue.publication, 4, where=LONDON, start=20)
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    writer, browser = sign_in("approver", email="ann@example.org"), sign_in("approver")
    writer.post(f"/admin/events/announce/{event.pk}/", {"publication": issue.publication.pk})
    draft = Issue.objects.get(kind="correction")
    page = browser.get(f"/admin/issues/{draft.pk}/overview/")
    assert "Waiting for approval" in page.content.decode()
    assert "will send automatically" not in page.content.decode()
    assert (page.context["candidates"], page.context["recipients"]) == (3, 3)
    assert "correction 1 is waiting for approval" in browser.get("/admin/").content.decode()
    assert browser.get(f"/admin/issues/{draft.pk}/send/start/sure/").status_code == 302
    assert (
        "You wrote or edited part of this issue" in writer.get(f"/admin/issues/{draft.pk}/overview/").content.decode()
    )


def test_a_cancelled_and_repeated_correction_can_be_viewed():
    issue, _, event = publish()
    EventNotice.objects.filter(pk=event.pk).update(cancelled=True)
    browser = sign_in("editor")
    for _again in range(2):
        browser.post(f"/admin/events/announce/{event.pk}/", {"publication": issue.publication.pk})
        Issue.objects.filter(kind="correction").update(state="cancelled")
    first = Issue.objects.get(kind="correction", number=1)
    assert browser.get(f"/admin/issues/{first.pk}/overview/").status_code == 200


def test_a_stored_reason_is_shown_in_the_persons_language():
    publication = make_publication()
    story = make_story("How Maya came home")
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    browser = sign_in("editor")
    withdraw_story(story=story, by=User.objects.get(username="editor@example.org"), reason="asked for", now=NOW)
    issue.refresh_from_db()
    assert issue.held_reason.startswith("The story “How Maya came home” was withdrawn")
    UserProfile.objects.update_or_create(
        user=User.objects.get(username="editor@example.org"), defaults={"preferred_language": "es"}
    )
    home = browser.get("/admin/").content.decode()
    page = browser.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    for shown in (home, page):
        assert "La historia “How Maya came home” se retiró y ya no está en él." in shown
        assert "was withdrawn" not in shown
    assert "la más reciente" in page
