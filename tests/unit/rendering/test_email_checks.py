"""The whole check of mails never passes because a judge is missing or silent: it says which, and what to install."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.gallery import check, validators
from tests.gallery.documents import brand_of, flat_picture
from tests.gallery.editions import FIRST_EDITION, write_ghost_default
from tests.gallery.validators import Unavailable
from tests.support.sample_mails import usual_letter


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_programs")
def test_a_judge_that_is_not_installed_is_named_with_what_to_install(tmp_path: Path) -> None:
    missing: list[str] = []
    html = tmp_path / "mail.html"
    for name, faults in {
        "vnu": check.check_with_vnu(tmp_path, {"mail": html}),
        "html-validate": check.check_with_html_validate(tmp_path, {"mail": html}),
    }.items():
        assert list(check.ask(name, faults, missing=missing)) == []
    assert missing == [
        "vnu: java is not installed (Debian: apt install default-jre-headless npm).",
        "html-validate: node is not installed (Debian: apt install default-jre-headless npm).",
    ]
    with pytest.raises(Unavailable, match="apt install spamassassin"):
        validators.score_spam(html)


def test_a_validator_that_dies_is_not_taken_for_one_that_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "html-validate.out.json").write_text("[]")
    (tmp_path / "mail.html").write_text("<p>")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho it broke >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(Unavailable, match="did not answer: it broke"):
        validators.validate_with_html_validate(broken, tmp_path / "mail.html", config=tmp_path / "c.json", out=tmp_path)


@pytest.mark.parametrize(
    ("found", "allowed", "status"), [("fault", True, 1), ("missing", False, 2), ("missing", True, 0)]
)
def test_the_command_ends_with_what_it_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: str, allowed: bool, status: int
) -> None:
    def nothing_or_a_fault(*_: object) -> Iterator[str]:
        if found == "missing":
            raise Unavailable("not here")
        yield "a fault"

    monkeypatch.setattr(check, "documents", lambda *, picture: {"letter-harbour": None})
    monkeypatch.setattr(check, "render", lambda document: None)
    for name in ("_write", "check_ourselves", "check_size", "check_mail_programs"):
        monkeypatch.setattr(check, name, lambda *_: ())
    for name in (
        "check_fonts",
        "check_outlook_view",
        "check_in_browser",
        "check_other_fonts",
        "check_readings",
        "check_with_vnu",
        "check_with_html_validate",
        "check_spam",
    ):
        monkeypatch.setattr(check, name, nothing_or_a_fault)
    monkeypatch.setattr("sys.argv", ["check", "--out", str(tmp_path), *(["--allow-missing"] if allowed else [])])
    assert check.main() == status


def test_the_editions_that_the_gallery_compares_have_the_same_texts():
    letter = usual_letter(brand=brand_of("harbour"), picture=flat_picture)
    _note, lead, cards, events, appeal = letter.blocks
    titles = [item.title for item in (lead.story, *cards.stories, *events.events)]  # type: ignore[attr-defined]
    for html in (write_ghost_default(letter), FIRST_EDITION.read_text(encoding="utf-8")):
        text = unescape(html.replace("\u00ad", ""))
        assert [title for title in (*titles, appeal.headline) if title not in text] == []  # type: ignore[attr-defined]
