"""The choice of a language in forms, by the languages' own names."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from newsletter.common.translation import language_choices
from newsletter.models import Publication


def make_language_select(current: str, *, unset: str) -> forms.Select:
    """Return a select of the offered languages and the current one. ``unset`` is the label of no language."""
    return forms.Select(choices=[("", unset), *language_choices(current)[1:]])


def set_up_languages(form: "forms.ModelForm[Any]", *, unset: str) -> None:
    """Give a form of content its select of languages, and the error for an original that is a translation itself."""
    form.fields["language"].widget = make_language_select(form.instance.language, unset=unset)
    form.fields["translation_of"].error_messages["invalid_choice"] = _(
        "This is a translation itself. Choose its original."
    )


def propose_language(form: "forms.ModelForm[Any]") -> None:
    """Propose the language of the publications for a new row, if all have the same."""
    languages = set(Publication.objects.filter(archived=False).values_list("language", flat=True))
    if form.instance.pk is None and not form.initial.get("language") and len(languages) == 1:
        (form.initial["language"],) = languages
