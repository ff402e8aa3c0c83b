"""Subscribers and their former identities."""

import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy, ngettext_lazy

from newsletter.common.text import remove_accents
from subscribers.addresses.normalise import mask
from subscribers.models.lists import Topic
from subscribers.models.locations import SubscriberLocation

MAX_NAME_LENGTH, MAX_FOLDED_LENGTH = 200, 400


class Giving(models.TextChoices):
    """The gifts of a person, as far as they are known. New people have NONE, which thus does not mean that they never gave."""

    NONE = "none", gettext_lazy("no gift known")
    DONOR = "donor", gettext_lazy("has given")
    MONTHLY = "monthly", gettext_lazy("gives monthly")


def fold_name(name: str) -> str:
    """Return a name as a search finds it: in lower case and without accents."""
    return remove_accents(name)[:MAX_FOLDED_LENGTH]


class FoldedNameField(models.CharField):  # type: ignore[type-arg]  # has no type arguments at run time
    """The folded name of a subscriber, written with each row. Statements that bypass the ORM write it themselves."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold_name(getattr(model_instance, "name"))  # noqa: B009  a model has no attribute of this name
        setattr(model_instance, self.attname, folded)
        return folded


class Subscriber(models.Model):
    """One address and its owner's choices. `address_hash` is the identity, shared by all spellings of a mailbox."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    email = models.CharField(max_length=254, unique=True)
    address_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    name = models.CharField(max_length=MAX_NAME_LENGTH, blank=True, default="")
    folded_name = FoldedNameField(max_length=MAX_FOLDED_LENGTH, blank=True, default="", db_default="", editable=False)
    place = models.ForeignKey(
        SubscriberLocation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="subscribers",
        db_index=False,  # subscriber_groups is its index
    )
    radius_km = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text=gettext_lazy("How far they would travel to an event. Leave empty to use the publication’s distance."),
    )
    language = models.CharField(max_length=16, blank=True, default="")
    giving = models.CharField(max_length=8, choices=Giving.choices, default=Giving.NONE)
    timezone = models.CharField(max_length=64, blank=True, default="")
    source = models.CharField(max_length=120, blank=True, default="")
    topics = models.ManyToManyField(Topic, blank=True, related_name="subscribers")
    import_batch = models.ForeignKey(
        "subscribers.ImportBatch",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="people",
    )
    created_at = models.DateTimeField()

    counted_as = ngettext_lazy("%(number)s subscriber", "%(number)s subscribers", "count")
    wagtail_reference_index_ignore = True

    class Meta:
        permissions = [("reveal", "Can see whole addresses")]
        constraints = [
            models.CheckConstraint(condition=models.Q(giving__in=Giving.values), name="subscriber_giving"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="subscriber_created"),
            models.Index(fields=["place", "giving", "radius_km", "timezone"], name="subscriber_groups"),
        ]

    def __str__(self) -> str:
        return mask(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if "name" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*kwargs["update_fields"], "folded_name"}
        super().save(*args, **kwargs)

    @property
    def first_name(self) -> str:
        """Return the first word of the name, or ""."""
        return self.name.split(maxsplit=1)[0] if self.name.strip() else ""


class FormerIdentity(models.Model):
    """The link identity of a subscriber who was merged into another. Old links keep working."""

    uuid = models.UUIDField(unique=True, editable=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="former_identities")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name_plural = gettext_lazy("former identities")

    def __str__(self) -> str:
        return f"now {self.subscriber}"
