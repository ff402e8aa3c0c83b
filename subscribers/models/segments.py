"""A saved rule over subscribers. What rules mean is in `subscribers.segments`."""

from django.db import models
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin


class Segment(PreviewableMixin, models.Model):
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    rule = models.JSONField(
        default=dict, help_text=gettext_lazy('Such as {"all": [{"region": "GB-ENG"}, {"topic": "events"}]}')
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
