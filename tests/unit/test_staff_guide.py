"""The guide for staff: each picture that it shows is there and light, and no picture lies about unused; each jump arrives."""

import re
from pathlib import Path

from tests.support.guide_pictures import FOLDER, MAX_BYTES

GUIDE = (Path(FOLDER).parents[1] / "how-to/use-the-desk.md").read_text(encoding="utf-8")


def test_every_picture_of_the_guide_is_there_and_none_is_left_over() -> None:
    shown = set(re.findall(r"\]\(\.\./images/guide/([^)]+)\)", GUIDE))
    assert shown == {path.name for path in FOLDER.iterdir()}


def test_no_picture_of_the_guide_is_heavy() -> None:
    assert [path.name for path in FOLDER.iterdir() if path.stat().st_size > MAX_BYTES] == []


def test_every_jump_within_the_guide_arrives() -> None:
    headings = {
        re.sub(r"[^a-z -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^## (.+)$", GUIDE, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= headings
