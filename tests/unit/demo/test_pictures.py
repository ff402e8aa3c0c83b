"""The sample pictures are JPEG files of a fair size, and every story uses one that exists."""

import io

import pytest
from PIL import Image, ImageStat

from newsletter.demo.sample_content import load_stories
from newsletter.demo.site_pages import SITE_FILES
from tests.support.demo_site import NOW, ask

NAMES = sorted(file.stem for file in SITE_FILES.glob("pictures/*.jpg"))


@pytest.mark.parametrize("name", NAMES)
def test_each_picture_has_its_size_and_contrast(site, name):
    answer = ask(site, f"/pictures/{name}.jpg")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert len(answer.body) < 120_000
    picture = Image.open(io.BytesIO(answer.body))
    picture.load()
    assert (picture.format, picture.size) == ("JPEG", (1200, 675))
    darkest, lightest = picture.convert("L").getextrema()
    assert lightest - darkest > 120


def test_every_story_picture_exists_and_has_a_description():
    assert len({(SITE_FILES / "pictures" / f"{name}.jpg").read_bytes() for name in NAMES}) >= 12
    for section in ("stories", "field", "partner"):
        for story in load_stories(section, now=NOW):
            assert not story.picture or (story.picture in NAMES and story.alt)


def test_no_two_stories_of_one_language_share_a_picture():
    stories = [*load_stories("stories", now=NOW), *load_stories("field", now=NOW)]
    used = [story.picture for story in stories if story.picture]
    assert len(used) == len(set(used))


def test_all_files_of_the_site_are_small():
    assert sum(file.stat().st_size for file in SITE_FILES.rglob("*") if file.is_file()) < 1_500_000


@pytest.mark.parametrize(("path", "light"), [("/logo.png", False), ("/logo-dark.png", True)])
def test_each_logo_is_transparent_and_suits_its_background(site, path, light):
    answer = ask(site, path)
    logo = Image.open(io.BytesIO(answer.body))
    assert (logo.format, logo.mode, logo.size) == ("PNG", "RGBA", (640, 192))
    assert len(answer.body) < 60_000
    assert logo.getpixel((0, 0))[3] == 0
    solid = logo.getchannel("A").point([0] * 251 + [255] * 5)
    mean = ImageStat.Stat(logo.convert("L"), mask=solid).mean[0]
    assert mean > 160 if light else mean < 110
