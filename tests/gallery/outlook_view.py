"""Draw what classic Outlook reads of a mail with LibreOffice, and check that all words are there, in order and apart.

No engine but Word's own shows exactly what Word shows. LibreOffice reads the same parts of the HTML (Outlook's conditional
comments, tables and their attributes) and ignores most of the rest too, so a mail that holds there rests on tables alone.
"""

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from lxml.html import document_fromstring, tostring
from PIL import Image

from newsletter.rendering.lint.tag_balance import view_for_outlook
from newsletter.rendering.template_context import ICONS as ICON_FOLDER
from tests.gallery.documents import ICONS, MEDIA, make_picture
from tests.gallery.validators import Unavailable

_WORD_BOX = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>')
_PAGE = re.compile(r'<page width="([\d.]+)".*?</page>', re.DOTALL)
_UNSEEN = re.compile("[\u00ad\u034f\u200b-\u200f\u2060-\u2069\ufeff]")
_WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")
_LIGATURES = re.compile("[\u0600-\u06ff\u0900-\u097f\u270a\U0001f000-\U0001faff]")
_MAX_WORD_LENGTH = 30
_WITHIN_WORDS = frozenset({"a", "b", "em", "i", "span", "strong", "u"})
"""Elements that end no word."""
_MIN_LONG_WORD = 8
"""Shorter words are not broken in two."""
_ROW_WORDS = 60
"""A row of a table that ends on the next page is read cell by cell on each: so far back a word may be."""
_MAX_DRAWING_SECONDS = 300
_MAX_SHARED_AREA = 0.3
_RESOLUTION = 60


@dataclass(frozen=True)
class Word:
    """A word on a page, with its sides in points."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Word") -> bool:
        """Return True if the two share more than the edge that letters of neighbouring lines share."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        smaller = min(self._area(), other._area())
        return wide > 0 and high > 0 and wide * high > _MAX_SHARED_AREA * smaller

    def _area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


def draw_pages(mails: Mapping[str, str], *, out: Path) -> dict[str, Path]:
    """Return a PDF of each mail as classic Outlook reads it. Raise Unavailable if LibreOffice is missing or silent."""
    for program in ("soffice", "pdftotext", "pdftoppm"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed (Debian: apt install libreoffice-writer poppler-utils)")
    folder = (out / "outlook").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    sources = [folder / f"{name}.html" for name in mails]
    for source, html in zip(sources, mails.values(), strict=True):
        source.write_text(_write_view(html, folder=folder), encoding="utf-8")
        source.with_suffix(".pdf").unlink(missing_ok=True)
    command = ["soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    command += ["--convert-to", "pdf:writer_web_pdf_Export", "--outdir", str(folder)]
    try:
        said = subprocess.run(
            [*command, *map(str, sources)], capture_output=True, text=True, check=False, timeout=_MAX_DRAWING_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"LibreOffice drew no pages in {_MAX_DRAWING_SECONDS} seconds. Try again.") from error
    drawn = {name: source.with_suffix(".pdf") for name, source in zip(mails, sources, strict=True)}
    if lost := [name for name, pdf in drawn.items() if not pdf.exists()]:
        raise Unavailable(f"LibreOffice did not draw {lost[0]}: {said.stderr.strip()[-200:]}")
    return drawn


def save_picture(pdf: Path, path: Path) -> None:
    """Write the pages of a PDF below each other as one picture."""
    subprocess.run(["pdftoppm", "-r", str(_RESOLUTION), "-png", str(pdf), str(pdf.with_suffix(""))], check=True)
    pages = [Image.open(page).convert("RGB") for page in sorted(pdf.parent.glob(f"{pdf.stem}-*.png")) if _is_page(page)]
    canvas = Image.new("RGB", (max(page.width for page in pages), sum(page.height for page in pages)), "#ffffff")
    top = 0
    for page in pages:
        canvas.paste(page, (0, top))
        top += page.height
    canvas.save(path)


def find_drawing_problems(pdf: Path, html: str) -> Iterator[str]:
    """Return words that are lost, out of order, over each other or beyond the page.

    Of a mail with Arabic, Hindi or emoji, only its other words are looked for, in any order: a PDF has their ligatures as
    drawn. A mail with a word of more than 30 letters is not judged: Word breaks it, and LibreOffice widens its cell.
    """
    pages = list(_read_pages(pdf))
    if max((len(word) for word in list_words(html)), default=0) > _MAX_WORD_LENGTH:
        return
    written, shown = list_words(html), [word.text for _, words in pages for word in words]
    plain = [word for word in written if not _LIGATURES.search(word)]
    pages = [(width, [word for word in words if not _LIGATURES.search(word.text)]) for width, words in pages]
    if lost := find_lost_words(plain, shown, in_order=plain == written):
        yield f"lost or out of order in LibreOffice: {lost}"
    for width, words in pages:
        yield from (f"beyond the page in LibreOffice: {word.text}" for word in words if word.right > width + 1)
        for position, word in enumerate(words):
            over = next((other for other in words[position + 1 :] if word.overlaps(other)), None)
            if over:
                yield f"over each other in LibreOffice: {word.text} and {over.text}"


def list_words(html: str) -> list[str]:
    """Return the words of a mail that classic Outlook shows, in the order in which it reads them."""
    root = document_fromstring(view_for_outlook(html))
    for element in [*root.iter("style", "title", "head"), *root.xpath("//*[contains(@style, 'mso-hide')]")]:
        if element.getparent() is not None:
            element.drop_tree()
    for element in root.iter():
        if element.tag not in _WITHIN_WORDS:
            element.text, element.tail = f" {element.text or ''}", f" {element.tail or ''}"
    return _clean("".join(root.itertext())).split()


def find_lost_words(written: list[str], shown: list[str], *, in_order: bool) -> list[str]:
    """Return up to five words that are written and not shown. With ``in_order``, each must be near its neighbours.

    In order, each shown word counts once. Without, it may count for several: a PDF with emoji lacks some words that are
    drawn. A long word may be shown in parts, and a list has marks that nobody wrote. A sign counts as a word of its own:
    where a font moves it closer to a letter, it is shown apart.
    """
    written, shown = (_WORD_OR_SIGN.findall(" ".join(words)) for words in (written, shown))
    rest: list[str | None] = list(shown)
    unmatched = [(word, 0) for word in written]
    if in_order:
        unmatched = []
        for word, at, is_there in _align(written, shown):
            if is_there:
                rest[at] = None
            else:
                unmatched.append((word, at))
    lost = []
    for word, at in unmatched:
        near, far = (max(0, at - _ROW_WORDS), at + _ROW_WORDS) if in_order else (0, len(rest))
        found = _find_word(word, rest, near=near, far=min(far, len(rest)))
        if found and in_order:
            rest[found.start : found.stop] = [None] * len(found)
        elif not found:
            lost.append(word)
    return lost[:5]


def _align(written: list[str], shown: list[str]) -> Iterator[tuple[str, int, bool]]:
    """Yield each written word, its position among the shown ones, and whether it is there.

    As many words as possible keep their order. `SequenceMatcher` looks for long runs instead: where events repeat and a page
    parts one, it compares the others with their neighbours.
    """
    reach = _ROW_WORDS + abs(len(written) - len(shown))
    kept: list[dict[int, int]] = [{} for _ in range(len(written) + 1)]  # words that keep their order from here on
    for position in reversed(range(len(written))):
        here, below = kept[position], kept[position + 1]
        for at in reversed(range(max(0, position - reach), min(len(shown), position + reach))):
            if written[position] == shown[at]:
                here[at] = 1 + below.get(at + 1, 0)
            else:
                here[at] = max(below.get(at, 0), here.get(at + 1, 0))
    position = at = 0
    while position < len(written):
        if at < len(shown) and written[position] == shown[at]:
            yield written[position], at, True
            position, at = position + 1, at + 1
        elif kept[position].get(at + 1, 0) > kept[position + 1].get(at, 0):
            at += 1
        else:
            yield written[position], at, False
            position += 1


def _find_word(word: str, rest: list[str | None], *, near: int, far: int) -> range | None:
    """Return the positions of the shown words that make up a written one."""
    if word in rest[near:far]:
        at = rest.index(word, near, far)
        return range(at, at + 1)
    for at in range(near, far) if len(word) >= _MIN_LONG_WORD else ():
        joined, to = "", at
        while to < len(rest) and (part := rest[to]) and word.startswith(joined + part):
            joined, to = joined + part, to + 1
        if joined == word:
            return range(at, to)
    return None


def _write_view(html: str, *, folder: Path) -> str:
    """Return what Outlook reads, without what it hides, and with pictures from files: LibreOffice must ask nobody."""
    root = document_fromstring(view_for_outlook(html))
    for element in root.xpath("//*[contains(@style, 'mso-hide')]"):
        element.drop_tree()
    for image in root.iter("img"):
        image.set("src", _save_image(image.get("src", ""), folder=folder))
    return str(tostring(root, encoding="unicode", doctype="<!DOCTYPE html>"))


def _save_image(url: str, *, folder: Path) -> str:
    name = urlsplit(url).path.rsplit("/", 1)[-1]
    file = folder / name
    if not file.exists() and url.startswith(f"{ICONS}/"):
        shutil.copyfile(ICON_FOLDER / name, file)
    elif not file.exists() and url.startswith(f"{MEDIA}/"):
        file.write_bytes(make_picture(name).data)
    return escape(file.as_uri()) if file.exists() else ""


def _read_pages(pdf: Path) -> Iterator[tuple[float, list[Word]]]:
    said = subprocess.run(["pdftotext", "-bbox", "-raw", str(pdf), "-"], capture_output=True, text=True, check=True)
    for page in _PAGE.finditer(said.stdout):
        words = [Word(_clean(text), *(float(side) for side in sides)) for *sides, text in _WORD_BOX.findall(page[0])]
        yield float(page[1]), [word for word in words if word.text]


def _clean(text: str) -> str:
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text))


def _is_page(path: Path) -> bool:
    return path.stem.rsplit("-", 1)[-1].isdigit()
