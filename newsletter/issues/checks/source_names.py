"""Find names in an issue's own words that are nearly, but not exactly, names of its stories' sources. No database.

A name is one or more words with capital letters within a sentence. Titles In Capitals give no names: every word would be one.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from newsletter.common.edit_distance import count_edits
from newsletter.common.messages import Message
from newsletter.issues.checks.issue_check import CheckedIssue, IssueCheck
from newsletter.issues.checks.texts import list_texts
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.lint.findings import Finding

MIN_LETTERS, MIN_LETTERS_FOR_TWO_EDITS = 5, 8
_MIN_WORDS_OF_TITLE, _MIN_LETTERS_OF_TITLE_WORD = 5, 4
MAX_SOURCE_CHARACTERS = 40_000
_SENTENCE_END = re.compile(r"[.!?…:\n]+[\s”“»«\"’)]*")
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_ENDINGS = frozenset({"s", "es", "n", "en", "’s", "'s"})
"""Letters that a language adds to a name: plurals and genitives are no misspellings."""


class Names(NamedTuple):
    """The names of a text, and all its words."""

    names: frozenset[str]
    words: frozenset[str]


class SourceNames(IssueCheck):
    """Names that are nearly those of the sources."""

    interface = 1
    only_warns = True

    def check(self, issue: CheckedIssue) -> Iterator[Finding]:
        return check_source_names(issue.content, sources=issue.sources)


def check_source_names(content: IssueContent, *, sources: Mapping[int, str]) -> Iterator[Finding]:
    """Yield a warning for each name that is nearly a name in the sources. ``sources`` are the stories' texts by id.

    Texts that the issue took from a source unchanged have the source's own names, so they give no warnings.
    """
    single_words = not content.publication.language.startswith("de")
    texts = {story: text[:MAX_SOURCE_CHARACTERS] for story, text in sources.items()}
    everything = find_names("\n".join(texts.values()))
    for part in list_texts(content):
        names = find_names(texts[part.story]) if part.story in texts else everything
        for written, in_source in sorted(find_misspelt_names(part.text, source_names=names, single_words=single_words)):
            message = Message(
                "“%(written)s” is “%(in_source)s” in the source. Check the spelling.",
                written=written,
                in_source=in_source,
            )
            yield Finding("warning", "source-name", message, block=part.block, field=part.field, story=part.story)


def find_misspelt_names(text: str, *, source_names: Names, single_words: bool = True) -> set[tuple[str, str]]:
    """Return (name as written, name in the source) for each name that is nearly a known one.

    ``single_words`` is False for languages that write every noun with a capital.
    """
    pairs = set()
    for written in find_names(text).names - source_names.names:
        if (single_words or " " in written) and not source_names.words.issuperset(written.split()):
            close = [name for name in source_names.names if _is_misspelling(written, name)]
            if close:
                pairs.add((written, min(close)))
    in_pairs = {word for written, _ in pairs if " " in written for word in written.split()}
    return {(written, name) for written, name in pairs if written not in in_pairs}


@lru_cache(maxsize=512)
def find_names(text: str) -> Names:
    """Return the names of a text: capitalised words within a sentence, and pairs of capitalised neighbours."""
    names: set[str] = set()
    words: set[str] = set()
    for sentence in _SENTENCE_END.split(text):
        matches = list(_WORD.finditer(sentence))
        words.update(word[0] for word in matches)
        long = [word[0] for word in matches if len(word[0]) >= _MIN_LETTERS_OF_TITLE_WORD]
        if len(matches) < _MIN_WORDS_OF_TITLE or not all(_is_capitalised(word) for word in long):
            names.update(_list_names(sentence, matches))
    small = {word for word in words if word.islower()}
    return Names(frozenset(name for name in names if name.lower() not in small), frozenset(words))


def _list_names(sentence: str, words: list[re.Match[str]]) -> Iterator[str]:
    for before, word in zip([None, *words], words, strict=False):
        if before and _is_capitalised(word[0]):
            yield word[0]
            if _is_capitalised(before[0]) and sentence[before.end() : word.start()].isspace():
                yield f"{before[0]} {word[0]}"


def _is_capitalised(word: str) -> bool:
    """Return True for “Amina”, not for “UNHCR”: two abbreviations can differ in one letter."""
    return word[0].isupper() and not word.isupper()


def _is_misspelling(written: str, name: str) -> bool:
    if len(written.split()) != len(name.split()):
        return False
    pairs = [
        (word, name_word) for word, name_word in zip(written.split(), name.split(), strict=True) if word != name_word
    ]
    return all(_is_misspelt_word(word, name_word) for word, name_word in pairs)


def _is_misspelt_word(written: str, name: str) -> bool:
    letters = min(len(written), len(name))
    if _remove_accents(written) == _remove_accents(name):
        return True
    if letters < MIN_LETTERS or _is_inflection(written, name):
        return False
    return count_edits(written, name) <= (2 if letters >= MIN_LETTERS_FOR_TWO_EDITS else 1)


def _remove_accents(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


def _is_inflection(first: str, second: str) -> bool:
    shorter, longer = sorted((first, second), key=len)
    return longer.startswith(shorter) and longer[len(shorter) :] in _ENDINGS
