"""The check of the languages in which a publication can have translations."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from newsletter.common.languages import OFFERED_LANGUAGES, find_offered_language


def check_further_languages(languages: object, *, language: str) -> None:
    """Raise ValidationError, which names the language, if the product has no texts in one, or if it is the publication's own."""
    if not isinstance(languages, list):
        raise ValidationError({"languages": _("Write a list of languages.")})
    for code in languages:
        if code not in OFFERED_LANGUAGES:
            offered = ", ".join(OFFERED_LANGUAGES)
            message = _("“%(code)s” is no language that mails can be in. Choose from %(known)s.")
            raise ValidationError({"languages": message % {"code": code, "known": offered}})
        if code == find_offered_language(language):
            raise ValidationError(
                {"languages": _("“%(code)s” is the language of the publication already.") % {"code": code}}
            )
    if len(set(languages)) < len(languages):
        raise ValidationError({"languages": _("A language is named twice.")})
