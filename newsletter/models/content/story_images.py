"""The pictures of stories in the picture library."""

from django.db import models
from wagtail.images import get_image_model_string

from newsletter.models.content.pictures import Picture
from newsletter.models.content.stories import Story


class StoryImage(models.Model):
    """A picture of the library that came with a story. The rules that protect the story hold for each use of the picture.

    ``picture`` is our copy for mails; it is used until staff replace the file in the library. ``story`` is empty after the
    story was deleted: then nothing shows the picture.
    """

    image = models.OneToOneField(get_image_model_string(), on_delete=models.CASCADE, related_name="of_story")
    story = models.ForeignKey(Story, on_delete=models.SET_NULL, null=True, related_name="images")
    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="library_images")
    file = models.CharField(max_length=100)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["story", "picture"], name="story_image_once")]

    def __str__(self) -> str:
        return str(self.story or "")
