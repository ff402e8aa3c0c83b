"""Compare what a screen reader says with what it said before: one text file for each mail and page."""

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden" / "read_aloud"


def assert_reads_as_before(said: str, *, name: str) -> None:
    """Fail if a mail or page is heard otherwise than its file says. ``make email-goldens`` writes the file."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("NEWSLETTER_UPDATE_GOLDENS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8"), f"{path.name} is heard otherwise; if wanted, make email-goldens"
