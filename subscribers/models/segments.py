"""Saved segments and custom attributes. `subscribers.segments` defines what rules mean."""

from django.db import models
from django.utils.translation import gettext_lazy
from wagtail.models import PreviewableMixin

from subscribers.attribute_rules import MAX_KEY_LENGTH, MAX_VALUE_LENGTH
from subscribers.models.people import Subscriber


class Segment(PreviewableMixin, models.Model):
    slug = models.SlugField(gettext_lazy("slug"), max_length=80, unique=True)
    name = models.CharField(gettext_lazy("name"), max_length=120)
    rule = models.JSONField(
        gettext_lazy("rule"),
        default=dict,
        help_text=gettext_lazy('Such as {"all": [{"region": "GB-ENG"}, {"topic": "events"}]}'),
    )
    archived = models.BooleanField(gettext_lazy("archived"), default=False, editable=False)

    class Meta:
        verbose_name = gettext_lazy("segment")
        verbose_name_plural = gettext_lazy("segments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SubscriberAttribute(models.Model):
    """One value of one person, such as (`membership`, “Gold”). `folded` is the value as rules compare it.

    A key is lower case with underscores. A value is never empty.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="attributes", db_index=False)
    key = models.CharField(max_length=MAX_KEY_LENGTH)
    value = models.CharField(max_length=MAX_VALUE_LENGTH)
    folded = models.CharField(max_length=MAX_VALUE_LENGTH)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "key"], name="attribute_one_value"),
            models.CheckConstraint(condition=~models.Q(key="") & ~models.Q(value=""), name="attribute_not_empty"),
        ]
        indexes = [models.Index(fields=["key", "folded", "subscriber"], name="attribute_key_value")]

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
