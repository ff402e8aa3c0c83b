"""Collect the texts of the WordPress plugin and update its catalogues: python -m scripts.plugin_messages.

People edit the .po files. The template, the .po and the .mo files are written by Babel, as `scripts.messages` does.
"""

import json
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PLUGIN = Path(__file__).parent.parent / "integrations" / "wordpress" / "newsletter-signup"
LANGUAGES = PLUGIN / "languages"
DOMAIN = "newsletter-signup"
LOCALES = ("es_ES",)
CALL = re.compile(r"\b(?:esc_html__|esc_attr__|__)\('((?:[^'\\]|\\.)*)', '" + DOMAIN + r"'\)")
_HEADER = re.compile(r"^ \* (?:Plugin Name|Description): (.*)$", re.MULTILINE)
_NOTE = re.compile(r"/\* (translators: .*?) \*/")
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_ABOUT = {
    "project": "Newsletter sign-up",
    "version": "0.1.0",
    "creation_date": _CREATED,
    "revision_date": _CREATED,
    "last_translator": "The project",
    "language_team": "The project",
    "msgid_bugs_address": "The project",
    "header_comment": "# Texts of the plugin Newsletter sign-up. Licence: GPL-2.0-or-later.",
    "fuzzy": False,
}


def collect_template() -> Catalog:
    """Return all texts of the plugin, with the notes for translators."""
    catalog = Catalog(domain=DOMAIN, **_ABOUT)
    for file in sorted(PLUGIN.rglob("*.php")):
        for text, note in _read_php(file):
            catalog.add(
                text, auto_comments=[note] if note else [], locations=[(file.relative_to(PLUGIN).as_posix(), None)]
            )
    block = json.loads((PLUGIN / "block" / "block.json").read_text(encoding="utf-8"))
    for name in ("title", "description"):
        catalog.add(block[name], context=f"block {name}")
    for word in block["keywords"]:
        catalog.add(word, context="block keyword")
    for message in catalog:
        if "python-format" in message.flags:
            message.flags ^= {"python-format", "php-format"}
    return catalog


def update_catalogue(locale: str) -> Catalog:
    """Return the catalogue of a language, with today's texts and the translations that it has."""
    file = LANGUAGES / f"{DOMAIN}-{locale}.po"
    catalog = Catalog(locale=locale, domain=DOMAIN, **_ABOUT)
    if file.exists():
        with file.open("rb") as stream:
            for message in read_po(stream, locale=locale):
                if message.id:
                    catalog.add(message.id, message.string, context=message.context)
    catalog.update(collect_template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def make_mo(catalog: Catalog) -> bytes:
    """Return the .mo file. WordPress reads only files that say where their table of hashes is, though it is empty."""
    stream = BytesIO()
    write_mo(stream, catalog)
    content = bytearray(stream.getvalue())
    (total,) = struct.unpack_from("<I", content, 8)
    struct.pack_into("<I", content, 24, 28 + 16 * total)
    return bytes(content)


def main() -> None:
    LANGUAGES.mkdir(exist_ok=True)
    with (LANGUAGES / f"{DOMAIN}.pot").open("wb") as stream:
        write_po(stream, collect_template(), width=120, sort_output=True)
    for locale in LOCALES:
        catalog = update_catalogue(locale)
        with (LANGUAGES / f"{DOMAIN}-{locale}.po").open("wb") as stream:
            write_po(stream, catalog, width=120, sort_output=True)
        (LANGUAGES / f"{DOMAIN}-{locale}.mo").write_bytes(make_mo(catalog))
        missing = sum(1 for message in catalog if message.id and not message.string)
        print(f"{locale}: {len(catalog)} messages, {missing} without a translation")  # noqa: T201


def _read_php(file: Path) -> Iterator[tuple[str, str]]:
    source = file.read_text(encoding="utf-8")
    for text in _HEADER.findall(source):
        yield text, ""
    notes = {match.end(): match[1] for match in _NOTE.finditer(source)}
    for match in CALL.finditer(source):
        near = [text for end, text in notes.items() if 0 <= match.start() - end < 60]
        yield re.sub(r"\\(.)", r"\1", match[1]), near[-1] if near else ""


if __name__ == "__main__":
    main()
