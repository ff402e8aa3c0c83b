"""Appeals: ways to get involved."""

from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy

from newsletter.common.fields.web_address import WebAddressField
from newsletter.models.content.translations import TranslationMixin
from newsletter.models.publications import Publication
from newsletter.models.states import one_of


class Appeal(TranslationMixin, models.Model):
    """A way to get involved, for everybody or for people with one giving status.

    ``language`` "" and no ``publications`` mean all of them. It is shown from ``first_day`` to ``last_day``, and an appeal of
    a higher ``priority`` before others for the same people.
    """

    class Audience(models.TextChoices):
        ALL = "all", gettext_lazy("Everybody")
        NONE = "none", gettext_lazy("People who do not give yet")
        DONOR = "donor", gettext_lazy("Donors")
        MONTHLY = "monthly", gettext_lazy("Monthly partners")

    slug = models.SlugField(gettext_lazy("slug"), unique=True)
    headline = models.CharField(gettext_lazy("headline"), max_length=200)
    text = models.TextField(gettext_lazy("text"), blank=True)
    link = WebAddressField(gettext_lazy("link"), max_length=2000)
    button = models.CharField(gettext_lazy("button"), max_length=60)
    audience = models.CharField(gettext_lazy("for"), max_length=8, choices=Audience.choices, default=Audience.ALL)
    language = models.CharField(
        gettext_lazy("language"),
        max_length=12,
        blank=True,
        help_text=gettext_lazy("Empty: publications in any language."),
    )
    publications: "models.ManyToManyField[Publication, models.Model]" = models.ManyToManyField(
        Publication,
        verbose_name=gettext_lazy("publications"),
        blank=True,
        help_text=gettext_lazy("None chosen: all."),
    )
    first_day = models.DateField(gettext_lazy("first day"), null=True, blank=True)
    last_day = models.DateField(gettext_lazy("last day"), null=True, blank=True)
    priority = models.PositiveSmallIntegerField(
        gettext_lazy("priority"),
        default=0,
        help_text=gettext_lazy(
            "Of the appeals for their giving status, in their language if possible, people see the one with the highest number. "
            "An issue that is already made keeps its order; you can change it there."
        ),
    )
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)

    class Meta:
        verbose_name = gettext_lazy("appeal")
        verbose_name_plural = gettext_lazy("appeals")
        ordering = ["-priority", "slug"]
        constraints = [
            *TranslationMixin.Meta.constraints,
            one_of("appeal_audience", "audience", ["all", "none", "donor", "monthly"]),
            models.CheckConstraint(
                condition=models.Q(first_day__isnull=True)
                | models.Q(last_day__isnull=True)
                | models.Q(last_day__gte=models.F("first_day")),
                name="appeal_ends_after_it_begins",
                violation_error_message=gettext_lazy("The last day is before the first day."),
            ),
        ]

    def __str__(self) -> str:
        return self.headline

    def is_open(self, day: date) -> bool:
        """Return True if it is in use on this day."""
        begun = self.first_day is None or self.first_day <= day
        return self.enabled and begun and (self.last_day is None or day <= self.last_day)

    def is_for(self, publication_id: int) -> bool:
        """Return True if this publication may show it."""
        chosen = {publication.pk for publication in self.publications.all()}
        return not chosen or publication_id in chosen
