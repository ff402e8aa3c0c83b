"""Find protected terms in texts, however they are written: another case, accents, spaces, hyphens, lookalikes, joined words.

PURE: it knows no rows and no keys. A term is found on the bounds of words alone, so that “Ana” is not found in “banana”.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from newsletter.rendering.text_search.folding import Folded, Gap, count_letters, fold, has_lookalikes, spell_out

MIN_FUZZY_LENGTH = 4
"""A shorter term is found only as it is written, or in capitals: too many words are similar."""
_MIN_JOINED_LENGTH = 7
_MAX_WORDS_SHOWN = 3
_MAX_DECODE_PASSES = 3


@dataclass(frozen=True)
class _Term:
    """A term: ``cuts`` are the positions in its joined letters where its words meet; ``exact`` is for a short one."""

    id: int
    length: int
    cuts: frozenset[int]
    exact: frozenset[str]


@dataclass
class _Index:
    """Terms by their joined letters, and every beginning of them."""

    by_letters: dict[str, list[_Term]] = field(default_factory=lambda: defaultdict(list))
    beginnings: set[str] = field(default_factory=set)

    def add(self, letters: str, term: _Term) -> None:
        self.by_letters[letters].append(term)
        self.beginnings.update(letters[:end] for end in range(1, len(letters) + 1))


class Matcher:
    """A matcher, made once of ``terms`` (by id) and used for many texts."""

    def __init__(self, terms: Mapping[int, str]) -> None:
        self._by_shape, self._by_letter = _Index(), _Index()
        self._glued: dict[str, set[int]] = defaultdict(set)
        for number, text in terms.items():
            for index, by_shape in ((self._by_shape, True), (self._by_letter, False)):
                for way in {text, spell_out(text)}:
                    self._add(index, number, fold(way, by_shape=by_shape), short=is_short(text))

    def find(self, text: str) -> set[int]:
        """Return the ids of the terms in a text."""
        if not self._by_shape.by_letters or not text:
            return set()
        terms = set(_search(fold(text), self._by_shape))
        if has_lookalikes(text):
            terms.update(_search(fold(text, by_shape=False), self._by_letter))
        return terms

    def find_in_addresses(self, addresses: Iterable[str]) -> set[int]:
        """Return those in a URL or file name, percent-decoded; there, terms of several words may be joined to others."""
        read = "\n".join(decode(address) for address in addresses)
        terms = self.find(read)
        if self._glued and read:
            lines = "\n".join("".join(fold(line).words) for line in read.split("\n"))
            for letters, ids in self._glued.items():
                if letters in lines:
                    terms |= ids
        return terms

    def _add(self, index: _Index, number: int, folded: Folded, *, short: bool) -> None:
        letters = "".join(folded.words)
        if not letters:
            return
        cuts, at = set(), 0
        for word in folded.words:
            cuts.add(at)
            at += len(word)
        exact = _spellings(folded) if short else frozenset()
        term = _Term(number, len(letters), frozenset(cuts), exact)
        index.add(letters, term)
        if len(cuts) > 1 and len(letters) >= _MIN_JOINED_LENGTH:
            self._glued[letters].add(number)
            index.add(f"{letters}s", term)


def is_short(text: str) -> bool:
    return count_letters(text) < MIN_FUZZY_LENGTH


def name_letters(text: str) -> str:
    """Return the key of a term: terms with the same letters are one. "" if it has neither letter nor digit."""
    folded = fold(text)
    if is_short(text) and folded.words:
        return min(_spellings(folded))
    return "".join(folded.words)


def mask(text: str) -> str:
    """Return a term for people who may not know it: first letters at most."""
    if is_short(text):
        return "•••"
    words = text.split()
    masked = " ".join(f"{word[0]}•••" for word in words[:_MAX_WORDS_SHOWN])
    return f"{masked} …" if len(words) > _MAX_WORDS_SHOWN else masked


def decode(address: str) -> str:
    """Return a URL without percent-encoding, also if it was encoded more than once."""
    for _ in range(_MAX_DECODE_PASSES):
        read = unquote(address)
        if read == address:
            break
        address = read
    return address


def _spellings(folded: Folded) -> frozenset[str]:
    written = folded.written(0, len(folded.words) - 1)
    return frozenset({written, written.upper()})


def _search(folded: Folded, index: _Index) -> Iterator[int]:
    words, beginnings = folded.words, index.beginnings
    for first in [number for number, word in enumerate(words) if word in beginnings]:
        letters, last = words[first], first
        while letters in beginnings:
            for term in index.by_letters.get(letters, ()):
                if _reads_as(term, folded, first, last):
                    yield term.id
            last += 1
            if last == len(words):
                break
            letters += words[last]


def _reads_as(term: _Term, folded: Folded, first: int, last: int) -> bool:
    """Return True if these words are the term, not its letters by chance, as in “there's a” and Theresa."""
    if term.exact:
        return folded.written(first, last) in term.exact
    seams, torn, at = set(), set(), len(folded.words[first])
    for number in range(first + 1, last + 1):
        gap = folded.gap_before(number)
        if gap == Gap.BREAK:
            return False
        seams.add(at)
        if at < term.length and at not in term.cuts and gap > Gap.TIGHT:
            torn.add(at)
        at += len(folded.words[number])
    return all(_is_spelled_out(term, place, seams) for place in torn)


def _is_spelled_out(term: _Term, place: int, seams: set[int]) -> bool:
    """Return True if the term's word at this position is spaced out: J a n e."""
    begin = max(cut for cut in term.cuts if cut < place)
    end = min((cut for cut in term.cuts if cut > place), default=term.length)
    return seams.issuperset(range(begin + 1, end))
