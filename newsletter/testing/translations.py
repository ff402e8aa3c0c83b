"""The contract of a translation: no text loses a placeholder or a tag."""

import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from typing import ClassVar

from newsletter.common.translation_kind import DOMAIN, TRANSLATIONS, Translation, read_texts
from newsletter.rendering.phrases import PHRASES, READER_TEXTS
from newsletter.testing.registered import find_registered

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
_TAG = re.compile(r"</?\w+")


class TranslationContract:
    """Say the ``name`` of the translation."""

    name: ClassVar[str]

    def test_it_is_installed_and_of_this_interface(self) -> None:
        kind = find_registered(TRANSLATIONS, self.name)
        assert kind.catalogue or kind.phrases or kind.reader_texts, "The translation has no texts."

    def test_each_text_keeps_its_placeholders_and_tags(self) -> None:
        for original, text in _list_texts(TRANSLATIONS[self.name]):
            assert set(_PLACEHOLDER.findall(text)) <= set(_PLACEHOLDER.findall(original)), f"{original!r}: {text!r}"
            assert sorted(_TAG.findall(text)) == sorted(_TAG.findall(original)), f"{original!r}: {text!r}"

    def test_no_text_is_blank(self) -> None:
        for original, text in _list_texts(TRANSLATIONS[self.name]):
            assert text.strip(), f"{original!r} has a blank translation. Leave it out."

    def test_phrases_and_reader_texts_are_those_that_english_has(self) -> None:
        kind = TRANSLATIONS[self.name]
        for file, english in ((kind.phrases, PHRASES["en"]), (kind.reader_texts, READER_TEXTS["en"])):
            for key, text in read_texts(Path(file)).items() if file else ():
                assert key in english, f"There is no text “{key}” in English."
                assert set(_PLACEHOLDER.findall(text)) <= set(_PLACEHOLDER.findall(english[key])), f"{key}: {text!r}"


def _list_texts(kind: Translation) -> Iterator[tuple[str, str]]:
    """Yield each English text of the catalogue with its translation. Of a plural, it is the first form."""
    if kind.catalogue is None:
        return
    with (Path(kind.catalogue) / kind.language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        catalogue: dict[object, str] = vars(GNUTranslations(file))["_catalog"]
    for original, text in catalogue.items():
        if isinstance(original, str) and original:
            yield original.rpartition("\x04")[2], text
