"""The fields of the desk's forms, found by their labels."""

from collections.abc import Iterator
from functools import cache

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.urls import reverse
from django.utils.text import capfirst
from wagtail.admin.panels import FieldPanel, Panel

from newsletter.desk.home.search_hits import Hit
from newsletter.models import Appeal, Brand, EventNotice, Issue, Publication, Source, Story
from subscribers.models import MailingList, Segment, Topic

MODELS = (Publication, Brand, MailingList, Topic, Segment, Issue, Story, EventNotice, Appeal, Source)


def find_fields(person: User | AnonymousUser, typed: str) -> Iterator[Hit]:
    """Yield the fields whose label has each word, of the forms that the person may change.

    A hit leads to the row if there is only one, else to the list from which to choose it.
    """
    words = typed.casefold().split()
    for model in MODELS:
        names = model._meta
        if not person.has_perm(f"{names.app_label}.change_{names.model_name}"):
            continue
        for label in _list_labels(model):
            if all(word in label.casefold() for word in words):
                yield Hit(label, _find_url(model), str(capfirst(names.verbose_name_plural)))


def _list_labels(model: type[Model]) -> list[str]:
    return list(dict.fromkeys(str(label) for label in _find_labels(model)))


@cache
def _find_labels(model: type[Model]) -> list[object]:
    """Return the labels as the form shows them, not yet in a language."""
    handler = model.snippet_viewset.get_edit_handler().bind_to_model(model)  # type: ignore[attr-defined]
    fields = handler.get_form_class().base_fields
    panels = (panel for panel in _walk(handler) if isinstance(panel, FieldPanel) and panel.field_name in fields)
    return [panel.heading or fields[panel.field_name].label for panel in panels]


def _walk(panel: Panel) -> Iterator[Panel]:
    yield panel
    for child in getattr(panel, "children", ()):
        yield from _walk(child)


def _find_url(model: type[Model]) -> str:
    space = f"wagtailsnippets_{model._meta.app_label}_{model._meta.model_name}"
    rows = list(model._default_manager.values_list("pk", flat=True)[:2])
    return reverse(f"{space}:edit", args=rows) if len(rows) == 1 else reverse(f"{space}:list")
