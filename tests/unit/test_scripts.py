"""What holds for every script of the desk."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = sorted(script for app in ("newsletter", "subscribers") for script in (ROOT / app / "static").rglob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_request_follows_no_redirect_to_the_sign_in_page(script: Path) -> None:
    """After a session ended, a script would take that page for its answer."""
    for call in re.split(r"\bfetch\(", script.read_text())[1:]:
        assert "redirect:" in call.partition(");")[0]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_texts_for_staff_come_from_the_page(script: Path) -> None:
    """A script has no catalogue, so its own texts stay English. Errors that it catches itself are for developers."""
    lines = [line.partition(" // ")[0] for line in script.read_text().splitlines() if "Error(" not in line]
    assert [line for line in lines if re.search(r"""["'`][A-Z][a-z]+ [a-z]""", line)] == []
