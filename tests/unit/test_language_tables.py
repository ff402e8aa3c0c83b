"""Each of our languages is in every table and folder of languages, and so is the next one that somebody adds."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from newsletter.common.installed_entry_points import OWN_PACKAGE, list_entry_points
from newsletter.issues.checks.languages import LANGUAGE_NAMES
from newsletter.rendering.languages import OwnTranslation
from newsletter.rendering.lint.findings import _VAGUE_TEXTS
from subscribers.places.regions import _LANGUAGES
from tests.support import language_mails, language_texts

ROOT = Path(__file__).parents[2]
OWN = {entry.name for package, entry in list_entry_points("newsletter.translations") if package == OWN_PACKAGE}
TABLES: dict[str, Iterable[str]] = {
    "newsletter/issues/checks/languages.py: LANGUAGE_NAMES": LANGUAGE_NAMES,
    "newsletter/rendering/lint/findings.py: _VAGUE_TEXTS": _VAGUE_TEXTS,
    "subscribers/places/regions.py: _LANGUAGES": ("en", *_LANGUAGES),
    "tests/support/language_mails.py: TEXTS": language_mails.TEXTS,
    "tests/support/language_texts.py: TEXTS": language_texts.TEXTS,
}
FOLDERS = (
    "newsletter/rendering/languages",
    "newsletter/rendering/languages/reader_texts",
    "newsletter/issues/planning/welcome_languages",
)


def test_each_class_of_a_language_is_an_entry_point() -> None:
    classes = {kind.language for kind in OwnTranslation.__subclasses__()}
    assert classes == OWN, "Write the same languages under newsletter.translations in pyproject.toml."


@pytest.mark.parametrize("table", TABLES)
def test_every_language_is_in_each_table(table: str) -> None:
    assert OWN - set(TABLES[table]) == set(), f"Add the language to {table}."


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_language_has_its_file_in_each_folder(folder: str) -> None:
    assert OWN - {path.stem for path in (ROOT / folder).glob("*.toml")} == set(), f"Write its file in {folder}."
