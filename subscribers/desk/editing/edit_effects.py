"""Side effects of saving a row. Other apps register them; edit pages name them first and ask for confirmation."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from newsletter.common.errors import NotConfirmed
from newsletter.common.translation import translate


class EditEffect(ABC):
    @abstractmethod
    def describe(self, row: Model, *, request: HttpRequest) -> SafeString:
        """Return the part of the form that explains the effects of a save elsewhere and asks to confirm, or an empty text."""

    @abstractmethod
    def saving(self, row: Model, *, request: HttpRequest) -> AbstractContextManager[None]:
        """Return the context of the save, inside its transaction. It raises NotConfirmed to undo the save."""


_EFFECTS: list[EditEffect] = []


def register_edit_effect(effect: EditEffect) -> None:
    _EFFECTS.append(effect)


class EditEffectsMixin:
    """For edit views of rows whose change has effects elsewhere."""

    request: HttpRequest
    object: Any
    produced_error_message: str

    def get_template_names(self) -> list[str]:
        return ["desk/edit_row.html"]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**context, "effects": [effect.describe(self.object, request=self.request) for effect in _EFFECTS]}

    def save_instance(self) -> object:
        """Save in the transaction that Wagtail's view opens."""
        with ExitStack() as stack:
            for effect in _EFFECTS:
                stack.enter_context(effect.saving(self.object, request=self.request))
            return super().save_instance()  # type: ignore[misc]

    def form_valid(self, form: object) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        except NotConfirmed as error:
            self.produced_error_message = translate(error)
            response = self.form_invalid(form)  # type: ignore[attr-defined]
        return response
