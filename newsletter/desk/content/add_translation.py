"""The form of a new story, event or appeal, filled in as the translation of another row."""

from collections.abc import Sequence
from typing import Any

from django.forms.models import model_to_dict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from newsletter.common.languages import find_offered_language
from newsletter.common.translation import language_label

MAX_DIGITS = 18


class AddTranslationMixin:
    """A page whose address may name an original and a language: ``?translation_of=7&language=es``.

    The form begins with both, and with the original's ``copied_fields``: facts that need no translation.
    """

    copied_fields: Sequence[str] = ()

    def get_page_title(self) -> str:
        if self.original is None:
            return str(super().get_page_title())  # type: ignore[misc]
        values = {"title": self.original, "language": language_label(self.asked_language)}
        return _("Translate “%(title)s” into %(language)s") % values

    def get_initial(self) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_initial()  # type: ignore[misc]
        if self.original is None:
            return initial
        from_address = {"translation_of": self.original.pk, "language": self.asked_language}
        return {**initial, **from_address, **self.copy_facts(self.original)}

    @property
    def asked_language(self) -> str:
        """Return the language that the address names, if we have it."""
        language: str = self.request.GET.get("language", "")  # type: ignore[attr-defined]
        return language if find_offered_language(language) == language else ""

    @cached_property
    def original(self) -> Any:
        """The row that the address names, if it exists and is no translation itself; None without a language."""
        pk: str = self.request.GET.get("translation_of", "")  # type: ignore[attr-defined]
        if not (self.asked_language and pk.isdecimal() and len(pk) <= MAX_DIGITS):
            return None
        rows = self.model._default_manager  # type: ignore[attr-defined]
        return rows.filter(pk=int(pk), translation_of__isnull=True).first()

    def copy_facts(self, original: Any) -> dict[str, Any]:
        return model_to_dict(original, fields=self.copied_fields)
