"""Read and change CHANGELOG.md for a release."""

import re
from datetime import date

_HEADING = re.compile(r"^## Unreleased(?: \([^)]*\))?\n", re.MULTILINE)
_RELEASED = re.compile(r"^## (\d\S*)", re.MULTILINE)
_NEXT = re.compile(r"^## ", re.MULTILINE)
_NOTHING_YET = "Nothing has been released yet."


def take_notes(text: str) -> str:
    """Return what the changelog says of the next release. Raise ValueError if it says nothing."""
    found = _HEADING.search(text)
    if found is None:
        raise ValueError("CHANGELOG.md has no heading “## Unreleased”. Add it above the changes of this release.")
    following = _NEXT.search(text, found.end())
    notes = text[found.end() : following.start() if following else len(text)].strip()
    if not notes:
        raise ValueError("CHANGELOG.md says nothing under “## Unreleased”. Write what changes for whoever uses it.")
    return notes


def list_versions(text: str) -> list[str]:
    """Return the released versions, newest first."""
    return _RELEASED.findall(text)


def close_release(text: str, *, version: str, on: date) -> str:
    """Return the changelog with the notes under this version, below a new empty heading."""
    take_notes(text)
    text = text.replace(f" {_NOTHING_YET}", "")
    return _HEADING.sub(f"## Unreleased\n\n## {version} ({on.isoformat()})\n", text, count=1)
