"""Recognise event titles that say that the event does not take place as planned, such as “Cancelled: Picnic”."""

import re
import unicodedata

from newsletter.common.messages import Message

_CANCELLED = """
    cancelled|canceled|called off|abgesagt|entfällt|fällt aus|fällt leider aus
    annulé|annulée|annulés|annulées|cancelado|cancelada|cancelados|canceladas|anulado|anulada|anulados|anuladas
    suspendido|suspendida|anulat|anulată|anulate|скасовано|скасована|скасований|скасоване
    ملغى|ملغي|ملغاة|ملغية|ألغي|ألغيت|تم الإلغاء|रद्द|annullato|annullata|annullati|annullate|geannuleerd|afgelast
"""
_POSTPONED = """
    postponed|verschoben|vertagt|reporté|reportée|reportés|reportées|ajourné|ajournée
    aplazado|aplazada|aplazados|aplazadas|pospuesto|pospuesta|postergado|postergada|adiado|adiada|adiados|adiadas
    amânat|amânată|amânate|перенесено|відкладено|відкладена|مؤجل|مؤجلة|تأجل|تأجلت|स्थगित
    rinviato|rinviata|rimandato|rimandata|uitgesteld
"""
_CANCELLED_NOTE = Message("Its title says that the event is cancelled. If it is, mark it as cancelled.")
_POSTPONED_NOTE = Message(
    "Its title says that the event is postponed. Enter its new time. If there is none yet, mark it as cancelled."
)
_OPENING = r"[\s*!\[({<【«“\"'|/:–—-]*"
_CLOSING = r"\s*(?:[\])}>】»”\"'*!|/:.–—-]|$)"
_BEFORE_THE_END = r"(?:\s[–—-]\s*|[*!\[({<【«“\"'|/:,–—]\s*)"


def _choose_one(words: str) -> str:
    phrases = [phrase.strip() for line in words.split("\n") for phrase in line.split("|") if phrase.strip()]
    return "|".join(re.escape(_fold(phrase)) for phrase in phrases)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _compile(words: str) -> tuple[re.Pattern[str], ...]:
    """Return what marks a title: a word before a colon, dash or bracket, one after them at the end, and a bare word."""
    chosen = _choose_one(words)
    return (
        re.compile(rf"{_OPENING}(?:{chosen}){_CLOSING}"),
        re.compile(rf".*{_BEFORE_THE_END}(?:{chosen})[\s\])}}>】»”\"'*!.]*$"),
        re.compile(chosen),
    )


_MARKS = ((_compile(_CANCELLED), _CANCELLED_NOTE), (_compile(_POSTPONED), _POSTPONED_NOTE))


def find_title_note(title: str) -> Message | None:
    """Return what staff have to check if a title says that its event is cancelled or postponed, else None.

    The words count only as a mark: “Cancelled flights and your rights” is an ordinary event, and so is a sold-out one.
    """
    folded = _fold(title)
    first, _, rest = title.strip().partition(" ")
    # “CANCELLED Picnic” has no other mark than its capitals.
    shouted = _fold(first) if first.isupper() and not rest.isupper() else ""
    for (before, after, bare), note in _MARKS:
        if before.match(folded) or after.match(folded) or bare.fullmatch(shouted):
            return note
    return None
