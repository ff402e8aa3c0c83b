"""Withdrawing a story removes it everywhere, counts who has it, and pauses sends that contain it."""

from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from PIL import Image

from newsletter.common.errors import NotAllowed, NotApproved, WrongState
from newsletter.common.messages import describe_people
from newsletter.content.images.hosting import host_image
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import release_issue
from newsletter.issues.corrections.people_of_story import find_reach
from newsletter.models import Batch, Issue, Picture, Send, StaffNotice, Story, Variant
from newsletter.sending.dispatching.batch_claim import claim_batch, find_due_batches
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.mails_with_story import find_stoppable_with, find_withdrawn_in
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.withdraw_story import (
    reinstate_story,
    withdraw_story,
)
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def editor():
    person = make_approver()
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    return User.objects.get(pk=person.pk)


def make_photo(url: str = "https://example.org/maya.jpg") -> Picture:
    data = BytesIO()
    Image.new("RGB", (640, 360), (180, 30, 30)).save(data, "JPEG")
    return host_image(data=data.getvalue(), source_url=url, alt="Maya")


def ready_issue(*, readers: int = 5) -> tuple[Issue, Story]:
    publication = make_publication()
    story = make_story("How Maya came home", picture=make_photo())
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, readers)
    return make_issue(publication, approved=True), story


def take_back(story: Story, *, by) -> object:
    return withdraw_story(story=story, by=by, reason="She asked us to.", now=NOW)


def accept_batches(send: Send, *, but: int = 0) -> None:
    taken = send.batches.order_by("seq")[: send.batches.count() - but]
    Batch.objects.filter(pk__in=[batch.pk for batch in taken]).update(state=Batch.State.ACCEPTED)


@pytest.mark.requirement("V5")
def test_a_waiting_issue_loses_the_story_and_is_held(editor):
    issue, story = ready_issue()
    done = take_back(story, by=editor)
    issue.refresh_from_db()
    assert done.held == [issue]
    assert (issue.state, issue.held) == ("draft", True)
    assert issue.held_reason.startswith("The story “How Maya came home” was withdrawn")
    release_issue(issue=issue)
    with pytest.raises(NotApproved):
        start_send(issue=Issue.objects.get(), now=NOW)
    approve_issue(issue=Issue.objects.get(), by=editor, now=NOW)
    start_send(issue=Issue.objects.get(), now=NOW)
    assert "How Maya came home" not in Variant.objects.latest("pk").html


@pytest.mark.requirement("V5")
def test_a_running_send_with_the_story_is_paused(editor, settings):
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=2"
    issue, story = ready_issue()
    send = start_send(issue=issue, now=NOW)
    accept_batches(send, but=1)
    Send.objects.update(provider="postmark")
    done = take_back(story, by=editor)
    send.refresh_from_db()
    assert done.paused == [issue]
    assert send.state == Send.State.PAUSED
    left = send.batches.get(state=Batch.State.PENDING)
    assert f"so its mails to {describe_people(left.size)} are not sent" in send.reason
    assert done.mails_sent == 5 - left.size
    with pytest.raises(WrongState, match="cannot be resumed: a story in it was withdrawn"):
        resume_send(send=send, by=editor)
    Send.objects.update(state=Send.State.SUBMITTING)
    assert find_due_batches(now=NOW) == []
    assert claim_batch(batch_id=left.pk, provider="mailgun", now=NOW) is None
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == Send.State.PAUSED


@pytest.mark.requirement("V5")
def test_a_send_that_was_paused_before_is_named_and_not_resumed(editor):
    issue, story = ready_issue()
    send = start_send(issue=issue, now=NOW)
    Send.objects.update(state=Send.State.PAUSED, reason="the provider refused")
    assert find_stoppable_with(story) == [issue]
    assert take_back(story, by=editor).paused == [issue]
    assert list(find_withdrawn_in(send)) == [story]
    with pytest.raises(WrongState, match="cannot be resumed"):
        resume_send(send=Send.objects.get(), by=editor)
    reinstate_story(story=story, by=editor)
    resume_send(send=Send.objects.get(), by=editor)
    assert Send.objects.get().state == Send.State.SUBMITTING


@pytest.mark.requirement("V5")
def test_only_mails_with_the_story_are_kept_back(editor):
    publication = make_publication()
    story = make_story("Not for Britain", not_in_regions=["GB"])
    make_story("The second verdict", days_old=2)
    make_event("A call", online=True)
    add_subscribers(publication, 2, where={"country": "GB", "region": "", "town": ""})
    add_subscribers(publication, 3, where={"country": "DE", "region": "", "town": ""}, start=10)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    take_back(story, by=editor)
    Send.objects.update(state=Send.State.SUBMITTING)
    (due,) = find_due_batches(now=NOW)
    assert Batch.objects.get(pk=due).size == 2
    assert send.batches.count() == 2


@pytest.mark.requirement("V5")
def test_people_who_may_have_the_story_are_counted_by_issue(editor, settings):
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=2"
    issue, story = ready_issue()
    send = start_send(issue=issue, now=NOW)
    first, second, third = send.batches.order_by("seq")
    Batch.objects.filter(pk=first.pk).update(state=Batch.State.ACCEPTED)
    Batch.objects.filter(pk=second.pk).update(state=Batch.State.UNCERTAIN)
    Batch.objects.filter(pk=third.pk).update(state=Batch.State.REJECTED)
    Send.objects.update(provider="postmark")
    (reach,) = take_back(story, by=editor).reach
    assert (reach.issue, reach.people) == (issue, first.size + second.size)


@pytest.mark.requirement("V5")
def test_its_picture_is_replaced_under_every_name(editor):
    _, story = ready_issue()
    again = make_photo("https://example.org/again.jpg")
    other = make_photo("https://example.org/again.jpg")
    browser = Client()
    addresses = [urlsplit(picture.url).path for picture in (story.picture, again, other)]
    responses = [browser.get(address) for address in addresses]
    before = [response.getvalue() for response in responses]
    etag = responses[0]["ETag"]
    take_back(story, by=editor)
    for address, data in zip(addresses, before, strict=True):
        response = browser.get(address)
        shown = Image.open(BytesIO(response.content))
        assert response["Cache-Control"] == "public, max-age=60"
        assert shown.size == (640, 360)
        assert response.content != data
    assert browser.get(addresses[0], headers={"if-none-match": etag}).status_code == 200


@pytest.mark.requirement("V5")
def test_a_later_copy_of_a_withdrawn_picture_is_withdrawn_too(editor):
    _, story = ready_issue()
    take_back(story, by=editor)
    assert make_photo("https://example.org/another-address.jpg").withdrawn_at is not None


@pytest.mark.requirement("V5")
def test_the_online_view_of_a_sent_mail_hides_only_the_story(editor):
    issue, story = ready_issue()
    start_send(issue=issue, now=NOW)
    variant = Variant.objects.get()
    address = f"/view/{variant.public_id}"
    assert "How Maya came home" in Client().get(address).content.decode()
    take_back(story, by=editor)
    page = Client().get(address)
    html = page.content.decode()
    assert "Maya" not in html
    assert "The second verdict" in html
    assert page["Cache-Control"] == "public, max-age=30"
    assert "__pv_" not in html


@pytest.mark.requirement("V6")
def test_the_online_view_shows_a_story_when_its_embargo_ends():
    publication = make_publication()
    make_story("Under embargo", embargo_until=NOW)
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 1)
    make_issue(publication, approved=True)
    address = f"/view/{Variant.objects.get().public_id}"
    with time_machine.travel(NOW - timedelta(seconds=1), tick=False):
        assert "Under embargo" not in Client().get(address).content.decode()
    with time_machine.travel(NOW, tick=False):
        assert "Under embargo" in Client().get(address).content.decode()


def test_a_withdrawal_needs_permission_and_can_be_undone(editor):
    _, story = ready_issue()
    with pytest.raises(NotAllowed, match="may not withdraw"):
        take_back(story, by=make_approver("other@example.org"))
    take_back(story, by=editor)
    with pytest.raises(WrongState, match="withdrawn already"):
        take_back(story, by=editor)
    reinstate_story(story=story, by=editor)
    story.refresh_from_db()
    assert (story.withdrawn_at, story.picture.withdrawn_at) == (None, None)
    with pytest.raises(WrongState, match="not withdrawn"):
        reinstate_story(story=story, by=editor)


def test_approvers_are_notified_of_an_issue_held_by_a_withdrawal(editor):
    """The writer who withdraws the story sees it on the page; the approvers may not look at the desk before the send."""
    issue, story = ready_issue()
    other = User.objects.create_user("other@example.org", "other@example.org")
    other.user_permissions.add(Permission.objects.get(codename="approve_issue"))
    withdraw_story(story=story, by=editor, reason="", now=NOW)
    notice = StaffNotice.objects.get()
    assert notice.person == other
    assert notice.subject == f"{issue} is held"
    assert "“How Maya came home” was withdrawn" in notice.paragraphs[0]


def test_mails_written_to_files_reached_nobody(settings, editor):
    issue, story = ready_issue()
    send = start_send(issue=issue, now=NOW)
    accept_batches(send)
    Send.objects.filter(pk=send.pk).update(provider="outbox")
    settings.NEWSLETTER_PROVIDER_URL = "postmark://a-key@"
    assert take_back(story, by=editor).mails_sent == 0
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    assert find_reach(story) == []
    Send.objects.filter(pk=send.pk).update(provider="postmark")
    assert sum(one.people for one in find_reach(story)) == 5
