"""The guides: each picture that they show exists and is small, no picture is unused, and each outcome of a mail is explained."""

import re
from pathlib import Path

from newsletter.feedback.explaining.rebuild_mail import NOTES
from newsletter.feedback.sent_mails import BATCH_OUTCOMES, OWN_OUTCOMES, REPORTED_OUTCOMES
from tests.support.guide_pictures import FOLDER, MAX_BYTES

HOW_TO = Path(FOLDER).parents[1] / "how-to"
GUIDES = "".join(guide.read_text(encoding="utf-8") for guide in sorted(HOW_TO.glob("*.md")))
TUTORIAL = (HOW_TO.parent / "tutorial" / "first-issue.md").read_text(encoding="utf-8")
MISSING_MAIL = (HOW_TO / "why-mail-did-not-arrive.md").read_text(encoding="utf-8")


def test_every_picture_of_the_guides_exists_and_is_used() -> None:
    shown = set(re.findall(r"\]\(\.\./images/guide/([^)]+)\)", GUIDES + TUTORIAL))
    assert shown == {path.name for path in FOLDER.iterdir()}


def test_no_picture_of_the_guides_is_large() -> None:
    assert [path.name for path in FOLDER.iterdir() if path.stat().st_size > MAX_BYTES] == []


def test_the_guide_explains_each_outcome_of_a_mail() -> None:
    explained = {line.split("|")[1].strip() for line in MISSING_MAIL.splitlines() if line.startswith("| ")}
    assert {str(outcome) for outcome in (*BATCH_OUTCOMES.values(), *OWN_OUTCOMES.values())} <= explained
    assert {str(outcome) for outcome in REPORTED_OUTCOMES.values()} <= explained


def test_the_guide_explains_what_the_page_of_a_mail_says() -> None:
    explained = [line.split("|")[1].strip() for line in MISSING_MAIL.splitlines() if line.startswith("| ")]
    for note in NOTES.values():
        assert any(str(note).startswith(sentence) for sentence in explained if sentence), note
