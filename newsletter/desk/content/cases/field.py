"""The field of a story's case: type the name of a new case, or choose one that is there."""

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from subscribers.desk.editing.short_name_form import make_slug
from subscribers.models import Case

_LIST_ID = "nl-cases"


class CaseInput(forms.TextInput):
    """A text field that proposes the names of the known cases."""

    def render(self, name: str, value: object, attrs: object = None, renderer: object = None) -> SafeString:
        html = super().render(name, value, {**(attrs or {}), "list": _LIST_ID}, renderer)  # type: ignore[dict-item, arg-type]
        options = format_html_join("", '<option value="{}"></option>', Case.objects.values_list("name"))
        return format_html('{}<datalist id="{}">{}</datalist>', html, _LIST_ID, options)


class CaseField(forms.CharField):
    """Reads a name as a case, which is not saved yet if it is new. See `save_new_case`."""

    widget = CaseInput

    def prepare_value(self, value: object) -> object:
        case = Case.objects.filter(pk=value).first() if isinstance(value, int) else None
        return case.name if case else value

    def clean(self, value: object) -> Case | None:
        name = super().clean(value)
        if not name:
            return None
        return Case.objects.filter(name__iexact=name).first() or Case(name=name, slug=make_slug(name, model=Case))

    def has_changed(self, initial: object, data: object) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")


def save_new_case(case: Case | None) -> Case | None:
    """Save a case that the form made. Call it before its story is saved."""
    if case is not None and case.pk is None:
        case.save()
    return case
