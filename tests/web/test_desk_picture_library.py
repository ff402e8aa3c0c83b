"""The pages of the picture library: pictures of stories beside uploads, and which of them may be chosen."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.images.models import Image
from wagtail.models import Collection, ModelLogEntry

from newsletter.content.images.renditions import make_staff_rendition
from newsletter.desk.pictures import library_pages
from newsletter.models import AuditEntry, Picture, Publication
from tests.support.desk import sign_in
from tests.support.drawing import draw
from tests.support.fixtures import NOW, make_issue, make_story
from tests.support.page_html import compact_html
from tests.support.story_images import make_pictured_story

pytestmark = [
    pytest.mark.django_db,
    # Wagtail leaves the file of a thumbnail open.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
CHOOSER = "/admin/images/chooser/results/"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def upload(title: str, **fields: str) -> Any:
    file = SimpleUploadedFile("a.jpg", draw(400, 300), content_type="image/jpeg")
    return sign_in("editor").post(
        "/admin/images/add/", {"title": title, "description": "A river", "file": file, **fields}
    )


def read(path: str, **query: str) -> str:
    return compact_html(sign_in("editor").get(path, query).content.decode())


def test_an_empty_library_says_what_it_is_for() -> None:
    page = read("/admin/images/")
    assert "The images of your stories are kept here, and those that you upload." in page
    assert "Why not" not in page


@pytest.mark.parametrize("path", ["/admin/images/", CHOOSER], ids=["page", "chooser"])
@pytest.mark.parametrize(
    ("origin", "shown", "hidden"),
    [("stories", "How Maya came home", "Our harbour"), ("uploads", "Our harbour", "How Maya came home")],
)
def test_pictures_of_stories_and_uploads_are_distinguished(path: str, origin: str, shown: str, hidden: str) -> None:
    make_pictured_story()
    upload("Our harbour")
    page = read(path, origin=origin)
    assert shown in page
    assert hidden not in page


@pytest.mark.parametrize("path", ["/admin/images/", CHOOSER], ids=["page", "chooser"])
def test_a_picture_is_found_by_its_description(path: str) -> None:
    make_pictured_story()
    upload("Our harbour", description="Boats in the morning")
    page = read(path, q="boats")
    assert "Our harbour" in page
    assert "How Maya came home" not in page


def test_pictures_without_a_description_are_listed() -> None:
    make_pictured_story()
    upload("Our harbour")
    Image.objects.filter(title="Our harbour").update(description="")  # as if pasted into an issue
    page = read("/admin/images/", description="missing")
    assert "Our harbour" in page
    assert "How Maya came home" not in page


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"embargo_until": timezone.now() + timedelta(days=30)}, "is under embargo"),
        ({"withdrawn_at": timezone.now()}, "was withdrawn"),
        ({"gone_at": timezone.now(), "gone_code": "removed"}, "is gone"),
        ({"about_minor": True}, "has no recorded consent"),
        ({"not_in_regions": ["US-TX"]}, "is kept from some regions"),
    ],
    ids=["embargo", "withdrawn", "gone", "consent", "regions"],
)
def test_a_picture_of_a_restricted_story_cannot_be_chosen(about: dict[str, Any], why: str) -> None:
    make_pictured_story(**about)
    upload("Our harbour")
    chooser = read(CHOOSER)
    assert "Our harbour" in chooser
    assert "How Maya came home" not in chooser
    assert f"Of a story that {why}" in read("/admin/images/")


def test_a_picture_of_a_deleted_story_cannot_be_chosen() -> None:
    story, _image = make_pictured_story()
    story.delete()
    assert "How Maya came home" not in read(CHOOSER)
    assert "Its story was deleted" in read("/admin/images/")


@pytest.mark.parametrize("required", [True, False])
def test_a_publication_that_needs_consent_limits_the_choice(publication: Publication, required: bool) -> None:
    make_story("The lead story", published_at=NOW)
    make_pictured_story()
    issue = make_issue(publication)
    Publication.objects.update(consent_required=required)
    page = sign_in("editor").get(CHOOSER, headers={"referer": f"http://testserver/admin/issues/edit/{issue.pk}/"})
    assert ("How Maya came home" in page.content.decode()) is not required


def test_a_description_that_is_too_long_says_so() -> None:
    page = upload("Our harbour", description="x" * 256).content.decode()
    assert "The description has 256 characters. Shorten it to at most 255." in page
    assert "x" * 256 in page
    assert not Image.objects.exists()


def test_an_error_of_an_upload_says_to_choose_the_file_again() -> None:
    page = upload("Our harbour", description="a" * 300).content.decode()
    assert "The description has 300 characters" in page
    assert "Choose “a.jpg” again" in page
    assert not Image.objects.exists()


def test_an_empty_image_says_what_to_do() -> None:
    file = SimpleUploadedFile("a.jpg", b"", content_type="image/jpeg")
    page = sign_in("editor").post("/admin/images/add/", {"title": "A", "description": "A", "file": file})
    assert "The file is empty. Save it again" in page.content.decode()


def delete(image: Any, **fields: str) -> str:
    return sign_in("editor").post(f"/admin/images/{image.pk}/delete/", fields, follow=True).content.decode()


def test_an_upload_is_deleted_from_delivered_mails_only_on_request() -> None:
    """Somebody in it no longer agrees to be seen; or staff only tidy up."""
    for title, fields, is_withdrawn in (("The queue", {"withdraw": "1"}, True), ("The river", {}, False)):
        upload(title)
        image = Image.objects.get()
        shown = make_staff_rendition(image, format_name="wide")
        page = delete(image, **fields)
        assert ("A neutral image replaces it in delivered emails" in page) is is_withdrawn
        assert not Image.objects.exists()
        answer = Client().head(urlsplit(shown.url).path)
        answer.close()
        assert (answer["ETag"].startswith('"withdrawn-')) is is_withdrawn
        Picture.objects.all().delete()


def test_the_question_offers_it_for_uploads_that_mails_show() -> None:
    upload("The queue")
    image = Image.objects.get()
    question = f"/admin/images/{image.pk}/delete/"
    assert 'name="withdraw"' not in read(question)
    make_staff_rendition(image, format_name="wide")
    assert 'name="withdraw"' in read(question)


def test_a_storys_picture_leads_to_the_withdrawal_of_its_story() -> None:
    story, image = make_pictured_story("The verdict")
    page = read(f"/admin/images/{image.pk}/delete/")
    assert 'name="withdraw"' not in page
    assert f"/admin/stories/withdraw/{story.pk}/" in page
    assert "referenced 0 times" not in page
    many = read(f"/admin/bulk/wagtailimages/image/delete/?id={image.pk}")
    assert "Withdraw a story to replace its image there too." in many


def test_the_page_of_a_storys_picture_names_the_story() -> None:
    story, image = make_pictured_story("The verdict")
    page = read(f"/admin/images/{image.pk}/")
    assert f'<dd><a href="/admin/stories/edit/{story.pk}/">The verdict</a></dd>' in page
    assert "Used 0 times" not in page
    upload("The queue")
    assert "Used 0 times" in read(f"/admin/images/{Image.objects.latest('pk').pk}/")


def test_the_staff_log_names_who_withdrew_an_image() -> None:
    upload("The queue")
    make_staff_rendition(Image.objects.get(), format_name="wide")
    delete(Image.objects.get(), withdraw="1")
    assert AuditEntry.objects.filter(action="newsletter.withdraw_image").count() == 1


@pytest.mark.parametrize("fields", [{"withdraw": "1"}, {}], ids=["withdrawn", "kept"])
def test_several_uploads_are_deleted_with_the_same_question(fields: dict[str, str]) -> None:
    for title in ("The queue", "The river"):
        upload(title)
        make_staff_rendition(Image.objects.get(title=title), format_name="wide")
    chosen = "&".join(f"id={image.pk}" for image in Image.objects.all())
    question = f"/admin/bulk/wagtailimages/image/delete/?next=/admin/images/&{chosen}"
    client = sign_in("editor")
    assert 'name="withdraw"' in client.get(question).content.decode()
    client.post(question, fields)
    assert not Image.objects.exists()
    assert Picture.objects.filter(withdrawn_at=None).exists() is not bool(fields)
    assert AuditEntry.objects.filter(action="newsletter.withdraw_image").count() == (2 if fields else 0)
    assert AuditEntry.objects.filter(action="wagtail.delete").count() == 2


def list_logged(title: str) -> list[str]:
    entries = AuditEntry.objects.filter(label=title).order_by("pk")
    assert {entry.user.username for entry in entries} == {"editor@example.org"}
    return [entry.action for entry in entries]


def test_the_staff_log_names_what_the_page_for_several_images_did() -> None:
    client = sign_in("editor")
    file = SimpleUploadedFile("a.jpg", draw(400, 300), content_type="image/jpeg")
    client.post("/admin/images/multiple/add/", {"title": "The queue", "files[]": file})
    image = Image.objects.get()
    assert client.post(f"/admin/images/multiple/{image.pk}/delete/").json() == {"success": True, "image_id": image.pk}
    assert list_logged("The queue") == ["wagtail.create", "wagtail.delete"]


def test_an_image_that_may_not_be_deleted_leaves_no_line_in_the_staff_log() -> None:
    upload("The queue")
    assert sign_in("data").post(f"/admin/images/multiple/{Image.objects.get().pk}/delete/").status_code != 200
    assert Image.objects.exists()
    assert list_logged("The queue") == ["wagtail.create"]


def test_the_staff_log_names_who_uploaded_an_image_in_the_chooser() -> None:
    file = SimpleUploadedFile("a.jpg", draw(400, 300), content_type="image/jpeg")
    fields = {"image-chooser-upload-title": "The queue", "image-chooser-upload-file": file}
    sign_in("editor").post("/admin/images/chooser/create/", fields)
    assert list_logged("The queue") == ["wagtail.create"]


def test_the_pages_that_delete_images_have_the_path_of_other_pages() -> None:
    upload("The queue")
    image = Image.objects.get()
    for address in (f"/admin/images/{image.pk}/delete/", f"/admin/bulk/wagtailimages/image/delete/?id={image.pk}"):
        page = read(address)
        assert "w-breadcrumbs" in page
        assert "w-header__title" not in page


def test_images_to_delete_are_shown_on_a_page_of_the_library() -> None:
    for title in ("The queue", "The river"):
        upload(title)
    chosen = "&".join(f"id={image.pk}" for image in Image.objects.all())
    page = read(f"/admin/bulk/wagtailimages/image/delete/?next=/admin/images/&{chosen}")
    assert page.count('class="nl-thumb') == 2
    assert "Are you sure you want to delete these images?" in page
    assert "is referenced" not in page
    assert 'aria-label="Breadcrumb"' in page


def test_of_many_images_to_delete_only_the_first_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_pages, "MAX_SHOWN", 1)
    for title in ("The queue", "The river"):
        upload(title)
    page = read("/admin/bulk/wagtailimages/image/delete/?next=/admin/images/&id=all")
    assert page.count('class="nl-thumb') == 1
    assert "The queue" in page
    assert "The river" in page


def test_pictures_of_stories_are_deleted_without_a_withdrawal() -> None:
    _story, image = make_pictured_story("The verdict")
    question = f"/admin/bulk/wagtailimages/image/delete/?id={image.pk}"
    assert 'name="withdraw"' not in read(question)
    sign_in("editor").post(question, {"withdraw": "1"})
    assert not Image.objects.exists()
    assert not Picture.objects.filter(withdrawn_at__isnull=False).exists()
    assert not AuditEntry.objects.filter(action="newsletter.withdraw_image").exists()


def test_the_tags_of_an_image_are_explained_once() -> None:
    page = read("/admin/images/add/")
    assert page.count("Words to find it by, with commas between.") == 1
    assert "double quotes" not in page
    assert 'data-controller="w-tag"' in page


def test_the_page_of_a_picture_gives_its_size_in_plain_words() -> None:
    upload("River")
    page = read(f"/admin/images/{Image.objects.get().pk}/")
    assert "<dt>Width and height</dt><dd>400 × 300 pixels</dd>" in page
    assert "<dt>File size</dt>" in page
    assert "Filesize" not in page
    assert "Used 0 times" in page


@pytest.mark.parametrize(("action", "fields"), [("add_tags", {"tags": "river"}), ("add_to_collection", {})])
def test_a_bulk_change_of_pictures_is_logged_below_the_library(action: str, fields: dict[str, str]) -> None:
    upload("River")
    image = Image.objects.get()
    address = reverse("wagtail_bulk_action", args=["wagtailimages", "image", action])
    assert address == f"/admin/images/bulk/wagtailimages/image/{action}/"
    assert address in read("/admin/images/")
    fields = fields or {"collection": str(Collection.get_first_root_node().pk)}
    answer = sign_in("editor").post(f"{address}?id={image.pk}&next=/admin/images/", fields)
    assert answer.headers["Location"] == "/admin/images/"
    assert ModelLogEntry.objects.filter(action="wagtail.edit", object_id=str(image.pk)).count() == 1
