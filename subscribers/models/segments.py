"""A saved rule over subscribers. What rules mean is in `subscribers.segments`."""

from django.db import models
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin


class Segment(PreviewableMixin, models.Model):
    slug = models.SlugField(gettext_lazy("slug"), max_length=80, unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)
    rule = models.JSONField(
        gettext_lazy("rule"),
        default=dict,
        help_text=gettext_lazy('Such as {"all": [{"region": "GB-ENG"}, {"topic": "events"}]}'),
    )

    class Meta:
        verbose_name = gettext_lazy("segment")
        verbose_name_plural = gettext_lazy("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
