"""Fields for the address of a web page. Django's own also take ``ftp:``, and make a page of an email address."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import models
from django.utils.translation import gettext_lazy

_INVALID = gettext_lazy(
    "This is not the address of a web page. Copy it from your browser, such as https://www.example.org/page."
)


class WebAddressFormField(forms.URLField):
    """A form field for an http or https address. Without a scheme, it is https."""

    default_validators = [URLValidator(schemes=["http", "https"])]
    default_error_messages = {
        "invalid": _INVALID,
        "email": gettext_lazy(
            "This is an email address. Enter the address of a web page, such as https://www.example.org/page."
        ),
    }

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"assume_scheme": "https", **kwargs})  # type: ignore[arg-type]

    def widget_attrs(self, widget: forms.Widget) -> dict[str, object]:
        """Return no maxlength: a browser would cut a longer address without a word, and it would lead elsewhere."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def to_python(self, value: object) -> str | None:
        if _is_email(str(value or "").strip().removeprefix("mailto:")):
            raise ValidationError(self.error_messages["email"], code="email")
        address: str | None = super().to_python(value)
        return address


class WebAddressField(models.URLField):  # type: ignore[type-arg]
    """A URLField that accepts only http and https. The column is the same."""

    default_validators = [URLValidator(schemes=["http", "https"])]
    default_error_messages = {"invalid": _INVALID}
    form_class: type[forms.URLField] = WebAddressFormField

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": self.form_class, **kwargs})

    def deconstruct(self) -> tuple[str, str, Sequence[object], dict[str, object]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.URLField", args, kwargs


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
