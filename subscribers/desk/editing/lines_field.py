"""A form field for a value that people type as text, one part a line."""

from abc import ABC, abstractmethod
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class LinesField(forms.Field, ABC):
    """Subclasses say how lines become the value, and how the value becomes lines."""

    widget = forms.Textarea(attrs={"rows": 3})

    @abstractmethod
    def read_lines(self, lines: list[str]) -> object:
        """Return the value of these lines, none of which is blank. Raises ValidationError."""

    @abstractmethod
    def write_lines(self, value: Any) -> list[str]:
        """Return the lines of a value."""

    def prepare_value(self, value: object) -> str:
        return value if isinstance(value, str) else "\n".join(self.write_lines(value) if value else [])

    def to_python(self, value: object) -> object:
        typed = value.splitlines() if isinstance(value, str) else self.write_lines(value) if value else []
        return self.read_lines([line.strip() for line in typed if line.strip()])

    def has_changed(self, initial: object, data: object) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True
