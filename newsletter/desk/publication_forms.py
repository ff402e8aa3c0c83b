"""Forms of publications and brands: a schedule is checked as it will be used, colours are picked."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from wagtail.admin.forms.models import WagtailAdminModelForm

from newsletter.errors import BadSchedule
from newsletter.issues.schedule import check_schedule

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class LinesField(forms.Field):
    """{network: url} as lines of “network: https://…”."""

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else "\n".join(f"{name}: {url}" for name, url in (value or {}).items())

    def to_python(self, value: Any) -> dict[str, str]:
        if not isinstance(value, str):
            return dict(value or {})
        links = {}
        for number, line in enumerate(filter(str.strip, value.splitlines()), 1):
            name, colon, url = (part.strip() for part in line.partition(":"))
            if not colon or not url.startswith(("https://", "http://")):
                raise ValidationError(
                    f"Line {number}: write the network, a colon and its address: “facebook: https://…”."
                )
            links[name.lower()] = url
        return links

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return dict(initial or {}) != self.to_python(data or "")
        except ValidationError:
            return True


class ColourField(forms.CharField):
    widget = forms.TextInput(attrs={"type": "color", "class": "nl-colour"})

    def clean(self, value: Any) -> str:
        colour: str = super().clean(value)
        if not _COLOUR.fullmatch(colour):
            raise ValidationError("Write a colour as # and six digits, such as #1f4e5f.")
        return colour.lower()


class BrandForm(WagtailAdminModelForm):
    colour = ColourField(help_text="Headlines and the masthead.")
    accent = ColourField(help_text="Buttons and links.")
    background = ColourField(help_text="Around the letter.")
    social = LinesField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="Social networks",
        help_text="One a line, such as “facebook: https://…”",
    )


class PublicationForm(WagtailAdminModelForm):
    def clean(self) -> Any:
        cleaned = super().clean()
        zone = cleaned.get("zone")
        for name in ("schedule", "digest_schedule"):
            schedule = cleaned.get(name)
            if not schedule or not zone:
                continue
            try:
                cleaned[name] = check_schedule(schedule=schedule, zone=zone)
            except BadSchedule as error:
                self.add_error("zone" if "time zone" in str(error) else name, str(error))
        return cleaned
