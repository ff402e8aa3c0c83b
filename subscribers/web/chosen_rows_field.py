"""Rows that a person chose from, by their numbers."""

from collections.abc import Iterable
from typing import Any

from django import forms

_MAX_DIGITS = 18


class ChosenRowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """A number that no database can hold is refused like any other that was not offered."""

    def clean(self, value: Iterable[Any] | None) -> Any:
        given = [str(one) for one in value or ()]
        wrong = next((one for one in given if len(one) > _MAX_DIGITS), "")
        if wrong:
            raise forms.ValidationError(self.error_messages["invalid_choice"], params={"value": wrong[:_MAX_DIGITS]})
        return super().clean(given)
