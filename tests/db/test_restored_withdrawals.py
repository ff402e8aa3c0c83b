"""A story that was withdrawn after a backup is withdrawn again after its restore."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.restored_slots import HELD_FOR
from newsletter.jobs.scheduler_jobs import poll_sources
from newsletter.models import Issue, Send, Source, Story
from newsletter.project.cli import main as run_command
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.installation_hold import COPY, hold_installation
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from newsletter.sending.withdraw_story import (
    LOST_IN_RESTORE,
    reinstate_story,
    withdraw_again,
    withdraw_story,
)
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_source,
    make_story,
)
from tests.support.web_site import serve_site

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.requirement("V5")]
LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def journal(settings: Any, tmp_path: Path) -> Path:
    settings.SUBSCRIBERS_JOURNAL = tmp_path / "left.journal"
    return tmp_path / "left.journal"


@pytest.fixture
def editor() -> User:
    person = make_approver()
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    return User.objects.get(pk=person.pk)


def withdraw(story: Story, *, by: User) -> None:
    withdraw_story(story=story, by=by, reason="She asked us to.", now=NOW)


def restore_the_backup() -> None:
    """As every story was before one was withdrawn."""
    Story.objects.update(withdrawn_at=None, withdrawn_reason="")
    Issue.objects.update(held=False, held_reason="")


def restore_an_approved_issue(editor: User) -> Issue:
    """An issue of two stories that was approved at the backup. One was withdrawn since."""
    publication = make_publication()
    story = make_story("How Maya came home")
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    withdraw(story, by=editor)
    restore_the_backup()
    approve_issue(issue=Issue.objects.get(pk=issue.pk), by=editor, now=NOW)
    return issue


def list_withdrawn() -> list[str]:
    return list(Story.objects.filter(withdrawn_at__isnull=False).order_by("title").values_list("title", flat=True))


def test_a_restore_withdraws_what_was_withdrawn_since_the_backup(editor: User) -> None:
    withdraw(make_story("How Maya came home"), by=editor)
    make_story("The second verdict")
    restore_the_backup()
    assert mark_open_batches_uncertain(now=LATER).stories == ["How Maya came home"]
    assert list_withdrawn() == ["How Maya came home"]
    assert Story.objects.withdrawn().get().withdrawn_reason == LOST_IN_RESTORE
    assert mark_open_batches_uncertain(now=LATER).stories == ["How Maya came home"], (
        "it is listed until the end of the hold"
    )


def test_so_is_a_story_that_has_no_page(editor: User) -> None:
    own = make_story("Written in the desk", url="", text="<p>Our own words.</p>")
    withdraw(own, by=editor)
    restore_the_backup()
    assert withdraw_again(now=LATER) == [own]


def test_another_story_in_the_row_of_a_lost_one_stays(editor: User) -> None:
    own = make_story("Written in the desk", url="", text="<p>Our own words.</p>")
    withdraw(own, by=editor)
    restore_the_backup()
    Story.objects.filter(pk=own.pk).update(title="Another", seen_at=LATER)
    assert withdraw_again(now=LATER) == []


def test_a_story_that_came_again_during_the_hold_is_withdrawn_at_its_end(editor: User) -> None:
    story = make_story("How Maya came home", url="https://example.org/maya?utm_source=feed")
    withdraw(story, by=editor)
    Story.objects.all().delete()
    mark_open_batches_uncertain(now=LATER)
    make_story("How Maya came home", url="http://www.example.org/maya/")
    release_after_restore(now=LATER)
    assert list_withdrawn() == ["How Maya came home"]


def test_a_story_that_a_source_brings_after_the_hold_is_withdrawn(editor: User) -> None:
    with serve_site() as site:
        item = f"<item><title>How Maya came home</title><link>{site.url}/maya</link><guid>maya</guid></item>"
        site.put("/feed.xml", f'<rss version="2.0"><channel><title>News</title>{item}</channel></rss>')
        withdraw(make_story("How Maya came home", url=f"{site.url}/maya"), by=editor)
        Story.objects.all().delete()
        mark_open_batches_uncertain(now=LATER)
        release_after_restore(now=LATER)
        Source.objects.all().delete()
        make_source(name="Feed", kind="feed", url=f"{site.url}/feed.xml")
        poll_sources(now=LATER)
    assert list_withdrawn() == ["How Maya came home"]


def test_a_story_that_was_reinstated_is_not_withdrawn_again(editor: User) -> None:
    story = make_story("How Maya came home")
    withdraw(story, by=editor)
    reinstate_story(story=story, by=editor)
    assert withdraw_again(now=LATER) == []
    assert list_withdrawn() == []


def test_a_refused_withdrawal_is_not_in_the_journal(editor: User, journal: Path) -> None:
    story = make_story("How Maya came home")
    with pytest.raises(NotAllowed):
        withdraw_story(story=story, by=AnonymousUser(), reason="", now=NOW)
    with pytest.raises(WrongState):
        reinstate_story(story=story, by=editor)
    assert not journal.exists()


def test_an_approved_issue_with_it_is_held_without_the_story(editor: User) -> None:
    issue = restore_an_approved_issue(editor)
    withdraw_again(now=LATER)
    issue.refresh_from_db()
    assert (issue.state, issue.held) == (Issue.State.DRAFT, True)
    assert "How Maya came home" in issue.held_reason


def test_an_issue_that_may_have_been_sent_keeps_that_reason(editor: User) -> None:
    issue = restore_an_approved_issue(editor)
    found = mark_open_batches_uncertain(now=LATER)
    assert found.issues == [Issue.objects.get(pk=issue.pk).reference]
    assert Issue.objects.get(pk=issue.pk).held_reason == HELD_FOR


def test_another_story_with_the_same_front_page_stays(editor: User) -> None:
    withdraw(make_story("How Maya came home", url="https://example.org/"), by=editor)
    other = make_story("The second verdict", external_id="other", url="https://example.org/")
    assert withdraw_again(now=LATER) == []
    other.refresh_from_db()
    assert other.withdrawn_at is None


def test_a_story_whose_address_changed_is_withdrawn_again(editor: User) -> None:
    story = make_story("How Maya came home", url="https://example.org/maya")
    withdraw(story, by=editor)
    restore_the_backup()
    Story.objects.update(url="https://example.org/maya-smith")
    assert withdraw_again(now=LATER) == [story]


def test_the_end_of_a_copys_hold_withdraws_nothing(editor: User) -> None:
    story = make_story("How Maya came home")
    withdraw(story, by=editor)
    restore_the_backup()
    hold_installation(reason=COPY, now=LATER)
    release_after_restore(now=LATER)
    assert list_withdrawn() == []


def test_a_send_of_the_backup_with_it_is_paused(editor: User) -> None:
    publication = make_publication()
    story = make_story("How Maya came home")
    add_subscribers(publication, 2)
    start_send(issue=make_issue(publication, approved=True), now=NOW)
    withdraw(story, by=editor)
    restore_the_backup()
    Send.objects.update(state=Send.State.SUBMITTING)
    withdraw_again(now=LATER)
    assert Send.objects.get().state == Send.State.PAUSED


def test_the_journal_names_no_story(editor: User, journal: Path) -> None:
    withdraw(make_story("How Maya came home", url="https://example.org/maya"), by=editor)
    line = journal.read_text()
    assert line.count("\n") == 2, "the row and the page"
    assert "maya" not in line.lower()


def test_doctor_names_the_stories_and_what_no_journal_has(editor: User, capsys: pytest.CaptureFixture[str]) -> None:
    withdraw(make_story("How Maya came home"), by=editor)
    restore_the_backup()
    assert run_command(["doctor", "--after-restore"]) == 0
    printed = capsys.readouterr().out
    assert "Withdrawn again from the journal: How Maya came home" in printed
    assert "Do again what staff did since the backup" in printed
