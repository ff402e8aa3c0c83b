"""The image library: each upload is decoded in the sandbox and loses its metadata."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from wagtail.images import get_image_model

from tests.support.desk import sign_in
from tests.support.drawing import draw
from tests.support.image_decoding import record_decoded_images

pytestmark = pytest.mark.django_db
DESCRIBED = {"description": "A river"}


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def upload(body: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body, content_type="image/jpeg")


def test_an_upload_is_decoded_in_the_sandbox_without_its_metadata():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where it was taken"
    with record_decoded_images() as decoded:
        sign_in("editor").post(
            "/admin/images/add/",
            {"title": "Maya", **DESCRIBED, "file": upload(draw(4000, 3000, exif=exif), "a.jpg")},
        )
    image = get_image_model().objects.get()
    with image.file.open("rb") as file:
        kept = file.read()
    assert (image.width, image.height) == (2400, 3200)
    assert b"taken" not in kept
    assert not Image.open(BytesIO(kept)).getexif()
    assert (4000, 3000) not in decoded


@pytest.mark.parametrize(("kind", "name"), [("AVIF", "a.avif"), ("WEBP", "a.webp"), ("GIF", "a.gif"), ("PNG", "a.png")])
def test_each_image_format_is_stored_as_one_that_mail_shows(kind, name):
    sign_in("editor").post(
        "/admin/images/add/", {"title": "Maya", **DESCRIBED, "file": upload(draw(400, 300, kind), name)}
    )
    image = get_image_model().objects.get()
    assert image.file.name.endswith("a.png")
    assert (image.width, image.height) == (400, 300)


@pytest.mark.parametrize(
    ("body", "name", "words"),
    [(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png", "SVG drawing"),
     (draw(64, 64)[:300], "a.jpg", "damaged"),
     (draw(64, 64), "a.html", "Save the image as JPEG or PNG"),
     (b"ftypheic", "a.heic", "Images of this kind cannot be read: “a.heic”"),
     (b"%PDF-1.7", "a.jpg", "not JPEG, PNG, GIF, WebP or AVIF")],
)  # fmt: skip
def test_an_upload_that_is_not_an_image_is_refused_with_a_reason(body, name, words):
    page = sign_in("editor").post("/admin/images/add/", {"title": "Maya", **DESCRIBED, "file": upload(body, name)})
    assert words in page.content.decode()
    assert not get_image_model().objects.exists()


def test_an_image_that_is_too_large_says_what_to_do(settings) -> None:
    settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE = 200
    page = sign_in("editor").post(
        "/admin/images/add/", {"title": "Maya", **DESCRIBED, "file": upload(draw(64, 64), "a.png")}
    )
    assert "at most 200\xa0bytes are possible. Save a smaller copy" in page.content.decode()


def animation(kind: str) -> bytes:
    frames, made = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")], BytesIO()
    frames[0].save(made, kind, save_all=True, append_images=frames[1:])
    return made.getvalue()


@pytest.mark.parametrize(("kind", "name"), [("GIF", "a.gif"), ("WEBP", "a.webp"), ("PNG", "a.png"), ("AVIF", "a.avif")])
def test_an_upload_that_moves_is_refused_and_says_what_to_do(kind, name):
    form = {"title": "Maya", **DESCRIBED, "file": upload(animation(kind), name)}
    page = sign_in("editor").post("/admin/images/add/", form)
    assert "The image moves, and emails do not" in page.content.decode()
    assert "as JPEG or PNG" in page.content.decode()
    assert not get_image_model().objects.exists()


def test_a_photo_with_a_second_picture_for_the_camera_is_stored():
    photo, made = Image.linear_gradient("L").convert("RGB").resize((1200, 900)), BytesIO()
    photo.save(made, "MPO", save_all=True, append_images=[photo.resize((160, 120))])
    page = sign_in("editor").post(
        "/admin/images/add/", {"title": "Maya", **DESCRIBED, "file": upload(made.getvalue(), "a.jpg")}
    )
    assert "The image moves" not in page.content.decode()
    image = get_image_model().objects.get()
    assert (image.width, image.height) == (1200, 900)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_choosers_and_multiple_uploads_use_the_sandbox():
    client = sign_in("editor")
    with record_decoded_images() as decoded:
        client.post(
            "/admin/images/chooser/create/",
            {"image-chooser-upload-title": "A", "image-chooser-upload-file": upload(draw(4000, 3000, "PNG"), "a.png")},
        )
        client.post(
            "/admin/images/multiple/add/",
            {"title": "B", "files[]": upload(draw(4000, 3000, "PNG", colour="navy"), "b.png")},
            HTTP_X_REQUESTED_WITH="XMLHttpRequest",
        )
    assert sorted((image.title, image.width) for image in get_image_model().objects.all()) == [("A", 2400), ("B", 2400)]
    assert (4000, 3000) not in decoded


def test_an_image_title_can_change_without_a_new_file():
    client = sign_in("editor")
    client.post("/admin/images/add/", {"title": "Maya", **DESCRIBED, "file": upload(draw(400, 300), "a.jpg")})
    image = get_image_model().objects.get()
    client.post(f"/admin/images/{image.pk}/", {"title": "Nora"})
    image.refresh_from_db()
    assert (image.title, image.width) == ("Nora", 400)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_thumbnails_and_originals_open_for_signed_in_staff_only(tmp_path):
    client = sign_in("writer")
    client.post("/admin/images/add/", {"title": "Maya", **DESCRIBED, "file": upload(draw(400, 300), "a.jpg")})
    image = get_image_model().objects.get()
    for file in (image.file, image.get_rendition("max-165x165").file):
        answer = client.get(file.url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
        assert "private" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        with file.open("rb") as kept:
            assert b"".join(answer.streaming_content) == kept.read()
        refused = Client().get(file.url)
        assert (refused.status_code, refused.headers["Location"].split("?")[0]) == (302, "/accounts/login/")
        unproven = sign_in("approver", factor=False).get(file.url)
        assert unproven.headers["Location"].startswith("/accounts/2fa/")
    (tmp_path / "images" / "private.jpg").write_bytes(b"not of the library")
    assert client.get("/admin/media/images/private.jpg").status_code == 404


@pytest.mark.parametrize(("typed", "kept"), [("notes", ""), ("A harbour", "A harbour")])
def test_a_title_made_from_a_refused_file_does_not_stay(typed: str, kept: str) -> None:
    form = {"image-chooser-upload-title": typed, "image-chooser-upload-file": upload(b"no picture", "notes.png")}
    answer = sign_in("editor").post("/admin/images/chooser/create/", form).json()["htmlFragment"]
    assert "not JPEG, PNG, GIF, WebP or AVIF" in answer
    title = answer.split('name="image-chooser-upload-title"')[1].split(">")[0]
    assert (f'value="{kept}"' in title) if kept else ("value=" not in title)


def test_an_upload_without_a_title_is_named_after_its_file() -> None:
    sign_in("editor").post(
        "/admin/images/add/", {"title": "", **DESCRIBED, "file": upload(draw(400, 300), "river.jpg")}
    )
    assert get_image_model().objects.get().title == "river"


def test_the_library_asks_for_a_description_of_an_upload() -> None:
    page = sign_in("editor").post("/admin/images/add/", {"title": "Maya", "file": upload(draw(400, 300), "a.jpg")})
    assert "Describe the image for people who cannot see it." in page.content.decode()
    assert not get_image_model().objects.exists()
