"""The interface of a translation, for extensions of the group ``newsletter.translations``.

It is loaded when the program starts, so its module imports neither Django nor anything that needs settings.
"""

import re
import tomllib
from collections.abc import Mapping
from gettext import GNUTranslations
from pathlib import Path
from typing import ClassVar

from babel import Locale, UnknownLocaleError

from newsletter.common.extension_registry import BadExtension, Extension, Registry

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
DOMAIN = "django"
_ORDER = ("en", "es", "fr", "de", "pt", "ro", "hi", "ar", "uk")


class Translation(Extension):
    """Texts in one language. A language of a translation is offered to readers.

    ``catalogue`` is a folder with ``<language>/LC_MESSAGES/django.mo``: the texts of pages, errors and checks, and of your own
    extensions. ``phrases`` and ``reader_texts`` are TOML files with the fixed texts of mails and of the archive. Each is None if
    there is none; English replaces what is missing. ``for_staff`` offers the language for the desk too.
    """

    language: ClassVar[str]
    catalogue: ClassVar[Path | None] = None
    phrases: ClassVar[Path | None] = None
    reader_texts: ClassVar[Path | None] = None
    for_staff: ClassVar[bool] = False


def read_texts(file: Path) -> dict[str, str]:
    """Return the texts of a TOML file by their keys. Raise BadExtension, which names the file."""
    try:
        texts = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadExtension("%(file)s cannot be read: %(error)s", file=file.name, error=str(error)) from error
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadExtension("%(file)s contains something other than texts", file=file.name)
    return texts


def _check(name: str, kind: Translation) -> None:
    """Read every file now: a broken catalogue would break each page in its language."""
    if not _LANGUAGE.fullmatch(kind.language):
        raise BadExtension("its language “%(code)s” is not of two or three small letters", code=kind.language)
    if kind.catalogue is not None:
        file = Path(kind.catalogue) / kind.language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        try:
            with file.open("rb") as opened:
                GNUTranslations(opened)
        except (OSError, ValueError, KeyError) as error:
            raise BadExtension("%(file)s cannot be read: %(error)s", file=file.name, error=str(error)) from error
    for texts in (kind.phrases, kind.reader_texts):
        if texts is not None:
            read_texts(Path(texts))


TRANSLATIONS = Registry("newsletter.translations", Translation, order=_ORDER, check=_check)


def collect_texts(own: Mapping[str, Mapping[str, str]], part: str) -> dict[str, dict[str, str]]:
    """Return the texts of every language: our own, and what translations have in the file that their ``part`` names.

    A text counts only if English has one of this key with all its placeholders. Our own are never replaced.
    """
    english = own["en"]
    texts = {language: dict(own_texts) for language, own_texts in own.items()}
    for kind in TRANSLATIONS.values():
        file = getattr(kind, part)
        for key, text in read_texts(Path(file)).items() if file is not None else ():
            if key in english and set(_PLACEHOLDER.findall(text)) <= set(_PLACEHOLDER.findall(english[key])):
                texts.setdefault(kind.language, {}).setdefault(key, text)
    return texts


def list_catalogues() -> list[Path]:
    """Return the folders of all catalogues. The first that has a text wins, so ours are first."""
    return list(dict.fromkeys(Path(kind.catalogue) for kind in TRANSLATIONS.values() if kind.catalogue is not None))


def list_desk_languages() -> list[tuple[str, str]]:
    """Return the languages besides English that staff may choose for the desk, with their own names."""
    codes = dict.fromkeys(kind.language for kind in TRANSLATIONS.values() if kind.for_staff)
    return [(code, _name(code)) for code in codes]


def _name(code: str) -> str:
    try:
        name = Locale.parse(code).get_display_name(code)
    except (ValueError, UnknownLocaleError):
        return code
    return (name or code).capitalize()
