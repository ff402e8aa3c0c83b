"""Content in several languages: rows that are the translation of another row, and texts of issues in other languages."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.models.publications import Publication


class TranslationMixin(models.Model):
    """Content in a language, which may be the translation of another row: one a language for each original.

    Readers of that language get it in place of the original. A translation has no further translations. The foreign key
    names ``original_key``, which only originals have, so the database refuses a chain.
    """

    language = models.CharField(gettext_lazy("language"), max_length=12, blank=True)
    translation_of: Any = models.ForeignKey(
        "self",
        to_field="original_key",
        verbose_name=gettext_lazy("translation of"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="translations",
        help_text=gettext_lazy("Readers of its language get it in place of this one."),
    )
    original_key = models.GeneratedField(
        expression=models.Case(models.When(translation_of__isnull=True, then=models.F("pk"))),
        output_field=models.BigIntegerField(),
        db_persist=True,
        unique=True,
    )

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["translation_of", "language"],
                name="%(class)s_one_translation_per_language",
                violation_error_message=gettext_lazy("There is a translation in this language already."),
            ),
            models.CheckConstraint(
                condition=models.Q(translation_of__isnull=True) | ~models.Q(translation_of=models.F("pk")),
                name="%(class)s_translates_another",
                violation_error_message=gettext_lazy("It cannot be a translation of itself."),
            ),
            models.CheckConstraint(
                condition=models.Q(translation_of__isnull=True) | ~models.Q(language=""),
                name="%(class)s_translation_has_language",
                violation_error_message=gettext_lazy("Choose the language of the translation."),
            ),
        ]

    def clean(self) -> None:
        """Raise ValidationError if the original is a translation itself, or if this row has translations."""
        super().clean()
        original = self.translation_of
        if original is None:
            return
        if original.translation_of_id is not None:
            raise ValidationError({"translation_of": _("This is a translation itself. Choose its original.")})
        row: Any = self
        if row.pk and row.translations.exists():
            raise ValidationError({"translation_of": _("This has translations itself, so it is an original.")})


class TextTranslation(models.Model):
    """A text of a publication's issues in another language. It holds wherever one of its issues has the same text.

    ``source`` is the text in the publication's own language, ``source_sha256`` its hash. If staff change the original, the
    changed text has no translation until somebody writes one.
    """

    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="text_translations")
    language = models.CharField(max_length=12)
    source_sha256 = models.CharField(max_length=64)
    source = models.TextField()
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["publication", "language", "source_sha256"], name="text_translated_once_per_language"
            ),
            models.CheckConstraint(condition=~models.Q(text=""), name="text_translation_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.text[:60]}"
