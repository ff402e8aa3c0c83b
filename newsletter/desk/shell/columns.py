"""The column of an issue's state in the desk's lists."""

from wagtail.admin.ui.tables import Column

from newsletter.desk.shell.labels import label_issue_state
from newsletter.models import Issue


class StateColumn(Column):
    """The issue's state. The list's query annotates `written_to_files`."""

    cell_template_name = "desk/cells/state.html"

    def get_cell_context_data(self, instance: Issue, parent_context: object) -> dict[str, object]:
        state = label_issue_state(instance, to_files=getattr(instance, "to_files", False))
        return {**super().get_cell_context_data(instance, parent_context), "state": state}
