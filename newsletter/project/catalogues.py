"""The catalogues of the translations that are installed, for the settings."""

from pathlib import Path

from babel import Locale, UnknownLocaleError

from newsletter.common.translation_kind import TRANSLATIONS


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
