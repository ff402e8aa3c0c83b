"""The check of languages names another language only if it is certain: measured on texts as newsletters hold them."""

import time

import pytest

from newsletter.issues.checks.languages import LANGUAGE_NAMES, detect_other_language
from tests.support.language_texts import CONFUSING_TEXTS, TEXTS

ALL = [(language, text) for language, texts in TEXTS.items() for text in texts]


def test_no_text_is_called_foreign_in_its_own_language() -> None:
    assert [text for language, text in ALL if detect_other_language(text, own=language)] == []


def test_names_places_titles_and_addresses_give_no_alarm() -> None:
    texts = [(language, text) for language, texts in CONFUSING_TEXTS.items() for text in texts]
    assert [text for language, text in texts if detect_other_language(text, own=language)] == []


def test_nearly_every_text_is_recognised_in_a_foreign_publication() -> None:
    pairs = [(language, text, own) for language, text in ALL for own in LANGUAGE_NAMES if own != language]
    found = [detect_other_language(text, own=own) for _, text, own in pairs]
    wrong = [(one, text) for one, (language, text, _) in zip(found, pairs, strict=True) if one not in ("", language)]
    assert wrong == []
    assert sum(map(bool, found)) > 0.97 * len(pairs)


@pytest.mark.parametrize("text", ["Gracias", "La familia recupera su tierra", "", "123 456", "Café, thé, chocolat"])
def test_short_texts_have_no_language(text: str) -> None:
    assert detect_other_language(text, own="en") == ""


def test_a_thousand_texts_are_checked_within_seconds() -> None:
    detect_other_language(ALL[0][1], own="es")
    begun = time.thread_time()
    for number in range(1000):
        detect_other_language(f"{ALL[number % len(ALL)][1]} {number}", own="en")
    assert time.thread_time() - begun < 5  # of a processor; 0.3 s on a quiet machine
