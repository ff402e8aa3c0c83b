"""Whole mails, byte for byte: a letter with everything, each layout in a finished brand, and one issue in eight languages.

To accept a wanted change: ``make email-goldens``; read the difference, then commit it.
"""

import os
from pathlib import Path

import pytest

from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.mail import RenderedMail, hash_mail
from newsletter.rendering.phrases import PHRASES, READER_TEXTS
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.documents import gallery_mails
from tests.support.language_mails import TEXTS, make_language_mail
from tests.support.mail_documents import rich_document

GOLDEN = Path(__file__).parents[2] / "golden"
OF_GALLERY = (
    "letter-harbour",
    "plain-harbour",
    "events_first-harbour",
    "digest-meadow",
    "announcement-lantern",
    "event_notice-harbour",
    "appeal-meadow",
    "letter-ar",
    "letter-bare",
    "letter-blocks",
    "notice-meadow",
)

NAMES = ["letter", *OF_GALLERY, *(f"issue-{language}" for language in TEXTS)]


@pytest.fixture(scope="module")
def goldens() -> dict[str, RenderedMail]:
    gallery = gallery_mails()
    in_languages = {f"issue-{language}": render(make_language_mail(language)) for language in TEXTS}
    return {"letter": render(rich_document())} | {name: gallery[name][1] for name in OF_GALLERY} | in_languages


@pytest.mark.parametrize("part", ["html", "txt"])
@pytest.mark.parametrize("name", NAMES)
def test_a_mail_is_what_it_was(goldens: dict[str, RenderedMail], name: str, part: str):
    mail = goldens[name]
    written = mail.html if part == "html" else mail.text
    path = GOLDEN / f"{name}.{part}"
    if os.environ.get("NEWSLETTER_UPDATE_GOLDENS") == "1":
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8"), (
        f"{path.name} has changed; if that is wanted, make email-goldens"
    )


def test_every_layout_has_a_golden_and_no_golden_is_left_over():
    assert {name.split("-")[0] for name in OF_GALLERY} >= set(LAYOUTS)
    assert {path.stem for path in GOLDEN.iterdir() if path.is_file()} == set(NAMES)


@pytest.mark.parametrize("language", TEXTS)
def test_a_mail_in_each_language_passes_the_checks(language: str):
    document = make_language_mail(language)
    mail = render(document)
    assert lint_mail(mail, document=document) == ()
    assert f'lang="{language}"' in mail.html
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in mail.html
    assert set(PHRASES[language]) == set(PHRASES["en"])
    assert set(READER_TEXTS[language]) == set(READER_TEXTS["en"])
    assert [text for text in PHRASES["en"].values() if " " in text and text in mail.text and language != "en"] == []


def test_the_letter_passes_its_own_checks():
    assert lint_mail(render(rich_document()), document=rich_document()) == ()


def test_the_same_document_gives_the_same_bytes_and_the_same_fingerprint():
    first, second = render(rich_document()), render(rich_document())
    assert first == second
    assert first.sha256 == hash_mail(subject=first.subject, html=first.html, text=first.text, variables=first.variables)


def test_the_fingerprint_changes_with_every_part_that_is_sent():
    mail = render(rich_document())
    parts = {"subject": mail.subject, "html": mail.html, "text": mail.text, "variables": mail.variables}
    changed = [hash_mail(**{**parts, name: value + "x"}) for name, value in parts.items() if isinstance(value, str)]
    changed.append(hash_mail(**{**parts, "variables": mail.variables[1:]}))
    assert len({mail.sha256, *changed}) == 5
