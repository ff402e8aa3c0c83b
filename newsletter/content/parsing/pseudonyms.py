"""Names changed to protect people: which names a text marks with an asterisk, and the notes that belong to them."""

import re
from collections.abc import Iterable

from newsletter.content.parsing.text import cut_at_word, split_sentences, tidy

_NAME = r"[^\W\d_][\w'’\-]{0,39}"
_CAPITAL = r"[^\W\d_a-z][\w'’\-]{0,39}"
# Two words are one name only inside a sentence: "met Anna Maria*", but not "How Maya* came home".
_MARKED = re.compile(rf"(?<![\w*'’\-])(?:(?<=[a-z,] )(?P<both>{_CAPITAL} {_CAPITAL})|(?P<one>{_CAPITAL}))\*(?![\w*])")
_PSEUDONYM_PHRASE = re.compile(
    r"pseudonym|seudónimo|nombres? (?:ficticio|(?:(?:ha|han|fue|fueron) )?(?:sido )?(?:cambiado|modificado))"
    r"|namen? (?:wurden? |von der redaktion )?geändert|noms? (?:a|ont) été (?:modifié|changé)|noms? d[’']emprunt"
    r"|names? (?:has|have|had|was|were|is|are)? ?(?:been )?(?:changed|altered|withheld|protected)"
    r"|changed (?:the |their |her |his )?names?|not (?:her|his|their|the|a) (?:real|true|actual) names?|not real names?"
    r"|real names? (?:is|are|has|have|was|were) (?:been )?(?:not|withheld|changed|protected)|alias\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"(?:\s+(?:(?:in order )?to (?:protect|preserve|respect|keep|safeguard|ensure|maintain|hide|conceal)|for|at (?:her|his|their)"
    r"|because|here|throughout|in this|para|por|zum|pour|afin)\b[^.!?\n]{0,160})?"
).pattern
_NOTE_LINE_ONLY = re.compile(
    r"\W*(?:(?:editor[’']s )?note:\s*)?(?:"
    r"(?:(?:some|all|both|the|these|certain|her|his|their|people[’']s|[^\W\d_]+[’']s)(?: of the)? )?"
    r"(?:(?:real|client|survivor|victim)s?[’']? )?names?(?: and \w+(?: \w+)?)?(?: (?:in|of) this \w+)?"
    rf"(?: (?:have|has|had|were|was|are|is))?(?: been)? ?(?:changed|altered|withheld|protected){_REASON}"
    rf"|(?:[^\W\d_]+ is |these are |all names are )?(?:a )?pseudonyms?(?: used)?{_REASON}"
    rf"|(?:[^\W\d_]+ is )?not (?:her|his|their|the) real names?{_REASON}"
    rf"|(?:el|la|los|las|algunos)? ?nombres?(?: (?:ha|han|fue|fueron))?(?: sido)? (?:ficticios?|cambiados?|modificados?){_REASON}"
    rf"|(?:der |die |alle )?namen?(?: wurden?)?(?: von der redaktion)? geändert{_REASON}"
    rf"|(?:le|les|tous les)? ?(?:pré)?noms?(?: ont| a)? été (?:modifiés?|changés?){_REASON}"
    r")[.!]?\W*",
    re.IGNORECASE,
)
ANY_NAME = "*"
"""The name in a pair whose note is about unmarked names. Such a note is always shown with the story."""
_NOTE_LINE = re.compile(r"(?:^|\n|(?<=[.!?”\"’)])\s)\s*(?P<note>\*{1,3}\s*[^\n*]{3,400})")
_LINE_WITHOUT_MARK = re.compile(r"(?:^|\n)\s*(?P<note>[^\n*]{3,300})(?=\n|$)")
_MAX_NOTE_LENGTH = 300
_MAX_NAMES = 20
DEFAULT_NOTE = "*A pseudonym."


def find_pseudonyms(*texts: str) -> tuple[tuple[str, str], ...]:
    """Return the (name, note) pairs of a story, from its title, teaser and text together.

    A name is marked if an asterisk follows it directly. The note is the line that says so ("*A pseudonym. …",
    "*Name has been changed"). A marked name without such a line gets the shortest note that is true.
    """
    page_text = "\n".join(tidy(text, keep_lines=True) for text in texts)
    names = list(dict.fromkeys(match["both"] or match["one"] for match in _MARKED.finditer(page_text)))[:_MAX_NAMES]
    notes = _notes(page_text)
    pairs: list[tuple[str, str]] = []
    for name in names:
        about_name = [note for note in notes if _mentions(note, name)]
        general = [note for note in notes if not any(_mentions(note, other_name) for other_name in names)]
        pairs.append((name, (about_name or general or [DEFAULT_NOTE])[0]))
    if not names:
        pairs += [
            (name, note) for note in notes if (name := _name_in(note)) and _mentions(_without(page_text, note), name)
        ]
    if not pairs:
        pairs += [(ANY_NAME, note) for note in _find_unmarked_notes(page_text)[:1]]
    return tuple(pairs)


def is_pseudonym_note(text: str) -> bool:
    """Return True for a line or sentence that only says that names were changed."""
    line = tidy(text)
    if len(line) > _MAX_NOTE_LENGTH:
        return False
    return bool(_NOTE_LINE_ONLY.fullmatch(line)) or (line.startswith("*") and bool(_PSEUDONYM_PHRASE.search(line)))


def _find_unmarked_notes(text: str) -> list[str]:
    """Return the notes of a text in which no name is marked: whole lines, else sentences."""
    lines = [tidy(line) for line in text.split("\n")]
    return [line for line in lines if is_pseudonym_note(line)] or [
        sentence for line in lines for sentence in split_sentences(line) if is_pseudonym_note(sentence)
    ]


def list_notes_for(text: str, pseudonyms: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the notes that must accompany a text (a title and teaser), for each name in it, with or without its mark."""
    return _deduplicate(note for name, note in pseudonyms if note and (name == ANY_NAME or _mentions(text, name)))


def _notes(text: str) -> list[str]:
    note_lines = [tidy(match["note"]) for match in _NOTE_LINE.finditer(text)]
    notes = [note for note in note_lines if _PSEUDONYM_PHRASE.search(note)]
    if not notes:
        lines = (tidy(match["note"]) for match in _LINE_WITHOUT_MARK.finditer(text))
        notes = [line for line in lines if _PSEUDONYM_PHRASE.search(line) and len(line) <= _MAX_NOTE_LENGTH]
    return [cut_at_word(note, _MAX_NOTE_LENGTH) for note in _deduplicate(notes)]


def _deduplicate(notes: Iterable[str]) -> tuple[str, ...]:
    """Remove notes that differ from an earlier one only by punctuation or capitals."""
    return tuple({re.sub(r"\W+", " ", note).strip().casefold(): note for note in reversed(list(notes))}.values())[::-1]


def _mentions(text: str, name: str) -> bool:
    """Return True if a text contains a name, or one word of it."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in name.split())


def _name_in(note: str) -> str:
    match = re.search(rf"\*?\s*(?P<name>{_NAME}) is (?:a pseudonym|not (?:her|his|their) real name)", note)
    return match["name"] if match else ""


def _without(text: str, note: str) -> str:
    return tidy(text).replace(note, " ")
