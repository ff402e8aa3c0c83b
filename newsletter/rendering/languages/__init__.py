"""Our own languages: phrases of mails beside this file, other texts for readers in a folder, and catalogues of pages."""

from pathlib import Path
from typing import ClassVar

from newsletter.common.translation_kind import Translation

_FOLDER = Path(__file__).parent
_CATALOGUES = _FOLDER.parents[1] / "locale"


class OwnTranslation(Translation):
    """A translation whose files have the name of its language."""

    interface = 1
    catalogue: ClassVar[Path | None] = _CATALOGUES

    def __init_subclass__(cls) -> None:
        cls.phrases = _FOLDER / f"{cls.language}.toml"
        cls.reader_texts = _FOLDER / f"reader_texts/{cls.language}.toml"


class English(OwnTranslation):
    language = "en"
    catalogue = None


class Spanish(OwnTranslation):
    language = "es"
    for_staff = True


class French(OwnTranslation):
    language = "fr"


class German(OwnTranslation):
    language = "de"


class Portuguese(OwnTranslation):
    language = "pt"


class Romanian(OwnTranslation):
    language = "ro"


class Hindi(OwnTranslation):
    language = "hi"


class Arabic(OwnTranslation):
    language = "ar"


class Ukrainian(OwnTranslation):
    language = "uk"
