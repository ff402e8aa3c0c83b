"""A plain link to one of our own stories shows it too, so it obeys the story's consent and embargo."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from newsletter.common.errors import NotReady
from newsletter.issue_checks.find_problems import find_content_findings
from newsletter.issues.approval.approve import approve_issue, find_current_approval
from newsletter.issues.snapshot.content_links import find_restricted_links
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Batch, Issue, Send, Story, Variant
from newsletter.sending.dispatching.batch_claim import find_due_batches
from newsletter.sending.freezing.start import start_send
from newsletter.sending.withdraw_story import withdraw_story
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)
TITLE, URL = "How Maya came home", "https://example.org/stories/maya/"


def issue_with_a_link(**about: Any) -> Issue:
    """Its lead story names, as its source does, an older one of ours as further reading."""
    publication = make_publication(archive="public")
    make_story("The clinic opens its doors", related=[[TITLE, URL], ["Our house rules", "https://example.org/rules/"]])
    make_story(TITLE, url=URL, days_old=90, **about)
    add_subscribers(publication, 2)
    return make_issue(publication, approved=True)


def test_a_link_to_a_story_that_may_be_shown_is_in_the_mail():
    issue_with_a_link()
    html = Variant.objects.get().html
    assert TITLE in html
    assert "Our house rules" in html


@pytest.mark.parametrize(
    "about",
    [
        {"embargo_until": NOW + timedelta(days=30)},
        {"consent_needed": True},
        {"not_in_regions": ["US-TX"]},
        {"withdrawn_at": NOW},
    ],
    ids=["v6 embargo", "v1 no consent", "regions", "v5 withdrawn"],
)
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_a_link_to_a_restricted_story_is_in_no_mail(about: dict[str, Any]):
    issue_with_a_link(**about)
    html = Variant.objects.get().html
    assert "Maya" not in html
    assert "Our house rules" in html


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/stories/maya",
        "http://example.org/stories/maya/",
        "https://www.example.org/stories/maya/",
        "https://EXAMPLE.org/stories/maya/?utm_source=home&utm_campaign=may",
        "https://example.org/stories/maya/#comments",
        "https://example.org/stories/m%61ya/",
    ],
)
@pytest.mark.parametrize("own", [URL, f"{URL}?utm_source=feed", "https://Example.org/stories/maya/?fbclid=1#top"])
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_a_restricted_link_is_recognised_in_any_spelling(link: str, own: str):
    publication = make_publication(archive="public")
    make_story("The clinic opens its doors", related=[[TITLE, link]])
    make_story(TITLE, url=own, days_old=90)
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    assert link in repr(resolve_content(issue))
    editor = make_approver()
    editor.user_permissions.add(Permission.objects.get(codename="change_story"))
    done = withdraw_story(
        story=Story.objects.get(url=own), by=type(editor).objects.get(pk=editor.pk), reason="", now=NOW
    )
    assert done.held == [issue]
    assert "Maya" not in repr(resolve_content(Issue.objects.get(pk=issue.pk)))


@pytest.mark.parametrize(
    ("own", "link"),
    [
        ("https://example.org/historias/se%c3%b1or-maya/", "https://example.org/historias/señor-maya/?utm_source=us"),
        ("https://example.org/?p=12&lang=es", "http://example.org/?lang=es&p=12"),
    ],
)
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_a_restricted_story_with_an_encoded_url_is_recognised(own: str, link: str):
    make_story(TITLE, url=own, withdrawn_at=NOW)
    assert find_restricted_links([link], channel="email", at=NOW, required=False) == {link}


@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_an_appeal_that_links_to_a_restricted_story_is_refused():
    issue = issue_that_says(("appeal", {"appeals": [make_appeal(headline="Maya again", link=URL)]}), approved=False)
    Story.objects.filter(url=URL).update(withdrawn_at=NOW)
    with pytest.raises(NotReady, match="may not be shown"):
        approve_issue(issue=Issue.objects.get(pk=issue.pk), by=make_approver(), now=NOW)


WRITTEN = [
    ("note", {"heading": "", "text": f'<p>We told you of <a href="{URL}?utm_source=us">how Maya came home</a>.</p>'}),
    ("button", {"label": "Maya again", "url": URL}),
]


def issue_that_says(block: tuple[str, Any], *, approved: bool = True) -> Issue:
    """Staff wrote of the story in words of their own, and link to it."""
    publication = make_publication(archive="public")
    make_story("The clinic opens its doors")
    make_story(TITLE, url=URL, days_old=90)
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    issue.body.append(block)
    issue.save()
    if approved:
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    return issue


@pytest.mark.parametrize("block", WRITTEN, ids=["note", "button"])
@pytest.mark.parametrize(
    "changed",
    [{"withdrawn_at": NOW}, {"embargo_until": timezone.now() + timedelta(days=9)}, {"consent_needed": True}],
    ids=["v5", "v6", "v1"],
)
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_text_of_staff_about_a_story_obeys_its_consent_too(block: tuple[str, Any], changed: dict[str, Any]):
    issue = issue_that_says(block)
    send = start_send(issue=issue, now=NOW)
    pages = [f"/view/{Variant.objects.get().public_id}", f"/news/weekly/{issue.number}/"]
    assert all("Maya" in Client().get(page).content.decode() for page in pages)
    Story.objects.filter(url=URL).update(**changed)
    for page in pages:
        html = Client().get(page).content.decode()
        assert "Maya" not in html
        assert "The clinic opens its doors" in html
    assert (find_due_batches(now=NOW) == []) == ("withdrawn_at" in changed), send


@pytest.mark.parametrize("block", WRITTEN, ids=["note", "button"])
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_own_text_that_links_to_a_restricted_story_is_refused(
    block: tuple[str, Any],
):
    issue = issue_that_says(block, approved=False)
    Story.objects.filter(url=URL).update(embargo_until=NOW + timedelta(days=30))
    with pytest.raises(NotReady, match="Maya came home” is under embargo"):
        approve_issue(issue=issue, by=make_approver(), now=NOW)
    (finding,) = [one for one in find_content_findings(resolve_content(issue), now=NOW) if one.code == "linked-story"]
    assert (finding.level, finding.block) == ("error", issue.body[len(issue.body) - 1].id)
    Story.objects.filter(url=URL).update(embargo_until=None)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    Story.objects.filter(url=URL).update(not_in_regions=["US-TX"])
    with pytest.raises(NotReady, match="kept from some regions"):
        start_send(issue=issue, now=NOW)


@pytest.mark.requirement("V5")
def test_withdrawing_holds_an_issue_whose_own_text_links_to_it():
    issue = issue_that_says(WRITTEN[0])
    editor = make_approver()
    editor.user_permissions.add(Permission.objects.get(codename="change_story"))
    done = withdraw_story(
        story=Story.objects.get(url=URL), by=type(editor).objects.get(pk=editor.pk), reason="", now=NOW
    )
    assert done.held == [issue]


def test_a_button_to_a_story_follows_the_audience_of_the_story():
    publication = make_publication()
    make_story("The clinic opens its doors")
    make_story(TITLE, url=URL, days_old=2, not_in_regions=["US-TX"])
    add_subscribers(publication, 1, where=LONDON)
    add_subscribers(publication, 1, where=HOUSTON, start=1)
    issue = make_issue(publication)
    issue.body.append(("button", {"label": "Maya again", "url": URL}))
    issue.save()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    story = Story.objects.get(url=URL)
    shown = {
        "Maya" in variant.html: variant.shown_items.filter(row_id=story.pk).exists()
        for variant in Variant.objects.all()
    }
    assert shown == {True: True, False: False}


def test_another_page_of_the_same_site_is_not_the_story():
    issue = issue_with_a_link()
    Story.objects.filter(url=URL).update(url="https://example.org/rules/?p=7", withdrawn_at=NOW)
    assert "Our house rules" in repr(resolve_content(Issue.objects.get(pk=issue.pk)))


@pytest.mark.requirement("V6")
def test_an_embargo_after_the_approval_voids_it():
    issue = issue_with_a_link()
    Story.objects.filter(url=URL).update(embargo_until=NOW + timedelta(days=30))
    issue = Issue.objects.get(pk=issue.pk)
    assert "Maya" not in repr(resolve_content(issue))
    assert find_current_approval(issue) is None


@pytest.mark.requirement("V5")
def test_withdrawing_holds_a_waiting_issue_that_only_links_to_it():
    issue = issue_with_a_link()
    editor = make_approver()
    editor.user_permissions.add(Permission.objects.get(codename="change_story"))
    done = withdraw_story(
        story=Story.objects.get(url=URL), by=type(editor).objects.get(pk=editor.pk), reason="", now=NOW
    )
    assert done.held == [issue]
    assert find_current_approval(Issue.objects.get(pk=issue.pk)) is None


@pytest.mark.requirement("V5")
def test_withdrawing_pauses_a_running_send_that_only_links_to_it(settings: Any):
    settings.NEWSLETTER_PROVIDER_URL = "outbox://?max_batch=1"
    issue = issue_with_a_link()
    send = start_send(issue=issue, now=NOW)
    Send.objects.update(provider="mailgun")
    send.batches.filter(seq=send.batches.order_by("seq").values("seq")[:1]).update(state=Batch.State.ACCEPTED)
    editor = make_approver()
    editor.user_permissions.add(Permission.objects.get(codename="change_story"))
    done = withdraw_story(
        story=Story.objects.get(url=URL), by=type(editor).objects.get(pk=editor.pk), reason="", now=NOW
    )
    assert (done.paused, done.mails_sent) == ([issue], 1)
    assert find_due_batches(now=NOW) == []


@pytest.mark.parametrize(
    "changed",
    [{"withdrawn_at": NOW}, {"embargo_until": timezone.now() + timedelta(days=9)}, {"consent_needed": True}],
    ids=["v5", "v6", "v1"],
)
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V5")
@pytest.mark.requirement("V6")
def test_online_view_and_archive_lose_the_restricted_link(changed: dict[str, Any]):
    issue = issue_with_a_link()
    start_send(issue=issue, now=NOW)
    pages = [f"/view/{Variant.objects.get().public_id}", f"/news/weekly/{issue.number}/"]
    assert all(TITLE in Client().get(page).content.decode() for page in pages)
    Story.objects.filter(url=URL).update(**changed)
    for page in pages:
        html = Client().get(page).content.decode()
        assert "Maya" not in html
        assert "Our house rules" in html
