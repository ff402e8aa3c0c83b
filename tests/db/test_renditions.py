"""A rendition is cropped, or the whole image if there is none to crop. Trouble of the disk is an error, not a whole image."""

from pathlib import Path
from typing import Any

import pytest

from newsletter.content.images.hosting import host_image, image_path
from newsletter.content.images.renditions import make_rendition
from newsletter.models import Picture
from tests.support.drawing import draw

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture(settings: Any, tmp_path: Path) -> Picture:
    settings.MEDIA_ROOT = tmp_path
    return host_image(data=draw(1600, 900), source_url="https://example.org/gate.jpg", alt="A gate")


def test_a_rendition_is_cropped_to_its_format(picture: Picture) -> None:
    rendition = make_rendition(picture, format_name="card")
    assert (rendition.original, rendition.width, rendition.height) == (picture, 804, 536)


def test_an_image_whose_file_is_gone_has_no_rendition(picture: Picture) -> None:
    image_path(picture).unlink()
    assert make_rendition(picture, format_name="card") == picture


def test_a_damaged_image_has_no_rendition(picture: Picture) -> None:
    image_path(picture).write_bytes(b"no image")
    assert make_rendition(picture, format_name="card") == picture


def test_an_image_that_cannot_be_read_now_is_not_mailed_whole(picture: Picture) -> None:
    image_path(picture).unlink()
    image_path(picture).mkdir()  # reading it fails, and not because it is missing
    with pytest.raises(OSError):
        make_rendition(picture, format_name="card")
