"""Our own languages: phrases of mails beside this file, other texts for readers in a folder, and catalogues of pages."""

from pathlib import Path

from newsletter.common.translation_kind import Translation

_FOLDER = Path(__file__).parent
_CATALOGUES = _FOLDER.parents[1] / "locale"


class English(Translation):
    interface = 1
    language = "en"
    phrases = _FOLDER / "en.toml"
    reader_texts = _FOLDER / "reader_texts/en.toml"


class Spanish(Translation):
    interface = 1
    language = "es"
    catalogue = _CATALOGUES
    for_staff = True
    phrases = _FOLDER / "es.toml"
    reader_texts = _FOLDER / "reader_texts/es.toml"


class French(Translation):
    interface = 1
    language = "fr"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "fr.toml"
    reader_texts = _FOLDER / "reader_texts/fr.toml"


class German(Translation):
    interface = 1
    language = "de"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "de.toml"
    reader_texts = _FOLDER / "reader_texts/de.toml"


class Portuguese(Translation):
    interface = 1
    language = "pt"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "pt.toml"
    reader_texts = _FOLDER / "reader_texts/pt.toml"


class Romanian(Translation):
    interface = 1
    language = "ro"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "ro.toml"
    reader_texts = _FOLDER / "reader_texts/ro.toml"


class Hindi(Translation):
    interface = 1
    language = "hi"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "hi.toml"
    reader_texts = _FOLDER / "reader_texts/hi.toml"


class Arabic(Translation):
    interface = 1
    language = "ar"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "ar.toml"
    reader_texts = _FOLDER / "reader_texts/ar.toml"


class Ukrainian(Translation):
    interface = 1
    language = "uk"
    catalogue = _CATALOGUES
    phrases = _FOLDER / "uk.toml"
    reader_texts = _FOLDER / "reader_texts/uk.toml"
