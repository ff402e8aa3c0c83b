"""Link text that says nothing, in the languages that the system speaks."""

from newsletter.common.messages import Message
from newsletter.rendering.lint.findings import Finding

_WORDS = {
    "en": "click here|here|read more|more|link|this link|learn more|this|details",
    "es": "haz clic aquí|pincha aquí|aquí|leer más|más|ver más|enlace",
    "fr": "cliquez ici|ici|lire la suite|en savoir plus|plus|lien",
    "de": "hier klicken|hier|klicken sie hier|mehr|mehr lesen|weiterlesen",
    "pt": "clique aqui|aqui|saiba mais|ler mais|mais|ligação",
    "ro": "aici|click aici|apasă aici|citește mai mult|mai mult|mai multe|link",
    "hi": "यहाँ|यहां|यहाँ क्लिक करें|और पढ़ें|और|लिंक",
    "ar": "اضغط هنا|هنا|المزيد",
}
VAGUE_LINK_TEXTS = frozenset(words for line in _WORDS.values() for words in line.split("|"))


def is_vague(text: str) -> bool:
    """Whether a link's text alone does not say where it goes."""
    return text.casefold().strip(" .…!→›»:") in VAGUE_LINK_TEXTS


def make_vague_link_finding(words: str, *, block: str = "", field: str = "") -> Finding:
    message = Message("The link “%(words)s” does not say where it goes. Name what is there.", words=words[:60])
    return Finding("warning", "vague-link", message, block=block, field=field)
