"""The content that people approve: records that read and write what is stored, byte for byte."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from newsletter.issues.snapshot.records.blocks import CustomBlock, LeadStoryBlock, NoteBlock, RichText
from newsletter.issues.snapshot.records.content import IssueContent, UnknownContentVersion, hash_content
from newsletter.issues.snapshot.records.fields import PictureRecord
from tests.support.content import make_content

STORED = Path(__file__).parents[2] / "data" / "content"
"""Revisions as the code before the records stored them: one with every kind of block, one correction."""


def load_stored(name: str) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    return stored


@pytest.mark.parametrize("name", ["issue", "correction"])
def test_stored_content_keeps_its_bytes_and_its_hash(name: str) -> None:
    stored = load_stored(name)
    content = IssueContent.from_json(stored["content"])
    assert content.to_json() == stored["content"]
    assert content.to_bytes() == orjson.dumps(stored["content"], option=orjson.OPT_SORT_KEYS)
    assert hash_content(content) == hashlib.sha256(content.to_bytes()).hexdigest() == stored["sha256"]


def test_stored_content_has_every_kind_of_block() -> None:
    content = IssueContent.from_json(load_stored("issue")["content"])
    assert len({type(block) for block in content.blocks}) == 12
    lead = next(block for block in content.blocks if isinstance(block, LeadStoryBlock))
    assert lead.story.consent.embargo_until == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert (lead.story.url, lead.story.page_url) == ("https://example.org/donate/", "https://example.org/clinic/")


def test_a_custom_block_has_typed_values() -> None:
    content = IssueContent.from_json(load_stored("issue")["content"])
    values = {
        name: value
        for block in content.blocks
        if isinstance(block, CustomBlock)
        for name, value in block.values.items()
    }
    assert isinstance(values["still"], PictureRecord)
    assert values["points"] == ("One", "Two")
    assert values["portrait"] is None


def test_any_change_of_the_content_changes_its_hash() -> None:
    content = make_content(NoteBlock(key="n", heading="", html="<p>Hello</p>"))
    assert hash_content(content) == hash_content(make_content(*content.blocks))
    assert hash_content(content) != hash_content(replace(content, subject="Other news"))


def test_optional_keys_are_absent_from_the_json() -> None:
    content = make_content(CustomBlock(key="c", values={"text": RichText("", "")}, type="statistic"))
    data = content.to_json()
    assert not {"schema_version", "announces", "clicks"} & {*data, *data["issue"], *data["publication"]}  # type: ignore[misc]
    assert IssueContent.from_json(data) == content


def test_content_of_a_newer_version_is_refused() -> None:
    data = {**make_content().to_json(), "schema_version": 2}
    with pytest.raises(UnknownContentVersion, match="has format 2"):
        IssueContent.from_json(data)


def test_json_of_another_shape_is_refused() -> None:
    with pytest.raises(ValidationError):
        IssueContent.from_json({"subject": "News"})
