"""One whole letter, byte for byte.

To accept a wanted change, run this file with ``NEWSLETTER_UPDATE_GOLDENS=1``; read the difference, then commit it.
"""

import os
from pathlib import Path

import pytest

from newsletter.rendering import check, hash_mail, render
from tests.unit.rendering.samples import rich_document

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.mark.parametrize("part", ["html", "text"])
def test_the_letter_is_what_it_was(part: str):
    written = getattr(render(rich_document()), part)
    path = GOLDEN / ("letter.html" if part == "html" else "letter.txt")
    if os.environ.get("NEWSLETTER_UPDATE_GOLDENS") == "1":
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")


def test_the_letter_passes_its_own_checks():
    assert check(render(rich_document()), document=rich_document()) == ()


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
