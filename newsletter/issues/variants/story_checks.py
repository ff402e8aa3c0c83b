"""What stands in the way of an issue's stories: consent, embargo, age. Pure, over the resolved content and a moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction
from newsletter.issues.snapshot.redact import iter_stories

Content = dict[str, Any]
Finding = dict[str, Any]
_CONSENT_WARNING_PERIOD = timedelta(days=14)


def check_stories(content: Content) -> list[Finding]:
    """Findings as lint makes them, for the moment at which the issue is due."""
    due = datetime.fromisoformat(content["issue"]["due_at"])
    findings = []
    for block, story in _iter_blocks_and_stories(content):
        fault = find_display_restriction(
            story["care"], channel=EMAIL, at=due, required=content["publication"]["consent_required"]
        )
        if fault:
            message = Message(
                "“%(title)s” %(fault)s. Take it out, or put its record right.", title=story["title"], fault=fault
            )
            findings.append(_finding("error", "consent", message, block))
        elif _ends_soon(story, due):
            message = Message(
                "The consent of “%(title)s” runs out on %(expires_on)s, soon after this goes out.",
                title=story["title"],
                expires_on=story["care"]["expires_on"],
            )
            findings.append(_finding("warning", "consent-soon", message, block))
        if not fault and story["care"]["minor"]:
            message = Message(
                "“%(title)s” is about a person under 18. Look that neither its words, its link nor its picture "
                "gives away a surname, a school, an exact place or a face that was not agreed to.",
                title=story["title"],
            )
            findings.append(_finding("warning", "minor", message, block))
    return findings


def list_restricted_stories(content: Content, *, at: datetime) -> list[str]:
    """Why the content may not be mailed at a moment: one sentence a story."""
    required = content["publication"]["consent_required"]
    faults = (
        (story, find_display_restriction(story["care"], channel=EMAIL, at=at, required=required))
        for story in iter_stories(content)
    )
    return [f"“{story['title']}” {fault}" for story, fault in faults if fault]


def require_unrestricted_stories(content: Content, *, at: datetime) -> None:
    """Raises NotReady where a story may not be mailed at that moment, whatever was true when the issue was approved."""
    unfit = list_restricted_stories(content, at=at)
    if unfit:
        raise NotReady("%(unfit)s. Nothing was sent. Take it out, or put its record right.", unfit="; ".join(unfit))


def _iter_blocks_and_stories(content: Content) -> Iterator[tuple[Content, Content]]:
    for block in content["blocks"]:
        for story in iter_stories({"blocks": [block]}):
            yield block, story


def _ends_soon(story: Content, due: datetime) -> bool:
    ends = story["care"]["expires_on"]
    return bool(ends) and datetime.fromisoformat(ends).date() < (due + _CONSENT_WARNING_PERIOD).date()


def _finding(level: str, code: str, message: str, block: Content) -> Finding:
    return {"level": level, "code": code, "message": message, "block": block["key"], "field": ""}
