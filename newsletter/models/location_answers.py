"""What staff answered when the place of an event was a question."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from newsletter.models.sources import Source


class SettledPlace(models.Model):
    """Where the words of a source are: the answer to a question, used whenever the source writes them again.

    ``words`` are folded, so that capitals, accents and line breaks make no new question.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="settled_places")
    words = models.CharField(max_length=300)
    town = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=10, blank=True)
    latitude = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(validators=[MinValueValidator(-180), MaxValueValidator(180)])
    zone = models.CharField(max_length=60, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "words"], name="place_settled_once")]

    def __str__(self) -> str:
        return f"{self.words}: {self.town}"
