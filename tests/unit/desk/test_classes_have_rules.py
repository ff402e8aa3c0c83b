"""Each class of ours in a template has a rule or a script, so that no page expects a look that nobody wrote."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "newsletter" / "static" / "newsletter"
TEMPLATES = sorted((ROOT / "templates" / "web").rglob("*.html"))
_CLASSES = re.compile(r'class="([^"]*)"')
_TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}")
_OURS = re.compile(r"(?<!\S)nl-[\w-]*\w(?!\S)")


@pytest.fixture(scope="module")
def rules() -> str:
    """Return our style sheets, those within pages of the archive, and our scripts."""
    files = [path for path in STATIC.rglob("*") if path.suffix in (".css", ".js")]
    return "".join(path.read_text() for path in (*files, ROOT / "templates" / "web" / "archive" / "issue_head.html"))


def test_each_class_of_a_template_has_a_rule_or_a_script(rules: str) -> None:
    without = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in TEMPLATES
        for classes in _CLASSES.findall(_TAGS.sub(" ", path.read_text()))
        for name in _OURS.findall(classes)
        if not re.search(rf"{re.escape(name)}(?![\w-])", rules)
    }
    assert not without, "Write a rule for these, or delete them."
