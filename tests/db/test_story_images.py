"""Pictures of stories in the picture library: chosen for other parts of an issue, with the rules of their story."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from PIL import Image as PillowImage
from wagtail.images.models import Image

from newsletter.content.images.hosting import host_staff_image, image_path
from newsletter.content.images.library import add_story_image
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.snapshot.content_links import check_linked_stories, find_linked_stories
from newsletter.issues.snapshot.records.blocks import EventCardBlock, PictureBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord, to_json
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import ContentEdit, Issue, Picture, Publication, Story, Variant
from newsletter.sending.withdraw_story import withdraw_story
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_event, make_issue, make_story
from tests.support.story_images import make_pictured_story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def make_issue_with(image: Image, publication: Publication, **changes: Any) -> Issue:
    """An issue of another story, with a picture block that shows this image."""
    make_story("The lead story", published_at=NOW)
    issue = make_issue(publication)
    value = {"image": image.pk, "alt": "A gate in the sun", "caption": "", "url": ""}
    body = [*issue.body.get_prep_value(), {"type": "picture", "value": value, "id": "picture"}]
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    return Issue.objects.get(pk=issue.pk)


def find_picture(record: PictureRecord) -> Picture:
    return Picture.objects.get(name=record.url.rsplit("/", 1)[1].partition(".")[0])


def list_shown_pictures(issue: Issue) -> list[str]:
    content = resolve_content(Issue.objects.get(pk=issue.pk))
    return [block.picture.alt for block in content.blocks if isinstance(block, PictureBlock)]


def test_a_storys_picture_is_in_the_library_once_as_the_same_file() -> None:
    story, image = make_pictured_story()
    add_story_image(story)
    assert story.picture is not None
    assert (Image.objects.count(), image.title, image.description) == (1, "How Maya came home", "A gate")
    assert Path(image.file.path).samefile(image_path(story.picture))
    assert host_staff_image(image) == story.picture


def test_deleting_it_from_the_library_keeps_the_storys_own_copy(django_capture_on_commit_callbacks: Any) -> None:
    story, image = make_pictured_story()
    with django_capture_on_commit_callbacks(execute=True):
        image.delete()
    story.refresh_from_db()
    assert story.picture is not None
    assert image_path(story.picture).is_file()


def test_a_focal_point_in_the_library_crops_the_storys_own_picture(publication: Publication) -> None:
    _story, image = make_pictured_story(days_old=1)
    Image.objects.update(focal_point_x=1150, focal_point_y=150, focal_point_width=50, focal_point_height=50)
    make_story("The lead story", published_at=NOW)
    shown = resolve_content(make_issue(publication)).stories[1].picture
    assert shown is not None
    assert (shown.alt, shown.story_url) == ("A gate", None)
    with PillowImage.open(image_path(find_picture(shown))) as file:
        left = file.convert("RGB").getpixel((5, 5))
    assert isinstance(left, tuple)
    assert left[2] > left[0]


def test_content_has_the_colours_that_pictures_were_stored_with(publication: Publication) -> None:
    _story, image = make_pictured_story()
    issue = make_issue_with(image, publication)
    block = next(block for block in resolve_content(issue).blocks if isinstance(block, PictureBlock))
    row = find_picture(block.picture)
    assert block.picture.colour == row.colour != ""
    Picture.objects.update(colour="")
    block = next(block for block in resolve_content(issue).blocks if isinstance(block, PictureBlock))
    assert "colour" not in to_json(block.picture)


def test_a_storys_picture_is_chosen_for_another_part_of_an_issue(publication: Publication) -> None:
    story, image = make_pictured_story()
    issue = make_issue_with(image, publication)
    assert list_shown_pictures(issue) == ["A gate in the sun"]
    assert find_linked_stories(resolve_content(issue)) == {story.pk}


@pytest.mark.parametrize(
    "about", [{"withdrawn_at": NOW}, {"gone_at": NOW, "gone_code": "removed"}], ids=["withdrawn", "gone"]
)
@pytest.mark.requirement("V5")
def test_the_picture_of_a_lost_story_vanishes_everywhere(publication: Publication, about: dict[str, Any]) -> None:
    story, image = make_pictured_story()
    issue = make_issue_with(image, publication)
    Story.objects.filter(pk=story.pk).update(**about)
    assert list_shown_pictures(issue) == []


def test_the_picture_of_a_deleted_story_is_shown_nowhere(publication: Publication) -> None:
    story, image = make_pictured_story()
    issue = make_issue_with(image, publication)
    story.delete()
    assert list_shown_pictures(issue) == []


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"embargo_until": NOW + timedelta(days=30)}, "is under embargo"),
        ({"consent_needed": True}, "has no recorded consent"),
        ({"not_in_regions": ["US-TX"]}, "is kept from some regions"),
    ],
    ids=["embargo", "consent", "regions"],
)
@pytest.mark.requirement("V1")
@pytest.mark.requirement("V6")
def test_the_picture_of_a_restricted_story_stops_an_issue(
    publication: Publication, about: dict[str, Any], why: str
) -> None:
    _story, image = make_pictured_story(**about)
    (finding,) = check_linked_stories(resolve_content(make_issue_with(image, publication)), at=NOW)
    assert finding.block == "picture"
    assert f"An image is of a story that may not be shown: “How Maya came home” {why}" in finding.message


def test_a_withdrawal_holds_issues_and_blanks_mails_with_the_picture(publication: Publication) -> None:
    story, image = make_pictured_story()
    add_subscribers(publication, 2)
    person = make_approver("ann@example.org")
    make_issue_with(image, publication)
    issue = Issue.objects.get()
    approve_issue(issue=issue, by=person, now=NOW)
    assert "A gate in the sun" in Variant.objects.get().html
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    done = withdraw_story(story=story, by=User.objects.get(pk=person.pk), reason="", now=NOW)
    assert done.held == [issue]
    assert not Picture.objects.filter(withdrawn_at__isnull=True, pk=story.picture_id).exists()
    frozen = IssueContent.from_json(issue.content_revisions.get().content)
    shown = [find_picture(block.picture) for block in frozen.blocks if isinstance(block, PictureBlock)]
    assert [picture.withdrawn_at for picture in shown] == [NOW]


def test_a_reader_who_must_not_see_the_story_gets_the_card_without_it(publication: Publication) -> None:
    story, image = make_pictured_story()
    make_story("The lead story", published_at=NOW)
    issue = make_issue(publication)
    event = make_event("A walk")
    value = {"event": event.pk, "summary": "", "picture": image.pk, "button": ""}
    body = [*issue.body.get_prep_value(), {"type": "event_card", "value": value, "id": "card"}]
    issue.body = issue.body.stream_block.to_python(body)
    content = resolve_content(issue)
    assert isinstance(content.blocks[-1], EventCardBlock)
    assert content.blocks[-1].picture is not None
    redacted = remove_stories(content, stories={story.url})
    assert isinstance(redacted.blocks[-1], EventCardBlock)
    assert redacted.blocks[-1].picture is None


def test_a_person_who_edits_the_picture_is_an_author_of_its_story(publication: Publication) -> None:
    _story, image = make_pictured_story(days_old=1)
    issue, person = make_issue(publication), make_approver("ann@example.org")
    ContentEdit.objects.create(kind="wagtailimages.image", row_id=image.pk, person=person, at=issue.made_at)
    assert person.pk in find_authors(issue)
