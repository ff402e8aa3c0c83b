"""Our own languages: the phrases of mails beside this file, and the catalogue of the pages."""

from pathlib import Path

from newsletter.common.translation_kind import Translation

_FOLDER = Path(__file__).parent
_CATALOGUES = _FOLDER.parents[1] / "locale"


class English(Translation):
    interface = 1
    language = "en"
    phrases = _FOLDER / "en.toml"


class Spanish(Translation):
    interface = 1
    language = "es"
    catalogue = _CATALOGUES
    for_staff = True
    phrases = _FOLDER / "es.toml"


class French(Translation):
    interface = 1
    language = "fr"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "fr.toml"


class German(Translation):
    interface = 1
    language = "de"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "de.toml"


class Portuguese(Translation):
    interface = 1
    language = "pt"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "pt.toml"


class Romanian(Translation):
    interface = 1
    language = "ro"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "ro.toml"


class Hindi(Translation):
    interface = 1
    language = "hi"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "hi.toml"


class Arabic(Translation):
    interface = 1
    language = "ar"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "ar.toml"


class Ukrainian(Translation):
    interface = 1
    language = "uk"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "uk.toml"
