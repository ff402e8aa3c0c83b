"""The contact sheets of ``make email-gallery``."""

from pathlib import Path

import pytest
from PIL import Image

from tests.gallery.contact_sheet import GAP, LABEL, MAX_JPEG_SIDE, Row, save_sheets


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    shots = [tmp_path / "narrow.png", tmp_path / "wide.png"]
    Image.new("RGB", (40, 2_000), "#ffffff").save(shots[0])
    Image.new("RGB", (60, 1_000), "#ffffff").save(shots[1])
    return [(f"mail-{number}", shots) for number in range(100)]


def test_rows_that_fit_are_one_sheet(rows: list[Row], tmp_path: Path) -> None:
    (path,) = save_sheets(rows[:3], tmp_path / "sheet.jpg")
    assert path == tmp_path / "sheet.jpg"
    with Image.open(path) as sheet:
        assert sheet.size == (20 + 30 + 3 * GAP, 3 * (1_000 + LABEL + GAP) + GAP)


def test_a_sheet_too_long_for_a_picture_becomes_several(rows: list[Row], tmp_path: Path) -> None:
    paths = save_sheets(rows, tmp_path / "sheet.jpg")
    assert [path.name for path in paths] == ["sheet-1.jpg", "sheet-2.jpg"]
    heights = []
    for path in paths:
        with Image.open(path) as sheet:
            heights.append(sheet.height)
    assert sum(heights) == 100 * (1_000 + LABEL + GAP) + 2 * GAP
    assert max(heights) <= MAX_JPEG_SIDE
