"""Custom attributes: what an organisation knows about a person beyond the product's own columns."""

from django.db import models

from subscribers.attribute_rules import MAX_KEY_LENGTH, MAX_VALUE_LENGTH
from subscribers.models.people import Subscriber


class SubscriberAttribute(models.Model):
    """One value of one person, such as (`membership`, “Gold”). `folded` is the value as rules compare it.

    A key is lower case with underscores; a value is never empty.
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
