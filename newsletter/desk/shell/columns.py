"""Columns of the desk's lists: states as coloured tags, and small words for numbers."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html
from wagtail.admin.ui.tables import Column

from newsletter.desk.shell.labels import label_issue_state


class StateColumn(Column):
    """The issue's state in words, with a mark when it is held."""

    cell_template_name = "desk/cells/state.html"

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context.update(label_issue_state(instance))
        return context


class TemplateColumn(Column):
    """A cell drawn by a template that gets the row as ``row``."""

    def __init__(self, name: str, *, template: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.template = template

    def get_value(self, instance: Any) -> Any:
        return format_html("{}", render_to_string(self.template, {"row": instance}))
