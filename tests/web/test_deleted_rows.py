"""A row that another row needs is not deleted, in the desk or by the API, and the answer says why."""

import pytest
from django.contrib.auth.models import User

from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.models import Appeal, AuditEntry, Issue, Publication, Slot, Source, Story, StoryRefusal
from newsletter.organisation.accounts.staff import add_staff
from subscribers.models import Case, Segment
from tests.support.api import call, create_key, problem
from tests.support.desk import PASSWORD, sign_in
from tests.support.fixtures import NOW, make_event, make_issue, make_story

pytestmark = pytest.mark.django_db
SCOPES = "content:read content:write lists:write issues:write issues:read"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    """An issue with a story that is sent to a segment."""
    make_story("The lead story", published_at=NOW)
    segment = Segment.objects.create(slug="near", name="Near", rule={"all": [{"list": "weekly"}]})
    return create_issue(publication=publication, beginning=Beginning.RULES, by=None, segment=segment, now=NOW)


def test_the_desk_keeps_a_segment_that_an_issue_is_sent_to(issue: Issue) -> None:
    page = sign_in("admin").post(f"/admin/segments/delete/{issue.segment_id}/")
    assert "The weekly letter No. 1" in page.content.decode()
    assert Segment.objects.exists()


def test_the_desk_keeps_a_story_that_an_issue_has(issue: Issue) -> None:
    page = sign_in("admin").post(f"/admin/stories/delete/{Story.objects.get().pk}/").content.decode()
    assert "Nothing was deleted. Issues have this story" in page
    assert "The weekly letter No. 1" in page
    assert Story.objects.exists()


def test_the_desk_keeps_a_publication_with_issues_and_says_to_archive_it(issue: Issue) -> None:
    address = f"/admin/publications/delete/{issue.publication_id}/"
    page = sign_in("admin").post(address).content.decode()
    assert "1 issue" in page
    assert "To end it, archive it" in page
    assert "Change that first" not in page
    assert Publication.objects.exists()


def test_the_desk_speaks_of_no_issue_if_a_publication_has_none(publication: Publication) -> None:
    Slot.objects.create(publication=publication, due_local="2026-03-05T09:00", due_at=NOW, made_at=NOW)
    page = sign_in("admin").get(f"/admin/publications/delete/{publication.pk}/").content.decode()
    assert "1 time of its schedule" in page
    assert "Nothing was deleted. We keep on record what it did" in page
    assert "sent issues" not in page


def test_the_desk_keeps_a_source_that_a_publication_takes_stories_from(publication: Publication) -> None:
    source = Source.objects.create(name="Our blog", kind="feed", url="https://example.org/feed")
    publication.sources.add(source)
    page = sign_in("admin").post(f"/admin/sources/delete/{source.pk}/").content.decode()
    assert "Nothing was deleted. Publications take stories from this source." in page
    assert Source.objects.exists()


def test_the_desk_keeps_staff_whom_a_decision_names(issue: Issue) -> None:
    client = sign_in("admin")
    add_staff(email="editor@example.org", role="editor", password=PASSWORD)
    person = User.objects.get(email="editor@example.org")
    StoryRefusal.objects.create(story=Story.objects.get(), person=person, at=NOW)
    page = client.post(f"/admin/users/delete/{person.pk}/").content.decode()
    assert "To close the account, untick “May sign in” on its page." in page
    person.refresh_from_db()
    StoryRefusal.objects.all().delete()
    assert client.post(f"/admin/users/delete/{person.pk}/").status_code == 302
    assert not User.objects.filter(pk=person.pk).exists()


def test_the_api_deletes_what_nothing_needs() -> None:
    key = create_key(SCOPES)
    Case.objects.create(slug="trial", name="The trial")
    Segment.objects.create(slug="near", name="Near", rule={"all": [{"list": "weekly"}]})
    source = Source.objects.create(name="Our blog", kind="feed", url="https://example.org/feed")
    appeal = Appeal.objects.create(slug="give", headline="Give", link="https://example.org/", button="Give")
    story, event = make_story("A story"), make_event("An evening")
    paths = ["cases/trial", "segments/near", f"sources/{source.pk}", f"appeals/{appeal.slug}"]
    paths += [f"stories/{story.pk}", f"events/{event.pk}"]
    assert [call("delete", path, key=key).status_code for path in paths] == [204] * 6
    assert [call("delete", path, key=key).status_code for path in paths] == [404] * 6
    assert AuditEntry.objects.filter(action="wagtail.delete").count() == 6


def test_the_api_keeps_what_something_needs(issue: Issue) -> None:
    key = create_key(SCOPES)
    story = Story.objects.get()
    Case.objects.create(slug="trial", name="The trial")
    assert call("patch", f"stories/{story.pk}", {"case": "trial"}, key=key).json()["case"] == "trial"
    for path in ("cases/trial", "segments/near", f"stories/{story.pk}"):
        assert "Nothing was deleted" in problem(call("delete", path, key=key), 409)
    assert call("get", "cases/trial", key=key).json() == {"slug": "trial", "name": "The trial", "stories": 1}


def test_the_api_deletes_a_draft_and_keeps_what_was_approved(publication: Publication) -> None:
    key = create_key(SCOPES)
    made = call("post", "issues", {"publication": publication.slug, "beginning": "empty"}, key=key).json()
    assert call("delete", f"issues/{made['id']}", key=key).status_code == 204
    assert not Issue.objects.exists()
    make_story("The lead story", published_at=NOW)
    scheduled = make_issue(publication)
    assert "stays on record" in problem(call("delete", f"issues/{scheduled.pk}", key=key), 409)
    assert Issue.objects.exists()


def test_a_story_names_a_case_and_an_original_that_exist() -> None:
    key = create_key(SCOPES)
    original, other = make_story("A story"), make_story("Una historia", language="es")
    path = f"stories/{other.pk}"
    assert call("patch", path, {"translation_of": original.pk}, key=key).json()["translation_of"] == original.pk
    assert "POST cases adds one" in problem(call("patch", path, {"case": "none"}, key=key), 422)
    assert "No story has this id" in problem(call("patch", path, {"translation_of": 10**9}, key=key), 422)
    assert call("patch", path, {"translation_of": None, "case": ""}, key=key).json()["translation_of"] is None
