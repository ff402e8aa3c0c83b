"""Collect the texts of code and templates and update the catalogues: python -m scripts.messages (or make messages).

It needs no gettext tools. Babel reads the sources and writes the .po file, which people edit, and the .mo file.
"""

import ast
import os
import re
from collections.abc import Container, Iterable, Iterator
from contextlib import redirect_stderr
from copy import deepcopy
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from io import BytesIO, StringIO
from pathlib import Path
from pkgutil import walk_packages

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from packaging.version import Version

import newsletter
import subscribers
from newsletter.common.errors import DomainError
from newsletter.rendering.languages import OwnTranslation
from scripts.framework_messages import DJANGO_MESSAGES, WAGTAIL_MESSAGES

ROOT = Path(__file__).parent.parent
LOCALES = ROOT / "newsletter/locale"
OWN_ENGLISH = ROOT / "newsletter/desk/shell/words/en_GB/LC_MESSAGES"
"""The folder of texts of Wagtail for which the desk uses other words. People write its .po file."""
_TRANSLATED = [kind for kind in OwnTranslation.__subclasses__() if kind.catalogue is not None]
LANGUAGES = tuple(kind.language for kind in _TRANSLATED if kind.for_staff)
"""Languages of every text: of the desk too."""
READER_LANGUAGES = tuple(kind.language for kind in _TRANSLATED if not kind.for_staff)
"""Languages of what readers see: public pages, and mails about their own subscription."""
READER_SOURCES = (
    "newsletter/common/languages.py",
    "newsletter/common/translation.py",
    "newsletter/jobs/silent_people.py",
    "newsletter/web/*.py",
    "newsletter/web/layers/*.py",
    "subscribers/consent_events.py",
    "subscribers/people/link_mail_texts.py",
    "subscribers/web/*.py",
    "templates/web/404.html",
    "templates/web/500.html",
    "templates/web/archive/*.html",
    "templates/web/subscribers/*.html",
)
DOMAIN = "django"
OPERATORS = ("backups", "bench", "demo", "management", "organisation", "project")
ALSO_IN_THE_DESK = ("administrators.py", "first_administrator.py", "logos.py", "staff_accounts.py", "staff_links.py")
"""Packages of newsletter whose errors only people at a command line read, in English."""
ENGLISH_ERRORS = {
    "SandboxProtocolError",
    "BadProviderUrl",
    "BadWebhook",
    "WrongSignature",
    "InvariantViolated",
    "WebhookCheckUnavailable",
}
"""Errors that only providers and operators read."""
_FIRST_RELEASE = Version("1.0.0")
_VOLATILE_HEADERS = tuple(
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
    "Message": None,
}


def collect() -> Catalog:
    """Return every message of the Python sources, the web templates and the names of tables and fields."""
    catalog = Catalog(domain=DOMAIN, charset="utf-8")
    errors = list_errors()
    for file in sorted([*(ROOT / "newsletter").rglob("*.py"), *(ROOT / "subscribers").rglob("*.py")]):
        if "migrations" not in file.parts:
            _take(catalog, file, file.read_bytes(), errors=() if _is_for_operators(file) else errors)
    for file in sorted((ROOT / "templates/web").rglob("*.html")):
        _take(catalog, file, _read_template(file))
    for name in sorted(_names()):
        catalog.add(name, locations=[("names of tables and blocks", 1)])
    for text in DJANGO_MESSAGES:
        catalog.add(text)
    return catalog


def collect_for_readers() -> Catalog:
    """Return the messages of the sources whose texts readers see."""
    catalog = Catalog(domain=DOMAIN, charset="utf-8")
    for file in sorted(file for pattern in READER_SOURCES for file in ROOT.glob(pattern)):
        _take(catalog, file, _read_template(file) if file.suffix == ".html" else file.read_bytes())
    return catalog


def _read_template(file: Path) -> bytes:
    from django.utils.translation.template import templatize

    lines = templatize(file.read_text(encoding="utf-8"), origin=str(file)).splitlines()
    return "\n".join(line.lstrip() for line in lines).encode()  # the indentation of HTML is none of Python's


def _is_for_operators(file: Path) -> bool:
    return file.relative_to(ROOT).parts[1] in OPERATORS and file.name not in ALSO_IN_THE_DESK


def list_errors() -> list[str]:
    """Return the names of the classes in the exception tree: the first argument of each is a message."""
    for package in (newsletter, subscribers):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "jobs", "bench", "wsgi"} & set(module.name.split(".")):
                import_module(module.name)
    names, found = [], [DomainError]
    while found:
        names.append(found[-1].__name__)
        found.extend(found.pop().__subclasses__())
    return sorted(set(names) - ENGLISH_ERRORS)


def read(language: str) -> Catalog:
    """Return the translations of a language."""
    with (_folder(language) / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compile_catalog(catalog: Catalog) -> bytes:
    """Return the .mo file of a catalogue, with its obsolete entries: tables may hold their messages."""
    out, catalog = BytesIO(), deepcopy(catalog)
    for message in catalog.obsolete.values():
        catalog[message.id] = message
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # the same words, the same bytes
    write_mo(out, catalog)
    return out.getvalue()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    for languages, found in ((LANGUAGES, collect()), (READER_LANGUAGES, collect_for_readers())):
        for language in languages:
            _update(language, found)
    (OWN_ENGLISH / f"{DOMAIN}.mo").write_bytes(compile_catalog(read_own_english()))


def read_own_english() -> Catalog:
    """Return the desk's own words for English texts of Wagtail."""
    with (OWN_ENGLISH / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, domain=DOMAIN)


def _update(language: str, found: Catalog) -> None:
    folder = _folder(language)
    folder.mkdir(parents=True, exist_ok=True)
    catalog = read(language) if (folder / f"{DOMAIN}.po").exists() else Catalog(locale=language, domain=DOMAIN)
    update_catalog(catalog, found, keeps_obsolete=Version(version("newsletter")) >= _FIRST_RELEASE)
    (folder / f"{DOMAIN}.po").write_bytes(_write(catalog))
    (folder / f"{DOMAIN}.mo").write_bytes(compile_catalog(catalog))
    missing = [message.id for message in catalog if message.id and not _is_translated(message)]
    print(f"{language}: {len(catalog)} messages, {len(missing)} without a translation")  # noqa: T201


def update_catalog(catalog: Catalog, found: Catalog, *, keeps_obsolete: bool) -> None:
    """Give a catalogue the messages that were found. It keeps others as obsolete entries, which begin with “#~”, or drops them.

    Tables of a released version may hold a message that is no longer in the sources. It is translated by its template.
    """
    for key, message in list(catalog.obsolete.items()):
        if found.get(message.id, message.context) is not None:
            catalog[message.id] = catalog.obsolete.pop(key)
    catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
    if not keeps_obsolete:
        catalog.obsolete.clear()


def _is_translated(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else message.string
    return bool(forms) and all(forms)


def _write(catalog: Catalog) -> bytes:
    """Return the .po file without the parts of its header that change with every run."""
    out = BytesIO()
    catalog.fuzzy = False
    where = "the desk, of the public pages and of errors" if str(catalog.locale) in LANGUAGES else "the public pages"
    catalog.header_comment = f"# The text of {where}: {catalog.locale}."
    write_po(out, catalog, no_location=True, width=120, sort_output=True)
    kept = [line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(_VOLATILE_HEADERS)]
    return b"".join(kept)


def _take(catalog: Catalog, file: Path, source: bytes, *, errors: Iterable[str] = ()) -> None:
    keywords = {**KEYWORDS, **dict.fromkeys(errors)}
    # Babel reads each file token by token, which takes seconds for all of them. Most call none of these functions.
    if not re.search(rf"\b(?:{'|'.join(keywords)})\s*\(".encode(), source):
        return
    with redirect_stderr(StringIO()) as babel:
        for line, messages, _comments, context in extract("python", BytesIO(source), keywords=keywords):
            catalog.add(messages, locations=[(str(file.relative_to(ROOT)), line)], context=context)
    if babel.getvalue():  # Babel names neither the file nor the call, and warns of values too
        for line, name in find_texts_without_template(source.decode(), keywords):
            where = f"{file.relative_to(ROOT)}:{line}"
            print(f"{where}: nobody can translate the text of {name}(), an f-string. Give it values by name.")  # noqa: T201


def find_texts_without_template(source: str, functions: Container[str]) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each call whose text has values in place of their names."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and call.args:
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in functions and isinstance(call.args[0], ast.JoinedStr):
                yield call.lineno, name


def _names() -> Iterator[str]:
    """Yield the names of tables, the labels of a mail's blocks and looks, and what Wagtail's own catalogues lack."""
    from django.apps import apps

    from newsletter.organisation.starter_brands import load_starters
    from newsletter.rendering.schemas import load_schemas

    for app in ("newsletter", "subscribers"):
        yield from (str(model._meta.verbose_name) for model in apps.get_app_config(app).get_models())
    yield from WAGTAIL_MESSAGES
    for schema in load_schemas().values():
        said = [schema.label, schema.about]
        for field in (one for outer in schema.fields for one in (outer, *outer.fields)):
            said += [field.label, field.help, *(words for _value, words in field.options)]
        yield from filter(None, said)
    for starter in load_starters().values():
        yield from (starter.label, starter.kind, starter.about)


def _folder(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES"


if __name__ == "__main__":
    main()
