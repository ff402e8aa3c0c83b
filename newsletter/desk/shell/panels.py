"""Panels of the editors that show something and have no field, and what Wagtail tells scripts about a form: nothing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from django.contrib.admin.utils import label_for_field
from django.contrib.auth.context_processors import PermWrapper
from django.db.models import Model
from django.utils.functional import lazystr
from wagtail.admin.panels import FieldPanel, ObjectList, Panel
from wagtail.admin.telepath import Adapter, register

from newsletter.models import EventNotice, Story
from subscribers.desk.listing import walk_panels

Context = Mapping[str, object]

RULES = {"data-controller": "w-rules", "data-action": "change->w-rules#resolve"}
"""Attributes of a panel whose fields depend on each other. `show_if` marks the dependent ones."""


def show_if(field: str, *values: str) -> dict[str, str]:
    """Return the attributes of a panel that Wagtail's script shows only while the field has one of the values."""
    return {"data-w-rules-target": "show", "data-w-rules": json.dumps({field: values})}


def show_if_listed(field: str, list_values: Callable[[], list[str]]) -> dict[str, object]:
    """Return the attributes of a panel that is shown only while the field has a value of the list, which is made when shown."""
    return {"data-w-rules-target": "show", "data-w-rules": lazystr(_Rules(field, list_values))}


@dataclass(frozen=True)
class _Rules:
    field: str
    list_values: Callable[[], list[str]]

    def __str__(self) -> str:
        return json.dumps({self.field: self.list_values()})


class RequiredIfShownPanel(FieldPanel):
    """A field that is hidden unless it is required. It always has the star; the form checks it."""

    class BoundPanel(FieldPanel.BoundPanel):
        def is_required(self) -> bool:
            return True


class TemplatePanel(Panel):
    """A panel made by a template.

    ``get_context(row)`` returns the template's context, or None to hide the panel. A row without a key has no panel
    unless ``for_new``.
    """

    def __init__(
        self,
        *,
        get_context: Callable[[Any], Context | None],
        template: str,
        for_new: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.get_context = get_context
        self.template = template
        self.for_new = for_new

    def clone_kwargs(self) -> dict[str, object]:
        arguments = {"get_context": self.get_context, "template": self.template, "for_new": self.for_new}
        return {**super().clone_kwargs(), **arguments}

    class BoundPanel(Panel.BoundPanel):
        def __init__(self, **kwargs: object) -> None:
            super().__init__(**kwargs)
            self.template_name = self.panel.template
            has_panel = self.instance.pk or self.panel.for_new
            self.template_context = self.panel.get_context(self.instance) if has_panel else None

        def is_shown(self) -> bool:
            return self.template_context is not None and bool(super().is_shown())

        def get_context_data(self, parent_context: Context | None = None) -> dict[str, object]:
            perms = PermWrapper(self.request.user)
            return {**super().get_context_data(parent_context), "perms": perms, **(self.template_context or {})}


@cache
def find_field_labels(model: type[Model]) -> Mapping[str, object]:
    """Return the labels of a model's fields as its form shows them, by field and not yet in a language."""
    handler = model.snippet_viewset.get_edit_handler().bind_to_model(model)  # type: ignore[attr-defined]
    fields = handler.get_form_class().base_fields
    panels = (panel for panel in walk_panels(handler) if isinstance(panel, FieldPanel) and panel.field_name in fields)
    return {panel.field_name: panel.heading or fields[panel.field_name].label for panel in panels}


def label_edited_fields(row: Story | EventNotice) -> list[str]:
    """Return the fields that staff edited as the row's form names them."""
    model = type(row)
    labels = find_field_labels(model)
    return [str(labels.get(name) or label_for_field(name, model)) for name in row.edited_fields]


class _NodeBuilder(Protocol):
    def build_node(self, value: object) -> object: ...


class _UndescribedForm(Adapter):
    """Describe no form to scripts. For `window.wagtail.editHandler`, Wagtail would make each field a second time.

    None of its scripts and none of ours uses that object.
    """

    def build_node(self, obj: object, context: _NodeBuilder) -> object:
        return context.build_node(None)


register(_UndescribedForm(), ObjectList.BoundPanel)
