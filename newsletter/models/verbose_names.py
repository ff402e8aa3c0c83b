"""Makes the names of tables and fields translatable that the models leave to Django, such as “from name”."""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Field, Model
from django.utils.translation import gettext_lazy

OURS = ("newsletter", "subscribers")
EDITED = {
    "Appeal",
    "Brand",
    "EventNotice",
    "Issue",
    "MailingList",
    "Publication",
    "Segment",
    "Source",
    "Story",
    "Topic",
}  # what staff fill in forms of


def translate_names() -> None:
    """Run once, when all models are there. Migrations do not see it: they read what the models themselves say."""
    for model in _models():
        for field in _fields(model):
            field.verbose_name = gettext_lazy(str(field.verbose_name))
        for name in ("verbose_name", "verbose_name_plural"):
            if name not in model._meta.original_attrs:
                setattr(model._meta, name, gettext_lazy(str(getattr(model._meta, name))))


def list_names() -> set[str]:
    """Every such name, in English: of the tables, and of the fields that a form may ask for."""
    names = set()
    for model in _models():
        names |= {str(model._meta.verbose_name), str(model._meta.verbose_name_plural)}
        names |= {str(field.verbose_name) for field in _fields(model)}
    return names


def _models() -> Iterator[type[Model]]:
    for label in OURS:
        yield from apps.get_app_config(label).get_models()


def _fields(model: type[Model]) -> Iterator["Field[object, object]"]:
    if model.__name__ not in EDITED:
        return
    for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
        if field.editable and not field.primary_key and getattr(field, "_verbose_name", None) is None:
            yield field
