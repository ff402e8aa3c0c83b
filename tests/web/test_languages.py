"""Catalogues: each text is translated, keeps its placeholders, and is what people see. The desk is in Spanish too."""

import ast
import json
import re
from collections import Counter
from datetime import datetime
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from django.utils import translation
from django.utils.formats import date_format
from wagtail.users.models import UserProfile

from newsletter.models import Publication
from newsletter.rendering.phrases import READER_TEXTS
from scripts.framework_messages import DJANGO_MESSAGES, WAGTAIL_MESSAGES
from scripts.messages import (
    DOMAIN,
    KEYWORDS,
    LANGUAGES,
    LOCALES,
    OWN_ENGLISH,
    READER_LANGUAGES,
    ROOT,
    collect,
    collect_for_readers,
    compile_catalog,
    read,
    read_own_english,
)
from tests.support.desk import sign_in, sign_in_superuser
from tests.support.desk_pages import fill
from tests.support.desk_routes import LOOKED_AT, list_desk_routes
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_story
from tests.support.people import make_list

PLACES = re.compile(r"%\(\w+\)[a-z]|%%|%s|\{[\w ]*\}|\{\{.*?\|.*?:|</?\w+[^>]*>|`[^`]+`")


@pytest.fixture(scope="module")
def found() -> dict[str, Catalog]:
    """Return the messages that each language needs."""
    return {**dict.fromkeys(LANGUAGES, collect()), **dict.fromkeys(READER_LANGUAGES, collect_for_readers())}


def list_translations(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def list_originals(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


@pytest.mark.parametrize("language", [*LANGUAGES, *READER_LANGUAGES])
def test_every_text_is_translated_and_no_other_is_kept(language: str, found: dict[str, Catalog]) -> None:
    """Run `make messages`, then write what is missing into the .po."""
    kept, wanted = read(language), found[language]
    missing = [
        message.id
        for message in wanted
        if message.id and not all(list_translations(kept.get(_key(message), context=message.context) or message))
    ]
    missing += [
        message.id for message in wanted if message.id and kept.get(_key(message), context=message.context) is None
    ]
    assert missing == [], f"{len(missing)} messages have no words in {language}"
    assert [
        message.id for message in kept if message.id and wanted.get(_key(message), context=message.context) is None
    ] == []
    assert [message.id for message in kept if message.fuzzy] == []


def test_no_text_to_translate_is_inside_an_f_string() -> None:
    """Babel reads no f-strings, so such a text would stay English."""
    inside = [
        (path.name, call.lineno)
        for package in ("newsletter", "subscribers")
        for path in sorted((ROOT / package).rglob("*.py"))
        for text in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {*KEYWORDS, "_"}
    ]
    assert inside == []


def test_english_has_one_kind_of_apostrophe(found: dict[str, Catalog]) -> None:
    """Texts of screens and notices have ’. Those of Django and Wagtail are theirs; their catalogues need them as they are.

    A mark around a placeholder, as in '%(title)s', is no apostrophe.
    """
    frameworks = {*DJANGO_MESSAGES, *WAGTAIL_MESSAGES}
    texts = {text for catalog in found.values() for message in catalog for text in list_originals(message)}
    assert {text for text in texts - frameworks if re.search(r"\w'\w|\)s's|s' ", text)} == set()


@pytest.mark.parametrize("language", [*LANGUAGES, *READER_LANGUAGES])
def test_each_translation_keeps_placeholders_and_tags(language: str) -> None:
    """A language with more plural forms than English writes “none”, “one” and “two” as words."""
    catalog = read(language)
    wrong = []
    for message in catalog:
        if not message.id:
            continue
        wanted, texts = list_originals(message), list_translations(message)
        assert len(texts) in (1, catalog.num_plurals)
        for number, text in enumerate(texts):
            there = Counter(PLACES.findall(text))
            needed = Counter(PLACES.findall(wanted[min(number, len(wanted) - 1)]))
            if there != needed and not (len(texts) > 3 and there < needed):
                wrong.append(text)
    assert wrong == []


def test_spanish_has_one_kind_of_quotation_marks() -> None:
    texts = [text for message in read("es") if message.id for text in list_translations(message)]
    assert [text for text in [*texts, *READER_TEXTS["es"].values()] if set(text) & set("«»")] == []


@pytest.mark.parametrize("language", [*LANGUAGES, *READER_LANGUAGES])
def test_each_compiled_catalogue_equals_its_source(language: str) -> None:
    """The .mo is committed, so that nothing has to be compiled where the product is installed: run `make messages`."""
    with (LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        used = read_mo(file)
    written = read_mo(BytesIO(compile_catalog(read(language))))
    assert {(_key(message), message.context): list_translations(message) for message in used if message.id} == {
        (_key(message), message.context): list_translations(message) for message in written if message.id
    }


def test_the_compiled_own_english_equals_its_source() -> None:
    with (OWN_ENGLISH / f"{DOMAIN}.mo").open("rb") as file:
        used = {message.id: message.string for message in read_mo(file) if message.id}
    assert used == {message.id: message.string for message in read_own_english() if message.id}


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "word"), [("", "Sign out"), ("es", "Cerrar sesión")])
def test_the_menu_and_the_account_pages_have_one_word_to_sign_out(language: str, word: str) -> None:
    client = sign_in("approver")
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": language})
    menu = re.search(r'"logout", "label": "([^"]*)"', client.get("/admin/").content.decode())
    assert menu is not None
    assert json.loads(f'"{menu[1]}"') == word
    page = client.get("/accounts/logout/", headers={"accept-language": language or "en"}).content.decode()
    assert f'<button class="button">{word}</button>' in page


@pytest.mark.django_db
def test_a_member_of_staff_who_chose_spanish_gets_the_desk_in_spanish(publication: Publication) -> None:
    make_story("The clinic opens")
    issue = make_issue(publication)
    client = sign_in("approver")
    assert '<option value="es">' in client.get("/admin/account/").content.decode()
    UserProfile.objects.update_or_create(
        user=User.objects.get(username="approver@example.org"), defaults={"preferred_language": "es"}
    )
    page = client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()
    for words in ("Aprobar", "Comprobaciones", "Destinatarios", "Historial"):
        assert words in page
    assert "Recipients" not in page
    assert "Una aplicación de tu teléfono protege tu cuenta" in client.get("/accounts/2fa/").content.decode()
    home = client.get("/admin/").content.decode()
    assert r"N\u00fameros" in home
    assert "Pendiente" in home
    assert "Recipients" in sign_in("writer").get(f"/admin/issues/{issue.pk}/overview/").content.decode()


@pytest.mark.long
@pytest.mark.django_db
def test_every_desk_page_opens_in_spanish(publication: Publication) -> None:
    """A translation that a page cannot fill in would break it."""
    make_story("The clinic opens")
    make_event("An evening of letters")
    make_appeal()
    add_subscribers(publication, 2)
    issue = make_issue(publication)
    client = sign_in_superuser()
    UserProfile.objects.update_or_create(user=User.objects.get(), defaults={"preferred_language": "es"})
    rows = dict.fromkeys(("name", "other"), "1") | {"mode": "inbox.0.none", "admin/issues": str(issue.pk)}
    routes = dict(list_desk_routes(get_resolver()))
    wrong = []
    for name in LOOKED_AT:
        response = client.get(fill(routes[name], name.partition(" ")[2], rows))
        if response.status_code not in (200, 302, 404, 405):
            wrong.append((name, response.status_code))
    assert wrong == []


@pytest.mark.parametrize(
    ("form", "english", "spanish"),
    [
        ("D j M, H:i", "Thu 5 Mar, 09:30", "jue 5 mar, 09:30"),
        ("j M Y", "5 Mar 2026", "5 mar 2026"),
        ("j F Y", "5 March 2026", "5 de marzo de 2026"),
    ],
)
def test_spanish_months_are_lower_case_in_every_format(form: str, english: str, spanish: str) -> None:
    for language, expected in (("en", english), ("es", spanish)):
        with translation.override(language):
            assert date_format(datetime(2026, 3, 5, 9, 30), translation.gettext(form)) == expected


def test_no_screen_writes_a_month_outside_a_translated_format() -> None:
    untranslated = re.compile(r"""\|date:"[^"]*[MF][^"]*"|date_format\([^()]+, ["'][^"']*[MF]""")
    sources = [
        *ROOT.glob("templates/web/**/*.html"),
        *ROOT.glob("newsletter/**/*.py"),
        *ROOT.glob("subscribers/**/*.py"),
    ]
    found = [(path.name, said) for path in sources for said in untranslated.findall(path.read_text("utf-8"))]
    assert [one for one in found if '"DATE_FORMAT"' not in one[1]] == []


@pytest.mark.django_db
def test_the_sign_in_page_is_in_the_language_of_the_browser() -> None:
    sign_in_superuser()
    page = Client().get("/accounts/login/", headers={"Accept-Language": "es-MX,es;q=0.9"}).content.decode()
    assert "Entrar" in page
    assert "Sign in" in Client().get("/accounts/login/", headers={"Accept-Language": "fr"}).content.decode()


@pytest.mark.django_db
def test_a_stranger_signs_up_in_spanish() -> None:
    make_list("weekly")
    page = Client().get("/join/weekly?lang=es").content.decode()
    assert "Apuntarme" in page
    assert "Dirección de correo" in page


@pytest.mark.django_db
def test_the_words_of_commands_stay_english_and_so_do_migrations() -> None:
    with translation.override("es"):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]
