"""The sample pictures are real, small, distinct and the same on every run."""

import hashlib
import io

import pytest
from PIL import Image, ImageStat

from newsletter.demo import pictures
from newsletter.demo.stories import load_stories
from tests.unit.demo.conftest import NOW, ask


@pytest.mark.parametrize("name", pictures.NAMES)
def test_each_picture_decodes_at_its_size_is_small_and_far_from_flat(site, name):
    answer = ask(site, f"/pictures/{name}.jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert len(answer.body) < 120_000
    picture = Image.open(io.BytesIO(answer.body))
    picture.load()
    assert (picture.format, picture.size) == ("JPEG", (1200, 675))
    darkest, lightest = picture.convert("L").getextrema()
    assert lightest - darkest > 120


def test_there_are_at_least_twelve_different_pictures_and_every_story_uses_one_of_them():
    assert len({hashlib.sha256(pictures.picture_jpeg(name)).digest() for name in pictures.NAMES}) >= 12
    for section in ("stories", "field", "partner"):
        for story in load_stories(section, now=NOW):
            assert not story.picture or (story.picture in pictures.NAMES and story.alt)


def test_no_two_stories_of_one_language_share_a_picture():
    stories = [*load_stories("stories", now=NOW), *load_stories("field", now=NOW)]
    used = [story.picture for story in stories if story.picture]
    assert len(used) == len(set(used))


def test_painting_again_gives_the_same_bytes():
    first = pictures.picture_jpeg("harbour")
    assert pictures.picture_jpeg.__wrapped__("harbour") == first


@pytest.mark.parametrize(("path", "light"), [("/logo.png", False), ("/logo-dark.png", True)])
def test_the_logo_is_transparent_and_its_ink_suits_its_background(site, path, light):
    answer = ask(site, path)
    logo = Image.open(io.BytesIO(answer.body))
    assert (logo.format, logo.mode, logo.size) == ("PNG", "RGBA", (640, 192))
    assert len(answer.body) < 60_000
    assert logo.getpixel((0, 0))[3] == 0
    solid = logo.getchannel("A").point([0] * 251 + [255] * 5)
    mean = ImageStat.Stat(logo.convert("L"), mask=solid).mean[0]
    assert mean > 160 if light else mean < 110
