"""The form of a topic, with its names in other languages as lines such as “es: Tierra”."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.languages import OFFERED_LANGUAGES
from subscribers.desk.editing.short_name_form import ShortNameForm


class NamesField(forms.Field):
    """Names by language code, typed one per line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else "\n".join(f"{code}: {name}" for code, name in (value or {}).items())

    def to_python(self, value: Any) -> dict[str, str]:
        if not isinstance(value, str):
            return dict(value or {})
        names = {}
        for line in filter(str.strip, value.splitlines()):
            code, _colon, name = (part.strip() for part in line.partition(":"))
            if code.lower() not in OFFERED_LANGUAGES or not name:
                raise ValidationError(
                    _("“%(line)s”: write a language, a colon and the name, such as “es: Tierra”. Languages: %(codes)s.")
                    % {"line": line.strip(), "codes": ", ".join(OFFERED_LANGUAGES)}
                )
            names[code.lower()] = name[:120]
        return names

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.prepare_value(initial).splitlines() != self.prepare_value(data).splitlines()


class TopicForm(ShortNameForm):
    names = NamesField(
        required=False,
        label=gettext_lazy("Names in other languages"),
        help_text=gettext_lazy("One per line, such as “es: Tierra”. People who read that language see this name."),
    )
