"""Collects the words of the screens and brings the catalogues up to date: python -m scripts.messages (or make messages).

Needs no gettext tools: Babel reads the sources and writes both the .po, which people edit, and the .mo, which is used.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from scripts.sentences import collect_sentences

ROOT = Path(__file__).parent.parent
LOCALES = ROOT / "newsletter/locale"
LANGUAGES = ("es",)
WORDS, SENTENCES = "django", "sentences"
OF_WAGTAIL = (
    "Actions (footer)",
    "Add or show comments",
    "Application",
    "Autosave is paused",
    "Close modal dialogs (like this one)",
    "Cut",
    "Enable custom keyboard shortcuts specific to Wagtail.",
    "Filter by",
    "Grid layout",
    "Insert or edit a link",
    "Keyboard shortcut",
    "Keyboard shortcuts",
    "Last login",
    "List layout",
    "Maximum",
    "Minimum",
    "Monospace (code)",
    "More options for '%(title)s'",
    "Paste",
    "Saved",
    "Search…",
    "Section",
    "Show filters",
    "Show keyboard shortcuts",
    "Sort by '%(label)s' in ascending order.",
    "Sort by '%(label)s' in descending order.",
    "Strike-through",
    "Text editing",
    "Text formatting",
    "There are no %(model_name)s to display.",
    "Toggle minimap",
    "Troubleshoot your connection to the site before proceeding. "
    "Open the editor in a separate tab to view the last saved version.",
    "View latest version",
    "account",
)
_OF_NO_USE = tuple(
    f'"{name}'.encode()
    for name in (
        "Project-Id",
        "Report-Msgid",
        "POT-Creation",
        "PO-Revision",
        "Last-Trans",
        "Language-Team",
        "Generated",
    )
)
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "gettext_noop": None,
}


def collect() -> Catalog:
    """Every message of the Python sources, the web templates and the names of tables and fields."""
    from django.utils.translation.template import templatize

    catalog = Catalog(domain="django", charset="utf-8")
    for file in sorted([*(ROOT / "newsletter").rglob("*.py"), *(ROOT / "subscribers").rglob("*.py")]):
        if "migrations" not in file.parts:
            _take(catalog, file, file.read_bytes())
    for file in sorted((ROOT / "templates/web").rglob("*.html")):
        _take(catalog, file, templatize(file.read_text(encoding="utf-8"), origin=str(file)).encode())
    for name in sorted(_names()):
        catalog.add(name, locations=[("names of tables and fields", 1)])
    return catalog


def collect_said() -> Catalog:
    """Every sentence that the code makes in English and the desk says in the reader's language."""
    catalog = Catalog(domain=SENTENCES, charset="utf-8")
    for sentence, place in sorted(collect_sentences().items()):
        catalog.add(sentence, locations=[(place, 1)])
    return catalog


def read(language: str, domain: str = WORDS) -> Catalog:
    """What people wrote: a .po of a language."""
    with (_folder(language) / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def compile_catalog(catalog: Catalog) -> bytes:
    """The .mo of a catalogue."""
    out = BytesIO()
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same words, the same bytes
    write_mo(out, catalog)
    return out.getvalue()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    found, said = collect(), collect_said()
    for language in LANGUAGES:
        words = _bring_up_to_date(language, WORDS, found)
        _bring_up_to_date(language, SENTENCES, said, beside=words)


def _bring_up_to_date(language: str, domain: str, found: Catalog, *, beside: Catalog | None = None) -> Catalog:
    """What is worded in the catalogue ``beside`` is taken from there, so that nobody writes it twice."""
    folder = _folder(language)
    folder.mkdir(parents=True, exist_ok=True)
    kept = (folder / f"{domain}.po").exists()
    catalog = read(language, domain) if kept else Catalog(locale=language, domain=domain)
    catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    worded = dict(_pair(beside)) if beside else {}
    for message in catalog:
        if message.id and isinstance(message.id, str):
            message.string = worded.get(message.id) or message.string
    (folder / f"{domain}.po").write_bytes(_write(catalog))
    (folder / f"{domain}.mo").write_bytes(compile_catalog(catalog))
    missing = [message.id for message in catalog if message.id and not message.string]
    print(f"{language}, {domain}: {len(catalog)} messages, {len(missing)} without words in this language")  # noqa: T201
    return catalog


def _pair(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Each text and its words; a plural's two as two."""
    for message in catalog:
        if isinstance(message.id, str):
            yield message.id.strip(), str(message.string).strip()
        else:
            yield from zip(message.id, message.string, strict=True)


def _write(catalog: Catalog) -> bytes:
    """The .po, without the parts of its head that change with every run."""
    out = BytesIO()
    catalog.fuzzy = False
    what = (
        "The words of the desk and of the public pages" if catalog.domain == WORDS else "What the code says in English"
    )
    catalog.header_comment = f"# {what}: {catalog.locale}."
    write_po(out, catalog, no_location=True, width=120, sort_output=True)
    kept = [line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(_OF_NO_USE)]
    return b"".join(kept)


def _take(catalog: Catalog, file: Path, source: bytes) -> None:
    for line, messages, _comments, context in extract("python", BytesIO(source), keywords=KEYWORDS):
        catalog.add(messages, locations=[(str(file.relative_to(ROOT)), line)], context=context)


def _names() -> Iterator[str]:
    """Of tables and fields, of the blocks of a mail, and what Wagtail's own catalogues lack."""
    from newsletter.models.verbose_names import list_names
    from newsletter.rendering.schemas import load_schemas

    yield from list_names()
    yield from OF_WAGTAIL
    for schema in load_schemas().values():
        said = [schema.label, schema.about]
        for field in schema.fields:
            said += [field.label, field.help, *(words for _value, words in field.options)]
        yield from filter(None, said)


def _folder(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES"


if __name__ == "__main__":
    main()
