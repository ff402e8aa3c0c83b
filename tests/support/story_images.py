"""Make stories with a picture that is in the picture library."""

from typing import Any

from PIL import Image as PillowImage
from wagtail.images.models import Image

from newsletter.content.images.hosting import host_image
from newsletter.content.images.library import add_story_image
from newsletter.models import Story
from tests.support.drawing import encode
from tests.support.fixtures import make_story


def make_pictured_story(title: str = "How Maya came home", **about: Any) -> tuple[Story, Image]:
    """An old story with a picture that is red at its left and blue at its right, and that picture in the library."""
    drawn = PillowImage.new("RGB", (1200, 300), (200, 20, 20))
    drawn.paste((20, 20, 200), (600, 0, 1200, 300))
    picture = host_image(data=encode(drawn, "JPEG"), source_url=f"https://example.org/{len(title)}.jpg")
    story = make_story(title, picture=picture, picture_alt="A gate", **{"days_old": 90, **about})
    add_story_image(story)
    return story, story.images.get().image
