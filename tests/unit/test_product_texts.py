"""The program's texts make sense without a checkout: an installation has no docs/ and no Makefile."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "newsletter", ROOT / "subscribers", ROOT / "templates")
SHOWN_FILES = (".html", ".txt", ".mjml", ".j2", ".toml", ".env", ".json", ".js", ".po")
OF_A_CHECKOUT = re.compile(
    r"(?<![\w./-])docs/|(?<![\w./-])(how-to|reference|explanation|tutorial)/[a-z-]+\.md|"
    r"\b(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|(?<![\w./-])(examples|integrations|scripts)/[a-z]|`make [a-z-]+`"
)


HINTS = ("docs/", ".md", "examples/", "integrations/", "scripts/", "`make ")
"""A text without any of them cannot match. Few modules have one, and reading a module as Python takes long."""


def list_texts(source: str) -> Iterator[str]:
    """Yield the strings of a module, but for those that stand alone: its docstrings."""
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


@pytest.mark.parametrize(
    ("text", "names_one"),
    [
        ("Write it as in docs/reference/settings.md.", True),
        ("See how-to/install.md.", True),
        ("Run `make docs`.", True),
        ("Read README.md first.", True),
        ("See https://www.twilio.com/docs/sendgrid/api-reference.", False),
        ("Open /api/v1/docs/ in your browser.", False),
        ("make some", False),
    ],
)
def test_a_file_of_a_checkout_is_recognised(text: str, *, names_one: bool) -> None:
    assert bool(OF_A_CHECKOUT.search(text)) is names_one


def test_each_kind_of_file_of_a_checkout_has_a_hint() -> None:
    named = ["docs/", "how-to/a.md", "reference/a.md", "explanation/a.md", "tutorial/a.md", "README.md", "CHANGELOG.md"]
    named += ["CONTRIBUTING.md", "SECURITY.md", "examples/a", "integrations/a", "scripts/a", "`make all`"]
    assert all(OF_A_CHECKOUT.search(text) and any(hint in text for hint in HINTS) for text in named)


def test_docstrings_are_no_texts_of_the_program() -> None:
    source = '"""See docs/a.md."""\nLIMIT = 3\n"""As in docs/b.md."""\nSAYS = f"{LIMIT} as in docs/c.md"\n'
    assert [text for text in list_texts(source) if OF_A_CHECKOUT.search(text)] == [" as in docs/c.md"]


def test_no_text_of_the_program_names_a_file_of_a_checkout() -> None:
    found = {}
    for file in (file for package in PACKAGES for file in package.rglob("*")):
        if not file.name.endswith((".py", *SHOWN_FILES)):
            continue
        source = file.read_text(encoding="utf-8")
        if not any(hint in source for hint in HINTS):
            continue
        texts = list(list_texts(source)) if file.suffix == ".py" else source.splitlines()
        named = [text for text in texts if OF_A_CHECKOUT.search(text)]
        if named:
            found[str(file.relative_to(ROOT))] = named
    assert found == {}
