"""What the checks of an issue's mails found, each thing said once, with where it stands and whom it concerns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.desk.readers import Readers, render_for
from newsletter.issues.content import Content

_KINDS = {
    "note": "note",
    "lead_story": "lead story",
    "stories": "stories",
    "events": "events",
    "appeal": "appeal",
    "related": "further reading",
    "quote": "quote",
    "picture": "picture",
    "button": "button",
}
MOST_NAMED = 3
LONGEST_NAME = 60


@dataclass(frozen=True)
class Check:
    """One finding, where it is (“In the lead story “…””, or nothing), and how many of the people get a mail that has it."""

    level: str
    message: str
    people: int
    all: bool
    where: str = ""


def check_mails(content: Content, *, readers: list[Readers]) -> list[Check]:
    """Every finding once, errors first, with the people that it concerns."""
    people: Counter[tuple[str, str]] = Counter()
    mails: Counter[tuple[str, str]] = Counter()
    places: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
    for reader in readers:
        found = render_for(content, place_id=reader.place_id, giving=reader.giving).findings
        for finding in found:
            place = (finding["block"], finding["code"])
            places.setdefault((finding["level"], finding["message"]), {})[place] = None
        for key in {(finding["level"], finding["message"]) for finding in found}:
            people[key] += reader.people
            mails[key] += 1
    checks = [
        Check(
            level=level,
            message=message,
            people=people[level, message],
            all=mails[level, message] == len(readers),
            where=say_where(content, places=list(places[level, message])),
        )
        for level, message in mails
    ]
    return sorted(checks, key=lambda check: (check.level, -check.people))


def say_where(content: Content, *, places: Sequence[tuple[str, str]]) -> str:
    """The blocks in words, in the mail's order. ``places`` are (block key, finding's code); an empty key is no block."""
    codes = dict(places)
    named = [
        name
        for number, block in enumerate(content["blocks"], 1)
        if block["key"] in codes
        for name in _name(block, number=number, code=codes[block["key"]])
    ]
    if not named:
        return ""
    rest = len(named) - MOST_NAMED
    return "In " + ", ".join(named[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _name(block: dict[str, Any], *, number: int, code: str) -> list[str]:
    kind = _KINDS.get(block["type"], block["type"])
    match block["type"]:
        case "lead_story":
            return [f"the lead story “{_short(block['story']['title'])}”"]
        case "stories":
            stories = [story for story in block["stories"] if _concerns(story, code)]
            return [f"the story “{_short(story['title'])}”" for story in stories] or [f"block {number}, {kind}"]
        case "note" | "related" if block["heading"]:
            return [f"the {kind} “{_short(block['heading'])}”"]
        case _:
            return [f"block {number}, {kind}"]


def _concerns(story: dict[str, Any], code: str) -> bool:
    if code == "alt-empty":
        return bool(story["picture"]) and not story["picture"]["alt"].strip()
    return code == "no-link" and not story["url"]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
