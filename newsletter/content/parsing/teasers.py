"""Make the teaser of a story: what its source wrote, without the additions of programs and themes."""

import re
from html import unescape

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement, tostring

from newsletter.content.parsing.markup import plain_text
from newsletter.content.parsing.markup_safety import is_deep_html
from newsletter.content.parsing.pseudonyms import is_pseudonym_note
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.text import SENTENCE_ENDS, TEASER_LENGTH, make_teaser, split_sentences, tidy

_MAX_CHARS = 40_000
_COMPARED_CHARS = 30
_MIN_SENTENCE_LENGTH = 60
_REMOVED_TAGS = frozenset(
    [
        "figure", "figcaption", "script", "style", "noscript", "nav", "aside", "form", "button", "iframe", "video",
        "audio", "time",
    ]
)  # fmt: skip
_REMOVED_CLASSES = frozenset(
    [
        "wp-caption", "wp-caption-text", "wp-element-caption", "gallery-caption", "caption", "image-caption",
        "more-link", "read-more", "readmore", "continue-reading", "screen-reader-text", "visually-hidden", "sr-only",
        "sharedaddy", "jp-relatedposts", "sd-sharing", "addtoany_share_save_container", "addtoany_content",
        "a2a_kit", "addthis_toolbox", "share-buttons", "social-share", "social-links", "sharethis", "ssba",
        "heateor_sss_sharing_container", "wp-block-social-links", "et_social_inline", "shariff",
        "byline", "entry-meta", "post-meta", "posted-on", "author", "submitted", "entry-date", "post-date",
        "field--name-title", "field--name-uid", "field--name-created", "field--name-field-image",
        "field-name-title", "field-name-author", "field-name-post-date", "field--name-field-tags",
        "wp-block-post-author", "wp-block-post-date", "wp-block-buttons", "wp-block-button",
    ]
)  # fmt: skip
_DRUPAL_BODIES = ("field--name-body", "field-name-body", "field--name-field-body", "field--name-field-summary")
_CUT_MARK = re.compile(r"\s*(?:\[\s*(?:…|\.\.\.|&hellip;|&#8230;|&#x2026;)\s*\]|\(\s*(?:…|\.\.\.)\s*\))")
_CUT_END = re.compile(r"\s*(?:[\[(]\s*)?(?:…|\.{3,}|&hellip;|&#8230;|&#x2026;)\s*[\])]?\s*$")
_MAX_INVITATION_LENGTH = 300
_MAX_MARK_LENGTH = 40
_MAX_END_MARKS = 5
_GOES_ON = re.compile(
    r"continue reading|keep reading|weiterlesen|lire la suite|seguir leyendo|sigue leyendo|continuar? leyendo"
    r"|continue lendo|continua a leggere|lees verder"
).pattern
_MORE = re.compile(
    rf"\b(?:(?P<goes_on>{_GOES_ON})|read (?:more|on|the (?:full|rest|whole|complete) \w+|full \w+)"
    r"|(?:learn|find out|see|view) more"
    r"|click here to (?:read|view|see) \w+|mehr lesen|mehr erfahren|en savoir plus|lire plus|leer más|ver más|saber más"
    r"|ler mais|leia mais|leggi tutto|lees meer|czytaj (?:więcej|dalej)|läs mer|les mer|læs mere|lue lisää|devamını oku"
    r"|читать (?:далее|дальше|полностью)|читати далі|подробнее|اقرأ المزيد|קרא עוד|続きを読む|阅读更多|阅读全文)\b",
    re.IGNORECASE,
)
_LEADS_ON = ("about", "at", "here", "in", "of", "on", "the", "über", "sobre", "sur", "»", "→")
_AROUND = " \t[](){}«»‹›→➔>-–—|•*_"
_MORE_LINE = re.compile(rf"^[\W_]*{_MORE.pattern}[^.!?\n]{{0,160}}[\W_]*$", re.IGNORECASE)
_FIRST_APPEARED = re.compile(
    r"\s{0,4}(?:The (?:post|article|entry) .{1,400}?"
    r" (?:appeared first on|first appeared on)\b"
    r"|The (?:post|article|entry) (?![a-z]).{1,400}? (?:was (?:first )?published on|originally appeared on)\b"
    r"|Der Beitrag .{1,400}? erschien zuerst auf\b"
    r"|L[’']article .{1,400}? est apparu en premier sur\b|Cet article .{1,400}? est apparu en premier sur\b"
    r"|La entrada .{1,400}? (?:se publicó primero en|aparece primero en|apareció primero en)\b"
    r"|L[’']articolo .{1,400}? (?:proviene da|sembra essere il primo su)\b|O post .{1,400}? apareceu primeiro em\b"
    r"|Het bericht .{1,400}? verscheen eerst op\b)[^\n]{0,200}",
    re.DOTALL,
)
_SAID_BEFORE = re.compile(
    r"\bThis (?:post|article|entry) (?:was )?(?:first|originally) (?:appeared|published) (?:first )?(?:on|at|in)\b"
    r"(?:[^\n.!?]|[.!?](?=\S)){0,200}[.!?]?"
)
_SHARE_LINE = re.compile(
    r"^\W*(?:(?:share|tweet|pin|print|email|e-mail|whatsapp|facebook|twitter|x|linkedin|telegram|reddit|pinterest"
    r"|mastodon|bluesky|copy link"
    r"|teilen|partager|compartir|like this|loading|click to (?:share (?:on|via)|email|print)\b[^\n]*"
    r"|share this(?: \w+)?|(?:share|teilen|partager|compartir) (?:on|via|mit|auf|sur|en) \w+"
    r"|like loading)\W*)+(?:\(opens in new window\)\W*)?$",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"^(?:(?:written |posted |published |submitted )?by|von|par|por) (?P<name>[^\n.!?]{2,80}?)"
    r"(?:\s*(?:[|•·–—-]|on|,|am|le|el)\s*[^\n.!?]{0,20}\d{1,4}[^\n]{0,30})?$",
    re.IGNORECASE,
)
_IN_BYLINES = frozenset(
    [
        "admin", "al", "and", "bin", "by", "da", "de", "del", "den", "der", "di", "do", "dos", "du", "e", "editor",
        "editorial", "editors", "et", "for", "la", "le", "of", "our", "staff", "team", "the", "und", "van", "von", "y",
    ]
)  # fmt: skip
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"”’)\]]+", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8}\d?);")


def teaser_from_html(*candidates: str, title: str = "") -> str:
    """Return the teaser of the first piece of HTML (a summary, then the whole text) that has any text.

    If a summary breaks off inside its first sentence, use the text from which it was cut.
    """
    broken_off = ""
    for html in candidates:
        teaser = teaser_from_text(story_text(html), title=title) if html else ""
        if teaser and not teaser.endswith("…"):
            return teaser if not broken_off or teaser.startswith(broken_off[:_COMPARED_CHARS]) else broken_off
        broken_off = broken_off or teaser
    return broken_off


def story_text(html: str) -> str:
    """Return the text of a story's HTML without captions, bylines, share buttons, shortcodes and links to read on."""
    limited = html[:_MAX_CHARS]
    return plain_text(remove_shortcodes(_remove_clutter(limited)))


def teaser_from_text(text: str, *, limit: int = TEASER_LENGTH, title: str = "") -> str:
    """Return whole sentences of plain text, without marks of a cut, links to read on, addresses and pseudonym notes."""
    bare = _decode_again(remove_shortcodes(tidy(text[:_MAX_CHARS], keep_lines=True)))
    bare = _SAID_BEFORE.sub("", _FIRST_APPEARED.sub("", bare)).strip()
    bare, cut = _without_end_marks(bare)
    lines = [line for line in _CUT_MARK.sub(" ", bare).split("\n") if _is_story_line(line, title=title)]
    return make_teaser(_without_addresses(" ".join(lines)), limit=limit, cut=cut)


def _without_end_marks(text: str) -> tuple[str, bool]:
    """Remove "[…]", "…" and "Read more" from the end. Return the text, and True if it was cut inside a sentence."""
    cut = False
    for _ in range(_MAX_END_MARKS):
        start = _find_invitation(text)
        if start is not None:
            text = text[:start].rstrip(_AROUND + "\n")
            cut = cut or not text.endswith(SENTENCE_ENDS)
        shorter = (text[:-_MAX_MARK_LENGTH] + _CUT_END.sub("", text[-_MAX_MARK_LENGTH:])).rstrip()
        if shorter == text and start is None:
            break
        cut = cut or (shorter != text and not shorter.endswith(SENTENCE_ENDS))
        text = shorter
    return text, cut


def _find_invitation(text: str) -> int | None:
    """Return where the text's last words begin to invite the reader to read on, or None."""
    for match in _MORE.finditer(text, max(0, len(text) - _MAX_INVITATION_LENGTH)):
        before = text[: match.start()].rstrip(_AROUND)
        starts = not before or before.endswith((*SENTENCE_ENDS, "…", "\n", ":")) or text[match.start() - 1] in "[("
        following = text[match.end() :].strip()
        bare = following.strip(_AROUND + ".!…")
        follows = not bare or not following[0].islower() or following.split()[0].strip(".,:!") in _LEADS_ON
        if not (starts or match[0][0].isupper()) or not follows or "\n" in following:
            continue
        if match["goes_on"] or not split_sentences(bare)[1:]:
            return match.start()
    return None


def _is_story_line(line: str, *, title: str) -> bool:
    """Return True if a line is part of the story."""
    bare = tidy(line)
    if not bare or (title and bare.casefold() == title.casefold()) or is_pseudonym_note(bare):
        return False
    return not (_ADDRESS.fullmatch(bare) or _find_invitation(bare) == 0 or _SHARE_LINE.match(bare) or _is_byline(bare))


def _is_byline(line: str) -> bool:
    """Return True if a line only names an author. "By Monday, the court had ruled" is no byline."""
    match = _BYLINE.match(line)
    words = re.findall(r"[^\W\d_]+", match["name"]) if match else []
    return bool(match) and (len(words) == 1 or all(not word[0].islower() or word in _IN_BYLINES for word in words))


def _without_addresses(text: str) -> str:
    """Remove sentences with a raw address. Remove only the address if nothing else would be left."""
    sentences = [sentence for sentence in split_sentences(text) if not is_pseudonym_note(sentence)]
    cleaned = [bare for sentence in sentences if (bare := _without_address(sentence))]
    return tidy(" ".join(cleaned) if cleaned else _ADDRESS.sub("", " ".join(sentences)))


def _without_address(sentence: str) -> str:
    """Remove the raw address from a sentence. Return "" if little else is left, as in "More at https://…"."""
    bare = tidy(_ADDRESS.sub("", sentence))
    return bare if bare == sentence or len(bare) >= _MIN_SENTENCE_LENGTH else ""


def _decode_again(text: str) -> str:
    """Decode entities that were escaped twice at their source ("&#8217;" in text)."""
    return unescape(text) if _ENTITY.search(text) else text


def _remove_clutter(html: str) -> str:
    """Remove elements that are not part of the story. Of Drupal's fields, keep the body alone."""
    if "<" not in html or is_deep_html(html):
        return html
    try:
        tree = lxml.html.fragment_fromstring(html.replace("\0", ""), create_parent="div")
    except (ParserError, ValueError):
        return html
    body = next((element for element in tree.iter() if _classes(element) & set(_DRUPAL_BODIES)), None)
    tree = body if body is not None and tidy(body.text_content()) else tree
    for element in list(tree.iter()):
        if element is not tree and _is_clutter(element):
            element.drop_tree()
    return str(tostring(tree, encoding="unicode", with_tail=False))


def _is_clutter(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.getparent() is None:
        return False
    if element.tag in _REMOVED_TAGS or _classes(element) & _REMOVED_CLASSES:
        return True
    if element.tag == "a" and _MORE_LINE.match(tidy(element.text_content())):
        return True
    return element.tag == "p" and bool(_FIRST_APPEARED.match(tidy(element.text_content())))


def _classes(element: HtmlElement) -> set[str]:
    return set(str(element.get("class") or "").lower().split()) if isinstance(element.tag, str) else set()
