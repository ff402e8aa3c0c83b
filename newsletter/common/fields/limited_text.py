"""Limits of texts that only the server checks: with ``maxlength``, a browser cuts what is pasted without a word."""

from typing import cast

from django import forms


class LimitedTextField(forms.CharField):
    """A CharField that keeps a longer text and names its limit. A line break counts as one character."""

    def to_python(self, value: object) -> str:
        text: str = super().to_python(value) or ""
        return text.replace("\r\n", "\n")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, object]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class LimitedTextsMixin:
    """A form whose fields keep longer texts and name their limits."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for field in cast(forms.BaseForm, self).fields.values():
            field.widget.attrs.pop("maxlength", None)
