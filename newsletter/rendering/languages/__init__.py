"""Our own languages: the phrases of mails beside this file, and the catalogue of the pages."""

from pathlib import Path

from newsletter.common.translation_kind import Translation

_FOLDER = Path(__file__).parent


class English(Translation):
    interface = 1
    language = "en"
    phrases = _FOLDER / "en.toml"


class Spanish(Translation):
    interface = 1
    language = "es"
    catalogue = _FOLDER.parents[1] / "locale"
    for_staff = True
    phrases = _FOLDER / "es.toml"


class French(Translation):
    interface = 1
    language = "fr"
    phrases = _FOLDER / "fr.toml"


class German(Translation):
    interface = 1
    language = "de"
    phrases = _FOLDER / "de.toml"


class Portuguese(Translation):
    interface = 1
    language = "pt"
    phrases = _FOLDER / "pt.toml"


class Romanian(Translation):
    interface = 1
    language = "ro"
    phrases = _FOLDER / "ro.toml"


class Hindi(Translation):
    interface = 1
    language = "hi"
    phrases = _FOLDER / "hi.toml"


class Arabic(Translation):
    interface = 1
    language = "ar"
    phrases = _FOLDER / "ar.toml"


class Ukrainian(Translation):
    interface = 1
    language = "uk"
    phrases = _FOLDER / "uk.toml"
