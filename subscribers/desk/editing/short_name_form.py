"""The short name of a row: made from the name when the row is created, unless somebody types another."""

from typing import Any

from django.db.models import Model
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm

from newsletter.common.fields.limited_text import LimitedTextsMixin

CleanedData = dict[str, Any]
"""The values of a form by the names of its fields."""
MAX_SLUG_FROM_NAME = 40
"""Shorter than any slug column, so that a number fits behind it."""


class NamedForm(LimitedTextsMixin, WagtailAdminModelForm):
    """A form that makes an empty `slug` of a new row from its name, which is the field ``named_by``."""

    named_by = "name"

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].label = _("Short name")
            if not self.instance.pk:
                self.fields["slug"].required = False
                self.initial["slug"] = ""

    def clean(self) -> CleanedData:
        cleaned: CleanedData = super().clean()
        if not self.instance.pk and not cleaned.get("slug") and "slug" not in self.errors:
            self.instance.slug = cleaned["slug"] = make_slug(cleaned.get(self.named_by) or "", model=self._meta.model)
        return cleaned


class ShortNameForm(NamedForm):
    """A form whose `slug` can be set only when the row is created, because rules and files name the row by it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        slug = self.fields.get("slug")
        if slug is None:
            return
        if self.instance.pk:
            slug.disabled = True
            slug.help_text = _(
                "Rules, publications and the organisation’s file use the short name, so you cannot change it."
                " To rename, change the name above."
            )
        else:
            slug.help_text = _(
                "Made from the name if you leave it empty. Rules and the organisation’s file use it, so you cannot change"
                " it later."
            )


def make_slug(name: str, *, model: type[Model]) -> str:
    """Return a slug of the name that no row of the model has. A name without Latin letters gives the model's name."""
    base = slugify(name)[:MAX_SLUG_FROM_NAME].strip("-") or str(model._meta.model_name)
    rows, slug, number = model._default_manager, base, 2
    while rows.filter(slug=slug).exists():
        slug, number = f"{base}-{number}", number + 1
    return slug
