"""Feedback-ID has four fields by which Gmail counts spam reports, and none of them is about a person."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.sending.build_call import make_feedback_id, make_sender_id

pytestmark = pytest.mark.requirement("M5")


def content(**publication: Any) -> IssueContent:
    """Return the parts of an issue's content that the header is made of."""
    fields = {"slug": "weekly", "from_email": "letter@news.example.org", **publication}
    issue = SimpleNamespace(public_id="0a1b2c3d", kind="issue")
    return cast(IssueContent, SimpleNamespace(issue=issue, publication=SimpleNamespace(**fields)))


def test_the_header_names_issue_publication_kind_and_sender() -> None:
    assert make_feedback_id(content()) == "0a1b2c3d:weekly:issue:newsexampleorg"


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("ana.smith@news.example.org", "newsexampleorg"),
        ("a@x.io", "xiosender"),
        ("a@letters.harbour-justice.example", "lettersharbourj"),
        ("a@bücher.example", "bcherexample"),
        ("nonsense", "nonsense"),
    ],
)
def test_the_sender_has_five_to_fifteen_characters_of_its_domain(address: str, sender: str) -> None:
    assert make_sender_id(address) == sender
    assert 5 <= len(sender) <= 15


@pytest.mark.parametrize("slug", ["issue", "newsexampleorg", "0a1b2c3d"])
def test_no_value_is_in_two_fields(slug: str) -> None:
    fields = make_feedback_id(content(slug=slug)).split(":")
    assert len(fields) == len(set(fields)) == 4


def test_a_slug_cannot_add_a_field_or_a_line() -> None:
    value = make_feedback_id(content(slug="a:b\r\nBcc: x"))
    assert value.count(":") == 3
    assert value.isprintable()
    assert value.isascii()
