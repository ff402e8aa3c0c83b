"""Pictures of the library in stories and blocks: cropped around their focal point, with one description."""

from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from PIL import Image as PillowImage
from wagtail.images.models import Image

from newsletter.content.images.hosting import image_path
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.comments.block_labels import label_block
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.blocks import PictureBlock
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue, Picture, Publication, Story
from tests.support.desk import sign_in, story_fields
from tests.support.drawing import encode
from tests.support.fixtures import NOW, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def make_image(description: str = "", **focus: int) -> Image:
    """A picture that is red at its left and blue at its right."""
    picture = PillowImage.new("RGB", (2000, 400), (200, 20, 20))
    picture.paste((20, 20, 200), (1000, 0, 2000, 400))
    file = ContentFile(encode(picture, "PNG"), name="halves.png")
    return Image.objects.create(title="Two halves", description=description, file=file, width=2000, height=400, **focus)


def write_story(image: Image, **fields: str) -> Any:
    typed = {"title": "A story of our own", "url": "https://example.org/own/", "published_at": "2026-03-04 08:00"}
    return sign_in("editor").post("/admin/stories/add/", {**typed, "library_image": str(image.pk), **fields})


def test_a_typed_story_is_mailed_with_its_picture_around_the_focal_point(publication: Publication) -> None:
    focus = {"focal_point_x": 1900, "focal_point_y": 200, "focal_point_width": 50, "focal_point_height": 50}
    with time_machine.travel(NOW):
        write_story(make_image(**focus), picture_alt="The blue half")
    make_story("The lead story", published_at=NOW)
    shown = resolve_content(make_issue(publication)).stories[1].picture
    assert shown is not None
    assert shown.alt == "The blue half"
    picture = Picture.objects.get(name=shown.url.rsplit("/", 1)[1].partition(".")[0])
    with PillowImage.open(image_path(picture)) as file:
        left = file.convert("RGB").getpixel((5, 5))
    assert isinstance(left, tuple)
    assert left[2] > left[0]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # Wagtail leaves its thumbnail's file open
def test_the_alt_text_of_a_picture_is_asked_for() -> None:
    page = write_story(make_image()).content.decode()
    assert "Describe the image for people who cannot see it." in page
    assert not Story.objects.exists()


def test_the_librarys_description_is_the_first_alt_text() -> None:
    write_story(make_image("Two halves of a square"))
    assert Story.objects.get().picture_alt == "Two halves of a square"


def test_a_person_who_uploaded_a_storys_picture_is_an_author(publication: Publication) -> None:
    story = make_story("The first verdict")
    person = make_approver("ann@example.org")
    image = make_image("Two halves")
    issue = make_issue(publication)
    Image.objects.update(uploaded_by_user=person)
    Story.objects.filter(pk=story.pk).update(library_image=image)
    issue.made_at = image.created_at
    assert person.pk in find_authors(issue)


def test_a_chosen_picture_replaces_that_of_the_source(publication: Publication) -> None:
    image = make_image("Two halves")
    story = make_story("The first verdict")
    sign_in("writer").post(
        f"/admin/stories/edit/{story.pk}/", story_fields(story, library_image=str(image.pk), picture_alt="Two halves")
    )
    story.refresh_from_db()
    assert {"library_image", "picture_alt"} <= set(story.edited_fields)
    assert resolve_content(make_issue(publication)).stories[0].picture is not None


def add_picture(issue: Issue, image: Image, *, alt: str) -> Issue:
    """Add an image block to the issue as JSON, as autosave does."""
    value = {"image": image.pk, "alt": alt, "caption": "", "url": ""}
    body = [*issue.body.get_prep_value(), {"type": "picture", "value": value, "id": "picture"}]
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    return Issue.objects.get(pk=issue.pk)


@pytest.mark.parametrize(
    ("alt", "shown"), [("", "Two halves of a square"), ("A square in this mail", "A square in this mail")]
)
def test_a_picture_block_has_the_description_of_its_picture(publication: Publication, alt: str, shown: str) -> None:
    make_story("The lead story", published_at=NOW)
    issue = add_picture(make_issue(publication), make_image("Two halves of a square"), alt=alt)
    assert find_incomplete_parts(issue) == []
    block = resolve_content(issue).blocks[-1]
    assert isinstance(block, PictureBlock)
    assert block.picture.alt == shown
    assert label_block(issue.body[-1]) == f"Image: {shown}"


def test_a_picture_block_without_any_description_is_unfinished(publication: Publication) -> None:
    make_story("The lead story", published_at=NOW)
    (part,) = find_incomplete_parts(add_picture(make_issue(publication), make_image(), alt=""))
    assert "Image, is unfinished: “What it shows” is empty" in str(part.message)


def test_a_picture_chosen_for_this_issue_has_its_own_description(publication: Publication) -> None:
    make_story("The lead story", published_at=NOW, picture_alt="The picture of the source")
    issue = make_issue(publication)
    issue.body[0].value["picture"] = make_image("Two halves of a square")
    picture = resolve_content(issue).stories[0].picture
    assert picture is not None
    assert picture.alt == "Two halves of a square"
