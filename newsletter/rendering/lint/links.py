"""Find link texts that do not say where they lead, in all languages of the product."""

from newsletter.common.messages import Message
from newsletter.rendering.lint.findings import Finding

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


def is_vague(text: str) -> bool:
    """Return True if a link's text alone does not say where it leads."""
    return text.casefold().strip(" .…!→›»:") in VAGUE_LINK_TEXTS


def make_vague_link_finding(text: str, *, block: str = "", field: str = "") -> Finding:
    message = Message("The link “%(text)s” does not say where it leads. Name what is there.", text=text[:60])
    return Finding("warning", "vague-link", message, block=block, field=field)
