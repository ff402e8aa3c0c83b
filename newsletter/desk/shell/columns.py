"""Columns of the desk's lists: states as coloured tags, and cells made by a template."""

from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.html import format_html
from wagtail.admin.ui.tables import Column

from newsletter.desk.shell.labels import label_issue_state
from newsletter.models import Issue


class StateColumn(Column):
    """The issue's state, with a tag if it is on hold."""

    cell_template_name = "desk/cells/state.html"

    def get_cell_context_data(self, instance: Issue, parent_context: object) -> dict[str, object]:
        return {**super().get_cell_context_data(instance, parent_context), "state": label_issue_state(instance)}


class TemplateColumn(Column):
    """A cell made by a template that gets the row as ``row``."""

    def __init__(self, name: str, *, template: str, **kwargs: object) -> None:
        super().__init__(name, **kwargs)
        self.template = template

    def get_value(self, instance: Model) -> str:
        return format_html("{}", render_to_string(self.template, {"row": instance}))
