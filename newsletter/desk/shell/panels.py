"""Panels of the editors that only say something: drawn by a template from the row, nothing to fill in."""

from collections.abc import Callable
from typing import Any

from wagtail.admin.panels import Panel


class TemplatePanel(Panel):
    """``say(row)`` gives the template's context, or None where there is nothing to say (as for a row not yet saved)."""

    def __init__(self, *, say: Callable[[Any], dict[str, Any] | None], template: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.say = say
        self.template = template

    def clone_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().clone_kwargs()
        return {**kwargs, "say": self.say, "template": self.template}

    class BoundPanel(Panel.BoundPanel):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.template_name = self.panel.template
            self.said = self.panel.say(self.instance) if self.instance.pk else None

        def is_shown(self) -> bool:
            return self.said is not None and bool(super().is_shown())

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            return {**context, **(self.said or {})}
