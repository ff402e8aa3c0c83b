"""The pages of readers in Italian. `locale/` has the texts; what is missing there is in English."""

from pathlib import Path

from newsletter.extensions.translations import Translation

_FOLDER = Path(__file__).parent


class Italian(Translation):
    interface = 1
    language = "it"
    catalogue = _FOLDER / "locale"
    phrases = _FOLDER / "phrases.toml"
