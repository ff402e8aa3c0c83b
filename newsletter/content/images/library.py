"""Put the pictures of stories into the picture library, where staff describe them, set a focal point and choose them."""

import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePath

from django.conf import settings
from django.db.models import Q, QuerySet
from wagtail.images.models import AbstractImage, Image

from newsletter.content.images.hosting import LIBRARY_COPY, image_path
from newsletter.models import Picture, Story, StoryImage


def add_story_image(story: Story) -> None:
    """Add the story's picture to the library, unless it is there already. Both share one file on disk."""
    picture = story.picture
    if picture is None or StoryImage.objects.filter(story=story, picture=picture).exists():
        return
    file = f"original_images/story-{story.pk}-{picture.pk}{PurePath(picture.file).suffix}"
    try:
        _link_file(image_path(picture), Path(settings.MEDIA_ROOT) / file)
    except OSError:
        return
    image = Image.objects.create(
        title=story.title[:255],
        description=story.picture_alt[:255],
        file=file,
        width=picture.width,
        height=picture.height,
        file_size=picture.byte_size,
    )
    StoryImage.objects.create(image=image, story=story, picture=picture, file=file)


def find_story_image(image: AbstractImage) -> StoryImage | None:
    """Return the row that ties an image of the library to its story, or None for an upload by staff."""
    return getattr(image, "of_story", None)


def find_library_image(picture: Picture, *, story: Story) -> AbstractImage | None:
    """Return the story's picture as it is in the library."""
    row = StoryImage.objects.select_related("image", "story", "picture").filter(picture=picture, story=story).first()
    return row.image if row else None


def find_upload_copies(image: AbstractImage) -> QuerySet[Picture]:
    """Return our copies of an upload by staff, with their renditions: what mails and web pages show.

    A story's picture has none, because its copies are the story's.
    """
    if find_story_image(image) is not None:
        return Picture.objects.none()
    full_copies = Picture.objects.filter(source_url__startswith=LIBRARY_COPY.format(image=image.pk))
    return Picture.objects.filter(Q(pk__in=full_copies) | Q(original__in=full_copies))


def withdraw_upload(image: AbstractImage, *, now: datetime) -> int:
    """Show a neutral image in place of an upload by staff, also in delivered mails. Return the number of copies.

    The same file under another name goes with it, because it shows the same person. No reinstated story brings it back.
    """
    files = set(find_upload_copies(image).values_list("sha256", flat=True))
    return Picture.objects.filter(sha256__in=files).update(withdrawn_at=now)


def _link_file(file: Path, name: Path) -> None:
    """Give the file a second name, so that deleting one of the two keeps the other. Copy it if the disk has no links."""
    name.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        try:
            os.link(file, name)
        except FileExistsError:
            raise
        except OSError:
            shutil.copyfile(file, name)
