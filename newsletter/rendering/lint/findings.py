"""The findings of lint, with messages for staff, and link texts that do not say where they lead in any of our languages."""

from dataclasses import dataclass
from typing import Literal

from newsletter.common.messages import Message

_VAGUE_TEXTS = {
    "en": "click here|here|read more|more|link|this link|learn more|this|details",
    "es": "haz clic aquí|pincha aquí|aquí|leer más|más|ver más|enlace",
    "fr": "cliquez ici|ici|lire la suite|en savoir plus|plus|lien",
    "de": "hier klicken|hier|klicken sie hier|mehr|mehr lesen|weiterlesen",
    "pt": "clique aqui|aqui|saiba mais|ler mais|mais|ligação",
    "ro": "aici|click aici|apasă aici|citește mai mult|mai mult|mai multe|link",
    "hi": "यहाँ|यहां|यहाँ क्लिक करें|और पढ़ें|और|लिंक",
    "ar": "اضغط هنا|هنا|المزيد",
    "uk": "натисніть тут|тут|читати далі|докладніше|більше|посилання",
}
VAGUE_LINK_TEXTS = frozenset(words for line in _VAGUE_TEXTS.values() for words in line.split("|"))


@dataclass(frozen=True)
class Finding:
    """``error`` stops a send, ``warning`` does not. ``block`` is a block's key, ``field`` a field's name.

    ``story`` is the id of the story that it concerns, or 0.
    """

    level: Literal["error", "warning"]
    code: str
    message: str
    block: str = ""
    field: str = ""
    story: int = 0


def is_vague(text: str) -> bool:
    """Return True if a link's text alone does not say where it leads."""
    return text.casefold().strip(" .…!→›»:") in VAGUE_LINK_TEXTS


def make_vague_link_finding(text: str, *, block: str = "", field: str = "") -> Finding:
    message = Message("The link “%(text)s” does not say where it leads. Name what is there.", text=text[:60])
    return Finding("warning", "vague-link", message, block=block, field=field)
