"""Subscribers' locations, no finer than a town."""

from django.db import models
from django.utils.translation import get_language, gettext_lazy

from newsletter.common.errors import UnknownPlace
from subscribers.places.regions import country_label, has_region_names, region_label
from subscribers.places.search import find_place
from subscribers.places.town_names import town_label


class SubscriberLocation(models.Model):
    """A town, region or country that at least one subscriber named, shared by everyone there.

    `key` is such as "US|US-TX|Houston|29.76|-95.37". Coordinates are degrees rounded to two decimals (about a kilometre).
    """

    key = models.CharField(max_length=200, unique=True)
    country = models.CharField(max_length=2, blank=True, default="", help_text=gettext_lazy("ISO 3166-1, such as GB"))
    region = models.CharField(max_length=8, blank=True, default="", help_text=gettext_lazy("ISO 3166-2, such as US-TX"))
    town = models.CharField(max_length=120, blank=True, default="")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    zone = models.CharField(max_length=64, blank=True, default="")

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [
            models.Index(fields=["country", "region"], name="place_country_region"),
            models.Index(fields=["region"], name="place_region"),
        ]

    def __str__(self) -> str:
        """Return “Houston, Texas, United States” in the current language; “Madrid, Spain” for the town in the region Madrid.

        In a language without names of regions, the region is left out if the town and the country alone name the same town.
        """
        language = get_language() or "en"
        town = town_label(self.town, country=self.country, language=language)
        names = (
            town,
            region_label(self.region, language=language) if self._needs_region(town, language=language) else "",
            country_label(self.country, language=language) if self.country else "",
        )
        return ", ".join(dict.fromkeys(name for name in names if name))

    def _needs_region(self, town: str, *, language: str) -> bool:
        if not (self.region and town and self.country) or has_region_names(language):
            return bool(self.region)
        try:
            found = find_place(town, country=self.country).place
        except UnknownPlace:
            return True
        return found is None or (found.name, found.region) != (self.town, self.region)


def location_key(*, country: str, region: str, town: str, latitude: float | None, longitude: float | None) -> str:
    """Return the unique key of a location. It ignores the case of country and region."""
    spot = [f"{value:.2f}" if value is not None else "" for value in (latitude, longitude)]
    return "|".join([country.upper(), region.upper(), town, *spot])
