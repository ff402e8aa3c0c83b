"""The contract of a check of an issue."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from newsletter.issues.checks.issue_check import CHECKS, CheckedIssue
from newsletter.issues.snapshot.records.blocks import NoteBlock
from newsletter.issues.snapshot.records.content import BrandRecord, IssueContent, IssueRecord, PublicationRecord
from newsletter.rendering.lint.findings import Finding
from newsletter.testing.registered import find_registered

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


class CheckContract:
    """Say the ``name`` of the check, and write a note with which it finds something in ``bad_note``, as HTML."""

    name: ClassVar[str]
    bad_note: ClassVar[str]

    def check(self, content: IssueContent) -> list[Finding]:
        return list(CHECKS[self.name].check(CheckedIssue(content, NOW, pseudonyms={}, sources={})))

    def make_bad(self) -> IssueContent:
        """Return a content in which the check finds something. Override it if a note cannot have it."""
        return make_content(self.bad_note)

    def test_it_is_installed_and_of_this_interface(self) -> None:
        find_registered(CHECKS, self.name)

    def test_it_finds_nothing_in_a_good_issue(self) -> None:
        assert self.check(make_content("<p>The clinic opens its doors on Monday.</p>")) == []

    def test_it_finds_nothing_in_an_empty_issue(self) -> None:
        assert self.check(replace(make_content(""), blocks=())) == []

    def test_it_finds_the_bad_part_and_names_its_block(self) -> None:
        bad = self.make_bad()
        findings = self.check(bad)
        assert findings, "The check found nothing."
        keys = {block.key for block in bad.blocks} | {""}
        for finding in findings:
            assert isinstance(finding, Finding)
            assert finding.level in ("error", "warning")
            assert finding.block in keys, f"{finding.block} is no block of the issue."
            assert str(finding.message).endswith("."), "A message is made of sentences."

    def test_it_says_the_same_twice_and_changes_nothing(self) -> None:
        bad = self.make_bad()
        before = bad.to_bytes()
        assert self.check(bad) == self.check(bad)
        assert bad.to_bytes() == before


def make_content(note: str) -> IssueContent:
    """Return the content of an issue with one note."""
    return IssueContent(
        issue=IssueRecord(kind="issue", reference="weekly/1", public_id="a" * 24, due_at=NOW),
        subject="News of the week",
        preheader="Three stories of the week, and one thing that you can do",
        publication=PublicationRecord(
            slug="weekly",
            name="Weekly",
            language="en",
            from_name="Open Door",
            from_email="news@example.org",
            reply_to="",
            list_name="Weekly",
            list_id="b" * 16,
            max_events=4,
            radius_km=80,
            host_url="",
            zone="Europe/London",
            consent_required=False,
        ),
        brand=BrandRecord(
            name="Open Door",
            logo=None,
            logo_dark=None,
            colour="#17414f",
            accent="#a8481b",
            background="#fdfbf7",
            font="serif",
            heading_font="",
            radius=8,
            masthead="plain",
            icons_url="",
            postal_address="1 Example Street",
            website="https://example.org/",
            donate_url="",
            donor_portal_url="",
            social=(),
        ),
        blocks=(NoteBlock(key="note", heading="", html=note),),
    )
