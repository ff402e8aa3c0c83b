"""Duplicate a row in the desk: the form of a new row with everything of the old one."""

from typing import Any, ClassVar

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.snippets.views.snippets import CopyView


class DuplicableMixin:
    """For lists and edit views: Wagtail's “Copy” is called “Duplicate”."""

    object: Any

    def get_list_more_buttons(self, instance: object) -> list[object]:
        return _relabel(super().get_list_more_buttons(instance))  # type: ignore[misc]

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        return _relabel(super().header_more_buttons)  # type: ignore[misc]


class DuplicateTitle:
    """For views that open a copy: the title names the row that is copied."""

    def get_page_title(self) -> str:
        row = super().get_object()  # type: ignore[misc]
        return _("Duplicate %(kind)s: %(row)s") % {"kind": row._meta.verbose_name, "row": row}


class DuplicateView(DuplicateTitle, CopyView):
    """Open the form of a new row with the values of another. Nothing is stored before it is saved.

    The form starts from a copy of the row itself, so values without a field are copied too. `changes` are values that a
    copy does not take over. A row without a name that staff tell it by is not ``renamed``.
    """

    changes: ClassVar[dict[str, object]] = {}
    renamed: ClassVar[bool] = True

    def get_initial_form_instance(self) -> object:
        row = self.get_object()
        self.many = {field.name: list(getattr(row, field.name).all()) for field in row._meta.many_to_many}
        row.pk, row._state.adding = None, True
        if self.renamed:
            row.name = _("%(name)s (copy)") % {"name": row.name}
        for field, value in self.changes.items():
            setattr(row, field, value)
        return row

    def get_form_kwargs(self) -> dict[str, object]:
        kwargs = super().get_form_kwargs()
        return {**kwargs, "initial": {**kwargs.get("initial", {}), **self.many}}

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "action_url": self.request.path}


def _relabel(buttons: list[Any]) -> list[Any]:
    for button in buttons:
        if button.icon_name == "copy":
            button.label = _("Duplicate")
    return buttons
