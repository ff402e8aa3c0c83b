"""The address of a source: a web address, or one that calendar programs are given (``webcal:``)."""

from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.db import models

SCHEMES = ("http", "https", "webcal", "webcals")


class SourceAddressFormField(forms.URLField):
    default_validators = [URLValidator(schemes=SCHEMES)]


class SourceAddressField(models.URLField):  # type: ignore[type-arg]
    """A URLField that also takes ``webcal:`` addresses. The column is the same."""

    default_validators = [URLValidator(schemes=SCHEMES)]

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": SourceAddressFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.URLField", args, kwargs
