"""Names changed to protect people: which names a text marks with an asterisk, and the notes that must go with them."""

import re

from newsletter.content.text import cut_at_word, tidy

_NAME = r"[^\W\d_][\w'’\-]{0,39}"
_CAPITAL = r"[^\W\d_a-z][\w'’\-]{0,39}"
# Two words are one name only inside a sentence: "met Anna Maria*", but not "How Maya* came home".
_MARKED = re.compile(rf"(?<![\w*'’\-])(?:(?<=[a-z,] )(?P<both>{_CAPITAL} {_CAPITAL})|(?P<one>{_CAPITAL}))\*(?![\w*])")
_SAYS_SO = re.compile(
    r"pseudonym|names? (?:has|have|had|was|were|is|are)? ?(?:been )?(?:changed|altered|withheld|protected)"
    r"|changed (?:the |their |her |his )?names?|not (?:her|his|their|the|a) (?:real|true|actual) names?|not real names?"
    r"|real names? (?:is|are|has|have|was|were) (?:been )?(?:not|withheld|changed|protected)|alias\b",
    re.IGNORECASE,
)
_NOTE_LINE = re.compile(r"(?:^|\n|(?<=[.!?”\"’)])\s)\s*(?P<note>\*{1,3}\s*[^\n*]{3,400})")
_LINE_WITHOUT_MARK = re.compile(r"(?:^|\n)\s*(?P<note>[^\n*]{3,300})(?=\n|$)")
_LONGEST_NOTE = 300
_MOST_NAMES = 20
DEFAULT_NOTE = "*A pseudonym."


def find_pseudonyms(*texts: str) -> tuple[tuple[str, str], ...]:
    """The (name, note) pairs of a story, from its title, teaser and text together.

    A name is marked when an asterisk follows it directly. The note is the line that says so ("*A pseudonym. …",
    "*Name has been changed"); a marked name without such a line gets the shortest note that is true.
    """
    whole = "\n".join(texts)
    names = list(dict.fromkeys(match["both"] or match["one"] for match in _MARKED.finditer(whole)))[:_MOST_NAMES]
    notes = _notes(whole)
    pairs: list[tuple[str, str]] = []
    for name in names:
        own = [note for note in notes if _mentions(note, name)]
        general = [note for note in notes if not any(_mentions(note, other) for other in names)]
        pairs.append((name, (own or general or [DEFAULT_NOTE])[0]))
    if not names:
        pairs += [(name, note) for note in notes if (name := _name_in(note)) and _mentions(_without(whole, note), name)]
    return tuple(pairs)


def notes_for(text: str, pseudonyms: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The notes that must stand with a text (a title and teaser): of each name in it, with or without its mark."""
    return tuple(dict.fromkeys(note for name, note in pseudonyms if note and _mentions(text, name)))


def _notes(text: str) -> list[str]:
    found = [tidy(match["note"]) for match in _NOTE_LINE.finditer(text)]
    said = [note for note in found if _SAYS_SO.search(note)]
    if not said:
        lines = (tidy(match["note"]) for match in _LINE_WITHOUT_MARK.finditer(text))
        said = [line for line in lines if _SAYS_SO.search(line) and len(line) <= _LONGEST_NOTE]
    return [cut_at_word(note, _LONGEST_NOTE) for note in dict.fromkeys(said)]


def _mentions(text: str, name: str) -> bool:
    """Whether a text shows a name, whole or one word of it."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in name.split())


def _name_in(note: str) -> str:
    match = re.search(rf"\*?\s*(?P<name>{_NAME}) is (?:a pseudonym|not (?:her|his|their) real name)", note)
    return match["name"] if match else ""


def _without(text: str, note: str) -> str:
    return tidy(text).replace(note, " ")
