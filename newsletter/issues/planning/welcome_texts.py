"""The words with which welcome mails begin, one file a language in ``welcome_languages/``. Staff edit and approve them."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from newsletter.issues.snapshot.filled_blocks import BEST_STORY, NEXT_EVENT
from newsletter.rendering.phrases import FALLBACK, base_language

_FOLDER = Path(__file__).parent / "welcome_languages"
WELCOME_DAYS = (0, 3, 10)
_FILLED = ((BEST_STORY, NEXT_EVENT), (BEST_STORY,), (NEXT_EVENT,))


class WelcomeText(NamedTuple):
    """One drafted mail. ``{publication}`` and ``{organisation}`` become their names.

    ``notes`` are (heading, paragraphs); ``filled`` are the blocks after the first note that a rule fills.
    """

    subject: str
    preheader: str
    notes: Sequence[tuple[str, str]]
    filled: Sequence[str]


def has_welcome_texts(language: str) -> bool:
    return base_language(language) in WELCOME_TEXTS


def find_welcome_texts(language: str) -> Sequence[WelcomeText]:
    """Return the mails in order. A language that is not here gets English."""
    return WELCOME_TEXTS.get(base_language(language), WELCOME_TEXTS[FALLBACK])


def _read(file: Path) -> Sequence[WelcomeText]:
    mails = tomllib.loads(file.read_text(encoding="utf-8"))["mails"]
    return [
        WelcomeText(
            subject=mail["subject"],
            preheader=mail["preheader"],
            notes=[(note["heading"], note["text"]) for note in mail["notes"]],
            filled=filled,
        )
        for mail, filled in zip(mails, _FILLED, strict=True)
    ]


WELCOME_TEXTS: Mapping[str, Sequence[WelcomeText]] = {file.stem: _read(file) for file in _FOLDER.glob("*.toml")}
